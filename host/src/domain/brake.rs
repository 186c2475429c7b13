//! The brake of what a policy ignores: how much of one cause a revision may ignore by itself, and when a person has to look.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Timestamp;

#[cfg(test)]
mod tests;

const MINUTE_MS: u64 = 60_000;
/// Minutes that are counted: those of an hour, and the one that has begun.
const COUNTED: u64 = 60;

/// How much a policy may ignore by itself: the table `[ignore]` of its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BrakeSettings {
    /// So many sync errors of one cause within an hour; with one more, those of the hour are reopened.
    pub most_per_hour: u32,
    /// Only of causes that were seen first so long ago: what is newer waits for a person.
    pub known_for_minutes: u32,
    /// So long a brake that bit holds, unless a person releases it before; 0: until then.
    pub holds_for_hours: u32,
    /// So long a revision ignores a cause before a person has to let it go on; 0: for ever.
    pub expires_after_days: u32,
}

impl Default for BrakeSettings {
    fn default() -> Self {
        Self { most_per_hour: 100, known_for_minutes: 60, holds_for_hours: 24, expires_after_days: 90 }
    }
}

impl BrakeSettings {
    fn until(&self, now: Timestamp) -> Option<Timestamp> {
        (self.holds_for_hours > 0).then(|| now.after(Duration::from_secs(3600 * u64::from(self.holds_for_hours))))
    }

    fn expired(&self, since: Timestamp, now: Timestamp) -> bool {
        let days = u64::from(self.expires_after_days);
        days > 0 && now.since(since) >= Duration::from_secs(24 * 3600 * days)
    }

    fn knows(&self, first_seen: Option<Timestamp>, now: Timestamp) -> bool {
        let minutes = u64::from(self.known_for_minutes);
        minutes == 0 || first_seen.is_some_and(|first| now.since(first) >= Duration::from_secs(60 * minutes))
    }
}

/// What one revision of a policy has ignored of one cause lately, and whether it may go on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Brake {
    /// Since when the revision judges so; since a person let it go on, where one did.
    pub since: Timestamp,
    /// When it judged so last.
    pub last: Timestamp,
    /// What it ignored, by minutes since 1970.
    #[serde(skip_serializing_if = "Minutes::is_empty")]
    minutes: Minutes,
    /// Why it may not go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold: Option<Hold>,
    /// How many judgements to ignore were held.
    pub held: u64,
}

/// Counts by minute. Stored as pairs: within a task, a map that is read from JSON has no numbers as its keys.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<(u64, u32)>", into = "Vec<(u64, u32)>")]
struct Minutes(BTreeMap<u64, u32>);

impl Minutes {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn all(&self) -> u64 {
        self.0.values().map(|count| u64::from(*count)).sum()
    }

    fn add(&mut self, minute: u64, more: u32) {
        let count = self.0.entry(minute).or_default();
        *count = count.saturating_add(more);
    }

    /// What lies ahead counts as of this minute, and what is older than that one is forgotten.
    fn correct(&mut self, this: u64, oldest: u64) {
        let ahead = self.0.split_off(&(this + 1)).into_values().fold(0, u32::saturating_add);
        self.0 = self.0.split_off(&oldest);
        if ahead > 0 {
            self.add(this, ahead);
        }
    }
}

impl From<Vec<(u64, u32)>> for Minutes {
    fn from(pairs: Vec<(u64, u32)>) -> Self {
        Self(pairs.into_iter().collect())
    }
}

impl From<Minutes> for Vec<(u64, u32)> {
    fn from(minutes: Minutes) -> Self {
        minutes.0.into_iter().collect()
    }
}

/// A brake that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Since when.
    pub at: Timestamp,
    /// When it goes on by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Why.
    pub why: Why,
}

/// Why a policy may not ignore a sync error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// Nobody had time to see the cause.
    New,
    /// It ignored as many within the hour as it may.
    TooMany,
    /// It has ignored the cause for so long that somebody has to look again.
    Expired,
    /// A person said so.
    Person,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::New => "the cause is new, so a person has to see it first",
            Self::TooMany => "it ignored as many of this cause within an hour as it may",
            Self::Expired => "it has ignored this cause for so long that a person has to look again",
            Self::Person => "a person holds what it ignores of this cause",
        })
    }
}

/// What comes of a judgement to ignore.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judged {
    /// It is ignored.
    Ignored,
    /// It waits for a person.
    Held(Why),
    /// It waits for a person, and so does from now on what was ignored since this time.
    Bites {
        /// The beginning of the hour.
        since: Timestamp,
        /// How many that are.
        ignored: u64,
    },
}

impl Brake {
    /// A brake that has seen nothing.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self { since: now, last: now, ..Self::default() }
    }

    /// The policy judges that a sync error is to be ignored, of a cause that was seen first at that time.
    pub fn judge(&mut self, settings: &BrakeSettings, first_seen: Option<Timestamp>, now: Timestamp) -> Judged {
        self.correct(settings, now);
        self.last = now;
        if self.hold.and_then(|hold| hold.until).is_some_and(|until| until <= now) {
            self.hold = None;
        }
        if self.hold.is_none() && settings.expired(self.since, now) {
            self.hold = Some(Hold { at: now, until: None, why: Why::Expired });
        }
        let why = self.hold.map(|hold| hold.why).or((!settings.knows(first_seen, now)).then_some(Why::New));
        if let Some(why) = why {
            self.held += 1;
            return Judged::Held(why);
        }
        let ignored = self.minutes.all();
        if ignored < u64::from(settings.most_per_hour) {
            self.minutes.add(minute(now), 1);
            return Judged::Ignored;
        }
        self.held += 1;
        self.hold = Some(Hold { at: now, until: settings.until(now), why: Why::TooMany });
        // They are reopened.
        self.minutes = Minutes::default();
        Judged::Bites { since: Timestamp::from_millis(oldest(now) * MINUTE_MS), ignored }
    }

    /// A person holds it.
    pub fn stop(&mut self, now: Timestamp) {
        self.hold = Some(Hold { at: now, until: None, why: Why::Person });
    }

    /// A person lets it go on. What it ignored within the hour still counts.
    pub fn release(&mut self, now: Timestamp) {
        (self.hold, self.since) = (None, now);
    }

    /// Where the clock went back, what lies ahead of it counts as of now. What is older than an hour is forgotten.
    fn correct(&mut self, settings: &BrakeSettings, now: Timestamp) {
        self.minutes.correct(minute(now), oldest(now));
        self.since = self.since.min(now);
        if let Some(hold) = self.hold.as_mut().filter(|hold| hold.at > now) {
            *hold = Hold { at: now, until: hold.until.and(settings.until(now)), ..*hold };
        }
    }
}

fn minute(at: Timestamp) -> u64 {
    at.as_millis() / MINUTE_MS
}

/// The oldest minute that is counted.
fn oldest(now: Timestamp) -> u64 {
    minute(now).saturating_sub(COUNTED)
}

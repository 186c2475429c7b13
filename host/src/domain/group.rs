//! A group: all sync errors of one cause, counted, with when it came and whether it grows.

mod condition;
mod histogram;
#[cfg(test)]
mod tests;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use self::condition::Condition;
pub use self::histogram::Histogram;
use super::ids::digest;
use super::{Cause, Class, ErrorCounts, Fingerprint, OrgId, PolicyName, Question, State, SyncErrorId, Timestamp};

/// The most causes of one organization that are kept apart.
pub const GROUPS_KEPT: u64 = 2_000;

/// A group is new, or regressed, for so long; and it has regressed when nothing of it was pending for so long.
const DAY: Duration = Duration::from_secs(24 * 3600);
/// Sync errors that stand for all of them.
const SAMPLES: usize = 5;
/// The longest code of a refusal that is kept, in bytes: a policy may give any.
const CODE: usize = 200;
/// The longest name of who looks after a group, in bytes.
pub const ASSIGNEE: usize = 200;
/// The longest note on a group, in bytes.
pub const NOTE: usize = 2000;
/// The longest address of a group's ticket, in bytes.
pub const TICKET: usize = 500;

/// All sync errors of an organization that have one cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// The fingerprint of the cause.
    pub id: Fingerprint,
    /// The organization.
    pub org: OrgId,
    /// What is wrong, in words for a person.
    pub title: String,
    /// The class of the refusals.
    pub class: Class,
    /// The code of the refusals.
    pub code: String,
    /// The fields that they name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
    /// The policy at fault, where one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyName>,
    /// What that policy was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<Question>,
    /// The words of the refusals, without what differs from one conversation to the next.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// Its sync errors by state.
    pub counts: ErrorCounts,
    /// When one failed first.
    pub first_seen: Timestamp,
    /// When one failed last.
    pub last_seen: Timestamp,
    /// Failures by hour.
    #[serde(default, skip_serializing_if = "Histogram::is_empty")]
    pub failures: Histogram,
    /// The sync errors that failed last, the newest at the end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub samples: Vec<SyncErrorId>,
    /// Since when at least one is pending, without a moment in between when none was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending_since: Option<Timestamp>,
    /// Since when none is pending any more, where one has been.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet_since: Option<Timestamp>,
    /// When one was pending again after a day without one, at last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regressed_at: Option<Timestamp>,
    /// Who looks after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignee: Option<String>,
    /// What people say of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Where its ticket is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
}

/// What happened to one sync error of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupChange {
    /// The sync error.
    pub sync_error: SyncErrorId,
    /// Its state before; `None` where it was not in this group.
    pub before: Option<State>,
    /// Its state now; `None` where it is in this group no more.
    pub after: Option<State>,
    /// Whether an attempt at it failed.
    pub failed: bool,
    /// When.
    pub at: Timestamp,
}

/// What people put to a group; `None` takes it away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Annotation {
    /// Who looks after it.
    Assignee(Option<String>),
    /// What there is to say of it.
    Note(Option<String>),
    /// Where its ticket is.
    Ticket(Option<String>),
}

/// As an action tells it; what a note says may be about a customer, and stays with the group.
impl std::fmt::Display for Annotation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Assignee(Some(name)) => write!(f, "assigned to {name}"),
            Self::Assignee(None) => f.write_str("assigned to nobody"),
            Self::Note(Some(_)) => f.write_str("a note"),
            Self::Note(None) => f.write_str("no note any more"),
            Self::Ticket(Some(_)) => f.write_str("a ticket"),
            Self::Ticket(None) => f.write_str("no ticket any more"),
        }
    }
}

impl Group {
    /// The group of a cause, before the first sync error is in it.
    #[must_use]
    pub fn new(cause: &Cause<'_>, at: Timestamp) -> Self {
        let (identity, refusal) = (cause.identify(), cause.refusal());
        let mut fields = refusal.fields.clone();
        fields.sort_unstable();
        fields.dedup();
        let mut code = refusal.code.clone();
        code.truncate(code.floor_char_boundary(CODE));
        Self {
            id: identity.id,
            org: cause.org().clone(),
            title: identity.title,
            class: refusal.class,
            code,
            fields,
            policy: refusal.blame.as_ref().map(|blame| blame.policy.name.clone()),
            question: refusal.blame.as_ref().map(|blame| blame.question),
            text: identity.text,
            counts: ErrorCounts::default(),
            first_seen: at,
            last_seen: at,
            failures: Histogram::default(),
            samples: Vec::new(),
            pending_since: None,
            quiet_since: None,
            regressed_at: None,
            assignee: None,
            note: None,
            ticket: None,
        }
    }

    /// The group of what is beyond the most groups that an organization may have.
    #[must_use]
    pub fn of_the_rest(cause: &Cause<'_>, at: Timestamp) -> Self {
        let title = "More causes than are kept apart".to_owned();
        Self { id: Fingerprint::unnamed(), title, text: String::new(), ..Self::new(cause, at) }
    }

    /// The version of what people put to it.
    #[must_use]
    pub fn tag(&self) -> String {
        let texts = [&self.assignee, &self.note, &self.ticket];
        // What is absent is no text that is empty.
        let parts = texts.map(|text| text.as_ref().map_or_else(String::new, |text| format!("={text}")));
        digest(&parts.each_ref().map(String::as_str))
    }

    /// One of its sync errors came, failed, changed its state, or left.
    pub fn apply(&mut self, change: GroupChange) {
        let GroupChange { sync_error, before, after, failed, at } = change;
        self.counts.moved(before, after);
        if failed {
            self.last_seen = at;
            self.failures.add(at);
        }
        if failed || after.is_none() {
            self.samples.retain(|sample| *sample != sync_error);
        }
        if failed && after.is_some() {
            self.samples.push(sync_error);
            let over = self.samples.len().saturating_sub(SAMPLES);
            self.samples.drain(..over);
        }
        match (self.counts.pending > 0, self.pending_since) {
            (true, None) => {
                if self.quiet_since.is_some_and(|since| at.since(since) >= DAY) {
                    self.regressed_at = Some(at);
                }
                (self.pending_since, self.quiet_since) = (Some(at), None);
            }
            (false, Some(_)) => (self.pending_since, self.quiet_since) = (None, Some(at)),
            _ => {}
        }
    }

    /// How many sync errors wait for a person or a retry. As a conversation has one open sync error at most, so many
    /// conversations are affected now.
    #[must_use]
    pub const fn open(&self) -> u64 {
        self.counts.pending + self.counts.retrying
    }

    /// Whether nothing is in it any more.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.counts == ErrorCounts::default()
    }

    /// How it stands.
    #[must_use]
    pub fn condition(&self, now: Timestamp) -> Condition {
        let lately = |at: Timestamp| now.since(at) < DAY;
        if self.open() == 0 {
            Condition::Quiet
        } else if self.failures.escalates(self.first_seen, now) {
            Condition::Escalating
        } else if self.regressed_at.is_some_and(lately) {
            Condition::Regressed
        } else if lately(self.first_seen) {
            Condition::New
        } else {
            Condition::Ongoing
        }
    }

    /// Puts something to it, cut off at its bound; a blank text takes it away.
    pub fn annotate(&mut self, annotation: Annotation) {
        let (place, text, most) = match annotation {
            Annotation::Assignee(text) => (&mut self.assignee, text, ASSIGNEE),
            Annotation::Note(text) => (&mut self.note, text, NOTE),
            Annotation::Ticket(text) => (&mut self.ticket, text, TICKET),
        };
        *place = text.filter(|text| !text.trim().is_empty()).map(|mut text| {
            text.truncate(text.floor_char_boundary(most));
            text
        });
    }
}

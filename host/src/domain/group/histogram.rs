//! How often something happened in each hour, and whether that grows.

use serde::{Deserialize, Serialize};

use crate::domain::Timestamp;

pub(super) const HOUR_MS: u64 = 3_600_000;
/// Hours of the histogram: 14 days. One of them lies ahead, for a clock that goes back a little.
const HOURS: u32 = 14 * 24;
/// Hours that an escalation is compared with: 7 days.
const COMPARED: u32 = 7 * 24;
/// A group escalates when this hour has more failures than this, and more than so many times the highest hour.
const ESCALATES_ABOVE: u32 = 10;
const ESCALATES_TIMES: u32 = 3;

/// How often something happened in each hour of 14 days. Stored as pairs of hours since the entry before (the first: since
/// 1970) and count.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<u32>", into = "Vec<u32>")]
pub struct Histogram(Vec<(u32, u32)>);

impl Histogram {
    /// Whether nothing happened.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The hours in which something happened, and how often, oldest first.
    pub fn hours(&self) -> impl Iterator<Item = (Timestamp, u32)> {
        self.0.iter().map(|(hour, count)| (Timestamp::from_millis(u64::from(*hour) * HOUR_MS), *count))
    }

    /// How often it happened since then, by whole hours.
    #[must_use]
    pub fn since(&self, at: Timestamp) -> u64 {
        self.beginning(hour(at)).iter().map(|(_, count)| u64::from(*count)).sum()
    }

    /// The entries from an hour on.
    fn beginning(&self, from: u32) -> &[(u32, u32)] {
        &self.0[self.0.partition_point(|(hour, _)| *hour < from)..]
    }

    pub(super) fn add(&mut self, at: Timestamp) {
        let now = hour(at);
        // What lies further ahead was written by a clock that was wrong.
        self.0.retain(|(hour, _)| *hour <= now.saturating_add(1) && now.saturating_add(1) - *hour < HOURS);
        match self.0.binary_search_by_key(&now, |(hour, _)| *hour) {
            Ok(at) => self.0[at].1 = self.0[at].1.saturating_add(1),
            Err(at) => self.0.insert(at, (now, 1)),
        }
    }

    /// Whether this hour has far more than any of the last seven days; in its first hour nothing can be said.
    pub(super) fn escalates(&self, first_seen: Timestamp, at: Timestamp) -> bool {
        let now = hour(at);
        let current = self.beginning(now).first().filter(|(hour, _)| *hour == now).map_or(0, |(_, count)| *count);
        let compared = self.beginning(now.saturating_sub(COMPARED)).iter().take_while(|(hour, _)| *hour < now);
        let before = compared.map(|(_, count)| *count).max().unwrap_or(0);
        hour(first_seen) < now && current > ESCALATES_ABOVE && current > before.saturating_mul(ESCALATES_TIMES)
    }
}

/// Hours since 1970.
fn hour(at: Timestamp) -> u32 {
    u32::try_from(at.as_millis() / HOUR_MS).unwrap_or(u32::MAX)
}

impl From<Vec<u32>> for Histogram {
    fn from(flat: Vec<u32>) -> Self {
        let (mut hours, mut hour) = (Vec::with_capacity(flat.len() / 2), 0_u32);
        for pair in flat.chunks_exact(2).take(HOURS as usize) {
            hour = hour.saturating_add(pair[0]);
            // A second entry of an hour, which no release writes, stands in the place of the first.
            hours.pop_if(|(last, _)| *last == hour);
            hours.push((hour, pair[1]));
        }
        Self(hours)
    }
}

impl From<Histogram> for Vec<u32> {
    fn from(histogram: Histogram) -> Self {
        let mut before = 0;
        let pair = |(hour, count)| [hour - std::mem::replace(&mut before, hour), count];
        histogram.0.into_iter().flat_map(pair).collect()
    }
}

//! A point in time in whole milliseconds, as the store keeps it and as the API shows it.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Milliseconds since 1970-01-01 UTC; in JSON and in print an RFC 3339 time such as `2026-01-15T09:30:12.000Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(u64);

impl Timestamp {
    /// From milliseconds since 1970-01-01 UTC.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970-01-01 UTC.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Days since 1970-01-01 UTC.
    #[must_use]
    pub fn day(self) -> u32 {
        u32::try_from(self.0 / 86_400_000).unwrap_or(u32::MAX)
    }

    /// This point in time, so much later.
    #[must_use]
    pub fn after(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)))
    }

    /// Whether less than so much has passed since then. A clock that went back by more than an hour meanwhile tells of neither,
    /// and so it has not.
    #[must_use]
    pub fn is_within(self, patience: Duration, since: Self) -> bool {
        /// What a clock that is set right goes back by.
        const SET_RIGHT: Duration = Duration::from_secs(3_600);
        self.since(since) < patience && since.since(self) < SET_RIGHT
    }

    /// How long from `earlier` until this; zero if it was not earlier.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = i64::try_from(self.0).ok().and_then(|millis| jiff::Timestamp::from_millisecond(millis).ok());
        match known {
            Some(time) => write!(f, "{time:.3}"),
            None => write!(f, "{}ms", self.0),
        }
    }
}

impl std::str::FromStr for Timestamp {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let time: jiff::Timestamp = text.parse().map_err(|error: jiff::Error| error.to_string())?;
        u64::try_from(time.as_millisecond()).map(Self).map_err(|_| "a time before 1970".to_owned())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_reads_back_as_it_was_written() {
        let time = Timestamp::from_millis(1_768_469_412_000);
        assert_eq!(time.to_string(), "2026-01-15T09:30:12.000Z");
        let json = serde_json::to_string(&time).unwrap();
        assert_eq!(serde_json::from_str::<Timestamp>(&json).unwrap(), time);
    }

    #[test]
    fn a_day_begins_at_midnight_utc() {
        let day = 86_400_000;
        assert_eq!([0, day - 1, day, 3 * day].map(|at| Timestamp::from_millis(at).day()), [0, 0, 1, 3]);
    }

    #[test]
    fn patience_ends_with_its_time_and_when_the_clock_goes_back_by_an_hour() {
        let (since, patience) = (Timestamp::from_millis(10_000_000), Duration::from_secs(10));
        for (millis, within) in [
            (10_000_000, true),
            (10_009_999, true),
            (10_010_000, false),
            (10_010_001, false),
            (9_999_999, true),
            (6_400_001, true),
            (6_400_000, false),
            (6_399_999, false),
        ] {
            assert_eq!(Timestamp::from_millis(millis).is_within(patience, since), within, "{millis}");
        }
    }
}

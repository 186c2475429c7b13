//! The time by which tokens expire: the clock's, or the latest that it has shown where it went back.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::domain::Timestamp;

/// How far what is remembered moves ahead between two settlings, a minute apart: a day an hour. A clock that is a year ahead for
/// some minutes ends nothing for good.
const AHEAD: Duration = Duration::from_secs(24 * 60);

/// In milliseconds since 1970.
pub(super) struct ExpiryTime {
    settled: AtomicU64,
    reached: AtomicU64,
}

impl ExpiryTime {
    /// Goes on from what was reached before.
    pub(super) const fn new(reached: Timestamp) -> Self {
        Self { settled: AtomicU64::new(reached.as_millis()), reached: AtomicU64::new(reached.as_millis()) }
    }

    /// The time, by what the clock shows.
    pub(super) fn by(&self, clock: Timestamp) -> Timestamp {
        let most = Timestamp::from_millis(self.settled.load(Ordering::Relaxed)).after(AHEAD);
        let follows = clock.min(most).as_millis();
        clock.max(Timestamp::from_millis(self.reached.fetch_max(follows, Ordering::Relaxed)))
    }

    /// What it cannot fall behind any more.
    pub(super) fn reached(&self) -> Timestamp {
        Timestamp::from_millis(self.reached.load(Ordering::Relaxed))
    }

    /// Says that a minute has passed.
    pub(super) fn settle(&self, clock: Timestamp) {
        self.by(clock);
        self.settled.store(self.reached.load(Ordering::Relaxed), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_expired_stays_so_when_the_clock_goes_back_and_a_clock_far_ahead_ends_little_for_good() {
        let at = |minute: u64| Timestamp::from_millis(minute * 60_000);
        let time = ExpiryTime::new(at(1_000));
        assert_eq!(time.by(at(1_001)), at(1_001));
        assert_eq!(time.by(at(10)), at(1_001), "it went back");
        assert_eq!(time.by(at(900_000)), at(900_000), "it is a year ahead");
        assert_eq!(time.by(at(1_002)), at(1_024), "and right again");
        time.settle(at(900_000));
        assert_eq!((time.by(at(1_003)), time.reached()), (at(1_024), at(1_024)));
        time.by(at(900_000));
        assert_eq!(time.reached(), at(1_048), "a day an hour");
    }
}

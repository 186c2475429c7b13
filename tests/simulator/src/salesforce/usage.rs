//! How many calls an organization made in the last 24 hours.

use std::collections::VecDeque;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// Calls are counted together for so long, so that a day is few numbers.
const SLICE_MS: i64 = 60_000;

/// Counts by minute.
#[derive(Debug, Clone, Default)]
pub(crate) struct Usage {
    /// Beginning of the minute, and calls in it; oldest first.
    slices: VecDeque<(i64, u64)>,
    total: u64,
}

impl Usage {
    /// Counts a call.
    pub(crate) fn count(&mut self, now_ms: i64) {
        self.add(now_ms, 1);
    }

    /// Calls in the 24 hours before an instant, to the minute.
    pub(crate) fn used(&mut self, now_ms: i64) -> u64 {
        while let Some((_, calls)) = self.slices.pop_front_if(|(from_ms, _)| now_ms - *from_ms >= DAY_MS) {
            self.total -= calls;
        }
        self.total
    }

    /// Forgets what was counted and takes this number instead, as of now.
    pub(crate) fn set(&mut self, used: u64, now_ms: i64) {
        *self = Self::default();
        self.add(now_ms, used);
    }

    fn add(&mut self, now_ms: i64, calls: u64) {
        let from_ms = now_ms - now_ms.rem_euclid(SLICE_MS);
        match self.slices.back_mut() {
            Some((last, count)) if *last == from_ms => *count += calls,
            _ => self.slices.push_back((from_ms, calls)),
        }
        self.total += calls;
    }
}

#[cfg(test)]
mod tests {
    use super::{DAY_MS, Usage};

    #[test]
    fn a_call_counts_for_a_day() {
        let mut usage = Usage::default();
        usage.count(0);
        usage.count(3_600_000);
        assert_eq!(usage.used(DAY_MS - 1), 2);
        assert_eq!(usage.used(DAY_MS), 1);
        assert_eq!(usage.used(DAY_MS + 3_600_000), 0);
        usage.set(7, DAY_MS);
        assert_eq!(usage.used(2 * DAY_MS - 1), 7);
    }
}

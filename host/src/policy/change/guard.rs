//! The guard of a new revision: when it does worse than the one before, so that it is taken back.

use std::sync::Arc;

use crate::domain::{PolicyRef, Timestamp};
use crate::policy::Config;
use crate::policy::revision::{Revision, Tally};

/// What a revision is compared with while it is new.
pub(super) struct Guard {
    /// Until when it is new.
    pub(super) until: Timestamp,
    /// What comes back when it does worse.
    pub(super) before: Arc<Revision>,
}

/// A revision was taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RolledBack {
    /// Which one.
    pub policy: PolicyRef,
    /// The revision that decides again.
    pub back_to: u32,
    /// Why, in words for an operator.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

/// Why a revision has to go, if it does: it failed often enough, and a larger share of its decisions than before.
pub(super) fn worse(before: Tally, now: Tally, config: &Config) -> Option<String> {
    let share = |tally: Tally| (tally.failed * 100).checked_div(tally.decisions).unwrap_or(0);
    let (was, is) = (share(before), share(now));
    (now.failed >= config.guard_failures && is >= was + config.guard_percent).then(|| {
        format!(
            "{} of its {} decisions failed or were refused ({is} %), of the revision before {} of {} ({was} %)",
            now.failed, now.decisions, before.failed, before.decisions
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_goes_when_it_fails_often_and_a_larger_share_than_before() {
        let config = Config { guard_failures: 10, guard_percent: 20, ..Config::default() };
        let tally = |failed, decisions| Tally { failed, decisions };
        let goes = |before, now| worse(before, now, &config).is_some();
        assert!(goes(tally(0, 100), tally(10, 40)));
        assert!(!goes(tally(0, 100), tally(9, 9)), "too few to tell");
        assert!(!goes(tally(0, 100), tally(10, 60)), "16 % is not 20");
        assert!(!goes(tally(50, 100), tally(60, 100)), "it was nearly as bad before");
        assert!(goes(tally(0, 0), tally(10, 10)), "nothing is known of the one before");
    }
}

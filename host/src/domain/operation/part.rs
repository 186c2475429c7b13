//! One cause in an operation: how far it is gone through, and whether the rest of it is worth trying.

use serde::{Deserialize, Serialize};

use crate::domain::{ErrorPlace, Fingerprint, Retried};

/// So many sync errors of a cause are retried before the rest.
const PROBES: u64 = 3;

/// A cause that an operation goes through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The cause.
    pub group: Fingerprint,
    /// The last place in its list that was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<ErrorPlace>,
    /// Whether there is nothing more to look at.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_walked: bool,
    /// Sync errors that were acted on.
    #[serde(default)]
    pub done: u64,
    /// Those of a retry that failed by the same cause again.
    #[serde(default)]
    alike: u64,
    /// Those that came out otherwise: they passed, or failed by another cause.
    #[serde(default)]
    otherwise: u64,
    /// Those that were not tried after all.
    #[serde(default)]
    changed: u64,
}

impl Part {
    /// A cause that nothing was done with.
    #[must_use]
    pub const fn new(group: Fingerprint) -> Self {
        Self { group, after: None, is_walked: false, done: 0, alike: 0, otherwise: 0, changed: 0 }
    }

    /// Sync errors that wait for their attempt.
    #[must_use]
    pub const fn under_way(&self) -> u64 {
        self.done.saturating_sub(self.alike + self.otherwise + self.changed)
    }

    /// How many more may be taken up now. A retry begins with a few and takes more as others come out well.
    pub(super) fn allowance(&self, probes: bool) -> usize {
        if !probes {
            return usize::MAX;
        }
        let most = if self.otherwise == 0 { PROBES.saturating_sub(self.alike) } else { PROBES + 2 * self.otherwise };
        usize::try_from(most.saturating_sub(self.under_way())).unwrap_or(usize::MAX)
    }

    /// One that was retried came out; answers whether the rest is left alone from now on.
    pub(super) const fn came_out(&mut self, how: Retried) -> bool {
        match how {
            Retried::Passed | Retried::FailedOtherwise => self.otherwise += 1,
            Retried::FailedAlike => self.alike += 1,
            Retried::Changed => self.changed += 1,
        }
        let stops = !self.is_walked && self.otherwise == 0 && self.alike >= PROBES;
        self.is_walked |= stops;
        stops
    }

    pub(super) const fn nothing_is_under_way(&mut self) {
        self.changed += self.under_way();
    }
}

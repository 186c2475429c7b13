//! Decisions, counted by how they ended.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

use crate::domain::Fault;

/// Decisions that ended in a fault.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Faults {
    /// The plugin broke off.
    pub trapped: u64,
    /// It missed its deadline.
    pub too_slow: u64,
    /// It wanted too much memory, or answered too much.
    pub too_large: u64,
    /// It said no.
    pub refused: u64,
    /// It answered something that cannot be done.
    pub senseless: u64,
}

/// Decisions, and how many of them ended in a fault.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) decisions: u64,
    pub(crate) failed: u64,
}

/// Counts decisions.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    decisions: AtomicU64,
    /// In the order of [`Faults`].
    faults: [AtomicU64; 5],
}

impl Counters {
    pub(crate) fn count<T>(&self, answer: &Result<T, Fault>) {
        self.decisions.fetch_add(1, Ordering::Relaxed);
        let Err(fault) = answer else { return };
        let way = match fault {
            Fault::Trapped { .. } => 0,
            Fault::TooSlow { .. } => 1,
            Fault::TooLarge { .. } => 2,
            Fault::Refused { .. } => 3,
            Fault::Senseless { .. } => 4,
        };
        self.faults[way].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn decisions(&self) -> u64 {
        self.decisions.load(Ordering::Relaxed)
    }

    pub(crate) fn tally(&self) -> Tally {
        let failed = self.faults.iter().map(|count| count.load(Ordering::Relaxed)).sum();
        Tally { decisions: self.decisions(), failed }
    }

    pub(crate) fn faults(&self) -> Faults {
        let [trapped, too_slow, too_large, refused, senseless] =
            std::array::from_fn(|way| self.faults[way].load(Ordering::Relaxed));
        Faults { trapped, too_slow, too_large, refused, senseless }
    }
}

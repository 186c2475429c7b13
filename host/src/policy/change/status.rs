//! What there is to tell of a policy.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

use crate::domain::{Fault, Origin, PluginName, PolicyName, PolicyRef, Question, Timestamp};
use crate::policy::{Isolation, Rejection, ShadowStatus};

/// What is known of a policy.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PolicyStatus {
    /// Its name.
    pub name: PolicyName,
    /// The revision in force; none when none was ever accepted.
    pub in_force: Option<InForce>,
    /// Why the newest attempt to replace it was refused, if it was.
    pub last_rejection: Option<Rejection>,
    /// What answers beside it, to be compared.
    pub shadow: Option<ShadowStatus>,
    /// Decisions since the start.
    pub decisions: u64,
    /// Those that ended in a fault, by the way in which they did.
    pub faults: Faults,
}

/// A revision in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InForce {
    /// Counted from 1.
    pub revision: u32,
    /// SHA-256 over its texts and its plugins, in hexadecimal.
    pub digest: String,
    /// When it was given.
    pub applied_at: Timestamp,
    /// Where it came from.
    pub origin: Origin,
    /// Who answers, for each question.
    pub answered_by: Vec<AnsweredBy>,
}

/// Who answers a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AnsweredBy {
    /// The question.
    pub question: Question,
    /// The policy itself, or the default policy where it leaves the question to that.
    pub policy: PolicyRef,
    /// The plugin.
    pub plugin: PluginName,
    /// The plugin's SHA-256, in hexadecimal.
    pub plugin_digest: String,
    /// The script's file, where there is one.
    pub script: Option<String>,
    /// What keeps its decisions apart.
    pub isolation: Isolation,
    /// Whether decisions start from a frozen copy; if not, each of them configures the plugin again.
    pub frozen: bool,
    /// Why it is not frozen.
    pub not_frozen_because: Option<String>,
}

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

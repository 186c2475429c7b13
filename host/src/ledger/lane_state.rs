//! How an organization stands, in one small record that a lane writes with each of its commits.

use serde::{Deserialize, Serialize};

use crate::domain::{Delivery, ErrorCounts, Incident, Phase, Timestamp, Work};

/// Counts the changes of what is indexed of sync errors and of customers.
pub(super) const INDEXES: u32 = 5;

/// How an organization stands.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LaneState {
    /// Sync errors by state.
    pub errors: ErrorCounts,
    /// Conversations by what they do now.
    pub phases: PhaseCounts,
    /// What is wrong with it as a whole.
    pub incident: Incident,
    /// The time that its lane has seen last: a clock that shows less went back, and one that shows far more may be wrong.
    pub seen: Timestamp,
    /// The highest time that its lane has ever seen; nothing on record is later, wherever the clock was set since.
    pub highest: Timestamp,
    /// The time by which is forgotten what is too old; it follows the clock by small steps.
    pub forgotten_by: Timestamp,
    /// How many causes are on record.
    pub groups: u64,
    /// Which indexes of its sync errors and customers were written last; those of this release have a number of their own.
    #[serde(skip_serializing_if = "is_zero")]
    pub indexes: u32,
    /// How many operations it has had; it numbers them.
    pub operations: u64,
    /// How many events its lane has told; so a commit is known again.
    pub events: u64,
}

// The signature that serde asks for.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference over")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// Conversations by what they do now. Those with nothing to do are not counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PhaseCounts {
    /// Wait for a place, or are on their way, because something new arrived.
    pub new: u64,
    /// The same, because their time has come or a person asked for them.
    pub due: u64,
    /// The same, as one of many that a person asked for at once.
    pub operation: u64,
    /// Are tried again by themselves.
    pub waiting: u64,
    /// Wait for the end of an incident.
    pub parked: u64,
}

impl PhaseCounts {
    /// A conversation went from one phase (`None`: it is new) to another (`None`: it is forgotten).
    pub fn moved(&mut self, before: Option<&Delivery>, after: Option<&Delivery>) {
        if let Some(count) = before.and_then(|before| self.of(before.phase)) {
            *count = count.saturating_sub(1);
        }
        if let Some(count) = after.and_then(|after| self.of(after.phase)) {
            *count += 1;
        }
    }

    /// Those that wait for a place, or are on their way.
    #[must_use]
    pub const fn ready(&self) -> u64 {
        self.new + self.due + self.operation
    }

    const fn of(&mut self, phase: Phase) -> Option<&mut u64> {
        match phase {
            Phase::Ready { work, .. } | Phase::Sending { work, .. } => Some(match work {
                Work::New => &mut self.new,
                Work::Due => &mut self.due,
                Work::Operation => &mut self.operation,
            }),
            Phase::Waiting { .. } => Some(&mut self.waiting),
            Phase::Parked { .. } => Some(&mut self.parked),
            Phase::Idle | Phase::Held => None,
        }
    }
}

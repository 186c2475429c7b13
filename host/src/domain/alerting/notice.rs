//! What recipients are told.

use super::situation::{BrakedCause, Checks, OngoingIncident, PendingCause, Rollback, SourceHealth};
use crate::domain::{SourceId, Timestamp, Unsynced};

/// One mail to one recipient.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// When it was planned; no other one to the same recipient about the same organization has the same time.
    pub id: Timestamp,
    /// The notice that it continues.
    pub replies_to: Option<Timestamp>,
    /// What it says.
    pub news: News,
    /// What the last look at the first points to check found.
    pub checks: Option<Checks>,
}

/// What a mail says.
#[derive(Debug, Clone, PartialEq)]
pub enum News {
    /// Causes need a person.
    Causes {
        /// Those that it is sent for, most conversations first.
        new: Vec<PendingCause>,
        /// Those that are known and still there, most conversations first.
        known: Vec<PendingCause>,
    },
    /// Nothing gets through.
    IncidentBegan(Box<OngoingIncident>),
    /// Conversations get through again.
    IncidentEnded(IncidentEnd),
    /// Policies ignored too much of these causes, so that a person has to look.
    Braked(Vec<BrakedCause>),
    /// A policy was rolled back.
    RolledBack(Rollback),
    /// Nothing moves although it could.
    Standstill {
        /// Since when.
        since: Timestamp,
        /// The conversation that has waited longest for its turn.
        oldest: Unsynced,
    },
    /// What stood still since then moves again.
    MovesAgain {
        /// Since when it stood still.
        since: Timestamp,
    },
    /// Calls of a source have come to nothing for long.
    SourceSilent(SourceHealth),
    /// A source that was silent answers again.
    SourceAnswers {
        /// The source.
        source: SourceId,
        /// Since when it was silent.
        since: Timestamp,
    },
    /// Something waits still.
    Reminder {
        /// The causes that need a person, most conversations first.
        causes: Vec<PendingCause>,
        /// What is wrong with the organization as a whole.
        incident: Option<Box<OngoingIncident>>,
    },
    /// Nothing needs a person any more.
    AllClear {
        /// When recipients first heard that something does.
        since: Timestamp,
        /// Sync errors that were resolved since.
        resolved: u64,
        /// Sync errors that were ignored since.
        ignored: u64,
    },
}

/// How an incident ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IncidentEnd {
    /// When it began.
    pub since: Timestamp,
    /// When it ended.
    pub until: Timestamp,
    /// The most conversations that were seen to wait for its end.
    pub waited: u64,
    /// How many of them are still to be sent.
    pub parked: u64,
    /// Sync errors that wait for a person now.
    pub pending: u64,
}

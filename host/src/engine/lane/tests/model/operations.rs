//! The model of what is asked of many sync errors at once.

use std::collections::{BTreeMap, BTreeSet};

use super::entries::{Entry, Why};
use super::moves::Doing;
use crate::domain::{ErrorPlace, OperationId, OperationStatus, Retried, State, SyncErrorId, Timestamp};

/// A retry tries so many of each cause before the rest.
pub(super) const FIRST: usize = 3;

/// How one that was retried came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Outcome {
    Passed,
    Alike,
    Otherwise,
    Changed,
}

impl Outcome {
    pub(super) const fn real(self) -> Retried {
        match self {
            Self::Passed => Retried::Passed,
            Self::Alike => Retried::FailedAlike,
            Self::Otherwise => Retried::FailedOtherwise,
            Self::Changed => Retried::Changed,
        }
    }
}

/// What is meant: by name, where it is a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Meant {
    All,
    Cause(Why),
    Conversation(u64),
    Customer(String),
}

impl Meant {
    pub(super) fn takes(&self, number: u64, error: &Entry) -> bool {
        match self {
            Self::All => true,
            Self::Cause(why) => error.why == *why,
            Self::Conversation(of) => *of == number,
            Self::Customer(name) => error.person.as_ref() == Some(name),
        }
    }
}

/// One cause of an operation.
#[derive(Debug, Clone, Default)]
pub(super) struct OfCause {
    pub(super) after: Option<ErrorPlace>,
    pub(super) is_over: bool,
    pub(super) tried: BTreeMap<Outcome, usize>,
    pub(super) done: usize,
}

impl OfCause {
    pub(super) fn under_way(&self) -> usize {
        self.done - self.tried.values().sum::<usize>()
    }

    pub(super) fn tried(&self, how: Outcome) -> usize {
        self.tried.get(&how).copied().unwrap_or(0)
    }

    pub(super) fn came_out_well(&self) -> usize {
        self.tried(Outcome::Passed) + self.tried(Outcome::Otherwise)
    }
}

/// An operation.
#[derive(Debug, Clone)]
pub(super) struct InModel {
    pub(super) id: OperationId,
    pub(super) doing: Doing,
    pub(super) meant: Meant,
    /// Whatever was in a state that allows it when it began.
    pub(super) among: BTreeSet<SyncErrorId>,
    /// The operation that it takes back.
    pub(super) undoes: Option<u64>,
    pub(super) as_of: Timestamp,
    pub(super) status: OperationStatus,
    pub(super) is_over: bool,
    pub(super) matched: u64,
    pub(super) done: u64,
    pub(super) skipped: u64,
    pub(super) came_out: BTreeMap<Outcome, u64>,
    pub(super) failed_as: BTreeMap<Why, u64>,
    pub(super) stopped: BTreeSet<Why>,
    pub(super) parts: BTreeMap<Why, OfCause>,
}

impl InModel {
    pub(super) fn under_way(&self) -> u64 {
        if self.doing == Doing::Retry { self.done - self.came_out.values().sum::<u64>() } else { 0 }
    }

    /// What has come into its causes since is in it too.
    pub(super) fn does(&mut self, more: u64) {
        self.done += more;
        self.matched = self.matched.max(self.done);
    }

    /// A customer is forgotten: what is over them ends, as nobody knows any more what that is.
    pub(super) fn forget(&mut self, people: &BTreeSet<String>) {
        let is_over_them = matches!(&self.meant, Meant::Customer(name) if people.contains(name));
        if is_over_them && matches!(self.status, OperationStatus::Running | OperationStatus::Paused) {
            self.status = OperationStatus::Cancelled;
        }
    }
}

impl Doing {
    pub(super) const fn states(self) -> &'static [State] {
        match self {
            Self::Retry | Self::Ignore => &[State::Pending, State::Retrying],
            Self::Reopen => &[State::Ignored],
            Self::Assign => &State::ALL,
        }
    }
}

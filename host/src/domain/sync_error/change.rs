//! What can happen to a sync error, how it ends, and what its state does not allow.

use serde::{Deserialize, Serialize};

use super::State;
use crate::domain::{Fingerprint, MessageId, PolicyRef, Refusal, Timestamp};

/// How a sync error ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// The message itself got through.
    Delivered,
    /// A later message of the conversation got through.
    Superseded,
    /// The policy says by now that the conversation is not to be written.
    NotEligible,
}

/// What can happen to a sync error.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// The conversation failed, for the first time or again.
    Failed {
        /// The refusal.
        refusal: Box<Refusal>,
        /// Its cause.
        group: Fingerprint,
        /// The messages that did not get through, the newest last.
        affected: Vec<MessageId>,
        /// Who judged it.
        judged_by: Option<PolicyRef>,
        /// Pending, retrying (then with a time) or ignored.
        state: State,
        /// When it is tried again by itself.
        next_attempt_at: Option<Timestamp>,
        /// Which policy ignores it, and why.
        ignored: Option<(String, String)>,
        /// The number of the operation that counts what the policy ignores.
        operation: Option<u64>,
        /// Why it is not ignored although the policy says so.
        held: Option<String>,
    },
    /// It failed while it is ignored: counted, and nothing else changes.
    FailedAgain {
        /// The messages that did not get through, the newest last.
        affected: Vec<MessageId>,
    },
    /// A person asked for another attempt.
    Retry {
        /// Who.
        by: String,
    },
    /// A person ignores it.
    Ignore {
        /// Who.
        by: String,
        /// Why.
        reason: String,
        /// The number of the operation that ignores it among many.
        operation: Option<u64>,
    },
    /// A person takes an ignored one back.
    Reopen {
        /// Who.
        by: String,
    },
    /// It is over.
    Resolve(Ending),
}

/// A change that the present state does not allow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a sync error that is {state} cannot be {asked}")]
pub struct TransitionError {
    /// Where it stands.
    pub state: State,
    /// What was asked.
    pub asked: &'static str,
}

//! What follows from a step of a delivery.

use super::{InOperation, Retried, Work};
use crate::domain::{Change, Fact, Fingerprint, MessageId, SyncErrorId, Timestamp};

/// What has to be done after a step; the engine carries it out and nothing else.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Queue it for a free place.
    Queue(Work),
    /// Send this version.
    Send {
        /// The version.
        version: u64,
    },
    /// Give it an `Event::Due` at this time.
    WakeAt(Timestamp),
    /// Change a sync error in the registry (`Change::Failed` also creates it).
    Registry {
        /// The sync error.
        error: SyncErrorId,
        /// What happens to it.
        change: Change,
    },
    /// What an operation retried came out.
    CameOut {
        /// Of which operation, and under which cause.
        of: InOperation,
        /// How.
        how: Retried,
        /// The cause by which it failed now.
        group: Option<Fingerprint>,
    },
    /// Write a line of the audit of a message, and of all that the open sync error affects.
    Audit {
        /// The message.
        message: MessageId,
        /// What happened.
        fact: Fact,
    },
}

//! What can happen to a delivery.

use super::{Creation, InOperation, Pick, Records};
use crate::domain::{Fingerprint, MessageId, PolicyRef, Refusal, SyncErrorId, Verdict};

/// What can happen to a delivery.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The conversation changed.
    Arrived {
        /// Its version now.
        version: u64,
    },
    /// A place is free.
    Started,
    /// The organization has an incident: it waits for its end.
    Parked,
    /// The attempt is about to make a contact, which cannot be sent twice without harm.
    Intends(Box<Creation>),
    /// The attempt got through.
    Delivered {
        /// The newest message of the version that was written.
        message: MessageId,
        /// What it has become.
        records: Records,
    },
    /// The policy said that the conversation is not to be written.
    Excused,
    /// The attempt failed.
    Failed(Box<Failure>),
    /// The time of a waiting delivery has come.
    Due {
        /// Whatever its time, because the clock went back.
        early: bool,
    },
    /// A person asked for another attempt.
    RetryAsked {
        /// Who.
        by: String,
        /// The operation that retries this one among many, where one does.
        operation: Option<InOperation>,
    },
    /// A person asks for what got through to be sent once more, as one of many.
    ResyncAsked {
        /// Who.
        by: String,
        /// The operation.
        operation: InOperation,
    },
    /// A person ignores its sync error.
    IgnoreAsked {
        /// Who.
        by: String,
        /// Why.
        reason: String,
        /// The number of the operation that ignores this one among many, where one does.
        operation: Option<u64>,
    },
    /// A person takes its ignored sync error back.
    ReopenAsked {
        /// Who.
        by: String,
    },
    /// A person says which contact the customer is; it is sent anew with that.
    ContactChosen {
        /// Who.
        by: String,
        /// Which.
        pick: Pick,
        /// The sync error at which they said so, and its message.
        sync_error: SyncErrorId,
        /// The message.
        message: MessageId,
    },
    /// Nothing is on its way any more: the host was started again, or the attempt was given up.
    Restarted,
}

/// A failed attempt, as it was judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// The id of the sync error that it opens, if none is open.
    pub error: SyncErrorId,
    /// Its cause.
    pub group: Fingerprint,
    /// The newest message of the version that was sent.
    pub message: MessageId,
    /// Every message that did not get through, the newest last.
    pub affected: Vec<MessageId>,
    /// What is known of the records even so (a contact found before the failure).
    pub records: Records,
    /// The refusal.
    pub refusal: Refusal,
    /// What the policy says about it.
    pub verdict: Verdict,
    /// Who said so.
    pub judged_by: Option<PolicyRef>,
    /// The number of the operation that counts what the policy ignores, where it ignores this.
    pub ignored_by: Option<u64>,
    /// Why it is not ignored although the policy says so.
    pub held: Option<String>,
    /// Whether the organization has an incident, and this refusal is of the organization: the conversation is not at fault.
    pub parks: bool,
    /// A random number from 0 to 999 that spreads the retries.
    pub jitter: u16,
}

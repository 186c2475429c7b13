//! Records of format 1, as far as they differ from those of today.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::domain::{
    ConversationId, Ending, MessageId, OrgId, PolicyRef, Records, Refusal, State, SyncErrorId, Timestamp,
};
use crate::ledger::unreadable;
use crate::store::Error;

/// The envelope of a record of format 1.
#[derive(Deserialize)]
enum Envelope<T> {
    #[serde(rename = "1")]
    V1(T),
}

/// # Errors
/// When it is of another format, or damaged.
pub(super) fn decode<T: DeserializeOwned>(key: &str, value: &[u8]) -> Result<T, Error> {
    match serde_json::from_slice(value) {
        Ok(Envelope::V1(record)) => Ok(record),
        Err(error) => Err(unreadable(key, &error.to_string())),
    }
}

/// Where a conversation stands. Which sync errors are open follows from these themselves.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Delivery {
    pub(super) wanted: u64,
    pub(super) settled: u64,
    pub(super) phase: Phase,
    pub(super) attempts: u32,
    pub(super) records: Records,
    pub(super) entries: u64,
    #[serde(default)]
    pub(super) day: u32,
    #[serde(default)]
    pub(super) erased: u64,
}

/// What a delivery does now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub(super) enum Phase {
    /// Nothing.
    #[default]
    Idle,
    /// Waits for a free place.
    Ready,
    /// Is on its way.
    Sending,
    /// Is tried again by itself, not before this.
    Waiting { until: Timestamp },
    /// Waits for a person.
    Held,
}

/// A sync error: each message that failed had one of its own.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct SyncError {
    pub(super) id: SyncErrorId,
    pub(super) org: OrgId,
    pub(super) conversation: ConversationId,
    pub(super) message: MessageId,
    pub(super) state: State,
    pub(super) refusal: Refusal,
    pub(super) judged_by: Option<PolicyRef>,
    pub(super) attempts: u32,
    pub(super) first_seen: Timestamp,
    pub(super) last_seen: Timestamp,
    pub(super) next_attempt_at: Option<Timestamp>,
    pub(super) touched_by: Option<String>,
    pub(super) reason: Option<String>,
    pub(super) ending: Option<Ending>,
}

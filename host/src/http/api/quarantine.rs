//! What was set aside because it could not be read or kept.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::{OrgId, SourceId, Timestamp};
use crate::ledger;

/// A record, or something that came from outside, that was set aside.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct Quarantined {
    pub(crate) id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) org: Option<OrgId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) source: Option<SourceId>,
    /// Where it stood in the store, or what it was sent as.
    pub(crate) key: String,
    pub(crate) reason: String,
    pub(crate) at: Timestamp,
    pub(crate) bytes: usize,
}

/// A page of the quarantine.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QuarantineList {
    pub(crate) quarantine: Vec<Quarantined>,
    /// Asks for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_cursor: Option<String>,
}

/// An entry with what it holds.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QuarantineEntry {
    #[serde(flatten)]
    entry: Quarantined,
    /// Absent where that is no text.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
}

impl From<ledger::Quarantined> for Quarantined {
    fn from(entry: ledger::Quarantined) -> Self {
        let ledger::Quarantined { id, org, source, key, reason, at, bytes, value: _ } = entry;
        Self { id, org, source, key, reason, at, bytes }
    }
}

impl From<ledger::Quarantined> for QuarantineEntry {
    fn from(mut entry: ledger::Quarantined) -> Self {
        let value = String::from_utf8(std::mem::take(&mut entry.value)).ok();
        Self { entry: entry.into(), value }
    }
}

/// What a recount of all indexes and counts has found.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct Recount {
    pub(crate) conversations: u64,
    pub(crate) sync_errors: u64,
    pub(crate) differences: u64,
    /// The first of the differences.
    pub(crate) named: Vec<String>,
}

impl From<ledger::Verified> for Recount {
    fn from(found: ledger::Verified) -> Self {
        let ledger::Verified { conversations, sync_errors, differences, named } = found;
        Self { conversations, sync_errors, differences, named }
    }
}

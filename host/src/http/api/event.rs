//! Something changed: what clients are told of as it happens.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::{
    Class, EventType, Fingerprint, HostEvent, OperationId, OperationStatus, OrgId, PolicyName, State, SyncErrorId,
    Timestamp,
};

/// A change. It names what changed; whoever may read that asks for it.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct Event {
    /// Where the stream goes on behind it: sent back as `Last-Event-ID`. Later events have higher numbers.
    #[schema(examples("6f1c0b52d9a7e384-1042"), pattern = "^[0-9a-f]{16}-[0-9]{1,20}$")]
    pub(crate) id: String,
    r#type: EventType,
    pub(crate) at: Timestamp,
    /// The organization; absent where it is about a policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) org: Option<OrgId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sync_error: Option<SyncErrorId>,
    /// Where the sync error stands now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) state: Option<State>,
    /// The cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) group: Option<Fingerprint>,
    /// What can be done about the refusals of that cause, or of an incident.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) class: Option<Class>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) operation: Option<OperationId>,
    /// Where the operation stands now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<OperationStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) policy: Option<PolicyName>,
    /// The policy's revision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) revision: Option<u32>,
}

impl From<(String, HostEvent)> for Event {
    fn from((id, event): (String, HostEvent)) -> Self {
        let HostEvent { what: r#type, at, org, sync_error, state, group, class, operation, status, policy, revision } =
            event;
        Self { id, r#type, at, org, sync_error, state, group, class, operation, status, policy, revision }
    }
}

//! Something changed: what clients are told of as it happens.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{
    Class, EventType, Fingerprint, HostEvent, OperationId, OperationStatus, OrgId, PolicyName, State, SyncErrorId,
    Timestamp,
};

/// A change. It names what changed; whoever may read that asks for it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Event {
    /// Where the stream goes on behind it: sent back as `Last-Event-ID`. Later events have higher numbers.
    #[schema(examples("6f1c0b52d9a7e384-1042"), pattern = "^[0-9a-f]{16}-[0-9]{1,20}$")]
    id: String,
    r#type: EventType,
    at: Timestamp,
    /// The organization; absent where it is about a policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    org: Option<OrgId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sync_error: Option<SyncErrorId>,
    /// Where the sync error stands now.
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<State>,
    /// The cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<Fingerprint>,
    /// What can be done about the refusals of that cause, or of an incident.
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<Class>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<OperationId>,
    /// Where the operation stands now.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<OperationStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<PolicyName>,
    /// The policy's revision.
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<u32>,
}

impl From<(String, HostEvent)> for Event {
    fn from((id, event): (String, HostEvent)) -> Self {
        let HostEvent { what: r#type, at, org, sync_error, state, group, class, operation, status, policy, revision } =
            event;
        Self { id, r#type, at, org, sync_error, state, group, class, operation, status, policy, revision }
    }
}

//! What is kept of a customer, and what is forgotten of them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::conversation::Record;
use crate::domain::{ConversationId, OrgId, Timestamp};

/// A conversation of a customer, and what is kept of it.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[schema(as = ConversationOfCustomer)]
pub(crate) struct OfCustomer {
    pub(crate) org: OrgId,
    pub(crate) conversation: ConversationId,
    /// The source's id of the customer. This and what follows of them is absent where the record cannot be read, or was erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) customer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) phone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) channel: Option<String>,
    /// When the newest message was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_message_at: Option<Timestamp>,
    /// Messages whose words are kept.
    pub(crate) messages: u64,
    /// Sync errors that it had.
    pub(crate) sync_errors: u64,
    /// Entries of its audit.
    pub(crate) audit_entries: u64,
    /// Its records in Salesforce.
    pub(crate) records: Vec<Record>,
    /// What was sent until then is erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) erased_until: Option<Timestamp>,
}

/// Conversations of customers.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct CustomerList {
    /// In the order of organizations and ids.
    pub(crate) conversations: Vec<OfCustomer>,
    /// How many were found in all.
    pub(crate) total: u64,
    /// Whether that is all there is. Where it is not, ask for more of the name, or for an id.
    pub(crate) complete: bool,
    /// Asks for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_cursor: Option<String>,
}

/// What is to be forgotten.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ErasureRequest {
    /// Conversations; each is erased in all organizations that have it and that the token is for.
    #[schema(min_items = 1, max_items = 100)]
    pub(crate) conversations: Vec<ConversationId>,
    /// In this organization only.
    pub(crate) org: Option<OrgId>,
}

/// What becomes of it.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct Erasure {
    /// Conversations, in each organization that has them.
    pub(crate) asked: u64,
    /// How many of them are erased already. The others are as soon as their organization comes to it, also after a restart.
    pub(crate) erased: u64,
    /// What this host cannot forget, in words.
    pub(crate) not_reached: Vec<String>,
}

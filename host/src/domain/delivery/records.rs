//! What a conversation has become in Salesforce, and a contact that is being made for it.

use serde::{Deserialize, Serialize};

use crate::domain::{Attribute, PolicyRef, RecordId, Timestamp};

/// The Salesforce records of a conversation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Records {
    /// The conversation itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversation: Option<RecordId>,
    /// The linked contact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<RecordId>,
    /// The case, where the host writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case: Option<RecordId>,
    /// The queue or user that it was given to last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<RecordId>,
    /// Who said where it is to go, at last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub routed: Option<Box<Routed>>,
    /// A contact that is not there any more: where the source goes on naming it, it is not linked again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gone: Option<RecordId>,
    /// A contact that was to be made, until it is known whether it was. It is on record before it is sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creation: Option<Box<Creation>>,
}

/// Where a conversation was to go, and by whose word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Routed {
    /// The policy and its revision.
    pub policy: PolicyRef,
    /// The name of the queue, or the id of the user; empty where it is only tracked.
    pub to: String,
}

impl Records {
    /// The records that people look a conversation up by: itself, its contact and its case.
    #[must_use]
    pub fn of_conversation(&self) -> Vec<RecordId> {
        [&self.conversation, &self.contact, &self.case].into_iter().flatten().cloned().collect()
    }
}

/// A contact that is to be made, or may have been.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Creation {
    /// Who decided that.
    pub policy: PolicyRef,
    /// Its fields, to look for it; empty once the customer was to be forgotten.
    pub fields: Vec<Attribute>,
    /// When that was committed. It is sent as soon as there is room for the call.
    pub since: Timestamp,
    /// When it was looked for first and was not there, after its outcome stayed unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missed_at: Option<Timestamp>,
}

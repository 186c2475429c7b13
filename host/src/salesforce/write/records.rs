//! What is written of a conversation, and of its Case where the host does: the whole state, upserted by external id.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::domain::{Conversation, RecordId, Refusal};
use crate::salesforce::soql::cut;
use crate::salesforce::transport::rest::Client;
use crate::salesforce::values::ApiName;
use crate::salesforce::write::batcher::Object;

/// The length of a Text, a URL and a Case's subject, in characters.
const TEXT: usize = 255;
/// The length of a Case's description, in characters.
const LONG_TEXT: usize = 32_000;
pub(crate) const CASE: &str = "Case";
/// The first characters of every Account's id.
const ACCOUNT: &str = "001";

/// What is decided about a conversation beyond its own state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Write {
    /// The queue that it is for; `None` empties the field.
    pub queue: Option<RecordId>,
    /// A user who is to own the record; `None` leaves the owner alone.
    pub owner: Option<RecordId>,
    /// The contact, or the person account; `None` leaves a link alone that somebody may have made by hand.
    pub contact: Option<RecordId>,
    /// The Case; `None` leaves the link alone.
    pub case: Option<RecordId>,
}

/// What is written of a Case beyond its description.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CaseWrite {
    /// Nothing is known of a Case yet. Later writes leave alone what people may have changed since: subject and origin.
    pub first: bool,
    /// The queue or user who is to own it: only on the first write, or when it is another than before.
    pub owner: Option<RecordId>,
    /// The contact, or the person account; `None` leaves it alone.
    pub contact: Option<RecordId>,
}

/// What an upsert did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upserted {
    /// The record.
    pub record: RecordId,
    /// Whether it is new.
    pub created: bool,
}

/// Salesforce's answer to a write.
#[derive(Deserialize)]
pub(crate) struct Written {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) created: bool,
}

impl Client {
    /// Writes a conversation's whole state, in one call with others. Twice the same gives the same record.
    ///
    /// # Errors
    /// Salesforce's refusal. After a time-out it may have been written all the same: the next write of it looks first.
    pub async fn upsert_conversation(
        self: &Arc<Self>,
        conversation: &Conversation,
        write: &Write,
    ) -> Result<Upserted, Refusal> {
        let names = &self.config.objects;
        let status = if conversation.closed { &names.status_closed } else { &names.status_open };
        let mut body = Map::new();
        let mut set = |field: &ApiName, value: Value| body.insert(field.to_string(), value);
        set(&names.to_queue, json!(write.queue));
        set(&names.status, json!(status));
        set(&names.url, text(&conversation.url));
        set(&names.channel, text(&conversation.channel));
        set(&names.account, text(&conversation.account_name));
        set(&names.customer_name, text(conversation.customer.name.as_deref().unwrap_or_default()));
        if let Some(contact) = &write.contact {
            let person = contact.as_str().starts_with(ACCOUNT);
            set(if person { &names.person_account } else { &names.contact }, json!(contact));
        }
        if let Some(case) = &write.case {
            set(&names.case, json!(case));
        }
        if let Some(owner) = &write.owner {
            body.insert("OwnerId".to_owned(), json!(owner));
        }
        let parents = write.contact.iter().chain(&write.case).cloned().collect();
        self.gather(Object::Conversation, conversation.id.as_str(), body, parents).await
    }

    /// Writes a conversation's Case; `None` where the organization makes its Cases itself.
    ///
    /// Its status is deliberately never written: a Case's life is the organization's.
    ///
    /// # Errors
    /// Salesforce's refusal. After a time-out it may have been written all the same: the next write of it looks first.
    pub async fn upsert_case(
        self: &Arc<Self>,
        conversation: &Conversation,
        write: &CaseWrite,
    ) -> Result<Option<Upserted>, Refusal> {
        if self.config.cases.is_none() {
            return Ok(None);
        }
        let name = conversation.customer.name.as_deref().unwrap_or("unknown");
        let description = format!("{}\n{}\n{}", conversation.channel, conversation.account_name, conversation.url);
        let mut body = Map::new();
        let mut set = |field: &str, value: Value| body.insert(field.to_owned(), value);
        set("Description", json!(cut(&description, LONG_TEXT)));
        if write.first {
            set("Subject", text(&format!("Conversation with: {name}")));
            set("Origin", text(&conversation.channel));
        }
        if let Some(owner) = &write.owner {
            set("OwnerId", json!(owner));
        }
        if let Some(contact) = &write.contact {
            set(if contact.as_str().starts_with(ACCOUNT) { "AccountId" } else { "ContactId" }, json!(contact));
        }
        let parents = write.contact.iter().cloned().collect();
        self.gather(Object::Case, conversation.id.as_str(), body, parents).await.map(Some)
    }
}

/// A text that fits; an empty one empties the field.
fn text(value: &str) -> Value {
    if value.is_empty() { Value::Null } else { json!(cut(value, TEXT)) }
}

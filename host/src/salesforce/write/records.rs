//! What is written of a conversation, and of its Case where the host does: the whole state, upserted by external id.

use serde_json::{Map, Value, json};

use crate::domain::{Conversation, RecordId};
use crate::salesforce::config::Objects;
use crate::salesforce::soql::cut;
use crate::salesforce::values::ApiName;

/// The length of a Text, a URL and a Case's subject, in characters.
const TEXT: usize = 255;
/// The length of a Case's description, in characters.
const LONG_TEXT: usize = 32_000;
/// The first characters of every Account's id.
const ACCOUNT: &str = "001";

/// What is decided about a conversation beyond its own state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConversationWrite {
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

/// The fields of a record without its external id, and the records that Salesforce locks while it writes them.
type Fields = (Map<String, Value>, Vec<RecordId>);

/// A conversation's whole state.
pub(crate) fn conversation_fields(names: &Objects, conversation: &Conversation, write: &ConversationWrite) -> Fields {
    let status = if conversation.closed { &names.status_closed } else { &names.status_open };
    let mut fields = Map::new();
    let mut set = |field: &ApiName, value: Value| fields.insert(field.to_string(), value);
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
        fields.insert("OwnerId".to_owned(), json!(owner));
    }
    (fields, write.contact.iter().chain(&write.case).cloned().collect())
}

/// A conversation's Case.
pub(crate) fn case_fields(conversation: &Conversation, write: &CaseWrite) -> Fields {
    let name = conversation.customer.name.as_deref().unwrap_or("unknown");
    let description = format!("{}\n{}\n{}", conversation.channel, conversation.account_name, conversation.url);
    let mut fields = Map::new();
    let mut set = |field: &str, value: Value| fields.insert(field.to_owned(), value);
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
    (fields, write.contact.iter().cloned().collect())
}

/// A text that fits; an empty one empties the field.
fn text(value: &str) -> Value {
    if value.is_empty() { Value::Null } else { json!(cut(value, TEXT)) }
}

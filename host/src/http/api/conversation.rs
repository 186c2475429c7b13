//! A conversation in each organization that has it.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::audit::AuditEntry;
use crate::domain::{AccountId, Class, ConversationId, MessageId, OrgId, RecordId, State, SyncErrorId, Timestamp};
use crate::policy::case;
use crate::salesforce::RecordPage;

/// A conversation, whole.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct Conversation {
    pub(crate) conversation: ConversationId,
    /// Whether personal data is left out.
    pub(crate) masked: bool,
    /// How it is in each organization that has it.
    pub(crate) orgs: Vec<InOrg>,
}

/// A conversation in one organization.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[schema(as = ConversationInOrg)]
pub(crate) struct InOrg {
    pub(crate) org: OrgId,
    /// Whether the organization is configured.
    pub(crate) connected: bool,
    #[schema(pattern = "^(waiting|sending|parked|retrying|pending|ignored|idle)$")]
    pub(crate) state: Cow<'static, str>,
    /// Since when; absent where that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) since: Option<Timestamp>,
    /// When it is tried again by itself; only while `retrying`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_attempt_at: Option<Timestamp>,
    /// What was sent until then is forgotten, because its source or a person said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) erased_until: Option<Timestamp>,
    /// Its page at the source, where it has one; not where personal data is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<String>,
    /// As a policy is told it, but for the messages; absent where its record could not be read or kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) details: Option<Details>,
    pub(crate) messages: Vec<Message>,
    /// Its records in Salesforce.
    pub(crate) records: Vec<Record>,
    pub(crate) sync_errors: Vec<ErrorLine>,
    /// The audit of all its messages, oldest first.
    pub(crate) timeline: Vec<AuditEntry>,
    /// Asks for what is older; absent where there is nothing older.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) older_cursor: Option<String>,
}

/// What a conversation is.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[schema(as = ConversationDetails)]
pub(crate) struct Details {
    pub(crate) channel: String,
    pub(crate) account: AccountId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) team: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) agent: Option<String>,
    pub(crate) closed: bool,
    pub(crate) tags: Vec<String>,
    pub(crate) customer: Customer,
}

/// Who writes.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct Customer {
    /// The source's id of the customer.
    pub(crate) id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) phone: Option<String>,
    /// The Salesforce contact that is linked already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) contact: Option<RecordId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) attributes: Vec<Attribute>,
}

/// A named value.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct Attribute {
    pub(crate) name: String,
    pub(crate) value: String,
}

/// A message of a conversation.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct Message {
    pub(crate) id: MessageId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sent_at: Option<Timestamp>,
    /// `customer`, or `agent` for whoever answers.
    #[schema(pattern = "^(customer|agent)$")]
    pub(crate) author: Cow<'static, str>,
    pub(crate) name: String,
    pub(crate) text: String,
    /// How many bytes the text has, where it is cut off here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cut_from: Option<usize>,
    /// Whether its source or a person said that it is to be forgotten.
    pub(crate) erased: bool,
}

/// A record in Salesforce.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[schema(as = SalesforceRecord)]
pub(crate) struct Record {
    /// The object's name.
    #[schema(examples("Contact"))]
    pub(crate) object: String,
    pub(crate) id: RecordId,
    /// Its page in Salesforce, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<String>,
}

/// A sync error of the conversation.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[schema(as = SyncErrorLine)]
pub(crate) struct ErrorLine {
    pub(crate) id: SyncErrorId,
    pub(crate) state: State,
    pub(crate) class: Class,
    pub(crate) code: String,
    /// That of its cause.
    pub(crate) title: String,
    pub(crate) first_seen: Timestamp,
    pub(crate) last_seen: Timestamp,
}

impl From<case::Conversation> for Details {
    fn from(of: case::Conversation) -> Self {
        let case::Conversation { channel, account, team, agent, closed, tags, customer, .. } = of;
        Self { channel, account, team, agent, closed, tags, customer: customer.into() }
    }
}

impl From<case::Customer> for Customer {
    fn from(customer: case::Customer) -> Self {
        let case::Customer { id, name, email, phone, contact, attributes } = customer;
        let attributes = attributes.into_iter().map(|case::Named { name, value }| Attribute { name, value }).collect();
        Self { id, name, email, phone, contact, attributes }
    }
}

impl From<RecordPage> for Record {
    fn from(RecordPage { object, id, url }: RecordPage) -> Self {
        Self { object, id, url }
    }
}

/// Conversations that wait for the end of an incident.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct ParkedList {
    /// How many there are in all.
    pub(crate) total: u64,
    /// The newest ones.
    pub(crate) parked: Vec<Parked>,
}

/// A conversation that waits for the end of an incident.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct Parked {
    pub(crate) conversation: ConversationId,
    /// Since when, or since its newest message.
    pub(crate) since: Timestamp,
}

//! What platforms hand in, and what they are told.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::domain::{AccountId, Attribute, ConversationId, Direction, MessageId, RecordId, Timestamp};

/// A conversation as a platform hands it in: its whole state and its messages, known ones included.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = IntakeConversation)]
pub(crate) struct Conversation {
    /// The platform's id of it.
    #[schema(min_length = 1, max_length = 100, examples("4711"))]
    pub(crate) id: String,
    /// The connected page or number.
    pub(crate) account: AccountId,
    pub(crate) account_name: Option<String>,
    #[schema(min_length = 1, examples("whatsapp"))]
    pub(crate) channel: String,
    pub(crate) team: Option<String>,
    pub(crate) agent: Option<String>,
    pub(crate) closed: Option<bool>,
    #[serde(default)]
    pub(crate) tags: Vec<String>,
    #[serde(default)]
    #[schema(value_type = Vec<super::conversation::Attribute>)]
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) customer: Customer,
    /// The address of the newest message on the platform.
    pub(crate) url: Option<String>,
    /// Grows with every change on the platform; where absent, calls count in the order in which they come.
    pub(crate) sequence: Option<u64>,
    /// At least one. Each is looked at by itself: one that cannot be taken is set aside, and the others go on.
    #[schema(value_type = Vec<Message>, min_items = 1, max_items = 1000)]
    pub(crate) messages: Vec<Value>,
}

/// Who writes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = IntakeCustomer)]
pub(crate) struct Customer {
    /// The platform's id of the customer.
    pub(crate) id: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) phone: Option<String>,
    /// The contact in Salesforce, where the platform knows it.
    pub(crate) contact_id: Option<RecordId>,
    #[serde(default)]
    #[schema(value_type = Vec<super::conversation::Attribute>)]
    pub(crate) attributes: Vec<Attribute>,
}

/// A message.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = IntakeMessage)]
pub(crate) struct Message {
    /// The platform's id of it.
    pub(crate) id: String,
    #[serde(default = "inbound")]
    pub(crate) direction: Direction,
    /// The name of who wrote it.
    #[serde(default)]
    pub(crate) author: String,
    #[serde(default)]
    pub(crate) body: String,
    pub(crate) sent_at: Timestamp,
}

const fn inbound() -> Direction {
    Direction::Inbound
}

/// A conversation survives a power cut.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = IntakeReceipt)]
pub(crate) struct Receipt {
    pub(crate) conversation: ConversationId,
    /// Messages that are dated later than now: they count as sent now.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) taken_as_now: Vec<MessageId>,
    /// Messages that cannot be taken; they are in the quarantine.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) set_aside: Vec<Unusable>,
}

/// A message that cannot be taken.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UnusableMessage)]
pub(crate) struct Unusable {
    /// Its place in the call, from 0.
    pub(crate) message: usize,
    pub(crate) reason: String,
    #[serde(skip)]
    pub(crate) value: Value,
}

/// A notification survives a power cut.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NotificationReceipt {
    /// Its id; absent of one that could not be used, which is in the quarantine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) notification: Option<u64>,
    /// Whether it is of an account that an organization has.
    pub(crate) linked: bool,
}

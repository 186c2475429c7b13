//! A conversation as this host keeps it: a customer, a channel and the newest messages.

use serde::{Deserialize, Serialize};

use super::{AccountId, ConversationId, MessageId, RecordId, SourceId, Timestamp};

/// How many messages of a conversation are kept (the newest), so that no record grows without a bound.
pub const MESSAGES_KEPT: usize = 200;

/// A conversation at its newest message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Conversation {
    /// Its id here and its external id in Salesforce.
    pub id: ConversationId,
    /// Where it came from.
    pub source: SourceId,
    /// The connected page or number.
    pub account: AccountId,
    /// The name of the page or number, for people.
    pub account_name: String,
    /// The platform's word for the channel, in lower case.
    pub channel: String,
    /// The team that it is routed to, where the platform or a setting tells.
    pub team: Option<String>,
    /// The agent who has it, by name.
    pub agent: Option<String>,
    /// Whether it was closed on the platform.
    pub closed: bool,
    /// Tags as `name: value` or a bare name.
    pub tags: Vec<String>,
    /// Custom fields of the conversation.
    pub attributes: Vec<Attribute>,
    /// Who writes to us.
    pub customer: Customer,
    /// In the order they were sent, the newest [`MESSAGES_KEPT`], with texts of [`BODIES_BYTES`](super::BODIES_BYTES) at most.
    pub messages: Vec<Message>,
    /// The address of the newest message on the platform; in Salesforce its change says "there is a new message".
    pub url: String,
    /// Grows by one with every change; a delivery names the version that it wrote.
    pub version: u64,
    /// The largest number of an event of the source whose state is in this record; 0 where none had a number.
    pub state_as_of: u64,
    /// The largest number of an event that said which agent has it.
    pub agent_as_of: u64,
    /// Whether a platform at the intake gave these numbers. (Earlier releases kept times there.)
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub numbered: bool,
    /// What was sent until then is forgotten, and not learned again.
    #[serde(default)]
    pub erased_until: Option<Timestamp>,
}

/// A named value kept beside a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribute {
    /// The name; for an Alcmeon custom field its id.
    pub name: String,
    /// The value as text.
    pub value: String,
}

/// Who writes to us.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Customer {
    /// The source's id of the customer.
    pub id: String,
    /// The name as the channel shows it.
    #[serde(default)]
    pub name: Option<String>,
    /// An e-mail address, where known.
    #[serde(default)]
    pub email: Option<String>,
    /// A phone number as the source gives it.
    #[serde(default)]
    pub phone: Option<String>,
    /// The Salesforce contact, once linked.
    #[serde(default)]
    pub contact: Option<RecordId>,
    /// Further fields.
    #[serde(default)]
    pub attributes: Vec<Attribute>,
}

/// One message of a conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Unique over all sources.
    pub id: MessageId,
    /// Who wrote to whom.
    pub direction: Direction,
    /// The name of who wrote it; empty where the source gives none.
    pub author: String,
    /// The text; empty where the source keeps it back.
    pub body: String,
    /// When it was sent.
    pub sent_at: Timestamp,
}

/// Who wrote to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// From the customer.
    Inbound,
    /// From an agent or a bot.
    Outbound,
}

impl Conversation {
    /// The message that a sync error of the conversation's present state belongs to.
    #[must_use]
    pub fn newest(&self) -> Option<&Message> {
        self.messages.last()
    }
}

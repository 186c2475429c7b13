//! What a case tells a policy: the records of the domain, with everything left out that a policy is not told or that has a plain default.

use serde::{Deserialize, Serialize};

use crate::domain::{
    self, AccountId, Attribute, Class, Contact, ConversationId, Direction, IdError, MessageId, RecordId, Refusal,
    SourceId, Timestamp,
};

/// Stands for what a case leaves out and a policy is always told.
const SOMETHING: &str = "case";

/// A conversation; only `id`, `channel` and `messages` have to be there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conversation {
    /// Its id.
    pub id: ConversationId,
    /// The platform's word for the channel, in lower case.
    pub channel: String,
    /// The connected page or number.
    #[serde(default = "account")]
    pub account: AccountId,
    /// The team that it is routed to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// The agent who has it, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// Whether it was closed on the platform.
    #[serde(default)]
    pub closed: bool,
    /// Tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Custom fields.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<Named>,
    /// Who writes to us.
    #[serde(default)]
    pub customer: Customer,
    /// In the order they were sent.
    pub messages: Vec<Message>,
}

/// Who writes to us.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Customer {
    /// The source's id of the customer.
    pub id: String,
    /// The name as the channel shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// An e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// A phone number as the source gives it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// The Salesforce contact that is linked already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<RecordId>,
    /// Further fields.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<Named>,
}

/// One message; nothing of it has to be there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// Its id; `case:` and its number where not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<MessageId>,
    /// Who wrote to whom; the customer to us where not given.
    #[serde(default = "inbound")]
    pub direction: Direction,
    /// The name of who wrote it.
    #[serde(default)]
    pub author: String,
    /// The text.
    #[serde(default)]
    pub body: String,
    /// When it was sent; at the case's `now` where not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<Timestamp>,
}

/// A named value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// The name.
    pub name: String,
    /// The value as text.
    pub value: String,
}

/// A contact that a search found; only its id has to be there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Found {
    /// Its id.
    pub id: RecordId,
    /// Its full name.
    #[serde(default)]
    pub name: String,
    /// Its e-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Its phone number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Whether it is the shadow of a person account.
    #[serde(default)]
    pub person_account: bool,
    /// Further fields.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<Named>,
}

/// A failure to judge; only its class and code have to be there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// What can be done about it.
    pub class: Class,
    /// Salesforce's code, the policy's own, or this host's.
    pub code: String,
    /// Salesforce's own words.
    #[serde(default)]
    pub text: String,
    /// The fields that Salesforce names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
    /// How often it was tried so far, 1 for the first.
    #[serde(default = "first")]
    pub attempt: u32,
    /// When it failed first; at the case's `now` where not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_seen: Option<Timestamp>,
}

impl Conversation {
    pub(super) fn to_domain(&self, now: Timestamp) -> domain::Conversation {
        let message = |(number, message): (usize, &Message)| domain::Message {
            id: message.id.clone().unwrap_or_else(|| known(MessageId::new(format!("{SOMETHING}:{}", number + 1)))),
            direction: message.direction,
            author: message.author.clone(),
            body: message.body.clone(),
            sent_at: message.sent_at.unwrap_or(now),
        };
        domain::Conversation {
            id: self.id.clone(),
            source: known(SourceId::new(SOMETHING)),
            account: self.account.clone(),
            account_name: String::new(),
            channel: self.channel.clone(),
            team: self.team.clone(),
            agent: self.agent.clone(),
            closed: self.closed,
            tags: self.tags.clone(),
            attributes: to_attributes(&self.attributes),
            customer: domain::Customer {
                id: self.customer.id.clone(),
                name: self.customer.name.clone(),
                email: self.customer.email.clone(),
                phone: self.customer.phone.clone(),
                contact: self.customer.contact.clone(),
                attributes: to_attributes(&self.customer.attributes),
            },
            messages: self.messages.iter().enumerate().map(message).collect(),
            url: String::new(),
            version: 1,
            state_as_of: 1,
            agent_as_of: 1,
            numbered: false,
            erased_until: None,
        }
    }
}

/// As a policy would be told it: what only the host knows is left out.
impl From<&domain::Conversation> for Conversation {
    fn from(of: &domain::Conversation) -> Self {
        let message = |message: &domain::Message| Message {
            id: Some(message.id.clone()),
            direction: message.direction,
            author: message.author.clone(),
            body: message.body.clone(),
            sent_at: Some(message.sent_at),
        };
        Self {
            id: of.id.clone(),
            channel: of.channel.clone(),
            account: of.account.clone(),
            team: of.team.clone(),
            agent: of.agent.clone(),
            closed: of.closed,
            tags: of.tags.clone(),
            attributes: from_attributes(&of.attributes),
            customer: Customer {
                id: of.customer.id.clone(),
                name: of.customer.name.clone(),
                email: of.customer.email.clone(),
                phone: of.customer.phone.clone(),
                contact: of.customer.contact.clone(),
                attributes: from_attributes(&of.customer.attributes),
            },
            messages: of.messages.iter().map(message).collect(),
        }
    }
}

impl Default for Customer {
    fn default() -> Self {
        let (id, attributes) = (SOMETHING.to_owned(), Vec::new());
        Self { id, name: None, email: None, phone: None, contact: None, attributes }
    }
}

impl Found {
    pub(super) fn to_domain(&self) -> Contact {
        Contact {
            id: self.id.clone(),
            name: self.name.clone(),
            email: self.email.clone(),
            phone: self.phone.clone(),
            person_account: self.person_account,
            attributes: to_attributes(&self.attributes),
        }
    }
}

impl From<&Contact> for Found {
    fn from(of: &Contact) -> Self {
        Self {
            id: of.id.clone(),
            name: of.name.clone(),
            email: of.email.clone(),
            phone: of.phone.clone(),
            person_account: of.person_account,
            attributes: from_attributes(&of.attributes),
        }
    }
}

impl Failure {
    /// What was refused, how often it was tried, and when it failed first.
    pub(super) fn to_domain(&self, now: Timestamp) -> (Refusal, u32, Timestamp) {
        let refusal = Refusal { fields: self.fields.clone(), ..Refusal::new(self.class, &self.code, &self.text) };
        (refusal, self.attempt, self.first_seen.unwrap_or(now))
    }
}

fn to_attributes(of: &[Named]) -> Vec<Attribute> {
    of.iter().map(|it| Attribute { name: it.name.clone(), value: it.value.clone() }).collect()
}

fn from_attributes(of: &[Attribute]) -> Vec<Named> {
    of.iter().map(|it| Named { name: it.name.clone(), value: it.value.clone() }).collect()
}

fn account() -> AccountId {
    known(AccountId::new(SOMETHING))
}

fn inbound() -> Direction {
    Direction::Inbound
}

fn first() -> u32 {
    1
}

/// The ids above are constants that can be ids.
fn known<T>(id: Result<T, IdError>) -> T {
    id.unwrap_or_else(|error| unreachable!("{error}"))
}

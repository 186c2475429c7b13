//! What a source tells of a conversation, and how it becomes part of what is known already.

use serde::{Deserialize, Serialize};

use super::{
    AccountId, Attribute, AuditEntry, Conversation, ConversationId, Customer, Direction, Fact, MESSAGES_KEPT, Message,
    MessageId, SourceId, Timestamp, bounds,
};

/// The way by which an arrival reached this host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Channel {
    /// The source notified us.
    Webhook,
    /// We asked the source.
    Poll,
    /// We asked the source for everything of a conversation of which something was missed.
    Completion,
    /// Somebody posted it to the generic intake.
    Intake,
}

/// One event of a source: what it says of a conversation's state, and the messages it carries.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Arrival {
    /// Where it comes from.
    pub source: SourceId,
    /// The connected page or number.
    pub account: AccountId,
    /// The name of the page or number.
    pub account_name: String,
    /// The conversation that it is about.
    pub conversation: ConversationId,
    /// The message that it is about.
    pub message: MessageId,
    /// Grows with time within a source (Alcmeon: the action's id); an older event never overwrites a newer one's state.
    pub event: u64,
    /// The source's word for what happened (Alcmeon: the action's type).
    pub kind: String,
    /// When it happened.
    pub at: Timestamp,
    /// How it reached us.
    pub by: Channel,
    /// The platform's word for the channel, in lower case.
    pub channel: String,
    /// The address of the message on the platform.
    pub url: Option<String>,
    /// The team, where the event tells.
    pub team: Option<String>,
    /// `Some(None)`: nobody has it any more; `None`: the event says nothing of it.
    pub agent: Option<Option<String>>,
    /// Whether the conversation is closed, where the event tells.
    pub closed: Option<bool>,
    /// All tags of the conversation.
    pub tags: Vec<String>,
    /// Custom fields of the conversation.
    pub attributes: Vec<Attribute>,
    /// Who writes to us.
    pub customer: Customer,
    /// Messages that the event carries, perhaps known already.
    pub messages: Vec<Message>,
    /// What the event carried beyond all this, kept for the audit.
    pub extra: Option<serde_json::Value>,
    /// Whether another event should have told of the message before.
    #[serde(default)]
    pub follows: bool,
    /// Whether the source forgot the message, and wants everybody to.
    #[serde(default)]
    pub erase: bool,
}

impl Arrival {
    /// Whether something was missed: the event follows another one, and its message is not known. (Of a message that is
    /// older than those that are kept nothing can be said.)
    #[must_use]
    pub fn shows_a_gap(&self, known: Option<&Conversation>) -> bool {
        let unknown = |known: &Conversation| {
            let sent_at =
                self.messages.iter().find(|message| message.id == self.message).map(|message| message.sent_at);
            known.messages.iter().all(|message| message.id != self.message)
                && known.messages.first().is_none_or(|oldest| sent_at.is_none_or(|at| oldest.sent_at <= at))
        };
        self.by == Channel::Webhook && self.follows && known.is_none_or(unknown)
    }
}

/// What an arrival changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Merge {
    /// The conversation afterwards.
    pub conversation: Conversation,
    /// Whether there is something new to deliver.
    pub changed: bool,
    /// For the audit; the same arrival always gives the same entry.
    pub audit: AuditEntry,
}

/// Adds an arrival to what is known of its conversation. The same arrival twice changes nothing.
#[must_use]
pub fn merge(known: Option<Conversation>, mut arrival: Arrival) -> Merge {
    arrival.forget_with(known.as_ref());
    let audit = AuditEntry {
        message: arrival.message.clone(),
        at: arrival.at,
        order: arrival.event,
        fact: Fact::Arrived {
            kind: arrival.kind.clone(),
            by: arrival.by,
            event: arrival.event,
            extra: arrival.extra.clone(),
        },
    };
    let before = known.clone();
    let mut conversation = known.unwrap_or_else(|| blank(&arrival));
    for message in arrival.messages {
        insert(&mut conversation.messages, message);
    }
    if arrival.event >= conversation.agent_as_of
        && let Some(agent) = arrival.agent
    {
        conversation.agent = agent;
        conversation.agent_as_of = arrival.event;
    }
    let fresh = arrival.event >= conversation.state_as_of;
    if fresh {
        conversation.state_as_of = arrival.event;
        conversation.team = arrival.team.or(conversation.team);
        conversation.closed = arrival.closed.unwrap_or(conversation.closed);
        conversation.tags = arrival.tags;
        conversation.attributes = arrival.attributes;
        if !arrival.account_name.is_empty() {
            conversation.account_name = arrival.account_name;
        }
        conversation.customer = told(std::mem::take(&mut conversation.customer), arrival.customer);
    }
    if let Some(url) = arrival.url
        && (conversation.url.is_empty() || is_newest(&conversation, &arrival.message))
    {
        conversation.url = url;
    }
    let changed = before.as_ref().is_none_or(|before| differs(before, &conversation));
    if changed {
        conversation.version += 1;
    }
    Merge { conversation, changed, audit }
}

/// An event that leaves out something of the customer does not take it away.
fn told(known: Customer, now: Customer) -> Customer {
    Customer {
        id: if now.id.is_empty() { known.id } else { now.id },
        name: now.name.or(known.name),
        email: now.email.or(known.email),
        phone: now.phone.or(known.phone),
        contact: now.contact.or(known.contact),
        attributes: if now.attributes.is_empty() { known.attributes } else { now.attributes },
    }
}

fn blank(arrival: &Arrival) -> Conversation {
    Conversation {
        id: arrival.conversation.clone(),
        source: arrival.source.clone(),
        account: arrival.account.clone(),
        account_name: arrival.account_name.clone(),
        channel: arrival.channel.clone(),
        team: None,
        agent: None,
        closed: false,
        tags: Vec::new(),
        attributes: Vec::new(),
        customer: Customer::default(),
        messages: Vec::new(),
        url: String::new(),
        version: 0,
        state_as_of: 0,
        agent_as_of: 0,
        erased_until: None,
    }
}

/// Keeps the order of sending; a message known by its id stays as it is, unless its text came only now.
fn insert(messages: &mut Vec<Message>, message: Message) {
    if let Some(known) = messages.iter_mut().find(|known| known.id == message.id) {
        if known.body.is_empty() {
            known.body = message.body;
        }
        return;
    }
    let place = messages.partition_point(|known| known.sent_at <= message.sent_at);
    messages.insert(place, message);
    if messages.len() > MESSAGES_KEPT {
        messages.remove(0);
    }
    bounds::fit(messages);
}

/// Whether a message is the newest, or the newest that the customer wrote: an agent's answer has no address of its own.
fn is_newest(conversation: &Conversation, message: &MessageId) -> bool {
    let inbound = conversation.messages.iter().rev().find(|known| known.direction == Direction::Inbound);
    inbound.or(conversation.newest()).is_some_and(|newest| newest.id == *message)
}

/// Whether what Salesforce or a policy sees is another than before; the bookkeeping of events is neither.
fn differs(before: &Conversation, after: &Conversation) -> bool {
    let plain = |conversation: &Conversation| Conversation { state_as_of: 0, agent_as_of: 0, ..conversation.clone() };
    plain(before) != plain(after)
}

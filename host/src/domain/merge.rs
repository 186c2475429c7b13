//! How what a source tells becomes part of what is known of a conversation already.

use super::{Arrival, AuditEntry, Conversation, Customer, Direction, Fact, MESSAGES_KEPT, Message, MessageId, bounds};

impl Arrival {
    /// A conversation that is known by the ids of this arrival and nothing else.
    #[must_use]
    pub fn by_its_ids(&self) -> Conversation {
        let named = self.messages.iter().find(|message| message.id == self.message);
        let message = Message {
            id: self.message.clone(),
            direction: named.map_or(Direction::Inbound, |message| message.direction),
            author: String::new(),
            body: String::new(),
            sent_at: named.map_or(self.at, |message| message.sent_at),
        };
        Conversation { messages: vec![message], ..blank(self) }
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
        also: Vec::new(),
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

//! How what a source tells becomes part of what is known of a conversation already.

use std::collections::HashSet;
use std::time::Duration;

use super::{
    Arrival, AuditEntry, Conversation, Customer, Direction, Fact, MESSAGES_KEPT, Message, MessageId, ReachedBy,
    Timestamp, bounds,
};

/// A message on record that is so far ahead was kept by an earlier release, which believed every clock.
const FAR_AHEAD: Duration = Duration::from_secs(86_400);

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
pub fn merge(known: Option<Conversation>, arrival: Arrival, now: Timestamp) -> Merge {
    let mut arrival = arrival.dated(now);
    let before = known.clone();
    let mut known = known;
    if let Some(known) = &mut known {
        known.redate(&arrival, now);
    }
    arrival.forget_with(known.as_ref());
    let mut conversation = known.unwrap_or_else(|| blank(&arrival));
    let carried: HashSet<_> = arrival.messages.iter().map(|message| message.id.clone()).collect();
    for message in std::mem::take(&mut arrival.messages) {
        insert(&mut conversation.messages, message);
    }
    if arrival.by == ReachedBy::Intake {
        // A platform says all that it knows each time: which message is the newest is seen beside those that are kept.
        let newest = conversation.messages.iter().rev().find(|message| carried.contains(&message.id));
        arrival.message = newest.map_or(arrival.message, |message| message.id.clone());
    }
    let audit = AuditEntry {
        message: arrival.message.clone(),
        also: Vec::new(),
        at: arrival.at,
        order: arrival.event,
        fact: Fact::Arrived {
            kind: arrival.kind.clone(),
            by: arrival.by,
            event: arrival.event,
            extra: arrival.extra.take(),
        },
        trace_id: None,
        request: None,
    };
    state(&mut conversation, arrival);
    let changed = before.as_ref().is_none_or(|before| differs(before, &conversation));
    if changed {
        conversation.version += 1;
    }
    Merge { conversation, changed, audit }
}

/// Takes what an arrival says of the conversation's state, unless a later one has spoken.
fn state(conversation: &mut Conversation, arrival: Arrival) {
    let sequence = arrival.sequence();
    if arrival.numbered && !conversation.numbered {
        // What stands there is no number of the platform, and never compared with one.
        (conversation.numbered, conversation.state_as_of, conversation.agent_as_of) = (true, 0, 0);
    }
    let fresh = |as_of: u64| sequence.is_none_or(|sequence| sequence >= as_of);
    if fresh(conversation.agent_as_of)
        && let Some(agent) = arrival.agent
    {
        conversation.agent = agent;
        conversation.agent_as_of = sequence.unwrap_or(conversation.agent_as_of);
    }
    let fresh = fresh(conversation.state_as_of);
    if fresh {
        conversation.state_as_of = sequence.unwrap_or(conversation.state_as_of);
        conversation.team = arrival.team.or(conversation.team.take());
        conversation.closed = arrival.closed.unwrap_or(conversation.closed);
        conversation.tags = arrival.tags;
        conversation.attributes = arrival.attributes;
        if !arrival.account_name.is_empty() {
            conversation.account_name = arrival.account_name;
        }
        conversation.customer = told(std::mem::take(&mut conversation.customer), arrival.customer);
    }
    let url = match (arrival.url, arrival.by) {
        (None, ReachedBy::Intake) => Some(format!("urn:{}:{}", arrival.source, arrival.message)),
        (url, _) => url,
    };
    if let Some(url) = url
        && (conversation.url.is_empty() || is_newest(conversation, &arrival.message))
    {
        conversation.url = url;
    }
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
        numbered: false,
        erased_until: None,
    }
}

impl Conversation {
    /// Dates what is kept and said to be far ahead like the newest that can be true: what arrives now comes after it.
    fn redate(&mut self, arrival: &Arrival, now: Timestamp) {
        let ahead = |time: Timestamp| time > now.after(FAR_AHEAD);
        if !self.messages.iter().map(|message| message.sent_at).chain(self.erased_until).any(ahead) {
            return;
        }
        let times = self.messages.iter().map(|message| message.sent_at);
        let arriving = || arrival.messages.iter().map(|message| message.sent_at).min();
        let newest = times.filter(|time| !ahead(*time)).max().or_else(arriving).unwrap_or(now).min(now);
        for time in self.messages.iter_mut().map(|message| &mut message.sent_at).chain(self.erased_until.as_mut()) {
            if ahead(*time) {
                *time = newest;
            }
        }
        self.messages.sort_by_key(|message| message.sent_at);
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
    let plain = |conversation: &Conversation| Conversation {
        state_as_of: 0,
        agent_as_of: 0,
        numbered: false,
        ..conversation.clone()
    };
    plain(before) != plain(after)
}

#[cfg(test)]
mod tests;

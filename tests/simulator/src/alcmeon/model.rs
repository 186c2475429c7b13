//! What an Alcmeon environment holds: conversations as they are seeded, and the actions they become.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

/// A conversation as the control API takes it: whole, so that seeding it again adds only what is new.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Input {
    /// Tells conversations apart; the same key is the same conversation.
    pub(crate) key: String,
    pub(crate) channel: String,
    pub(crate) account: Account,
    /// Name of the team it is routed to.
    #[serde(default)]
    pub(crate) team: Option<String>,
    #[serde(default)]
    pub(crate) tags: Vec<String>,
    #[serde(default)]
    pub(crate) closed: bool,
    #[serde(default)]
    pub(crate) customer: Customer,
    #[serde(default)]
    pub(crate) messages: Vec<InputMessage>,
    /// Whether `messages` are further ones instead of all from the first.
    #[serde(default)]
    pub(crate) append: bool,
}

/// A social account.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Account {
    pub(crate) id: u64,
    pub(crate) name: String,
}

/// Who writes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Customer {
    pub(crate) name: Option<String>,
    pub(crate) email: Option<String>,
    /// International, such as `+33612345678`.
    pub(crate) phone: Option<String>,
}

/// One message.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct InputMessage {
    pub(crate) direction: Direction,
    pub(crate) body: String,
    /// Name of the agent, or of the customer when it differs.
    #[serde(default)]
    pub(crate) author: Option<String>,
    /// Milliseconds since the epoch; made up from the message's position when absent.
    #[serde(default)]
    pub(crate) sent_at: Option<i64>,
}

/// From the customer, or to him.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Direction {
    Inbound,
    Outbound,
}

/// A stored conversation. Its id is its position plus one.
#[derive(Debug)]
pub(crate) struct Conversation {
    pub(crate) key: String,
    pub(crate) channel: String,
    pub(crate) account: Account,
    pub(crate) team: Option<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) closed: bool,
    pub(crate) customer: Customer,
    /// The id of his group of identities.
    pub(crate) customer_id: u64,
    pub(crate) messages: Vec<Message>,
    /// Whether its content was erased.
    pub(crate) anonymized: bool,
}

/// A stored message.
#[derive(Debug)]
pub(crate) struct Message {
    /// Unique in the environment; the task of a customer's message has the same id.
    pub(crate) id: u64,
    pub(crate) direction: Direction,
    pub(crate) body: Box<str>,
    pub(crate) author: Option<Box<str>>,
    pub(crate) at_ms: i64,
}

/// An event on a task. Its id is its position plus one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Action {
    /// Position of the conversation.
    pub(crate) conversation: u32,
    /// Position of the customer's message whose task it is about.
    pub(crate) task: u32,
    pub(crate) event: Event,
    pub(crate) at_ms: i64,
}

/// What happened. The numbers are positions in the conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    Received,
    Tagged {
        tag: u32,
    },
    Assigned {
        agent: u64,
    },
    Answered {
        message: u32,
        agent: u64,
    },
    /// `answer` is the id of the action that announced it.
    Sent {
        answer: u64,
    },
    Archived {
        agent: u64,
    },
    /// The retention period was over, or somebody asked for it.
    Anonymized,
}

/// Where the push of an action stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Pending,
    Acknowledged,
    Failed,
}

/// Names with ids in the order in which they were first seen, from 1.
#[derive(Debug, Default)]
pub(crate) struct Names {
    ids: HashMap<String, u64>,
    ordered: Vec<String>,
}

impl Names {
    pub(crate) fn id(&mut self, name: &str) -> u64 {
        if let Some(id) = self.ids.get(name) {
            return *id;
        }
        self.ordered.push(name.to_owned());
        let id = self.ordered.len() as u64;
        self.ids.insert(name.to_owned(), id);
        id
    }

    pub(crate) fn name(&self, id: u64) -> Option<&str> {
        self.ordered.get(usize::try_from(id.checked_sub(1)?).ok()?).map(String::as_str)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = (u64, &str)> {
        (1..).zip(self.ordered.iter().map(String::as_str))
    }
}

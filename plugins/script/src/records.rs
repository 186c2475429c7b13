//! What a script is told: read-only records whose fields are made into Rhai values only when a script reads them.

use std::any::TypeId;
use std::rc::Rc;

use rhai::{Array, Dynamic, Engine, INT, Map};

use crate::bindings::switchyard::policy::types::{self, Attribute, Direction};

/// A kind of record that a script is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Record {
    Conversation,
    Message,
    Customer,
    Contact,
    SyncError,
}

/// What a field of a record holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    /// A record, or `()`.
    One(Record),
    Many(Record),
    /// No record.
    Plain,
}

impl Record {
    /// The one that the engine has as this type.
    pub(crate) fn of(engine_type: TypeId) -> Option<Self> {
        let types = [
            (TypeId::of::<Conversation>(), Self::Conversation),
            (TypeId::of::<Message>(), Self::Message),
            (TypeId::of::<Customer>(), Self::Customer),
            (TypeId::of::<Contact>(), Self::Contact),
            (TypeId::of::<SyncError>(), Self::SyncError),
        ];
        types.into_iter().find(|(of, _)| *of == engine_type).map(|(_, record)| record)
    }

    /// As scripts' authors are told of it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Conversation => "conversation",
            Self::Message => "message",
            Self::Customer => "customer",
            Self::Contact => "contact",
            Self::SyncError => "sync error",
        }
    }

    /// What a field of it holds.
    pub(crate) fn field(self, name: &str) -> Field {
        match (self, name) {
            (Self::Conversation, "customer") => Field::One(Self::Customer),
            (Self::Conversation, "messages") => Field::Many(Self::Message),
            (Self::Conversation, "newest_inbound") => Field::One(Self::Message),
            (Self::SyncError, "conversation") => Field::One(Self::Conversation),
            _ => Field::Plain,
        }
    }
}

/// A conversation, shared by everything that a script takes out of it.
#[derive(Clone)]
pub(crate) struct Conversation(Rc<types::Conversation>);

/// A message, by its place in the conversation.
#[derive(Clone)]
struct Message(Rc<types::Conversation>, usize);

#[derive(Clone)]
struct Customer(Rc<types::Conversation>);

/// A contact that the host found.
#[derive(Clone)]
pub(crate) struct Contact(Rc<types::Contact>);

/// A failure to be judged; its conversation stands beside it, so that both can be shared.
#[derive(Clone)]
pub(crate) struct SyncError(Rc<types::SyncError>, Conversation);

impl Conversation {
    pub(crate) fn new(of: types::Conversation) -> Self {
        Self(Rc::new(of))
    }

    fn messages(&self) -> Array {
        (0..self.0.messages.len()).map(|at| Dynamic::from(Message(self.0.clone(), at))).collect()
    }

    /// The newest message of the customer, `()` where there is none.
    fn newest_inbound(&self) -> Dynamic {
        let at = self.0.messages.iter().rposition(|message| message.direction == Direction::Inbound);
        at.map_or(Dynamic::UNIT, |at| Dynamic::from(Message(self.0.clone(), at)))
    }
}

impl Contact {
    pub(crate) fn new(found: types::Contact) -> Self {
        Self(Rc::new(found))
    }
}

impl SyncError {
    pub(crate) fn new(mut error: types::SyncError) -> Self {
        let conversation = std::mem::replace(&mut error.conversation, nothing());
        Self(Rc::new(error), Conversation::new(conversation))
    }
}

impl Message {
    fn get(&self) -> &types::Message {
        &self.0.messages[self.1]
    }
}

/// Tells the engine how a script reads the records.
pub(crate) fn register(engine: &mut Engine) {
    conversation(engine);
    message(engine);
    customer(engine);
    contact(engine);
    sync_error(engine);
}

fn conversation(engine: &mut Engine) {
    engine
        .register_type_with_name::<Conversation>("conversation")
        .register_get("id", |it: &mut Conversation| text(&it.0.id))
        .register_get("channel", |it: &mut Conversation| text(&it.0.channel))
        .register_get("account", |it: &mut Conversation| text(&it.0.account))
        .register_get("team", |it: &mut Conversation| maybe(it.0.team.as_ref()))
        .register_get("agent", |it: &mut Conversation| maybe(it.0.agent.as_ref()))
        .register_get("closed", |it: &mut Conversation| it.0.closed)
        .register_get("tags", |it: &mut Conversation| texts(&it.0.tags))
        .register_get("attributes", |it: &mut Conversation| attributes(&it.0.attributes))
        .register_get("customer", |it: &mut Conversation| Customer(it.0.clone()))
        .register_get("messages", |it: &mut Conversation| it.messages())
        .register_get("newest_inbound", |it: &mut Conversation| it.newest_inbound());
}

fn message(engine: &mut Engine) {
    engine
        .register_type_with_name::<Message>("message")
        .register_get("id", |it: &mut Message| text(&it.get().id))
        .register_get("direction", |it: &mut Message| match it.get().direction {
            Direction::Inbound => "inbound",
            Direction::Outbound => "outbound",
        })
        .register_get("author", |it: &mut Message| text(&it.get().author))
        .register_get("body", |it: &mut Message| text(&it.get().body))
        .register_get("sent_at", |it: &mut Message| whole(it.get().sent_at));
}

fn customer(engine: &mut Engine) {
    engine
        .register_type_with_name::<Customer>("customer")
        .register_get("id", |it: &mut Customer| text(&it.0.customer.id))
        .register_get("name", |it: &mut Customer| maybe(it.0.customer.name.as_ref()))
        .register_get("email", |it: &mut Customer| maybe(it.0.customer.email.as_ref()))
        .register_get("phone", |it: &mut Customer| maybe(it.0.customer.phone.as_ref()))
        .register_get("contact_id", |it: &mut Customer| maybe(it.0.customer.contact_id.as_ref()))
        .register_get("attributes", |it: &mut Customer| attributes(&it.0.customer.attributes));
}

fn contact(engine: &mut Engine) {
    engine
        .register_type_with_name::<Contact>("contact")
        .register_get("id", |it: &mut Contact| text(&it.0.id))
        .register_get("name", |it: &mut Contact| text(&it.0.name))
        .register_get("email", |it: &mut Contact| maybe(it.0.email.as_ref()))
        .register_get("phone", |it: &mut Contact| maybe(it.0.phone.as_ref()))
        .register_get("person_account", |it: &mut Contact| it.0.person_account)
        .register_get("attributes", |it: &mut Contact| attributes(&it.0.attributes));
}

fn sync_error(engine: &mut Engine) {
    engine
        .register_type_with_name::<SyncError>("sync error")
        .register_get("class", |it: &mut SyncError| text(&it.0.class))
        .register_get("code", |it: &mut SyncError| text(&it.0.code))
        .register_get("message", |it: &mut SyncError| text(&it.0.message))
        .register_get("fields", |it: &mut SyncError| texts(&it.0.fields))
        .register_get("attempt", |it: &mut SyncError| INT::from(it.0.attempt))
        .register_get("first_seen", |it: &mut SyncError| whole(it.0.first_seen))
        .register_get("conversation", |it: &mut SyncError| it.1.clone());
}

fn text(value: &str) -> Dynamic {
    Dynamic::from(value.to_owned())
}

fn maybe(value: Option<&String>) -> Dynamic {
    value.map_or(Dynamic::UNIT, |value| text(value))
}

fn texts(values: &[String]) -> Array {
    values.iter().map(|value| text(value)).collect()
}

/// As a map from name to value; where a name comes twice, the later one stands.
fn attributes(of: &[Attribute]) -> Map {
    of.iter().map(|attribute| (attribute.name.as_str().into(), text(&attribute.value))).collect()
}

/// Rhai's integers are signed; a time beyond them is not a time.
fn whole(value: u64) -> INT {
    INT::try_from(value).unwrap_or(INT::MAX)
}

fn nothing() -> types::Conversation {
    types::Conversation {
        id: String::new(),
        channel: String::new(),
        account: String::new(),
        team: None,
        agent: None,
        closed: false,
        tags: Vec::new(),
        attributes: Vec::new(),
        customer: types::Customer {
            id: String::new(),
            name: None,
            email: None,
            phone: None,
            contact_id: None,
            attributes: Vec::new(),
        },
        messages: Vec::new(),
    }
}

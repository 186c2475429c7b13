//! What scripts answer, and what is said where they cannot.

mod answers;
mod cases;
mod misspelt;
mod places;
mod policies;
mod problems;
mod readme;
mod records;

use crate::bindings::switchyard::policy::types::{
    Attribute, Contact, Conversation, Customer, Direction, Message, Problem, Refusal, SyncError,
};
use crate::outside::Outside;
use crate::script::Script;

/// Nobody listens, and the clock stands at 2026-01-05 09:30 UTC.
const NOBODY: Outside = Outside { log: |_, _| (), explain: |_| (), now: Some(|| 1_767_605_400_000) };

/// As the host configures it.
fn configure(settings: &serde_json::Value, source: &str) -> Result<Script, Vec<Problem>> {
    let given = serde_json::json!({"settings": settings, "script": source, "script-file": "test.rhai"});
    Script::configure(&given.to_string(), NOBODY)
}

fn script(source: &str) -> Script {
    configure(&serde_json::json!({}), source).unwrap_or_else(|problems| panic!("{problems:?}"))
}

/// A script whose route is this block.
fn routing(block: &str) -> Script {
    script(&format!("fn route(it) {{ {block} }}"))
}

fn attribute(name: &str, value: &str) -> Attribute {
    Attribute { name: name.into(), value: value.into() }
}

fn message(direction: Direction, body: &str, sent_at: u64) -> Message {
    Message { id: format!("m{sent_at}"), direction, author: "Ada".into(), body: body.into(), sent_at }
}

fn conversation() -> Conversation {
    Conversation {
        id: "1:whatsapp:2:3".into(),
        channel: "whatsapp".into(),
        account: "31".into(),
        team: Some("orders".into()),
        agent: None,
        closed: false,
        tags: vec!["Contact reason: refund".into(), "gold".into()],
        attributes: vec![attribute("order", "17"), attribute("order", "18")],
        customer: Customer {
            id: "c1".into(),
            name: Some("Ada Mary Sample".into()),
            email: Some("ada@example.com".into()),
            phone: Some("0033 1 99 00 12 34".into()),
            contact_id: None,
            attributes: vec![attribute("language", "fr")],
        },
        messages: vec![
            message(Direction::Inbound, "Hello", 1000),
            message(Direction::Inbound, "I'd like my money back!", 2000),
            message(Direction::Outbound, "Of course", 3000),
        ],
    }
}

fn contact(id: &str) -> Contact {
    Contact {
        id: id.into(),
        name: "Ada Sample".into(),
        email: None,
        phone: Some("+33199001234".into()),
        person_account: true,
        attributes: vec![attribute("Title", "Dr")],
    }
}

fn sync_error(class: &str) -> SyncError {
    SyncError {
        class: class.into(),
        code: "SOME_CODE".into(),
        message: "Salesforce's words".into(),
        fields: vec!["Email".into()],
        attempt: 2,
        first_seen: 4000,
        conversation: conversation(),
    }
}

/// The one problem of settings that are not accepted.
fn problem(result: Result<Script, Vec<Problem>>, given: &str) -> Problem {
    match result {
        Ok(_) => panic!("it was accepted: {given}"),
        Err(mut problems) => {
            assert_eq!(problems.len(), 1, "{problems:?}");
            problems.remove(0)
        }
    }
}

fn refused(code: &str, message: &str) -> Refusal {
    Refusal { code: code.into(), message: message.into() }
}

//! The cases that the examples in the other languages are tried with too.

use std::path::Path;

use serde_json::Value;

use crate::bindings::switchyard::policy::types::{Conversation, Customer, Direction, Message};
use crate::rules::Rules;

fn conversation(of: &Value) -> Conversation {
    let text = |of: &Value| of.as_str().unwrap_or_default().to_owned();
    let list = |name: &str| of[name].as_array().cloned().unwrap_or_default();
    let message = |of: &Value| Message {
        id: text(&of["id"]),
        direction: if of["direction"] == "inbound" { Direction::Inbound } else { Direction::Outbound },
        author: text(&of["author"]),
        body: text(&of["body"]),
        // The router does not look at the time.
        sent_at: 0,
    };
    Conversation {
        id: text(&of["id"]),
        channel: text(&of["channel"]),
        account: text(&of["account"]),
        team: of["team"].as_str().map(Into::into),
        agent: None,
        closed: false,
        tags: list("tags").iter().map(text).collect(),
        attributes: Vec::new(),
        customer: Customer {
            id: String::new(),
            name: None,
            email: None,
            phone: None,
            contact_id: None,
            attributes: Vec::new(),
        },
        messages: list("messages").iter().map(message).collect(),
    }
}

#[test]
fn every_case_gets_the_answer_that_it_expects() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/cases");
    let mut cases = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let case: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let settings = serde_json::json!({"settings": case["settings"]}).to_string();
        let rules = Rules::configure(&settings).unwrap_or_else(|problems| panic!("{}: {problems:?}", path.display()));
        let answer = match rules.route(&conversation(&case["conversation"])) {
            Ok((queue, _)) => serde_json::json!({"queue": queue}),
            Err(refusal) => serde_json::json!({"refused": refusal.code}),
        };
        assert_eq!(answer, case["expected"], "{}", path.display());
        cases += 1;
    }
    assert!(cases >= 15, "{cases}");
}

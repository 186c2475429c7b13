//! The cases that the examples in all languages are tried with, answered by the example that is a script.

use std::path::Path;

use serde_json::Value;

use super::*;
use crate::bindings::switchyard::policy::types::Destination;

fn told(of: &Value) -> Conversation {
    let text = |of: &Value| of.as_str().unwrap_or_default().to_owned();
    let list = |name: &str| of[name].as_array().cloned().unwrap_or_default();
    let said = |of: &Value| {
        let direction = if of["direction"] == "inbound" { Direction::Inbound } else { Direction::Outbound };
        message(direction, of["body"].as_str().unwrap(), 0)
    };
    Conversation {
        team: of["team"].as_str().map(Into::into),
        tags: list("tags").iter().map(text).collect(),
        messages: list("messages").iter().map(said).collect(),
        ..conversation()
    }
}

#[test]
fn every_case_gets_the_answer_that_it_expects() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let source = std::fs::read_to_string(examples.join("script/router.rhai")).unwrap();
    let mut cases = 0;
    for file in std::fs::read_dir(examples.join("cases")).unwrap() {
        let path = file.unwrap().path();
        let case: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let script = configure(&case["settings"], &source).unwrap_or_else(|problems| panic!("{problems:?}"));
        let answer = match script.route(told(&case["conversation"])) {
            Ok(Destination::Queue(name)) => serde_json::json!({"queue": name}),
            Ok(other) => panic!("{}: {other:?}", path.display()),
            Err(refusal) if refusal.code == "SCRIPT_ERROR" => panic!("{}: {}", path.display(), refusal.message),
            Err(refusal) => serde_json::json!({"refused": refusal.code}),
        };
        assert_eq!(answer, case["expected"], "{}", path.display());
        cases += 1;
    }
    assert!(cases >= 15, "{cases}");
}

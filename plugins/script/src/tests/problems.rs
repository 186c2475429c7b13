//! Scripts and settings that are not accepted, and where the problem is said to be.

use serde_json::json;

use super::*;
use crate::bindings::switchyard::policy::types::Destination;

#[test]
fn a_script_that_cannot_work_is_a_problem_with_its_place() {
    for (source, place, words) in [
        ("fn route(it) {\n  queue(\"Orders\"\n}", (Some(3), Some(1)), "Expecting"),
        ("fn route(it) {\n  if team == () { }\n}", (Some(2), Some(6)), "team"),
        ("\nfn route(it, found) { none() }", (Some(2), Some(1)), "route takes 1 argument(s) here, not 2"),
        ("fn search(it) { [] }\n  private fn choose(it) { none() }", (Some(2), Some(1)), "choose takes 2"),
        ("fn rout(it) { none() }", (None, None), "none of the functions route, search, choose, judge"),
        ("", (None, None), "none of the functions"),
        ("let x = 1 / 0;\nfn route(it) { none() }", (Some(1), Some(11)), "Division by zero"),
        ("fn route(it) {\n  eval(\"1\")\n}", (Some(2), Some(3)), "eval"),
        ("import \"x\" as x;\nfn route(it) { none() }", (Some(1), Some(1)), "import"),
    ] {
        let problem = problem(configure(&json!({}), source), source);
        assert_eq!((problem.path.as_str(), (problem.line, problem.column)), ("test.rhai", place), "{source}");
        assert!(problem.message.contains(words), "{source}: {}", problem.message);
    }
}

#[test]
fn settings_without_a_script_or_of_another_shape_are_a_problem() {
    for (given, path, words) in [
        ("{", "settings", "EOF"),
        (r#"{"settings": {}}"#, "script", "needs a script"),
        (r#"{"settings": 3, "script": "fn route(it) { none() }"}"#, "settings", "a table"),
        (r#"{"setings": {}, "script": "fn route(it) { none() }"}"#, "settings", "setings"),
    ] {
        let problem = problem(Script::configure(given, NOBODY), given);
        assert_eq!(problem.path, path, "{given}");
        assert!(problem.message.contains(words), "{given}: {}", problem.message);
    }
}

#[test]
fn settings_and_constants_of_the_top_level_are_seen_in_every_function() {
    let source = r#"
        const PREFIX = "Q_";
        fn name(team) { PREFIX + (settings.queues[team] ?? settings.other) }
        fn route(it) { queue(name(it.team)) }
    "#;
    for (team, queue) in [("orders", "Q_Orders"), ("media", "Q_Rest")] {
        let script = configure(&json!({"queues": {"orders": "Orders"}, "other": "Rest"}), source);
        let of = Conversation { team: Some(team.into()), ..conversation() };
        let routed = script.unwrap_or_else(|problems| panic!("{problems:?}")).route(of);
        assert!(matches!(&routed, Ok(Destination::Queue(name)) if name == queue), "{routed:?}");
    }
}

#[test]
fn a_script_cannot_change_its_settings() {
    for change in [
        "settings = 1;",
        "settings.queues = 1;",
        "settings.queues.orders = 1;",
        "settings.queues.clear();",
        "WORDS.push(1);",
    ] {
        let source = format!("const WORDS = [];\nfn route(it) {{ {change} queue(settings.queues.orders) }}");
        let script = configure(&json!({"queues": {"orders": "Orders"}}), &source);
        let refusal = script.unwrap_or_else(|problems| panic!("{problems:?}")).route(conversation()).unwrap_err();
        assert!(refusal.message.contains("constant"), "{change} {}", refusal.message);
    }
}

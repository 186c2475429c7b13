//! What a script reads of what it is told, and what it finds ready to use.

use std::cell::RefCell;

use super::*;
use crate::bindings::switchyard::policy::types::Destination;

#[test]
fn a_script_reads_every_field() {
    for (expression, value) in [
        ("it.id", "1:whatsapp:2:3"),
        ("it.channel", "whatsapp"),
        ("it.account", "31"),
        ("it.team", "orders"),
        ("it.agent == ()", "true"),
        ("it.closed", "false"),
        ("it.tags", r#"["Contact reason: refund", "gold"]"#),
        (r#""gold" in it.tags"#, "true"),
        ("it.attributes.order", "18"),
        ("it.attributes.nothing == ()", "true"),
        ("it.customer.id", "c1"),
        ("it.customer.name", "Ada Mary Sample"),
        ("it.customer.email", "ada@example.com"),
        ("it.customer.phone", "0033 1 99 00 12 34"),
        ("it.customer.contact_id == ()", "true"),
        ("it.customer.attributes.language", "fr"),
        ("it.messages.len()", "3"),
        ("it.messages[0].id", "m1000"),
        ("it.messages[-1].direction", "outbound"),
        ("it.messages[-1].author", "Ada"),
        ("it.messages[1].body", "I'd like my money back!"),
        ("it.messages[2].sent_at", "3000"),
        (r#"it.messages.filter(|m| m.direction == "inbound").len()"#, "2"),
        ("it.newest_inbound.sent_at", "2000"),
    ] {
        let routed = routing(&format!("queue(`${{{expression}}}`)")).route(conversation());
        assert!(matches!(&routed, Ok(Destination::Queue(name)) if name == value), "{expression}: {routed:?}");
    }
}

#[test]
fn a_script_reads_every_field_of_a_contact_and_of_an_error() {
    let chosen = script(
        "fn choose(it, found) { let c = found[0]; ambiguous([c.id, c.name, c.phone, c.attributes.Title, `${c.email == ()} ${c.person_account}`]) }",
    );
    let link = format!("{:?}", chosen.choose(conversation(), vec![contact("003A")]));
    assert!(link.contains(r#"["003A", "Ada Sample", "+33199001234", "Dr", "true true"]"#), "{link}");
    let judged = script(
        "fn judge(e) { ignore(`${e.class} ${e.code} ${e.message} ${e.fields} ${e.attempt} ${e.first_seen} ${e.conversation.team}`) }",
    );
    let verdict = format!("{:?}", judged.judge(sync_error("limit")));
    assert!(verdict.contains(r#"limit SOME_CODE Salesforce's words [\"Email\"] 2 4000 orders"#), "{verdict}");
}

#[test]
fn there_may_be_no_message_at_all() {
    let silent = Conversation { messages: Vec::new(), ..conversation() };
    let routed = routing("if it.newest_inbound == () && it.messages.is_empty() { track_only() }").route(silent);
    assert!(matches!(routed, Ok(Destination::TrackOnly)), "{routed:?}");
}

#[test]
fn helpers_find_words_and_normalise_numbers() {
    for (expression, value) in [
        (r#"has_any_word(it.newest_inbound.body, ["refund", "Money Back"])"#, "true"),
        (r#"has_any_word(it.newest_inbound.body, ["mon"])"#, "false"),
        ("normal_phone(it.customer.phone)", "+33199001234"),
        ("normal_phone(it.agent) == ()", "true"),
        (r#"normal_phone("none") == ()"#, "true"),
        ("it.team.to_upper()", "ORDERS"),
    ] {
        let routed = routing(&format!("queue(`${{{expression}}}`)")).route(conversation());
        assert!(matches!(&routed, Ok(Destination::Queue(name)) if name == value), "{expression}: {routed:?}");
    }
}

thread_local! {
    static SAID: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// What the script says while it routes.
fn said(source: &str) -> Vec<String> {
    SAID.take();
    let outside = Outside {
        log: |level, words| SAID.with_borrow_mut(|said| said.push(format!("{level:?} {words}"))),
        explain: |rule| SAID.with_borrow_mut(|said| said.push(format!("because {rule}"))),
        ..NOBODY
    };
    let given = serde_json::json!({"script": source}).to_string();
    let script = Script::configure(&given, outside).unwrap_or_else(|problems| panic!("{problems:?}"));
    let _ = script.route(conversation());
    SAID.take()
}

#[test]
fn what_a_script_says_reaches_the_log() {
    assert_eq!(
        said(r#"fn route(it) { log_info(`team ${it.team}`); log_warn(3); print("p"); debug("d"); track_only() }"#),
        ["Level::Info team orders", "Level::Warn 3", "Level::Info p", "Level::Debug \"d\" (line 1, position 70)"]
    );
}

#[test]
fn the_rule_that_led_to_the_answer_reaches_the_host() {
    assert_eq!(said(r#"fn route(it) { explain("team " + it.team); queue("Orders") }"#), ["because team orders"]);
}

#[test]
fn nothing_is_said_twice_while_the_place_of_an_error_is_sought() {
    let source = "fn route(it) { explain(`loop`); log_info(`on my way`); loop { } }";
    assert_eq!(said(source), ["because loop", "Level::Info on my way"]);
}

#[test]
fn the_clock_is_the_one_that_is_given() {
    assert_eq!(said("fn route(it) { log_info(now()); track_only() }"), ["Level::Info 1767605400000"]);
}

#[test]
fn there_is_no_clock_while_a_policy_is_configured() {
    for (source, column) in [("const NOW = now();", 13), ("let it = local_time(`UTC`);", 10)] {
        let source = format!("{source} fn route(it) {{ track_only() }}");
        let problem = problem(configure(&serde_json::json!({}), &source), &source);
        assert_eq!((problem.line, problem.column), (Some(1), Some(column)));
        assert!(problem.message.contains("there is no time before the first decision"), "{}", problem.message);
    }
}

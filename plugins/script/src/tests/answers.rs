//! Every answer that a script can give, and what becomes of those that are none.

use super::*;
use crate::bindings::switchyard::policy::types::{ContactSearch, Destination, Link, Verdict};

/// As text, since the generated types cannot be compared.
fn shown<T: std::fmt::Debug>(answer: Result<T, Refusal>) -> String {
    match answer {
        Ok(answer) => format!("{answer:?}"),
        Err(refusal) => format!("{}: {}", refusal.code, refusal.message),
    }
}

#[test]
fn route_answers_every_destination() {
    for (block, expected) in [
        (r#"queue("Orders")"#, shown(Ok(Destination::Queue("Orders".into())))),
        (r#"owner("005000000000001AAA")"#, shown(Ok(Destination::Owner("005000000000001AAA".into())))),
        ("track_only()", shown(Ok(Destination::TrackOnly))),
        (r#"not_eligible("spam")"#, shown(Ok(Destination::NotEligible("spam".into())))),
        (r#"refuse("CODE", "words")"#, "CODE: words".into()),
        (r#"if true { throw refuse("CODE", "words"); }"#, "CODE: words".into()),
        (r#"return queue("Orders"); track_only()"#, shown(Ok(Destination::Queue("Orders".into())))),
    ] {
        assert_eq!(shown(routing(block).route(conversation())), expected, "{block}");
    }
}

#[test]
fn search_answers_an_array_without_the_values_that_are_not_there() {
    let by = |field: &str, value: &str| ContactSearch { field: field.into(), value: value.into() };
    for (block, expected) in [
        (r#"[search_by("Email", it.customer.email)]"#, vec![by("Email", "ada@example.com")]),
        (r#"search_by("Email", "a@example.com")"#, vec![by("Email", "a@example.com")]),
        (r#"[search_by("Id", it.customer.contact_id), search_by("Age__c", 3)]"#, vec![by("Age__c", "3")]),
        (r#"search_by("Email", " ")"#, vec![]),
        ("[]", vec![]),
    ] {
        let script = script(&format!("fn search(it) {{ {block} }}"));
        assert_eq!(shown(script.search(conversation())), shown(Ok(expected)), "{block}");
    }
}

#[test]
fn choose_answers_every_link() {
    for (block, expected) in [
        ("contact(found[0].id)", Link::Contact("003A".into())),
        ("none()", Link::None),
        ("ambiguous(found.map(|it| it.id))", Link::Ambiguous(vec!["003A".into(), "003B".into()])),
        (
            r#"create(#{LastName: "Sample", Email: (), Age__c: 3})"#,
            Link::Create(vec![attribute("Age__c", "3"), attribute("LastName", "Sample")]),
        ),
    ] {
        let script = script(&format!("fn choose(it, found) {{ {block} }}"));
        let answer = script.choose(conversation(), vec![contact("003A"), contact("003B")]);
        assert_eq!(shown(answer), shown(Ok(expected)), "{block}");
    }
}

#[test]
fn judge_answers_every_verdict() {
    for (block, expected) in [
        ("as_usual()", Verdict::AsUsual),
        ("retry_after(90)", Verdict::RetryAfter(90)),
        ("hold()", Verdict::Hold),
        (r#"ignore("known")"#, Verdict::Ignore("known".into())),
    ] {
        let script = script(&format!("fn judge(error) {{ {block} }}"));
        assert_eq!(shown(script.judge(sync_error("record"))), shown(Ok(expected)), "{block}");
    }
}

#[test]
fn a_script_without_the_function_answers_what_changes_nothing() {
    let only_judge = script("fn judge(error) { hold() }");
    assert_eq!(shown(only_judge.route(conversation())), "NO_ROUTE: the script has no function route(conversation)");
    assert_eq!(shown(only_judge.search(conversation())), "[]");
    assert_eq!(shown(only_judge.choose(conversation(), vec![contact("003A")])), shown(Ok(Link::None)));
    let only_route = routing("track_only()");
    assert_eq!(shown(only_route.judge(sync_error("record"))), shown(Ok(Verdict::AsUsual)));
}

#[test]
fn an_answer_to_another_question_is_a_refusal_that_says_what_was_expected() {
    for (block, given) in [
        (r#""Orders""#, "string"),
        ("hold()", "verdict"),
        ("none()", "link"),
        ("let x = 1;", "nothing"),
        ("[]", "array"),
    ] {
        let refusal = routing(block).route(conversation()).unwrap_err();
        let expected = format!(
            "test.rhai: route answered {given}; it has to answer queue(...), owner(...), track_only(), not_eligible(...) or refuse(...)"
        );
        assert_eq!((refusal.code.as_str(), refusal.message), ("SCRIPT_ERROR", expected), "{block}");
    }
    let search = script("fn search(it) { [1] }").search(conversation()).unwrap_err();
    assert!(search.message.contains("an array of search_by(...)"), "{}", search.message);
}

#[test]
fn a_runtime_error_is_a_refusal_that_names_function_line_and_column() {
    for (source, at) in [
        ("fn route(it) {\n  it.team.nothing\n}", "test.rhai, line 2, column 11, in route: "),
        ("fn helper(it) {\n\n  1 / 0\n}\nfn route(it) { helper(it) }", "test.rhai, line 3, column 5, in helper: "),
        ("fn route(it) { throw \"no\" }", "test.rhai, line 1, column 16, in route: Runtime error: no"),
        ("fn route(it) { sleep(1) }", "test.rhai, line 1, column 16, in route: Runtime error: a decision cannot sleep"),
        (
            "fn route(it) { sleep(0.5) }",
            "test.rhai, line 1, column 16, in route: Runtime error: a decision cannot sleep",
        ),
        ("fn route(it) { retry_after(-1) }", "test.rhai, line 1, column 16, in route: "),
        ("fn route(it) { ambiguous([1]) }", "test.rhai, line 1, column 16, in route: "),
        ("fn route(it) { queue(it.agent) }", "test.rhai, line 1, column 16, in route: Function not found: queue"),
    ] {
        let refusal = script(source).route(conversation()).unwrap_err();
        assert_eq!(refusal.code, "SCRIPT_ERROR");
        assert!(refusal.message.starts_with(at), "{source}: {}", refusal.message);
    }
}

#[test]
fn a_script_that_does_not_end_is_stopped() {
    for (source, words) in [
        ("fn route(it) { loop { } }", "Too many operations"),
        ("fn route(it) { route(it) }", "Stack overflow"),
        ("fn route(it) { let all = [1]; loop { all += all; } }", "array"),
        (r#"fn route(it) { let all = "x"; loop { all += all; } }"#, "string"),
    ] {
        let refusal = script(source).route(conversation()).unwrap_err();
        assert_eq!(refusal.code, "SCRIPT_ERROR");
        assert!(refusal.message.contains(words), "{source}: {}", refusal.message);
    }
}

#[test]
fn an_error_leaves_the_next_decision_alone() {
    let script = script("fn route(it) { if it.closed { loop { } } queue(\"Orders\") }");
    let closed = Conversation { closed: true, ..conversation() };
    assert_eq!(script.route(closed).unwrap_err().code, "SCRIPT_ERROR");
    assert_eq!(shown(script.route(conversation())), shown(Ok(Destination::Queue("Orders".into()))));
}

#[test]
fn a_thrown_refusal_comes_through_a_helper() {
    let script = script(r#"fn deny() { throw refuse("CODE", "words") } fn route(it) { deny(); track_only() }"#);
    assert_eq!(shown(script.route(conversation())), shown::<Destination>(Err(refused("CODE", "words"))));
}

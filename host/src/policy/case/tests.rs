//! What a case may leave out, what it may not hold, and when an answer is the expected one.

use serde_json::json;

use super::{Case, CaseAnswer, Conversation};
use crate::domain::{Attribute, Destination, Direction, Fault, Link, Question, RecordId, Timestamp};
use crate::policy::revision::sample;

const LEAST: &str = r#"{"conversation": {"id": "c1", "channel": "whatsapp", "messages": []}}"#;

fn refused(text: &str) -> String {
    Case::read(text).expect_err("a text that is no case").to_string()
}

#[test]
fn a_case_needs_no_more_than_id_channel_and_messages() {
    let case = Case::read(LEAST).unwrap();
    assert_eq!(
        (case.question, case.seed(), case.now().to_string()),
        (Question::Route, "c1", "2026-01-05T09:30:00.000Z".into())
    );
    let of = case.conversation();
    assert_eq!((of.team, of.closed, of.account.as_str(), of.customer.id.as_str()), (None, false, "case", "case"));
    for missing in ["id", "channel", "messages"] {
        let mut without: serde_json::Value = serde_json::from_str(LEAST).unwrap();
        without["conversation"].as_object_mut().unwrap().remove(missing);
        let said = refused(&without.to_string());
        assert!(said.contains(&format!("missing field `{missing}`")), "{said}");
    }
}

#[test]
fn a_message_needs_no_more_than_its_text_and_the_newest_one_sets_the_clock() {
    let messages = r#"[{"body": "Hello"}, {"direction": "outbound", "sent_at": "2026-02-03T04:05:06Z"}]"#;
    let case = Case::read(&LEAST.replace("[]", messages)).unwrap();
    let of = case.conversation();
    assert_eq!((of.messages[0].direction, of.messages[0].id.as_str()), (Direction::Inbound, "case:1"));
    assert_eq!(of.messages[0].sent_at, case.now());
    assert_eq!(case.now().to_string(), "2026-02-03T04:05:06.000Z");
}

#[test]
fn an_unknown_key_is_refused_by_name_wherever_it_stands() {
    let whole = json!({
        "question": "choose",
        "conversation": {
            "id": "c1", "channel": "web", "messages": [{"body": "Hello"}], "attributes": [{"name": "a", "value": "b"}],
            "customer": {"name": "Ann"},
        },
        "found": [{"id": "003000000000001AAA"}],
        "failure": {"class": "limit", "code": "C"},
        "policy": {"toml": ""},
        "expected": {"contact": "003000000000001AAA"},
    });
    assert!(Case::read(&whole.to_string()).is_ok());
    let places = [
        "",
        "/conversation",
        "/conversation/messages/0",
        "/conversation/attributes/0",
        "/conversation/customer",
        "/found/0",
        "/failure",
        "/policy",
    ];
    for place in places {
        let mut with = whole.clone();
        with.pointer_mut(place).unwrap()["surprise"] = 1.into();
        assert!(refused(&with.to_string()).contains("unknown field `surprise`"), "{place}");
    }
    let mut with = whole.clone();
    with["expected"] = json!({"surprise": 1});
    assert!(refused(&with.to_string()).contains("unknown variant `surprise`"));
    with["expected"] = json!({"contact": "003000000000001AAA", "none": true});
    Case::read(&with.to_string()).expect_err("two answers at once");
}

#[test]
fn a_case_expects_an_answer_to_its_own_question() {
    let with = |more: &str| LEAST.replacen('{', &format!("{{{more}, "), 1);
    let said = refused(&with(r#""question": "search", "expected": {"queue": "Billing"}"#));
    assert!(said.contains(r#"{"queue":"Billing"} is no answer to `search`"#), "{said}");
    assert!(refused(&with(r#""question": "judge""#)).contains("`failure`"));
    assert!(refused(&with(r#""expected": {"track-only": false}"#)).contains("`true`"));
    for good in [r#""expected": {"track-only": true}"#, r#""question": "search", "expected": {"refused": "NOBODY"}"#] {
        assert!(Case::read(&with(good)).is_ok(), "{good}");
    }
}

#[test]
fn a_conversation_alone_is_a_case_that_asks_where_it_goes() {
    let case = Case::read_input(r#"{"id": "c1", "channel": "whatsapp", "messages": []}"#).unwrap();
    assert_eq!(case, Case::read_input(LEAST).unwrap());
    let said = Case::read_input(r#"{"id": "c1", "channel": "web", "mesages": []}"#).unwrap_err().to_string();
    assert!(said.contains("`mesages`"), "{said}");
}

#[test]
fn a_conversation_comes_back_from_its_case_as_a_policy_is_told_it() {
    let now = Timestamp::from_millis(1_768_469_412_000);
    let of = sample::conversation(now);
    let written = serde_json::to_string(&Case { now: Some(now), ..Case::new(Conversation::from(&of)) }).unwrap();
    let back = Case::read(&written).unwrap().conversation();
    assert_eq!((back.customer, back.messages, back.tags), (of.customer, of.messages, of.tags));
    assert_eq!((back.id, back.account, back.attributes), (of.id, of.account, of.attributes));
}

#[test]
fn fields_of_a_contact_and_candidates_are_the_same_in_any_order() {
    let field = |name: &str| Attribute { name: name.into(), value: "x".into() };
    let expected: CaseAnswer = serde_json::from_value(json!({"create": {"LastName": "x", "Email": "x"}})).unwrap();
    assert_eq!(CaseAnswer::from(Link::Create(vec![field("Email"), field("LastName")])), expected);
    assert_ne!(CaseAnswer::from(Link::Create(vec![field("Email")])), expected);
    let id = |id: &str| RecordId::new(id).unwrap();
    let expected: CaseAnswer = serde_json::from_value(json!({"ambiguous": ["b", "a"]})).unwrap();
    assert_eq!(CaseAnswer::from(Link::Ambiguous(vec![id("a"), id("b")])), expected);
}

#[test]
fn a_fault_is_told_by_its_code_and_its_words_do_not_count() {
    let refused = |message: &str| Err(Fault::Refused { code: "NO_TEAM".into(), message: message.into() });
    assert_eq!(CaseAnswer::of(&refused("one")), CaseAnswer::of(&refused("other")));
    assert_eq!(CaseAnswer::of(&refused("one")).to_string(), r#"{"refused":"NO_TEAM"}"#);
    assert_eq!(CaseAnswer::of(&Err(Fault::TooSlow { limit_ms: 5 })).to_string(), r#"{"refused":"POLICY_TOO_SLOW"}"#);
    assert_eq!(CaseAnswer::of(&Ok(Destination::TrackOnly.into())).to_string(), r#"{"track-only":true}"#);
}

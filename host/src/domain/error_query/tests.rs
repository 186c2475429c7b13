//! What each filter leaves out, how words are looked for, and that a query survives being kept.

use super::*;
use crate::domain::{Cause, Person, Refusal};

fn error() -> ErrorSummary {
    let (org, refusal) = (OrgId::new("acme").unwrap(), Refusal::new(Class::Record, "CODE", ""));
    ErrorSummary {
        id: "se-00001".parse().unwrap(),
        group: Cause::new(&org, &refusal).identify().id,
        org,
        conversation: "main:1".parse().unwrap(),
        state: State::Pending,
        class: Class::Record,
        code: "CODE".to_owned(),
        team: Some("events".to_owned()),
        channel: "email".to_owned(),
        policy: None,
        person: Some(Box::new(Person {
            name: Some("Jane  Doe".to_owned()),
            email: Some("Jane@Example.com".to_owned()),
            phone: Some("+33 6 71 48 59 45".to_owned()),
        })),
        records: Vec::new(),
        request_id: None,
        first_seen: Timestamp::from_millis(10),
        last_seen: Timestamp::from_millis(20),
        attempts: 3,
        affected_count: 1,
        version: 1,
    }
}

#[test]
fn every_filter_narrows_by_what_it_names() {
    let (error, at) = (error(), Timestamp::from_millis);
    let period = |from: u64, before: u64| Period { from: Some(at(from)), before: Some(at(before)) };
    let base = ErrorQuery::default;
    let pairs = [
        (ErrorQuery { orgs: [OrgId::new("acme").unwrap()].into(), ..base() }, true),
        (ErrorQuery { orgs: [OrgId::new("emea").unwrap()].into(), ..base() }, false),
        (ErrorQuery { states: [State::Ignored, State::Pending].into(), ..base() }, true),
        (ErrorQuery { states: [State::Ignored].into(), ..base() }, false),
        (ErrorQuery { classes: [Class::Record].into(), ..base() }, true),
        (ErrorQuery { classes: [Class::Auth].into(), ..base() }, false),
        (ErrorQuery { codes: ["CODE".to_owned()].into(), ..base() }, true),
        (ErrorQuery { codes: ["OTHER".to_owned()].into(), ..base() }, false),
        (ErrorQuery { groups: [error.group.clone()].into(), ..base() }, true),
        (ErrorQuery { groups: [Fingerprint::unnamed()].into(), ..base() }, false),
        (ErrorQuery { teams: ["events".to_owned()].into(), ..base() }, true),
        (ErrorQuery { teams: ["store".to_owned()].into(), ..base() }, false),
        (ErrorQuery { channels: ["email".to_owned()].into(), ..base() }, true),
        (ErrorQuery { channels: ["chat".to_owned()].into(), ..base() }, false),
        (ErrorQuery { policies: [PolicyName::new("p").unwrap()].into(), ..base() }, false),
        (ErrorQuery { first_seen: period(10, 11), ..base() }, true),
        (ErrorQuery { first_seen: period(9, 10), ..base() }, false),
        (ErrorQuery { last_seen: period(20, 21), ..base() }, true),
        (ErrorQuery { last_seen: period(21, 30), ..base() }, false),
        (ErrorQuery { attempts: (Some(3), Some(3)), ..base() }, true),
        (ErrorQuery { attempts: (Some(4), None), ..base() }, false),
        (ErrorQuery { attempts: (None, Some(2)), ..base() }, false),
        (ErrorQuery { ids: ["se-00001".parse().unwrap()].into(), ..base() }, true),
        (ErrorQuery { ids: ["se-00002".parse().unwrap()].into(), ..base() }, false),
        (ErrorQuery { conversation: Some("main:1".parse().unwrap()), ..base() }, true),
        (ErrorQuery { conversation: Some("main:2".parse().unwrap()), ..base() }, false),
    ];
    let kept = serde_json::to_string(&error).unwrap();
    let glance: Glance<'_> = serde_json::from_str(&kept).unwrap();
    for (query, expected) in pairs {
        assert_eq!(query.matches(&error), expected, "{query:?}");
        // A glance tells of what it shows, and of nothing else.
        assert_eq!(query.may_match(&glance), expected || !query.is_glanced(), "{query:?}");
    }
}

#[test]
fn a_customer_is_found_by_how_a_word_of_a_name_or_an_address_begins() {
    let error = error();
    for (begin, expected) in [
        ("jane", true),
        ("JANE d", true),
        ("doe", true),
        ("oe", false),
        ("jane doe x", false),
        ("jane@ex", true),
        ("+33 671", true),
        ("33671", true),
        ("0671", false),
        ("", true),
    ] {
        let query = ErrorQuery { customer: Some(begin.to_owned()), ..ErrorQuery::default() };
        assert_eq!(query.matches(&error), expected, "{begin}");
    }
}

#[test]
fn words_are_looked_for_in_any_order_and_case() {
    assert!(has_words("Team store-events has no queue", "QUEUE store"));
    assert!(!has_words("Team store-events has no queue", "queue shop"));
    assert!(!has_words("anything", "  "));
}

#[test]
fn the_cause_of_the_rest_may_hold_any_class_and_no_known_words() {
    let class = ErrorQuery { classes: [Class::Auth].into(), ..ErrorQuery::default() };
    assert!(class.takes_group(&Fingerprint::unnamed(), Class::Record, "", String::new));
    let text = ErrorQuery { text: Some("queue".to_owned()), ..ErrorQuery::default() };
    assert!(!text.takes_group(&Fingerprint::unnamed(), Class::Record, "", || "queue".to_owned()));
}

#[test]
fn a_query_survives_being_kept() {
    let query = ErrorQuery {
        orgs: [OrgId::new("acme").unwrap()].into(),
        attempts: (Some(1), None),
        q: Some("jane".to_owned()),
        ..ErrorQuery::default()
    };
    let kept = serde_json::to_string(&query).unwrap();
    assert_eq!(serde_json::from_str::<ErrorQuery>(&kept).unwrap(), query);
    assert_eq!(serde_json::to_string(&ErrorQuery::default()).unwrap(), "{}");
}

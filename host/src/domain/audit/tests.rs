//! Which messages an entry is about, and what of it is kept.

use super::*;
use crate::domain::PolicyName;

#[test]
fn an_entry_is_about_its_message_and_about_those_beside_it() {
    let id = |number: u64| MessageId::new(format!("main:{number}")).unwrap();
    let fact = Fact::Erased { event: 1, by: None };
    let entry = AuditEntry {
        message: id(1),
        also: vec![id(2)],
        at: Timestamp::default(),
        order: 1,
        fact,
        trace_id: None,
        request: None,
    };
    assert!(entry.is_about(&id(1)) && entry.is_about(&id(2)) && !entry.is_about(&id(3)));
}

#[test]
fn words_are_cut_to_the_last_whole_character_and_what_was_carried_beside_is_left_out() {
    let long = || "éé".to_owned();
    let policy = || PolicyRef { name: PolicyName::new("acme").unwrap(), revision: 1 };
    let sync_error = || SyncErrorId::new("se-1").unwrap();
    let said = |text: String| Fact::CrmSynchroError {
        sync_error: sync_error(),
        class: Class::Record,
        code: "CODE".to_owned(),
        text,
        attempt: 1,
        next_attempt_at: None,
    };
    let parked = |text| Fact::Parked { class: Class::Limit, code: "CODE".to_owned(), text };
    let failed = |fault| Fact::PolicyFailed { policy: policy(), question: Question::Judge, fault };
    let ignored = |reason| Fact::Ignored { sync_error: sync_error(), by: "ann".to_owned(), reason };
    let arrived = |extra| Fact::Arrived { kind: "task-create".to_owned(), by: ReachedBy::Poll, event: 1, extra };
    let logged = |logs| Fact::PolicySaid { policy: policy(), question: Question::Judge, cost: 1, logs, rule: None };
    let routed =
        |logs| Fact::Routed { policy: policy(), destination: Destination::TrackOnly, cost: 1, logs, rule: None };
    for (mut fact, shortened) in [
        (said(long()), said("é".to_owned())),
        (parked(long()), parked("é".to_owned())),
        (failed(long()), failed("é".to_owned())),
        (ignored(long()), ignored("é".to_owned())),
        (Fact::NotEligible { reason: long() }, Fact::NotEligible { reason: "é".to_owned() }),
        (Fact::Quarantined { reason: long() }, Fact::Quarantined { reason: "é".to_owned() }),
        (arrived(Some(serde_json::json!(1))), arrived(None)),
        (logged(vec![long()]), logged(Vec::new())),
        (routed(vec![long()]), routed(Vec::new())),
        (Fact::Erased { event: 1, by: None }, Fact::Erased { event: 1, by: None }),
    ] {
        fact.shorten(3);
        assert_eq!(fact, shortened);
    }
}

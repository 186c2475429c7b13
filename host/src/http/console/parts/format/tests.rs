//! How facts, times and numbers read.

use super::*;
use crate::domain::{Attribute, PolicyName, Question, RecordId};

fn routed_to(policy: PolicyRef, destination: Destination) -> Fact {
    let (logs, rule) = (vec!["hm".into()], Some("by team".into()));
    Fact::Routed { policy, destination, cost: 12_345, logs, rule }
}

#[expect(clippy::too_many_lines, reason = "one line for each fact")]
fn every_fact() -> Vec<(Fact, &'static str)> {
    let policy = PolicyRef { name: PolicyName::new("shop").unwrap(), revision: 3 };
    let sync_error = SyncErrorId::new("se-1").unwrap();
    let record = |id: &str| RecordId::new(id).unwrap();
    let by = "ann".to_owned();
    let routed = |destination| routed_to(policy.clone(), destination);
    let linked = |link| Fact::Linked { policy: policy.clone(), link, found: 2 };
    let arrived = |by| Fact::Arrived { kind: "new_message".into(), by, event: 77, extra: Some(Value::Bool(true)) };
    let resolved = |how| Fact::Resolved { sync_error: sync_error.clone(), how };
    let chosen = |contact: &str| {
        let (sync_error, contact) = (sync_error.clone(), contact.parse().unwrap());
        Fact::ContactChosen { sync_error, by: "ann".into(), contact }
    };
    let field = Attribute { name: "LastName".into(), value: "Doe".into() };
    vec![
        (arrived(ReachedBy::Webhook), "the source notified this host (event 77, new_message)."),
        (arrived(ReachedBy::Poll), "this host asked the source"),
        (arrived(ReachedBy::Intake), "handed in at the intake"),
        (routed(Destination::Queue("Orders".into())), "policy shop revision 3 sends it to the queue Orders."),
        (routed(Destination::Owner(record("005A"))), "to the user 005A."),
        (routed(Destination::TrackOnly), "to nobody's queue"),
        (routed(Destination::NotEligible("spam".into())), "nowhere: spam Rule: by team. Cost: 12,345 units"),
        (
            linked(Link::Contact(record("003A"))),
            "2 contacts were found; policy shop revision 3 says that the customer is contact 003A.",
        ),
        (linked(Link::Create(vec![field])), "a new contact with LastName."),
        (linked(Link::None), "no contact, and needs none."),
        (linked(Link::Ambiguous(vec![record("003A"), record("003B")])), "one of 003A, 003B; nobody can tell which."),
        (
            Fact::Delivered { record: record("a0B1"), created: true, version: 2 },
            "record a0B1 was created with version 2",
        ),
        (
            Fact::Delivered { record: record("a0B1"), created: false, version: 3 },
            "record a0B1 was updated with version 3",
        ),
        (Fact::NotEligible { reason: "no consent".into() }, "Not to be written: no consent"),
        (
            Fact::CrmSynchroError {
                sync_error: sync_error.clone(),
                class: Class::Transient,
                code: "UNABLE_TO_LOCK_ROW".into(),
                text: "unable to obtain exclusive access".into(),
                attempt: 2,
                next_attempt_at: Some(Timestamp::from_millis(1_768_469_412_000)),
            },
            "CRM_SYNCHRO_ERROR: attempt 2 failed with UNABLE_TO_LOCK_ROW transient. \
             It is tried again by itself, not before 2026-01-15 09:30:12 UTC.",
        ),
        (
            Fact::PolicyFailed { policy: policy.clone(), question: Question::Judge, fault: "trapped".into() },
            "shop revision 3 was asked to judge and did not answer",
        ),
        (Fact::RetryAsked { sync_error: sync_error.clone(), by: by.clone() }, "ann asked for another attempt"),
        (Fact::Ignored { sync_error: sync_error.clone(), by: by.clone(), reason: "spam".into() }, "because:spam"),
        (Fact::ResyncAsked { by: "ann".to_owned() }, "ann asked for it to be written once more"),
        (chosen("003A"), "ann said at the sync error that the customer is contact 003A; it was tried again."),
        (
            chosen("none"),
            "ann said at the sync error that the conversation is written without a contact; it was tried again.",
        ),
        (chosen("policy"), "ann took the choice of a contact back at the sync error; it was tried again."),
        (Fact::Reopened { sync_error: sync_error.clone(), by }, "ann took the ignored sync error back"),
        (resolved(Ending::Delivered), "is over: the message itself got through."),
        (resolved(Ending::Superseded), "a later message of the conversation got through."),
        (resolved(Ending::NotEligible), "not to be written."),
    ]
}

/// The words without the tags.
fn plain(markup: &Markup) -> String {
    let mut text = String::new();
    for part in markup.0.split('<') {
        text += part.split_once('>').map_or(part, |(_, words)| words);
    }
    text
}

#[test]
fn every_fact_has_a_sentence_that_says_who_and_what() {
    for (fact, words) in every_fact() {
        let sentence = plain(&sentence(&fact, &RecordPages::default()));
        assert!(sentence.contains(words), "{sentence}\nlacks\n{words}");
    }
}

#[test]
fn words_from_outside_are_never_markup() {
    let evil = "<script>alert(1)</script>\"'&";
    let fact =
        Fact::Ignored { sync_error: SyncErrorId::new("se-1").unwrap(), by: evil.into(), reason: evil.repeat(30) };
    let html = sentence(&fact, &RecordPages::default()).0 + &json("request", &Value::String(evil.into())).0;
    assert!(!html.contains("<script"), "{html}");
    assert!(html.contains("&lt;script&gt;"), "{html}");
}

#[test]
fn a_long_text_is_folded_and_still_there_whole() {
    assert_eq!(cut("short").0, "short");
    let long = "é".repeat(WHOLE + 1);
    let folded = cut(&long).0;
    assert!(folded.starts_with("<details") && folded.contains(&long));
}

#[test]
fn a_text_is_folded_at_the_end_of_a_word_where_one_ends_soon_before() {
    let words = "é".repeat(HEAD - 10);
    let head = |text: &str| head_of(&format!("{text}{}", "x".repeat(WHOLE))).to_owned();
    assert_eq!(head(&format!("{words} ")), words);
    assert_eq!(head(&format!("{words} \u{a0} ")), words, "several blanks");
    let early = format!("{} ", "é".repeat(HEAD - WORD - 2));
    let cut = head(&early);
    assert_eq!(cut.chars().count(), HEAD, "the blank is too far before: {cut}");
    assert_eq!(head(&"م".repeat(HEAD)), "م".repeat(HEAD));
    assert_eq!(head_of(&"word ".repeat(80)), "word ".repeat(32).trim_end());
}

#[test]
fn thousands_stand_apart() {
    assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
}

//! The main paths of the delivery's state machine, by name.

mod choosing;
mod ignoring;
mod operations;
mod walks;

use super::*;
use crate::domain::{
    Cause, Class, ConversationId, Failure, MessageId, OrgId, Pick, Records, Refusal, SyncErrorId, Verdict,
};

fn message(n: u64) -> MessageId {
    MessageId::new(format!("main:{n}")).unwrap()
}

fn org() -> OrgId {
    OrgId::new("acme").unwrap()
}

fn error(number: u32) -> SyncErrorId {
    SyncErrorId::of(&org(), &ConversationId::new("main:1").unwrap(), number)
}

/// A failure of message `n` at a cause named by `code`; `number` is the sync error that it opens, if none is open.
fn failure(n: u64, code: &str, class: Class, verdict: Verdict, number: u32) -> Failure {
    let refusal = Refusal::new(class, code, "words");
    let group = Cause::new(&org(), &refusal).identify().id;
    Failure {
        error: error(number),
        group,
        message: message(n),
        affected: vec![message(n)],
        records: Records::default(),
        refusal,
        verdict,
        judged_by: None,
        ignored_by: None,
        held: None,
        parks: false,
        jitter: 500,
    }
}

fn failed(n: u64, class: Class, verdict: Verdict) -> Event {
    Event::Failed(Box::new(failure(n, "CODE", class, verdict, 1)))
}

fn delivered(n: u64) -> Event {
    Event::Delivered { message: message(n), records: Records::default() }
}

fn ignore() -> Event {
    Event::IgnoreAsked { by: "ann".into(), reason: "spam".into(), operation: None }
}

fn retry() -> Event {
    Event::RetryAsked { by: "ann".into(), operation: None }
}

fn walk(events: Vec<Event>) -> (Delivery, Vec<Effect>) {
    let (mut state, mut all) = (Delivery::default(), Vec::new());
    for event in events {
        let (next, effects) = step(state, event, Timestamp::from_millis(1_000));
        state = next;
        all.extend(effects);
    }
    (state, all)
}

fn changes(effects: &[Effect]) -> Vec<&'static str> {
    let of = |effect: &Effect| match effect {
        Effect::Registry { change, .. } => Some(match change {
            Change::Failed { state, .. } => state.as_str(),
            Change::FailedAgain { .. } => "again",
            Change::Retry { .. } => "retry",
            Change::Ignore { .. } => "ignore",
            Change::Reopen { .. } => "reopen",
            Change::Resolve(Ending::Delivered) => "delivered",
            Change::Resolve(Ending::Superseded) => "superseded",
            Change::Resolve(Ending::NotEligible) => "not eligible",
        }),
        _ => None,
    };
    effects.iter().filter_map(of).collect()
}

fn arrived(version: u64) -> Event {
    Event::Arrived { version }
}

#[test]
fn a_later_message_that_gets_through_overtakes_the_earlier_sync_error() {
    let (state, effects) = walk(vec![
        arrived(1),
        Event::Started,
        failed(1, Class::Config, Verdict::AsUsual),
        arrived(2),
        Event::Started,
        delivered(2),
    ]);
    assert_eq!(changes(&effects), ["pending", "superseded"]);
    assert_eq!((state.phase, state.settled, state.open), (Phase::Idle, 2, None));
}

#[test]
fn a_conversation_has_one_sync_error_however_many_of_its_messages_fail() {
    let mut events = Vec::new();
    for n in 1..=6 {
        events.extend([arrived(n), Event::Started, failed(n, Class::Policy, Verdict::AsUsual)]);
    }
    let (state, effects) = walk(events);
    let ids: Vec<_> = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Registry { error, .. } => Some(error.clone()),
            _ => None,
        })
        .collect();
    assert!(ids.len() == 6 && ids.iter().all(|id| *id == error(1)));
    assert_eq!((state.errors, state.open.unwrap().message), (1, message(6)));
}

#[test]
fn a_failure_after_the_end_of_a_sync_error_is_a_new_one() {
    let (state, _) = walk(vec![
        arrived(1),
        Event::Started,
        failed(1, Class::Config, Verdict::AsUsual),
        retry(),
        Event::Started,
        delivered(1),
        arrived(2),
        Event::Started,
        Event::Failed(Box::new(failure(2, "CODE", Class::Config, Verdict::AsUsual, 2))),
    ]);
    assert_eq!((state.errors, state.open.unwrap().id), (2, error(2)));
}

#[test]
fn a_message_that_comes_while_another_is_on_its_way_is_sent_next() {
    let (state, effects) = walk(vec![arrived(1), Event::Started, arrived(2), delivered(1)]);
    assert!(matches!(state.phase, Phase::Ready { work: Work::New, .. }));
    assert_eq!(effects.last(), Some(&Effect::Queue(Work::New)));
}

#[test]
fn a_retry_that_is_asked_for_during_an_attempt_is_made_after_it() {
    let (state, effects) = walk(vec![
        arrived(1),
        Event::Started,
        failed(1, Class::Config, Verdict::AsUsual),
        retry(),
        Event::Started,
        retry(),
        failed(1, Class::Config, Verdict::AsUsual),
    ]);
    assert_eq!(changes(&effects), ["pending", "retry", "retry", "retrying"]);
    assert!(matches!(state.phase, Phase::Ready { work: Work::Due, .. }), "{:?}", state.phase);
}

#[test]
fn what_an_incident_holds_back_is_parked_without_a_sync_error_and_without_counting_an_attempt() {
    let parks = Failure { parks: true, ..failure(1, "TIMEOUT", Class::Transient, Verdict::AsUsual, 1) };
    let (state, effects) = walk(vec![arrived(1), Event::Started, Event::Failed(Box::new(parks))]);
    assert_eq!(changes(&effects), [] as [&str; 0]);
    assert_eq!((state.attempts, state.open.clone()), (0, None));
    assert!(matches!(state.phase, Phase::Parked { .. }));
    assert!(matches!(step(state, Event::Started, Timestamp::default()).0.phase, Phase::Sending { version: 1, .. }));
}

#[test]
fn attempts_at_what_is_parked_are_counted_anew_once_a_message_comes_or_a_person_asks() {
    let parked = [arrived(1), Event::Started, failed(1, Class::Transient, Verdict::AsUsual), Event::Parked];
    for (event, attempts) in [(None, 1), (Some(arrived(2)), 0), (Some(retry()), 0)] {
        let (state, _) = walk(parked.iter().cloned().chain(event).collect());
        assert!(matches!(state.phase, Phase::Parked { .. }), "{:?}", state.phase);
        assert_eq!(state.attempts, attempts);
    }
}

#[test]
fn a_message_that_comes_during_an_attempt_is_tried_at_once_when_that_fails_with_its_attempts_counted_anew() {
    let events = vec![arrived(1), Event::Started, arrived(2), failed(1, Class::Transient, Verdict::AsUsual)];
    let (state, _) = walk(events);
    assert!(matches!(state.phase, Phase::Ready { work: Work::New, .. }), "{state:?}");
    assert_eq!(state.attempts, 0);
    let (state, _) = walk(vec![arrived(1), Event::Started, failed(1, Class::Transient, Verdict::AsUsual)]);
    assert!(matches!(state.phase, Phase::Waiting { .. }), "{state:?}");
    assert_eq!(state.attempts, 1);
}

#[test]
fn a_contact_that_is_to_be_made_stays_on_record_until_its_outcome_is_known_and_is_forgotten_for_good() {
    let creation = || crate::domain::Creation {
        policy: crate::domain::PolicyRef { name: crate::domain::PolicyName::new("acme").unwrap(), revision: 1 },
        fields: vec![crate::domain::Attribute { name: "Email".to_owned(), value: "jane@example.com".to_owned() }],
        since: Timestamp::from_millis(1),
        missed_at: None,
    };
    let intends = || Event::Intends(Box::new(creation()));
    assert_eq!(walk(vec![intends()]).0.records, Records::default(), "nothing is on its way");
    let (crashed, _) = walk(vec![Event::Arrived { version: 1 }, Event::Started, intends(), Event::Restarted]);
    assert_eq!(crashed.records.creation.as_deref(), Some(&creation()));
    let (again, _) = step(crashed.clone(), Event::Started, Timestamp::from_millis(2));
    assert!(step(again, delivered(1), Timestamp::from_millis(3)).0.records.creation.is_none());

    // The customer is forgotten while the attempt is on its way: what it brings back has no words of theirs.
    let (mut sending, _) = step(crashed, Event::Started, Timestamp::from_millis(2));
    sending.records.creation.as_mut().unwrap().fields.clear();
    let records = Records { creation: Some(Box::new(creation())), ..Records::default() };
    let failure = Failure { records, ..failure(1, "TIMEOUT", Class::Transient, Verdict::AsUsual, 1) };
    let (failed, _) = step(sending, Event::Failed(Box::new(failure)), Timestamp::from_millis(3));
    assert!(failed.records.creation.unwrap().fields.is_empty());
}

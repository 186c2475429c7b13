//! That what people ask is allowed by its state, and what failures add up to.

use super::*;
use crate::domain::{Cause, Class};

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn message(number: usize) -> MessageId {
    MessageId::new(format!("main:{number}")).unwrap()
}

fn refusal() -> Refusal {
    Refusal::new(Class::Record, "CODE", "words")
}

fn blank() -> SyncError {
    let org = OrgId::new("acme").unwrap();
    let group = Cause::new(&org, &refusal()).identify().id;
    let (id, conversation) = (SyncErrorId::new("se-1").unwrap(), "main:1".parse().unwrap());
    SyncError::blank(id, org, conversation, message(0), group, refusal(), at(1))
}

fn fails(error: &mut SyncError, affected: std::ops::Range<usize>, now: u64) -> Vec<MessageId> {
    let change = Change::Failed {
        refusal: Box::new(refusal()),
        group: error.group.clone(),
        affected: affected.map(message).collect(),
        judged_by: None,
        state: State::Pending,
        next_attempt_at: None,
        ignored: None,
        operation: None,
        held: None,
    };
    error.apply(change, at(now))
}

fn by_ann() -> [(Change, &'static str); 3] {
    let by = || "ann".to_owned();
    [
        (Change::Retry { by: by() }, "retried"),
        (Change::Ignore { by: by(), reason: "a test".to_owned(), operation: None }, "ignored"),
        (Change::Reopen { by: by() }, "reopened"),
    ]
}

#[test]
fn an_open_one_is_retried_and_ignored_and_an_ignored_one_reopened_and_nothing_else() {
    let mut error = blank();
    for (state, allowed) in [
        (State::Pending, [true, true, false]),
        (State::Retrying, [true, true, false]),
        (State::Ignored, [false, false, true]),
        (State::Resolved, [false, false, false]),
    ] {
        error.state = state;
        for ((change, asked), allowed) in by_ann().into_iter().zip(allowed) {
            let refused = error.allows(&change).err();
            assert_eq!(refused, (!allowed).then_some(TransitionError { state, asked }), "{state}: {asked}");
        }
        assert_eq!(error.allows(&Change::FailedAgain { affected: Vec::new() }), Ok(()));
    }
}

#[test]
fn failures_add_up_and_a_retry_counts_anew_from_itself() {
    let mut error = blank();
    let version = error.version;
    assert_eq!(fails(&mut error, 0..2, 10), [message(0), message(1)]);
    assert_eq!(fails(&mut error, 1..4, 20), [message(2), message(3)], "those that were affected are not new");
    assert_eq!((error.attempts, error.attempts_since_retry, error.affected_count), (2, 2, 4));
    assert_eq!((error.last_seen, &error.message, error.version), (at(20), &message(3), version + 2));
    let [(retry, _), (ignore, _), _] = by_ann();
    assert_eq!(error.apply(retry, at(30)), []);
    assert_eq!((error.attempts, error.attempts_since_retry, error.next_attempt_at), (2, 0, Some(at(30))));
    error.apply(Change::FailedAgain { affected: vec![message(4)] }, at(40));
    assert_eq!((error.attempts, error.attempts_since_retry, error.affected_count), (3, 1, 5));
    error.operation = Some(7);
    error.apply(Change::FailedAgain { affected: Vec::new() }, at(41));
    assert_eq!(error.operation, Some(7), "a failure in the same state undoes no operation");
    error.apply(ignore, at(50));
    assert_eq!((error.operation, error.state, error.reason.as_deref()), (None, State::Ignored, Some("a test")));
}

#[test]
fn the_messages_that_were_affected_last_are_kept_and_all_are_counted() {
    let mut error = blank();
    fails(&mut error, 0..MESSAGES_KEPT + 3, 10);
    assert_eq!((error.affected.len(), error.affected_count), (MESSAGES_KEPT, MESSAGES_KEPT as u64 + 3));
    assert_eq!(error.affected[0], message(3));
}

#[test]
fn a_moment_is_kept_for_each_state_and_for_whatever_a_person_asked() {
    let mut error = blank();
    fails(&mut error, 0..1, 10);
    fails(&mut error, 0..1, 20);
    let states = |error: &SyncError| error.history.iter().map(|moment| moment.state).collect::<Vec<_>>();
    assert_eq!(states(&error), [State::Pending], "a further failure in one state is no moment");
    for now in [30, 40] {
        let [(retry, _), ..] = by_ann();
        error.apply(retry, at(now));
    }
    assert_eq!(states(&error), [State::Pending, State::Retrying, State::Retrying], "each time a person asked is one");
    for now in 0..HISTORY as u64 {
        error.becomes(if now % 2 == 0 { State::Pending } else { State::Retrying }, None, None, at(100 + now));
    }
    assert_eq!((error.history.len(), error.history[0].at), (HISTORY, at(10)), "the first one stays");
    assert_eq!(error.history.last().map(|moment| moment.at), Some(at(99 + HISTORY as u64)));
}

#[test]
fn a_state_is_read_by_the_word_that_is_written() {
    let words = State::ALL.map(|state| state.to_string());
    assert_eq!(words, ["pending", "retrying", "ignored", "resolved"]);
    assert_eq!(words.map(|word| word.parse::<State>().unwrap()), State::ALL);
    assert!("open".parse::<State>().unwrap_err().contains("none of pending, retrying"));
}

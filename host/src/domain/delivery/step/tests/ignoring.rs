//! What an ignore settles, and what it does not.

use super::*;

#[test]
fn an_ignored_sync_error_ends_the_waiting_and_a_reopened_one_can_be_retried() {
    let start = vec![arrived(1), Event::Started, failed(1, Class::Transient, Verdict::AsUsual), ignore()];
    let (state, _) = walk(start.clone());
    assert_eq!(state.phase, Phase::Idle);
    let (state, effects) = walk([start, vec![Event::ReopenAsked { by: "ann".into() }, retry()]].concat());
    assert_eq!(changes(&effects), ["retrying", "ignore", "reopen", "retry"]);
    assert!(matches!(state.phase, Phase::Ready { work: Work::Due, .. }));
}

#[test]
fn an_ignore_that_comes_during_an_attempt_is_not_undone_by_its_failure() {
    let (state, effects) = walk(vec![
        arrived(1),
        Event::Started,
        failed(1, Class::Config, Verdict::AsUsual),
        retry(),
        Event::Started,
        ignore(),
        Event::Failed(Box::new(failure(1, "ANOTHER", Class::Record, Verdict::AsUsual, 1))),
    ]);
    assert_eq!(changes(&effects), ["pending", "retry", "ignore", "again"]);
    assert_eq!((state.open.unwrap().state, state.phase), (State::Ignored, Phase::Idle));
}

#[test]
fn an_ignore_of_what_waits_for_a_place_keeps_it_from_being_sent() {
    let (state, _) =
        walk(vec![arrived(1), Event::Started, failed(1, Class::Config, Verdict::AsUsual), retry(), ignore()]);
    assert_eq!(state.phase, Phase::Idle);
    assert_eq!(step(state, Event::Started, Timestamp::default()).1, []);
}

#[test]
fn an_ignore_does_not_keep_a_message_from_being_tried_that_came_since_the_failure() {
    let (state, _) =
        walk(vec![arrived(1), Event::Started, failed(1, Class::Config, Verdict::AsUsual), arrived(2), ignore()]);
    assert!(matches!(state.phase, Phase::Ready { work: Work::New, .. }), "{:?}", state.phase);
    let (state, _) = step(state, Event::Started, Timestamp::default());
    let (state, effects) = step(state, delivered(2), Timestamp::default());
    assert_eq!((changes(&effects), state.open), (vec!["superseded"], None));
}

#[test]
fn an_incident_does_not_keep_a_message_from_being_tried_whose_attempt_was_on_its_way_at_an_ignore() {
    let parks = Failure { parks: true, ..failure(2, "TIMEOUT", Class::Transient, Verdict::AsUsual, 1) };
    let (state, _) = walk(vec![
        arrived(1),
        Event::Started,
        failed(1, Class::Config, Verdict::AsUsual),
        arrived(2),
        Event::Started,
        ignore(),
        Event::Failed(Box::new(parks)),
    ]);
    assert!(matches!(state.phase, Phase::Parked { .. }), "{:?}", state.phase);
}

#[test]
fn an_ignored_conversation_fails_in_silence_at_the_same_cause_and_opens_anew_at_another() {
    let ignored = vec![arrived(1), Event::Started, failed(1, Class::Policy, Verdict::AsUsual), ignore()];
    let again = vec![arrived(2), Event::Started, failed(2, Class::Policy, Verdict::AsUsual)];
    let (state, effects) = walk([ignored, again].concat());
    assert_eq!(changes(&effects), ["pending", "ignore", "again"]);
    assert_eq!((state.phase, state.open.as_ref().unwrap().state), (Phase::Idle, State::Ignored));
    let (state, _) = step(state, arrived(3), Timestamp::default());
    let (state, _) = step(state, Event::Started, Timestamp::default());
    let another = Event::Failed(Box::new(failure(3, "ANOTHER", Class::Policy, Verdict::AsUsual, 2)));
    let (state, effects) = step(state, another, Timestamp::default());
    assert_eq!(changes(&effects), ["pending"]);
    let open = state.open.unwrap();
    assert_eq!((open.state, open.id, state.phase), (State::Pending, error(1), Phase::Held));
}

#[test]
fn a_policys_word_to_ignore_settles_the_version_that_failed_and_no_later_one() {
    let says = |n| Event::Failed(Box::new(failure(n, "CODE", Class::Record, Verdict::Ignore("spam".into()), 1)));
    let (state, _) = walk(vec![arrived(3), Event::Started, says(3)]);
    assert_eq!(state.open.as_ref().map(|open| (open.state, open.ignored_at)), Some((State::Ignored, 3)));
    assert_eq!(state.phase, Phase::Idle);
    // A later message fails alike: it is ignored in silence, and what was ignored stays what it was.
    let (state, effects) = walk(vec![arrived(3), Event::Started, says(3), arrived(4), Event::Started, says(4)]);
    assert_eq!(state.open.as_ref().map(|open| (open.state, open.ignored_at)), Some((State::Ignored, 3)));
    assert_eq!(changes(&effects).last(), Some(&"again"), "{effects:?}");
}

//! Properties of the delivery's state machine, walked at random, and its main paths by name.

mod choosing;
mod operations;

use proptest::prelude::*;

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

/// What the world may do to a delivery; the numbers become versions and messages while walking.
#[derive(Debug, Clone)]
enum Move {
    Arrive,
    Start,
    Deliver,
    Excuse,
    Fail(&'static str, Class, Verdict),
    Park,
    FailAndPark,
    Due(u64),
    Retry,
    Ignore,
    Reopen,
    Restart,
    Choose(Pick),
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let class = prop::sample::select(Class::ALL.to_vec());
    let verdict = prop_oneof![
        4 => Just(Verdict::AsUsual),
        1 => (0u32..100).prop_map(Verdict::RetryAfter),
        1 => Just(Verdict::Hold),
        1 => Just(Verdict::Ignore("because".into())),
    ];
    let code = prop::sample::select(vec!["ONE", "TWO"]);
    let contact = |number: u32| Pick::Contact(format!("003{number:012}AAA").parse().unwrap());
    let pick = prop::sample::select(vec![contact(1), contact(2), Pick::NoContact, Pick::Policy]);
    let one = prop_oneof![
        3 => Just(Move::Arrive),
        4 => Just(Move::Start),
        3 => Just(Move::Deliver),
        1 => Just(Move::Excuse),
        4 => (code, class, verdict).prop_map(|(code, class, verdict)| Move::Fail(code, class, verdict)),
        1 => Just(Move::Park),
        1 => Just(Move::FailAndPark),
        2 => (0u64..400_000).prop_map(Move::Due),
        2 => Just(Move::Retry),
        2 => Just(Move::Ignore),
        1 => Just(Move::Reopen),
        1 => Just(Move::Restart),
        2 => pick.prop_map(Move::Choose),
    ];
    prop::collection::vec(one, 1..60)
}

/// It got through, with what was chosen when the attempt began.
fn linked_as(chosen: Option<&Pick>, sent: u64) -> Event {
    let contact = match chosen {
        Some(Pick::Contact(contact)) => Some(contact.clone()),
        _ => None,
    };
    Event::Delivered { message: message(sent), records: Records { contact, ..Records::default() } }
}

fn event(next: &Move, state: &Delivery, version: u64, began: Option<&Pick>) -> Event {
    let sent = match state.phase {
        Phase::Sending { version, .. } => version,
        _ => 0,
    };
    let fail = |code, class, verdict| failure(sent, code, class, verdict, state.errors + 1);
    match next {
        Move::Arrive => arrived(version),
        Move::Start => Event::Started,
        // As the attempt was begun: what was chosen during it, it does not know.
        Move::Deliver => linked_as(began, sent),
        Move::Excuse => Event::Excused,
        Move::Fail(code, class, verdict) => Event::Failed(Box::new(fail(code, *class, verdict.clone()))),
        Move::Park => Event::Parked,
        Move::FailAndPark => {
            let fail = fail("TIMEOUT", Class::Transient, Verdict::AsUsual);
            Event::Failed(Box::new(Failure { parks: true, ..fail }))
        }
        Move::Due(_) => Event::Due { early: false },
        Move::Retry => retry(),
        Move::Ignore => ignore(),
        Move::Reopen => Event::ReopenAsked { by: "ann".into() },
        Move::Restart => Event::Restarted,
        Move::Choose(pick) => {
            let (sync_error, message) = (error(1), message(1));
            Event::ContactChosen { by: "ann".into(), pick: pick.clone(), sync_error, message }
        }
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

proptest! {
    #[test]
    fn no_walk_loses_a_message(moves in moves()) {
        let (mut state, mut version, mut now) = (Delivery::default(), 0, 0);
        let mut began: Option<Pick> = None;
        // The version up to which a person asked that nothing more is tried.
        let mut ignored_until = None;
        for next in moves {
            match &next {
                Move::Arrive => version += 1,
                Move::Due(later) => now += later,
                _ => {}
            }
            let event = event(&next, &state, version, began.as_ref());
            let before = state.clone();
            let (after, effects) = step(state, event.clone(), Timestamp::from_millis(now));
            prop_assert!(after.settled >= before.settled && after.settled <= after.wanted);
            prop_assert_eq!(after.wanted, version);
            let waits_for_a_person = after.phase == Phase::Held;
            prop_assert!(!waits_for_a_person || after.open.as_ref().is_some_and(|open| open.state == State::Pending));
            let is_ready = |phase: Phase| match phase {
                Phase::Ready { work, .. } => Some(work),
                _ => None,
            };
            let queued: Vec<_> =
                effects.iter().filter_map(|e| if let Effect::Queue(work) = e { Some(*work) } else { None }).collect();
            if is_ready(after.phase) != is_ready(before.phase) || event == Event::Restarted {
                prop_assert_eq!(queued, is_ready(after.phase).filter(|_| before.phase != after.phase).into_iter().collect::<Vec<_>>());
            }
            if let Phase::Waiting { .. } = after.phase {
                let wakes = effects.iter().any(|effect| matches!(effect, Effect::WakeAt(_)));
                prop_assert!(wakes || before.phase == after.phase, "what waits is woken");
            }
            // An acknowledged ignore stays, whatever was on its way: only a person, a newer message's other cause, or a
            // success ends it.
            let state_of = |delivery: &Delivery| delivery.open.as_ref().map(|open| open.state);
            if matches!(next, Move::Ignore) && state_of(&before).is_some_and(|state| state != State::Ignored) {
                ignored_until = after.open.as_ref().map(|open| open.ignored_at);
            }
            if state_of(&before) == Some(State::Ignored) && state_of(&after) != Some(State::Ignored) {
                let newer = matches!(before.phase, Phase::Sending { version, .. } if ignored_until.is_none_or(|at| version > at));
                let allowed = matches!(next, Move::Reopen | Move::Deliver | Move::Excuse) || newer;
                prop_assert!(allowed, "{next:?} undid an ignore");
            }
            // A retry that was asked for is made.
            if matches!(next, Move::Retry) && state_of(&before).is_some_and(|state| state != State::Ignored) {
                let is_made = matches!(after.phase, Phase::Ready { .. } | Phase::Parked { .. })
                    || matches!(after.phase, Phase::Sending { again: true, .. });
                prop_assert!(is_made, "{:?}", after.phase);
            }
            if event == Event::Started && matches!(after.phase, Phase::Sending { .. }) && !matches!(before.phase, Phase::Sending { .. }) {
                began = after.chosen.as_ref().map(|chosen| chosen.pick.clone());
            }
            state = after;
        }
        // Left alone, every delivery settles: what is on its way gets through, and what is queued or due is sent.
        let mut got_through = false;
        for _ in 0..6 {
            let event = match state.phase {
                Phase::Ready { .. } | Phase::Parked { .. } => Event::Started,
                Phase::Sending { version, .. } => linked_as(began.as_ref(), version),
                Phase::Waiting { .. } => Event::Due { early: false },
                Phase::Idle | Phase::Held => break,
            };
            let starts = event == Event::Started;
            got_through = matches!(event, Event::Delivered { .. });
            state = step(state, event, Timestamp::from_millis(u64::MAX)).0;
            if starts {
                began = state.chosen.as_ref().map(|chosen| chosen.pick.clone());
            }
        }
        let ignored = state.open.as_ref().is_some_and(|open| open.state == State::Ignored);
        prop_assert!(state.phase == Phase::Held || (state.phase == Phase::Idle && (ignored || state.settled == state.wanted)));
        // What got through is linked to whom a person chose.
        let chosen = state.chosen.as_ref().map(|chosen| &chosen.pick);
        if let (Some(Pick::Contact(contact)), true) = (chosen, state.open.is_none() && state.phase == Phase::Idle && got_through) {
            prop_assert_eq!(state.records.contact.as_ref(), Some(contact));
        }
    }
}

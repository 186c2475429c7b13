//! Properties of the delivery's state machine, walked at random, and its main paths by name.

use proptest::prelude::*;

use super::*;
use crate::domain::{Class, Timestamp};

fn message(n: u64) -> MessageId {
    MessageId::new(format!("main:{n}")).unwrap()
}

fn org() -> OrgId {
    OrgId::new("acme").unwrap()
}

fn failed(n: u64, class: Class, verdict: Verdict) -> Event {
    Event::Failed(Box::new(Failure {
        org: org(),
        message: message(n),
        records: Records::default(),
        refusal: Refusal::new(class, "CODE", "words"),
        verdict,
        judged_by: None,
        barred_until: None,
        jitter: 500,
    }))
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

fn changes(effects: &[Effect]) -> Vec<(u64, &'static str)> {
    let of = |effect: &Effect| match effect {
        Effect::Registry { message, change, .. } => {
            let number = message.as_str().trim_start_matches("main:").parse().unwrap();
            let name = match change {
                Change::Failed { state, .. } => state.as_str(),
                Change::Follow { .. } => "follows",
                Change::Retry { .. } => "retry",
                Change::Ignore { .. } => "ignore",
                Change::Reopen { .. } => "reopen",
                Change::Resolve(Ending::Delivered) => "delivered",
                Change::Resolve(Ending::Superseded) => "superseded",
                Change::Resolve(Ending::NotEligible) => "not eligible",
            };
            Some((number, name))
        }
        _ => None,
    };
    effects.iter().filter_map(of).collect()
}

#[test]
fn a_later_message_that_gets_through_overtakes_the_earlier_sync_error() {
    let (state, effects) = walk(vec![
        Event::Arrived { version: 1 },
        Event::Started,
        failed(1, Class::Config, Verdict::AsUsual),
        Event::Arrived { version: 2 },
        Event::Started,
        Event::Delivered { message: message(2), records: Records::default() },
    ]);
    assert_eq!(changes(&effects), [(1, "pending"), (1, "superseded")]);
    assert_eq!((state.phase, state.settled), (Phase::Idle, 2));
}

#[test]
fn a_message_that_comes_while_another_is_on_its_way_is_sent_next() {
    let (state, effects) = walk(vec![
        Event::Arrived { version: 1 },
        Event::Started,
        Event::Arrived { version: 2 },
        Event::Delivered { message: message(1), records: Records::default() },
    ]);
    assert_eq!(state.phase, Phase::Ready);
    assert_eq!(effects.last(), Some(&Effect::Queue));
}

#[test]
fn an_ignored_sync_error_ends_the_waiting_and_a_reopened_one_can_be_retried() {
    let error = SyncErrorId::of(&org(), &message(1));
    let ignore = Event::IgnoreAsked { error: error.clone(), by: "ann".into(), reason: "spam".into() };
    let reopen = Event::ReopenAsked { error: error.clone(), message: message(1), by: "ann".into() };
    let start =
        vec![Event::Arrived { version: 1 }, Event::Started, failed(1, Class::Transient, Verdict::AsUsual), ignore];
    let (state, _) = walk(start.clone());
    assert_eq!(state.phase, Phase::Idle);
    let (state, effects) = walk([start, vec![reopen, Event::RetryAsked { error, by: "ann".into() }]].concat());
    assert_eq!(changes(&effects), [(1, "retrying"), (1, "ignore"), (1, "reopen"), (1, "retry")]);
    assert_eq!(state.phase, Phase::Ready);
}

#[test]
fn while_nothing_gets_through_to_the_organization_attempts_are_not_counted() {
    let barred = |until| {
        let Event::Failed(mut failure) = failed(1, Class::Transient, Verdict::AsUsual) else { unreachable!() };
        failure.barred_until = Some(Timestamp::from_millis(until));
        Event::Failed(failure)
    };
    let (state, _) = walk(vec![Event::Arrived { version: 1 }, Event::Started, barred(9_000)]);
    assert_eq!((state.attempts, state.phase), (0, Phase::Waiting { until: Timestamp::from_millis(9_000) }));
}

/// What the world may do to a delivery; the numbers become versions and messages while walking.
#[derive(Debug, Clone)]
enum Move {
    Arrive,
    Start,
    Deliver,
    Excuse,
    Fail(Class, Verdict),
    Due(u64),
    Retry(usize),
    Ignore(usize),
    Reopen(u64),
    Restart,
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let class = prop::sample::select(Class::ALL.to_vec());
    let verdict = prop_oneof![
        4 => Just(Verdict::AsUsual),
        1 => (0u32..100).prop_map(Verdict::RetryAfter),
        1 => Just(Verdict::Hold),
        1 => Just(Verdict::Ignore("because".into())),
    ];
    let one = prop_oneof![
        3 => Just(Move::Arrive),
        4 => Just(Move::Start),
        3 => Just(Move::Deliver),
        1 => Just(Move::Excuse),
        4 => (class, verdict).prop_map(|(class, verdict)| Move::Fail(class, verdict)),
        2 => (0u64..400_000).prop_map(Move::Due),
        2 => (0usize..4).prop_map(Move::Retry),
        1 => (0usize..4).prop_map(Move::Ignore),
        1 => (1u64..5).prop_map(Move::Reopen),
        1 => Just(Move::Restart),
    ];
    prop::collection::vec(one, 1..60)
}

proptest! {
    #[test]
    fn no_walk_loses_a_message(moves in moves()) {
        let (mut state, mut version, mut now) = (Delivery::default(), 0, 0);
        for next in moves {
            let error = |n: usize, state: &Delivery| state.open.get(n).map_or_else(|| SyncErrorId::of(&org(), &message(99)), |o| o.id.clone());
            let sent = match state.phase { Phase::Sending { version } => version, _ => 0 };
            let event = match next {
                Move::Arrive => { version += 1; Event::Arrived { version } }
                Move::Start => Event::Started,
                Move::Deliver => Event::Delivered { message: message(sent), records: Records::default() },
                Move::Excuse => Event::Excused,
                Move::Fail(class, verdict) => failed(sent, class, verdict),
                Move::Due(later) => { now += later; Event::Due }
                Move::Retry(n) => Event::RetryAsked { error: error(n, &state), by: "x".into() },
                Move::Ignore(n) => Event::IgnoreAsked { error: error(n, &state), by: "x".into(), reason: "y".into() },
                Move::Reopen(n) => Event::ReopenAsked { error: SyncErrorId::of(&org(), &message(n)), message: message(n), by: "x".into() },
                Move::Restart => Event::Restarted,
            };
            let before = state.clone();
            let (after, effects) = step(state, event.clone(), Timestamp::from_millis(now));
            prop_assert!(after.settled >= before.settled && after.settled <= after.wanted);
            prop_assert_eq!(after.wanted, version);
            let mut ids: Vec<_> = after.open.iter().map(|o| &o.id).collect();
            ids.sort();
            ids.dedup();
            prop_assert_eq!(ids.len(), after.open.len(), "a sync error is open once");
            if after.phase == Phase::Held {
                prop_assert!(!after.open.is_empty(), "what is held is held for a sync error");
            }
            let queued = effects.iter().filter(|e| **e == Effect::Queue).count();
            let enters = after.phase == Phase::Ready && (before.phase != Phase::Ready || event == Event::Restarted);
            prop_assert_eq!(queued, usize::from(enters), "it is queued exactly when it becomes ready");
            let wakes = effects.iter().any(|e| matches!(e, Effect::WakeAt(_)));
            if let Phase::Waiting { .. } = after.phase {
                prop_assert!(wakes || before.phase == after.phase, "what waits is woken");
            }
            state = after;
        }
        // Left alone, every delivery settles: what is on its way gets through, and what is queued or due is sent.
        for _ in 0..4 {
            let event = match state.phase {
                Phase::Ready => Event::Started,
                Phase::Sending { version } => Event::Delivered { message: message(version), records: Records::default() },
                Phase::Waiting { .. } => Event::Due,
                Phase::Idle | Phase::Held => break,
            };
            state = step(state, event, Timestamp::from_millis(u64::MAX)).0;
        }
        if state.phase == Phase::Held {
            prop_assert!(!state.open.is_empty());
        }
    }
}

//! Properties of the delivery's state machine, walked at random.

use proptest::prelude::*;

use super::*;

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

//! Random days: arrivals, people, a world and a store that fail, kills, and clocks that jump. At the end the world is well,
//! and everything that was acknowledged is where it has to be.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use proptest::prelude::*;

use super::bench::{Bench, CONTACTS, Mood, START, alone, arrival, conversation, lock, org};
use crate::domain::{
    Arrival, ErrorQuery, Operation, OperationId, OperationStatus, Pick, ResyncQuery, State, Task, Timestamp,
};
use crate::engine::command::Ask;
use crate::store::{Fault, Point, export};

/// Conversations of a walk.
const CONVERSATIONS: u64 = 6;
/// The place of an ignore among what is done with many.
const IGNORE: u8 = 1;

#[derive(Debug, Clone)]
enum Move {
    Arrive(u64),
    Mood(Mood),
    Refuse(u64),
    Accept,
    Ask(u64, u8),
    /// Says which contact the customer is.
    Choose(u64, usize),
    RetryAll,
    /// One of retry, ignore, reopen, assign and resync over all that its states allow, or over that of one conversation.
    Operate(u8, Option<u64>),
    /// Has a conversation forgotten.
    Erase(u64),
    /// Pauses, resumes or cancels the operation that was begun last.
    Steer(u8),
    /// Takes back what an operation ignored.
    Undo,
    Pass(u64),
    ClockBack(u64),
    Fault(Point, &'static str, usize, usize),
    Kill,
    Restart,
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let mood =
        prop::sample::select(vec![Mood::Good, Mood::Outage, Mood::Dead, Mood::Refuses, Mood::Panics, Mood::Ambiguous]);
    let point = prop::sample::select(vec![Point::Read, Point::BeforeCommit, Point::AfterCommit]);
    let prefix = prop::sample::select(vec!["", "delivery/", "inbox/", "error", "audit/", "lane/"]);
    let one = prop_oneof![
        8 => (1..=CONVERSATIONS).prop_map(Move::Arrive),
        3 => mood.prop_map(Move::Mood),
        1 => (1..=CONVERSATIONS).prop_map(Move::Refuse),
        1 => Just(Move::Accept),
        4 => (1..=CONVERSATIONS, 0..3u8).prop_map(|(number, ask)| Move::Ask(number, ask)),
        3 => (1..=CONVERSATIONS, 0..CONTACTS.len()).prop_map(|(number, place)| Move::Choose(number, place)),
        1 => Just(Move::RetryAll),
        3 => (0..5u8, prop::option::weighted(0.7, 1..=CONVERSATIONS)).prop_map(|(task, of)| Move::Operate(task, of)),
        1 => (1..=CONVERSATIONS).prop_map(Move::Erase),
        2 => (0..3u8).prop_map(Move::Steer),
        1 => Just(Move::Undo),
        4 => (1..400u64).prop_map(Move::Pass),
        1 => (1..100_000u64).prop_map(Move::ClockBack),
        3 => (point, prefix, 0..3usize, 1..4usize).prop_map(|(point, prefix, skip, times)| Move::Fault(point, prefix, skip, times)),
        1 => Just(Move::Kill),
        1 => Just(Move::Restart),
    ];
    prop::collection::vec(one, 1..40)
}

#[expect(clippy::too_many_lines, reason = "one arm for each move")]
async fn walk(moves: Vec<Move>) {
    let mut bench = Bench::start();
    // The newest message of each conversation that was acknowledged.
    let mut arrived: HashMap<u64, u64> = HashMap::new();
    let mut messages = 0;
    // The contacts that were chosen, and acknowledged.
    let mut chosen: HashMap<u64, Pick> = HashMap::new();
    // The operations that were acknowledged, the newest last.
    let mut operations: Vec<OperationId> = Vec::new();
    let mut known = Known::default();
    for next in moves {
        match next {
            Move::Arrive(number) => {
                messages += 1;
                let mut said = arrival(number, messages);
                said.messages[0].body = words(number, messages);
                // What is sent before an erasure is not learned again.
                if bench.arrive(said).await && !known.erased.contains_key(&number) {
                    arrived.insert(number, messages);
                }
            }
            Move::Mood(mood) => bench.mood(mood),
            Move::Refuse(number) => drop(lock(&bench.world.refused).insert(conversation(number))),
            Move::Accept => lock(&bench.world.refused).clear(),
            Move::Ask(number, ask) => {
                let ask = [Ask::Retry, Ask::Ignore("spam".to_owned()), Ask::Reopen][usize::from(ask)].clone();
                known.ignores.extend(matches!(ask, Ask::Ignore(_)).then_some(number));
                let answer = tokio::time::timeout(Duration::from_secs(5), bench.about(number, ask.clone())).await;
                if let (Ok(Some(Ok(error))), Ask::Ignore(_)) = (answer, ask) {
                    assert_eq!(error.state, State::Ignored, "an acknowledged ignore is one");
                }
            }
            Move::Choose(number, place) => choose(&bench, number, place, &mut chosen).await,
            Move::RetryAll => {
                let _ = tokio::time::timeout(Duration::from_secs(5), bench.retry_all()).await;
            }
            Move::Operate(task, of) => {
                if task == IGNORE {
                    known.ignores.extend(of.map_or(1..=CONVERSATIONS, |number| number..=number));
                }
                operations.extend(operate(&bench, task, of).await);
            }
            Move::Erase(number) => {
                let of = arrival(number, messages);
                let at = Timestamp::from_millis(START);
                let forget = Arrival::erasing(of.conversation, (of.source, of.account, of.message), "ann", at);
                let until = bench.arrive(forget).await.then_some(messages);
                known.erased.entry(number).or_default().extend(until);
                // It may have been done although nobody was told so.
                arrived.remove(&number);
            }
            Move::Steer(to) => {
                let statuses = [OperationStatus::Paused, OperationStatus::Running, OperationStatus::Cancelled];
                if let Some(id) = operations.last() {
                    let steered = bench.steer(id, statuses[usize::from(to)]);
                    let _ = tokio::time::timeout(Duration::from_secs(5), steered).await;
                }
            }
            Move::Undo => operations.extend(undo(&bench, &operations).await),
            Move::Pass(seconds) => {
                bench.pass(Duration::from_secs(seconds)).await;
            }
            Move::ClockBack(seconds) => bench.clock.turn_back(Duration::from_secs(seconds)),
            Move::Fault(point, prefix, skip, times) => {
                bench.store.plan([Fault::at(point).of(prefix).skipping(skip).times(times)]);
            }
            Move::Kill => bench = bench.kill().await,
            Move::Restart => bench = bench.restart().await,
        }
    }
    bench.store.plan([]);
    bench.mood(Mood::Good);
    lock(&bench.world.refused).clear();
    for id in &operations {
        // What is over stays so.
        let _ = bench.steer(id, OperationStatus::Running).await;
    }
    bench.settled().await;
    reports_add_up(&bench, &operations).await;
    bench.retry_all().await.unwrap();
    let health = bench.settled().await;
    assert_eq!((health.sync_errors.pending, health.sync_errors.retrying, health.parked), (0, 0, 0));
    all_is_in_or_ignored(&bench, arrived, &known.ignores).await;
    nothing_is_kept(&bench, &known.erased).await;
    chosen.retain(|number, _| !known.erased.contains_key(number));
    choices_are_heeded(&bench, chosen).await;
    bench.verify().await;
}

/// Says which contact a customer is, and remembers what was acknowledged.
async fn choose(bench: &Bench, number: u64, place: usize, chosen: &mut HashMap<u64, Pick>) {
    let pick = Pick::Contact(CONTACTS[place].parse().unwrap());
    match tokio::time::timeout(Duration::from_secs(5), bench.choose(number, pick.clone())).await {
        Ok(Some(Ok(_))) => drop(chosen.insert(number, pick)),
        Ok(Some(Err(_))) => {}
        // It may have been done.
        Ok(None) | Err(_) => drop(chosen.remove(&number)),
    }
}

/// What a person chose stands, and what got through since is linked to that.
async fn choices_are_heeded(bench: &Bench, chosen: HashMap<u64, Pick>) {
    for (number, pick) in chosen {
        let delivery = bench.ledger.delivery(&org(), &conversation(number)).await.unwrap();
        let stands = delivery.chosen.map(|chosen| chosen.pick);
        assert_eq!(stands, Some(pick.clone()), "{number}: an acknowledged choice is kept");
        let linked = delivery.records.contact.map(Pick::Contact);
        assert!(delivery.open.is_some() || linked == Some(pick), "{number}: it is linked to {linked:?}");
    }
}

/// What was asked for, whether or not it was acknowledged.
#[derive(Default)]
struct Known {
    /// Conversations that somebody ignored, alone or with others.
    ignores: HashSet<u64>,
    /// Conversations of which somebody had everything forgotten, and the newest message before each time that was acknowledged.
    erased: HashMap<u64, Vec<u64>>,
}

/// What a message says.
fn words(number: u64, message: u64) -> String {
    format!("words {number}-{message};")
}

/// No word of a conversation that was forgotten is on record.
async fn nothing_is_kept(bench: &Bench, erased: &HashMap<u64, Vec<u64>>) {
    let mut lines = Vec::new();
    export(bench.store.as_ref(), &mut lines).await.expect("an export");
    let kept = String::from_utf8(lines).expect("text");
    for (number, until) in erased {
        for message in 1..=until.iter().max().copied().unwrap_or(0) {
            assert!(!kept.contains(&words(*number, message)), "{number}-{message} is kept: {kept}");
        }
    }
}

/// Every message that was acknowledged is known, and its conversation is written, or ignored because somebody did that.
async fn all_is_in_or_ignored(bench: &Bench, arrived: HashMap<u64, u64>, ignores: &HashSet<u64>) {
    for (number, message) in arrived {
        let ignored = bench.state(number).await == Some(State::Ignored);
        assert!(!ignored || ignores.contains(&number), "{number} is ignored, and nobody did that");
        let id = format!("main:{number}-{message}").parse().unwrap();
        let known = bench.ledger.conversation(&super::bench::org(), &conversation(number)).await.unwrap().unwrap();
        assert!(known.messages.iter().any(|message| message.id == id), "an acknowledged message is known");
        let written = lock(&bench.world.written).get(&conversation(number)).copied();
        assert!(ignored || written == Some(known.version), "{number}: {written:?} of {}", known.version);
    }
}

/// Begins one of retry, ignore, reopen, assign and resync over all that its states allow, or over that of one conversation; `None` where
/// nobody says that it began.
async fn operate(bench: &Bench, task: u8, of: Option<u64>) -> Option<OperationId> {
    let resync = Task::Resync { query: ResyncQuery::default() };
    let (ignore, reopen) = (Task::Ignore { reason: "many".to_owned() }, Task::Reopen { undoes: None, since: None });
    let tasks = [Task::Retry, ignore, reopen, Task::Assign { assignee: Some("ann".to_owned()) }, resync];
    let task = tasks[usize::from(task)].clone();
    let all = ErrorQuery::of_org(org(), task.states().iter().copied());
    let query = ErrorQuery { conversation: of.map(conversation), ..all };
    let begun = tokio::time::timeout(Duration::from_secs(5), bench.operate(task, &query)).await;
    begun.ok().flatten().map(|operation| operation.id)
}

/// Takes back what the last of these operations ignored that is over.
async fn undo(bench: &Bench, operations: &[OperationId]) -> Option<OperationId> {
    let mut ignored = None;
    for id in operations {
        let found = bench.ledger.operation(id).await.unwrap_or_default().into_iter();
        let over = |(_, _, it): &(_, u64, Operation)| matches!(it.task, Task::Ignore { .. }) && it.ended_at.is_some();
        ignored = found.into_iter().find(over).map(|(_, number, operation)| (number, operation)).or(ignored);
    }
    let (number, operation) = ignored?;
    let begun = async { bench.begin(bench.undoing(number, operation).await?).await };
    let begun = tokio::time::timeout(Duration::from_secs(5), begun).await;
    begun.ok().flatten().map(|operation| operation.id)
}

/// Every operation that was acknowledged has ended, and its report adds up.
async fn reports_add_up(bench: &Bench, operations: &[OperationId]) {
    for id in operations {
        let found = bench.ledger.operation(id).await.unwrap();
        let [(_, _, operation)] = found.as_slice() else { panic!("an acknowledged operation is on record: {found:?}") };
        let Operation { done, skipped, matched, retried, .. } = operation;
        assert!(operation.ended_at.is_some() && operation.under_way() == 0, "it ended: {operation:?}");
        assert!(matched.is_none_or(|matched| done + skipped <= matched), "{operation:?}");
        // A conversation has one sync error at most that is not over.
        assert!(done + skipped <= CONVERSATIONS, "nothing is met twice: {operation:?}");
        let counted = if operation.task.sends() { *done } else { 0 };
        assert_eq!(retried.values().sum::<u64>(), counted, "{operation:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, max_shrink_iters: 60, ..ProptestConfig::default() })]
    #[test]
    fn whatever_a_day_brings_everything_acknowledged_is_delivered_or_ignored_and_every_count_is_right(moves in moves()) {
        alone(walk(moves));
    }
}

//! Operations on a bad day: while nothing gets through, while their organization is not connected, and where little matches.

use std::time::Duration;

use super::bench::{Bench, Mood, alone, arrival, conversation, lock, org};
use crate::domain::{Class, ErrorQuery, Operation, OperationStatus, Refusal, Retried, State, Task};
use crate::engine::command::Ask;

/// A lane with so many sync errors of one cause.
async fn with_errors(count: u64) -> (Bench, ErrorQuery) {
    let mut bench = Bench::start();
    for number in 1..=count {
        lock(&bench.world.refused).insert(conversation(number));
        let mut said = arrival(number, 1);
        said.customer.name = Some(format!("Jane {number}"));
        bench.arrive(said).await;
    }
    bench.until("all are on record", |health| health.sync_errors.pending == count && health.idle()).await;
    (bench, ErrorQuery::of_org(org(), [State::Pending, State::Retrying]))
}

async fn report(bench: &Bench, of: &Operation) -> Operation {
    bench.ledger.operation(&of.id).await.unwrap().pop().expect("it is on record").2
}

fn ignore() -> Task {
    Task::Ignore { reason: "a test".to_owned() }
}

#[test]
fn a_retry_in_an_incident_calls_nothing_until_that_is_over_and_an_ignore_does_not_wait() {
    alone(async {
        let (mut bench, query) = with_errors(5).await;
        bench.mood(Mood::Dead);
        bench.arrive(arrival(6, 1)).await;
        bench.until("it is parked", |health| health.parked == 1).await;
        let retry = bench.operate(Task::Retry, &query).await.unwrap();
        let one = ErrorQuery { conversation: Some(conversation(1)), ..query };
        let ignored = bench.operate(ignore(), &one).await.unwrap();
        bench.until("one is ignored", |health| health.sync_errors.ignored == 1).await;
        bench.pass(Duration::from_secs(60)).await;
        let (retried, ignored) = (report(&bench, &retry).await, report(&bench, &ignored).await);
        assert_eq!((retried.status, retried.done, ignored.done), (OperationStatus::Running, 0, 1), "{retried:?}");
        assert!(ignored.ended_at.is_some(), "{ignored:?}");
        bench.mood(Mood::Good);
        lock(&bench.world.refused).clear();
        let health = bench.settled().await;
        assert_eq!((health.sync_errors.pending, health.parked, health.sync_errors.ignored), (0, 0, 1));
        let retried = report(&bench, &retry).await;
        assert_eq!((retried.done, retried.skipped, retried.status), (4, 1, OperationStatus::Done), "{retried:?}");
        assert_eq!(retried.retried.get(&Retried::Passed), Some(&4), "{retried:?}");
        bench.verify().await;
    });
}

#[test]
fn a_retry_that_an_incident_interrupts_goes_on_after_it_and_its_report_adds_up() {
    alone(async {
        let (mut bench, query) = with_errors(60).await;
        bench.mood(Mood::Dead);
        let retry = bench.operate(Task::Retry, &query).await.unwrap();
        bench.until("nothing gets through", |health| health.incident.is_some()).await;
        bench.pass(Duration::from_secs(5)).await;
        let interrupted = report(&bench, &retry).await;
        assert!(interrupted.ended_at.is_none() && interrupted.done < 60, "{interrupted:?}");
        bench.mood(Mood::Good);
        lock(&bench.world.refused).clear();
        bench.settled().await;
        let ended = report(&bench, &retry).await;
        let came: u64 = ended.retried.values().sum();
        assert_eq!(
            (ended.done + ended.skipped, came, ended.status),
            (60, ended.done, OperationStatus::Done),
            "{ended:?}"
        );
        assert_eq!(bench.health.borrow().sync_errors.pending, 0, "{ended:?}");
        bench.verify().await;
    });
}

#[test]
fn a_retry_of_an_organization_that_leaves_waits_until_it_is_back_and_an_ignore_goes_on() {
    alone(async {
        let (bench, query) = with_errors(40).await;
        let mut bench = bench.depart().await;
        let retry = bench.operate(Task::Retry, &query).await.unwrap();
        let one = ErrorQuery { conversation: Some(conversation(1)), ..query };
        bench.operate(ignore(), &one).await.unwrap();
        bench.until("one is ignored", |health| health.sync_errors.ignored == 1).await;
        bench.pass(Duration::from_secs(60)).await;
        let waiting = report(&bench, &retry).await;
        assert_eq!((waiting.status, waiting.done), (OperationStatus::Running, 0), "{waiting:?}");
        assert_eq!(bench.health.borrow().sync_errors.pending, 39);
        bench.mood(Mood::Good);
        lock(&bench.world.refused).clear();
        let mut bench = bench.restart().await;
        bench.settled().await;
        let ended = report(&bench, &retry).await;
        assert_eq!((ended.done, ended.skipped, ended.retried.get(&Retried::Passed)), (39, 1, Some(&39)), "{ended:?}");
        bench.verify().await;
    });
}

#[test]
fn a_cause_is_assigned_only_where_one_of_its_sync_errors_matches() {
    alone(async {
        let (mut bench, query) = with_errors(3).await;
        bench.mood(Mood::Refuses);
        bench.arrive(arrival(4, 1)).await;
        bench.until("there are two causes", |health| health.sync_errors.pending == 4 && health.idle()).await;
        // Whose sync errors are too many to be looked at all has all causes for its parts.
        let assign = Task::Assign { assignee: Some("bob".to_owned()) };
        let all = bench.operation(assign, &query).await.unwrap();
        assert_eq!(all.parts.len(), 2);
        let customer = Some("jane 2".to_owned());
        let operation = Operation { query: ErrorQuery { customer, ..query }, matched: None, ..all };
        let begun = bench.begin(operation).await.unwrap();
        bench.settled().await;
        let ended = report(&bench, &begun).await;
        assert_eq!((ended.done, ended.skipped, ended.ended_at.is_some()), (1, 0, true), "{ended:?}");
        let groups = bench.ledger.groups_of(&org()).await.unwrap();
        let owners: Vec<_> = groups.iter().map(|group| (group.counts.pending, group.assignee.as_deref())).collect();
        assert!(owners.contains(&(3, Some("bob"))) && owners.contains(&(1, None)), "{owners:?}");
    });
}

#[test]
fn an_undo_tells_of_what_its_operation_ignored_and_of_nothing_that_others_did() {
    alone(async {
        let (mut bench, query) = with_errors(5).await;
        for number in [4, 5] {
            bench.about(number, Ask::Ignore("mine".to_owned())).await.unwrap().unwrap();
        }
        let ignored = bench.operate(ignore(), &query).await.unwrap();
        bench.settled().await;
        bench.about(1, Ask::Reopen).await.unwrap().unwrap();
        let (_, number, ignored) = bench.ledger.operation(&ignored.id).await.unwrap().pop().unwrap();
        let undoing = bench.undoing(number, ignored).await.unwrap();
        let undo = bench.begin(undoing).await.unwrap();
        bench.settled().await;
        let ended = report(&bench, &undo).await;
        // The first has changed since; the last two were never in it.
        assert_eq!((ended.matched, ended.done, ended.skipped), (Some(3), 2, 1), "{ended:?}");
        assert_eq!(bench.health.borrow().sync_errors.ignored, 2);
    });
}

#[test]
fn what_a_retry_has_tried_and_finds_again_in_another_cause_is_told_once() {
    alone(async {
        let (mut bench, query) = with_errors(5).await;
        // The sixth, which fails by a cause of its own, fails as the five do once it is tried again.
        lock(&bench.world.says).insert(conversation(6), Refusal::new(Class::Record, "RULE", "no"));
        bench.arrive(arrival(6, 1)).await;
        bench.until("it is on record", |health| health.sync_errors.pending == 6 && health.idle()).await;
        lock(&bench.world.says).clear();
        lock(&bench.world.refused).insert(conversation(6));
        lock(&bench.world.refused).remove(&conversation(1));
        let retry = bench.operate(Task::Retry, &query).await.unwrap();
        bench.settled().await;
        let ended = report(&bench, &retry).await;
        assert_eq!((ended.matched, ended.done, ended.skipped), (Some(6), 6, 0), "{ended:?}");
    });
}

#[test]
fn who_a_customer_was_when_a_conversation_failed_last_is_what_its_sync_error_says_whatever_people_do_with_it() {
    alone(async {
        let (mut bench, query) = with_errors(1).await;
        bench.mood(Mood::Dead);
        let mut said = arrival(1, 2);
        said.customer.name = Some("Jane Smith".to_owned());
        bench.arrive(said).await;
        bench.until("it is parked", |health| health.parked == 1 && health.unmerged == 0).await;
        let ignored = bench.about(1, Ask::Ignore("a test".to_owned())).await.unwrap().unwrap();
        assert_eq!(ignored.person.unwrap().name.as_deref(), Some("Jane 1"));
        let found = ErrorQuery { customer: Some("smith".to_owned()), states: [State::Ignored].into(), ..query };
        assert!(bench.ledger.count(&found, 10).await.unwrap().groups.is_empty());
    });
}

#[test]
fn what_somebody_reopens_while_an_operation_rests_is_none_of_what_it_goes_on_with() {
    alone(async {
        let (mut bench, query) = with_errors(2).await;
        bench.about(1, Ask::Ignore("mine".to_owned())).await.unwrap().unwrap();
        // It is retried at the end of the incident, and stands still until then.
        bench.mood(Mood::Dead);
        bench.arrive(arrival(3, 1)).await;
        bench.until("it is parked", |health| health.parked == 1).await;
        let retry = bench.operate(Task::Retry, &query).await.unwrap();
        bench.pass(Duration::from_secs(1)).await;
        bench.about(1, Ask::Reopen).await.unwrap().unwrap();
        bench.mood(Mood::Good);
        bench.settled().await;
        let ended = report(&bench, &retry).await;
        assert_eq!((ended.matched, ended.done, ended.skipped), (Some(1), 1, 0), "{ended:?}");
        assert_eq!(bench.state(1).await, Some(State::Pending));
    });
}

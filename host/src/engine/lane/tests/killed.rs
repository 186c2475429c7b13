//! An operation whose lane is killed, or stopped, at each of its commits: before any of it is written, or after all of it was.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::bench::{Bench, Mood, alone, arrival, conversation, lock, org};
use crate::domain::{ErrorQuery, Operation, OperationId, ResyncQuery, State, Task, Timestamp};
use crate::store::{Fault, Point};

/// Conversations of each of the two causes: one of them goes on to fail, the other one does not.
const OF_A_CAUSE: u64 = 5;

/// What an operation came to.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    /// Its report without its id and its times.
    report: Operation,
    /// Of each conversation: the state of its open sync error, and what a person asked of it.
    conversations: Vec<(Option<State>, Vec<String>)>,
}

/// How a lane ends.
#[derive(Debug, Clone, Copy)]
enum End {
    Kill,
    Stop,
}

/// Sync errors of two causes, all of them in the states that a task is for.
async fn with_errors(task: &Task) -> Bench {
    let mut bench = Bench::start();
    lock(&bench.world.refused).extend((1..=OF_A_CAUSE).map(conversation));
    for number in 1..=OF_A_CAUSE {
        bench.arrive(arrival(number, 1)).await;
    }
    bench.until("one cause is on record", |health| health.sync_errors.pending == OF_A_CAUSE && health.idle()).await;
    bench.mood(if matches!(task, Task::Resync { .. }) { Mood::Good } else { Mood::Refuses });
    for number in OF_A_CAUSE + 1..=2 * OF_A_CAUSE {
        bench.arrive(arrival(number, 1)).await;
    }
    bench.until("all are", |health| health.idle() && health.unmerged == 0).await;
    bench.mood(Mood::Good);
    if matches!(task, Task::Reopen { .. }) {
        let query = ErrorQuery::of_org(org(), [State::Pending]);
        bench.operate(Task::Ignore { reason: "many".to_owned() }, &query).await.expect("it begins");
        bench.until("all are ignored", |health| health.sync_errors.ignored == 2 * OF_A_CAUSE && health.idle()).await;
    }
    bench
}

/// What an operation came to; `None` where it never began.
async fn outcome(bench: &Bench, id: &OperationId) -> Option<Outcome> {
    let (_, _, report) = bench.ledger.operation(id).await.expect("it is read").pop()?;
    assert!(report.ended_at.is_some(), "it ended: {report:?}");
    let mut conversations = Vec::new();
    for number in 1..=2 * OF_A_CAUSE {
        let pages = bench.ledger.audit_pages(&org(), &conversation(number)).await.expect("an audit");
        let facts = pages.iter().flat_map(|(_, page)| &page.entries).map(|entry| format!("{:?}", entry.fact));
        conversations.push((bench.state(number).await, facts.filter(|fact| fact.contains("ann")).collect()));
    }
    let at = Timestamp::default();
    let report = Operation { id: OperationId::begun(at, 0), as_of: at, ended_at: Some(at), ..report };
    Some(Outcome { report, conversations })
}

/// Lets an operation begin and the lane end at its commit of this number. Answers whether it had so many, and what the operation
/// came to after the next start.
async fn ended_at(task: &Task, commit: usize, point: Point, end: End) -> (bool, Option<Outcome>) {
    let bench = with_errors(task).await;
    let gate = Arc::new(Semaphore::new(0));
    let query = ErrorQuery::of_org(org(), task.states().iter().copied());
    let operation = bench.operation(task.clone(), &query).await.expect("a plan");
    let id = operation.id.clone();
    bench.store.plan([Fault::at(point).skipping(commit).waiting_for(Arc::clone(&gate))]);
    let over = async {
        let is_over = |found: Vec<(_, _, Operation)>| found.iter().any(|(_, _, it)| it.ended_at.is_some());
        while bench.store.struck() == 0 && !is_over(bench.ledger.operation(&id).await.expect("it is read")) {
            tokio::task::yield_now().await;
        }
    };
    let (told, ()) = tokio::join!(
        async {
            let stuck = async {
                while bench.store.struck() == 0 {
                    tokio::task::yield_now().await;
                }
            };
            tokio::select! {
                answer = bench.begin(operation) => answer.is_some(),
                () = stuck => false,
            }
        },
        over
    );
    let struck = bench.store.struck() > 0;
    bench.store.plan([]);
    let mut bench = match end {
        End::Kill => bench.kill().await,
        End::Stop => {
            gate.add_permits(1_000);
            bench.restart().await
        }
    };
    bench.settled().await;
    bench.verify().await;
    let outcome = outcome(&bench, &id).await;
    assert!(!told || outcome.is_some(), "whoever was told that it began finds it");
    (struck, outcome)
}

fn each_commit_of(task: &Task) {
    alone(async {
        let (struck, whole) = ended_at(task, usize::MAX, Point::BeforeCommit, End::Stop).await;
        let whole = whole.expect("it began");
        assert!(!struck && whole.report.done > 0, "{whole:?}");
        let mut commits = 0;
        loop {
            let mut struck = false;
            for (point, end) in [
                (Point::BeforeCommit, End::Kill),
                (Point::AfterCommit, End::Kill),
                (Point::BeforeCommit, End::Stop),
                (Point::AfterCommit, End::Stop),
            ] {
                let (reached, outcome) = ended_at(task, commits, point, end).await;
                struck |= reached;
                match outcome {
                    Some(outcome) => assert_eq!(outcome, whole, "{end:?} at commit {commits}, {point:?}"),
                    None => {
                        assert_eq!((commits, point), (0, Point::BeforeCommit), "it is on record by its first commit")
                    }
                }
            }
            if !struck {
                break;
            }
            commits += 1;
        }
        assert!(commits > 1, "it has a commit that begins it and one that ends it");
    });
}

#[test]
fn a_retry_comes_to_the_same_end_wherever_its_lane_is_killed_or_stopped() {
    each_commit_of(&Task::Retry);
}

#[test]
fn an_ignore_comes_to_the_same_end_wherever_its_lane_is_killed_or_stopped() {
    each_commit_of(&Task::Ignore { reason: "many".to_owned() });
}

#[test]
fn a_reopen_comes_to_the_same_end_wherever_its_lane_is_killed_or_stopped() {
    each_commit_of(&Task::Reopen { undoes: None, since: None });
}

#[test]
fn an_undo_comes_to_the_same_end_wherever_its_lane_is_killed_or_stopped() {
    // The first operation of the lane ignored them.
    each_commit_of(&Task::Reopen { undoes: Some(1), since: None });
}

#[test]
fn an_assignment_comes_to_the_same_end_wherever_its_lane_is_killed_or_stopped() {
    each_commit_of(&Task::Assign { assignee: Some("bo".to_owned()) });
}

#[test]
fn a_resync_comes_to_the_same_end_wherever_its_lane_is_killed_or_stopped() {
    each_commit_of(&Task::Resync { query: ResyncQuery::default() });
}

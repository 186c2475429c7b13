//! Operations over the same sync errors that begin at the same moment.

use std::time::Duration;

use super::bench::{Bench, Mood, alone, arrival, conversation, org};
use crate::domain::{ErrorQuery, Fact, Operation, Retried, State, Task};

const COUNT: u64 = 12;

/// A lane with so many sync errors of one cause.
async fn with_errors() -> (Bench, ErrorQuery) {
    let mut bench = Bench::start();
    bench.mood(Mood::Refuses);
    for number in 1..=COUNT {
        bench.arrive(arrival(number, 1)).await;
    }
    bench.until("all are on record", |health| health.sync_errors.pending == COUNT && health.idle()).await;
    (bench, ErrorQuery::of_org(org(), [State::Pending, State::Retrying]))
}

/// How often each was asked to be retried.
async fn asked(bench: &Bench) -> Vec<usize> {
    let mut all = Vec::new();
    for number in 1..=COUNT {
        let id = conversation(number);
        let pages = bench.ledger.audit_pages(&org(), &id).await.unwrap();
        let entries = pages.iter().flat_map(|(_, page)| &page.entries);
        all.push(entries.filter(|entry| matches!(entry.fact, Fact::RetryAsked { .. })).count());
    }
    all
}

async fn report(bench: &Bench, of: &Operation) -> Operation {
    bench.ledger.operation(&of.id).await.unwrap().pop().expect("it is on record").2
}

#[test]
fn of_two_retries_at_once_each_leaves_alone_what_the_other_is_about_to_try() {
    alone(async {
        let (mut bench, query) = with_errors().await;
        bench.mood(Mood::Good);
        let attempts = bench.attempts();
        let (one, other) = tokio::join!(bench.operate(Task::Retry, &query), bench.operate(Task::Retry, &query));
        bench.settled().await;
        let (one, other) = (report(&bench, &one.unwrap()).await, report(&bench, &other.unwrap()).await);
        assert_eq!(asked(&bench).await, [1; COUNT as usize]);
        assert_eq!((one.done + other.done, bench.attempts() - attempts), (COUNT, COUNT as usize));
        for of in [one, other] {
            assert_eq!(of.retried.get(&Retried::Passed).copied().unwrap_or(0), of.done, "{of:?}");
            assert_eq!((of.matched, of.ended_at.is_some()), (Some(of.done + of.skipped), true), "{of:?}");
        }
        bench.verify().await;
    });
}

#[test]
fn a_retry_that_begins_later_takes_over_what_hangs_since_before() {
    alone(async {
        let (mut bench, query) = with_errors().await;
        bench.mood(Mood::Hangs);
        let one = bench.operate(Task::Retry, &query).await.unwrap();
        bench.until("the first of the cause are on their way", |health| health.sending == 3).await;
        // Whatever they were sent by may have been mended meanwhile.
        bench.pass(Duration::from_secs(1)).await;
        let other = bench.operate(Task::Retry, &query).await.unwrap();
        bench.until("others are on their way", |health| health.sending == 6).await;
        assert_eq!(report(&bench, &one).await.retried, [(Retried::Changed, 3)].into());
        assert_eq!(report(&bench, &other).await.done, 3);
    });
}

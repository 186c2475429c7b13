//! A person has a conversation forgotten, and the lane ends before or after it has written that.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::bench::{Bench, Mood, START, alone, arrival, conversation, lock, org};
use crate::domain::{Arrival, ErrorQuery, Operation, OperationStatus, State, Task, Timestamp};
use crate::engine::command::Ask;
use crate::ledger::Paging;
use crate::store::{Batch, Fault, Point, Store, export};

async fn kept(bench: &Bench) -> String {
    let mut lines = Vec::new();
    export(bench.store.as_ref(), &mut lines).await.expect("an export");
    String::from_utf8(lines).expect("text")
}

/// Somebody's words, which are refused.
async fn with_words() -> Bench {
    let mut bench = Bench::start();
    lock(&bench.world.refused).insert(conversation(1));
    let mut said = arrival(1, 1);
    said.customer.name = Some("Jane Doe".to_owned());
    said.messages[0].body = "words of Jane".to_owned();
    bench.arrive(said).await;
    bench.until("it is on record", |health| health.sync_errors.pending == 1 && health.idle()).await;
    bench
}

fn erasing(at: Timestamp) -> Arrival {
    let of = arrival(1, 1);
    Arrival::erasing(of.conversation, (of.source, of.account, of.message), "ann", at)
}

#[test]
fn what_a_person_had_forgotten_is_forgotten_once_wherever_its_lane_is_killed_or_stopped() {
    alone(async {
        for (point, kill) in
            [Point::BeforeCommit, Point::AfterCommit].into_iter().flat_map(|point| [(point, true), (point, false)])
        {
            let mut bench = with_words().await;
            let gate = Arc::new(Semaphore::new(0));
            // The first commit is the inbox's.
            bench.store.plan([Fault::at(point).skipping(1).waiting_for(Arc::clone(&gate))]);
            assert!(bench.arrive(erasing(Timestamp::from_millis(START))).await);
            while bench.store.struck() == 0 {
                tokio::task::yield_now().await;
            }
            bench.store.plan([]);
            let mut bench = match kill {
                true => bench.kill().await,
                false => {
                    gate.add_permits(1_000);
                    bench.restart().await
                }
            };
            bench.settled().await;
            let all = kept(&bench).await;
            assert!(!all.contains("Jane") && !all.contains("jane"), "{point:?}: {all}");
            let pages = bench.ledger.audit_pages(&org(), &conversation(1)).await.unwrap();
            let facts: Vec<_> =
                pages.iter().flat_map(|(_, page)| &page.entries).map(|it| format!("{:?}", it.fact)).collect();
            assert_eq!(
                facts.iter().filter(|fact| fact.contains("Erased") && fact.contains("ann")).count(),
                1,
                "{facts:?}"
            );
            bench.verify().await;
        }
    });
}

#[test]
fn a_sync_error_that_is_over_is_found_by_the_name_of_who_is_forgotten_no_more_and_tells_nothing_new() {
    alone(async {
        let mut bench = with_words().await;
        lock(&bench.world.refused).clear();
        bench.about(1, Ask::Retry).await.unwrap().unwrap();
        bench.until("it is over", |health| health.sync_errors.resolved == 1 && health.idle()).await;
        let told = bench.ledger.lane_state(&org()).await.unwrap().unwrap().events;
        bench.arrive(erasing(Timestamp::from_millis(START))).await;
        bench.until("it is forgotten", |health| health.unmerged == 0).await;
        let all = kept(&bench).await;
        assert!(!all.contains("Jane") && !all.contains("jane"), "{all}");
        assert_eq!(bench.ledger.lane_state(&org()).await.unwrap().unwrap().events, told, "no sync error has opened");
        bench.verify().await;
    });
}

#[test]
fn operations_that_name_who_is_forgotten_name_nobody_any_more_and_what_was_about_them_is_cancelled() {
    alone(async {
        let mut bench = with_words().await;
        let all = ErrorQuery::of_org(org(), [State::Pending, State::Retrying]);
        let of = |text: &str| ErrorQuery { customer: Some(text.to_owned()), ..all.clone() };
        // Nothing gets through, so that retries wait.
        bench.mood(Mood::Dead);
        bench.arrive(arrival(2, 1)).await;
        bench.until("it is parked", |health| health.parked == 1).await;
        let waits = bench.operate(Task::Retry, &of("Jane Doe")).await.unwrap();
        let paused = bench.operate(Task::Retry, &of("jane d")).await.unwrap();
        bench.steer(&paused.id, OperationStatus::Paused).await.unwrap();
        let others = bench.operate(Task::Retry, &of("jan")).await.unwrap();
        let ignore = Task::Ignore { reason: "Mrs. DOE asked for it".to_owned() };
        let ended = bench.operate(ignore, &all).await.unwrap();
        bench.until("it is ignored", |health| health.sync_errors.ignored == 1).await;
        assert!(kept(&bench).await.contains("DOE"));
        bench.arrive(erasing(Timestamp::from_millis(START))).await;
        bench.until("it is forgotten", |health| health.unmerged == 0).await;
        let on_record = async |of: &Operation| bench.ledger.operation(&of.id).await.unwrap().pop().unwrap().2;
        for of in [&waits, &paused] {
            let of = on_record(of).await;
            assert_eq!(
                (of.status, of.query.customer.as_deref()),
                (OperationStatus::Cancelled, Some("(erased)")),
                "{of:?}"
            );
            assert!(of.ended_at.is_some(), "{of:?}");
        }
        assert_eq!(on_record(&others).await.status, OperationStatus::Running, "a first name is that of others too");
        let ended = on_record(&ended).await;
        assert_eq!((ended.task, ended.done), (Task::Ignore { reason: "(erased)".to_owned() }, 1));
        let kept = kept(&bench).await.to_lowercase();
        assert!(!kept.contains("doe") && !kept.contains("jane"), "{kept}");
        bench.verify().await;
    });
}

#[test]
fn a_conversation_whose_record_cannot_be_read_is_found_and_forgotten_with_its_sync_errors() {
    alone(async {
        let mut bench = with_words().await;
        let mut batch = Batch::default();
        batch.put("conversation/acme/main:1", "{\"9\":\"words of Jane\"}");
        bench.store.commit(batch).await.unwrap();
        let found = bench.ledger.find_customer(&[org()], "main:1").await.unwrap();
        assert!(found.items.len() == 1 && found.items[0].conversation.is_none() && found.is_complete);
        bench.arrive(erasing(Timestamp::from_millis(START))).await;
        bench.settled().await;
        let page = bench.ledger.sync_errors(&ErrorQuery::default(), &Paging::first(10)).await.unwrap();
        assert_eq!((page.items[0].refusal.text.as_str(), &page.items[0].person), ("(erased)", &None));
        let all = kept(&bench).await;
        assert!(!all.contains("Jane") && !all.contains("jane"), "{all}");
        bench.verify().await;
    });
}

#[test]
fn customers_of_a_store_without_their_index_are_found_after_the_next_start() {
    alone(async {
        let bench = with_words().await;
        let mut batch = Batch::default();
        for (name, value) in bench.store.range(crate::store::Range::of("customer/acme/", 10)).await.unwrap() {
            assert!(value.is_empty());
            batch.delete(name);
        }
        assert!(!batch.is_empty(), "there is an index");
        let (name, value) = bench.store.range(crate::store::Range::of("lane/acme", 1)).await.unwrap().remove(0);
        let value = String::from_utf8(value).unwrap().replace("\"indexes\":5", "\"indexes\":3");
        batch.put(name, value);
        bench.store.commit(batch).await.unwrap();
        let mut bench = bench.kill().await;
        bench.settled().await;
        let found = bench.ledger.find_customer(&[org()], "jane").await.unwrap();
        assert_eq!(found.items.len(), 1);
        bench.verify().await;
    });
}

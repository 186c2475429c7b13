//! One record that cannot be read or written stays with itself: everything else goes on.

use std::time::Duration;

use super::bench::{Bench, alone, ann, arrival, conversation, lock, org};
use crate::domain::{Arrival, Attribute, ErrorQuery, Message, State};
use crate::engine::command::{Ask, Command};
use crate::engine::{Error, OrgHealth};
use crate::ledger::{Paging, Quarantined};
use crate::store::{Batch, Fault, Point, Store};

async fn damage(bench: &Bench, key: &str) {
    let mut batch = Batch::default();
    batch.put(key, "{\"9\":{\"of\":\"a later release\"}}");
    bench.store.commit(batch).await.unwrap();
}

async fn set_aside(bench: &Bench) -> Vec<String> {
    bench.ledger.quarantine(None, 100).await.unwrap().entries.into_iter().map(|entry| entry.key).collect()
}

#[test]
fn a_record_that_cannot_be_read_is_set_aside_and_the_next_conversation_goes_through() {
    alone(async {
        let keys = ["conversation/acme/main:1", "delivery/acme/main:1", "audit/acme/main:1/000000", "team/acme/ff"];
        for key in keys {
            let mut bench = Bench::start();
            bench.arrive(arrival(1, 1)).await;
            bench.settled().await;
            damage(&bench, key).await;
            println!("{key}");
            bench.arrive(arrival(1, 2)).await;
            bench.arrive(arrival(2, 1)).await;
            bench.settled().await;
            assert_eq!(lock(&bench.world.written).len(), 2, "{key}");
            let known = bench.ledger.conversation(&org(), &conversation(1)).await.unwrap().unwrap();
            assert!(
                known.messages.iter().any(|message| message.id.as_str() == "main:1-2"),
                "{key}: it is on record anew"
            );
            let mut bench = bench.restart().await;
            bench.arrive(arrival(3, 1)).await;
            bench.settled().await;
            if !key.starts_with("team") {
                assert_eq!(set_aside(&bench).await, [key]);
            }
        }
    });
}

#[test]
fn an_arrival_that_cannot_be_read_is_set_aside_and_stays_there_until_it_can_be_read() {
    alone(async {
        let mut bench = Bench::start();
        damage(&bench, "inbox/acme/00000000000000000000").await;
        bench.arrive(arrival(1, 1)).await;
        bench.settled().await;
        let entry = entry(&bench).await;
        assert_eq!(entry.key, "inbox/acme/00000000000000000000");
        assert!(String::from_utf8(entry.value.clone()).unwrap().contains("a later release"));
        let refused = bench.put_back(entry).await.unwrap_err().to_string();
        assert!(refused.contains("inbox/acme/00000000000000000000 cannot be understood"), "{refused}");
        assert_eq!(set_aside(&bench).await.len(), 1);
    });
}

/// The one entry of the quarantine, with what it holds.
async fn entry(bench: &Bench) -> Quarantined {
    let entries = bench.ledger.quarantine(None, 10).await.unwrap().entries;
    assert_eq!(entries.len(), 1, "{entries:?}");
    bench.ledger.quarantined(&entries[0].id).await.unwrap().unwrap()
}

#[test]
fn what_can_be_read_again_goes_back_with_its_index_and_its_count() {
    alone(async {
        for noun in ["delivery/acme/main:1", "error/", "conversation/acme/main:1"] {
            let mut bench = Bench::start();
            lock(&bench.world.refused).insert(conversation(1));
            bench.arrive(arrival(1, 1)).await;
            bench.until("it is on record", |health| health.sync_errors.pending == 1 && health.idle()).await;
            let (key, value) = bench.store.scan(noun.as_bytes(), None, 1).unwrap().remove(0);
            let key = String::from_utf8(key).unwrap();
            damage(&bench, &key).await;
            // Nothing but a retry looks at it, and finds that there is nothing to retry.
            bench.retry_all().await;
            println!("{key}");
            let retried = noun.starts_with("conversation/");
            // What cannot be retried waits for a person again.
            let done = |health: &OrgHealth| health.idle() && (!retried || health.sync_errors.retrying == 0);
            bench.until("all is done", done).await;
            let found = entry(&bench).await;
            assert_eq!(found.key, key);
            let mended = Quarantined { value, ..found };
            bench.put_back(mended).await.unwrap();
            assert!(set_aside(&bench).await.is_empty(), "{key}");
            bench.until("all is done", |health| health.idle()).await;
            bench.verify().await;
        }
    });
}

#[test]
fn how_an_organization_stands_is_counted_anew_where_it_cannot_be_read() {
    alone(async {
        let mut bench = Bench::start();
        lock(&bench.world.refused).insert(conversation(1));
        bench.arrive(arrival(1, 1)).await;
        bench.arrive(arrival(2, 1)).await;
        bench.until("one is on record", |health| health.sync_errors.pending == 1 && health.idle()).await;
        damage(&bench, "lane/acme").await;
        let mut bench = bench.kill().await;
        bench.until("it is counted", |health| health.sync_errors.pending == 1 && health.idle()).await;
        bench.arrive(arrival(3, 1)).await;
        bench.settled().await;
        bench.verify().await;
    });
}

#[test]
fn a_sync_error_that_cannot_be_read_leaves_the_list_to_the_others() {
    alone(async {
        let mut bench = Bench::start();
        lock(&bench.world.refused).extend([conversation(1), conversation(2)]);
        bench.arrive(arrival(1, 1)).await;
        bench.arrive(arrival(2, 1)).await;
        bench.until("both are on record", |health| health.sync_errors.pending == 2 && health.idle()).await;
        let list = bench.ledger.error_list(&org(), State::Pending, None, 10).await.unwrap();
        damage(&bench, &format!("error/{}", list[0].id)).await;
        let page = bench.ledger.sync_errors(&ErrorQuery::default(), &Paging::first(10)).await.unwrap();
        assert_eq!(page.items.len(), 1);
        lock(&bench.world.refused).clear();
        for number in [1, 2] {
            bench.arrive(arrival(number, 2)).await;
        }
        bench.until("both are in", |health| health.idle()).await;
        assert_eq!(lock(&bench.world.written).len(), 2);
    });
}

/// The three calls that stopped an organization for ever: each text within its bound, and all of them together not.
#[test]
fn a_conversation_that_is_too_large_is_a_sync_error_of_its_own_and_the_next_one_goes_through() {
    alone(async {
        let quotes = "\"".repeat(2040);
        let listed: Vec<_> = (0..100).map(|_| Attribute { name: quotes.clone(), value: quotes.clone() }).collect();
        let mut bench = Bench::start();
        let mut authors = arrival(1, 1);
        let line = authors.messages[0].clone();
        authors.messages.extend((0..195).map(|number| Message {
            id: format!("main:1-a{number}").parse().unwrap(),
            author: quotes.clone(),
            body: "x".repeat(1000),
            ..line.clone()
        }));
        let mut of_the_customer = arrival(1, 2);
        of_the_customer.customer.attributes = listed.clone();
        let mut of_the_conversation = arrival(1, 3);
        of_the_conversation.attributes = listed;
        for one in [authors, of_the_customer, of_the_conversation] {
            assert!(bench.arrive(one.bounded()).await);
        }
        bench.arrive(arrival(2, 1)).await;
        let health = bench.until("the next one is in", |health| health.idle()).await;
        assert!(lock(&bench.world.written).contains_key(&conversation(2)));
        assert_eq!(health.sync_errors.pending, 1);
        let list = bench.ledger.error_list(&org(), State::Pending, None, 10).await.unwrap();
        assert_eq!((list[0].code.as_str(), list[0].conversation.as_str()), ("CONVERSATION_TOO_LARGE", "main:1"));
        let entries = bench.ledger.quarantine(None, 10).await.unwrap().entries;
        assert!(!entries.is_empty() && entries.iter().all(|entry| entry.reason.contains("bytes")), "{entries:?}");
        // What comes later and fits gets through, and ends the sync error.
        bench.arrive(arrival(1, 4)).await;
        bench.until("it is over", |health| health.sync_errors.resolved == 1 && health.idle()).await;
        bench.about(1, Ask::Retry).await;
        bench.verify().await;
    });
}

#[test]
fn a_store_that_fails_for_a_while_loses_nothing_and_is_asked_with_pauses() {
    alone(async {
        for point in [Point::Read, Point::BeforeCommit, Point::AfterCommit] {
            let mut bench = Bench::start();
            bench.arrive(arrival(1, 1)).await;
            bench.settled().await;
            bench.arrive(arrival(2, 1)).await;
            let plan = match point {
                Point::Read => Fault::at(point).of("inbox/"),
                _ => Fault::at(point).of("lane/"),
            };
            bench.store.plan([plan]);
            bench.arrive(arrival(3, 1)).await;
            // With pauses of up to 40 ms a second has some 30 tries; without any it has thousands.
            let _ = tokio::time::timeout(Duration::from_secs(1), std::future::pending::<()>()).await;
            let struck = bench.store.struck();
            assert!((1..100).contains(&struck), "{point:?}: a second has {struck} tries");
            bench.store.plan([]);
            bench.settled().await;
            assert_eq!(lock(&bench.world.written).len(), 3, "{point:?}");
            bench.verify().await;
        }
    });
}

#[test]
fn an_organization_that_is_not_configured_any_more_keeps_its_sync_errors_and_attempts_nothing() {
    alone(async {
        let mut bench = Bench::start();
        lock(&bench.world.refused).insert(conversation(1));
        bench.arrive(arrival(1, 1)).await;
        bench.until("it is on record", |health| health.sync_errors.pending == 1 && health.idle()).await;
        let mut bench = bench.depart().await;
        bench.until("it is known", |health| health.sync_errors.pending == 1).await;
        let attempts = bench.attempts();
        bench.about(1, Ask::Retry).await.unwrap().unwrap();
        bench.pass(Duration::from_secs(3_600)).await;
        assert_eq!(bench.attempts(), attempts);
        assert_eq!(bench.about(1, Ask::Ignore("gone".to_owned())).await.unwrap().unwrap().state, State::Ignored);
        let mut bench = bench.kill().await;
        bench.arrive(arrival(2, 1)).await;
        bench.until("it is back", |health| health.idle()).await;
        assert_eq!(bench.state(1).await, Some(State::Ignored));
        bench.verify().await;
    });
}

#[test]
fn a_read_that_fails_while_something_is_to_be_forgotten_leaves_no_words_in_a_sync_error() {
    alone(async {
        let mut bench = Bench::start();
        lock(&bench.world.refused).insert(conversation(1));
        bench.arrive(arrival(1, 1)).await;
        bench.until("it is on record", |health| health.sync_errors.pending == 1 && health.idle()).await;
        bench.store.plan([Fault::at(Point::Read).of("delivery/acme/main:1").times(1)]);
        let forget = Arrival { event: 2, erase: true, ..arrival(1, 1) };
        bench.arrive(forget).await;
        bench.until("it is forgotten", |health| health.idle()).await;
        assert_eq!(bench.store.struck(), 1);
        let page = bench.ledger.sync_errors(&ErrorQuery::default(), &Paging::first(10)).await.unwrap();
        assert_eq!(page.items[0].refusal.text, "(erased)");
    });
}

#[test]
fn what_was_set_aside_of_a_conversation_is_forgotten_with_it_and_nothing_else() {
    alone(async {
        let mut bench = Bench::start();
        for number in [1, 12] {
            bench.arrive(arrival(number, 1)).await;
        }
        bench.settled().await;
        damage(&bench, "conversation/acme/main:1").await;
        damage(&bench, "audit/acme/main:1/000000").await;
        damage(&bench, "conversation/acme/main:12").await;
        for number in [1, 12] {
            bench.arrive(arrival(number, 2)).await;
        }
        bench.settled().await;
        assert_eq!(set_aside(&bench).await.len(), 3);
        bench.arrive(Arrival { event: 2, erase: true, ..arrival(1, 2) }).await;
        bench.settled().await;
        assert_eq!(set_aside(&bench).await, ["conversation/acme/main:12"]);
        // What cannot be read is found by the turn that forgets.
        let mut batch = Batch::default();
        batch.put("conversation/acme/main:12", "{\"2\":\"the words of a customer");
        bench.store.commit(batch).await.unwrap();
        bench.arrive(Arrival { event: 3, erase: true, ..arrival(12, 2) }).await;
        bench.settled().await;
        let entry = entry(&bench).await;
        assert_eq!((entry.reason.as_str(), entry.value.len()), ("(erased)", 0));
    });
}

#[test]
fn a_key_of_an_index_that_cannot_be_understood_is_removed_and_stops_nobody() {
    alone(async {
        let mut bench = Bench::start();
        let keys: [&[u8]; 4] =
            [b"ready/acme/new/x/main:1", b"due/acme/000/\xff", b"parked/acme/y/ ", b"age/acme/z/main:1"];
        let mut batch = Batch::default();
        keys.iter().for_each(|key| batch.put(*key, ""));
        bench.store.commit(batch).await.unwrap();
        let mut bench = {
            bench.arrive(arrival(1, 1)).await;
            bench.restart().await
        };
        bench.arrive(arrival(2, 1)).await;
        bench.settled().await;
        assert_eq!(lock(&bench.world.written).len(), 2);
        assert_eq!(bench.ledger.aged(&org(), u32::MAX, 10).await.unwrap().len(), 2);
        bench.verify().await;
    });
}

#[test]
fn whoever_asked_is_answered_though_the_recount_behind_the_commit_fails() {
    alone(async {
        let mut bench = Bench::start();
        lock(&bench.world.refused).insert(conversation(1));
        bench.arrive(arrival(1, 1)).await;
        bench.until("it is on record", |health| health.sync_errors.pending == 1 && health.idle()).await;
        let list = bench.ledger.error_list(&org(), State::Pending, None, 10).await.unwrap();
        damage(&bench, "delivery/acme/main:1").await;
        // The turn's own read of it succeeds.
        bench.store.plan([Fault::at(Point::Read).of("delivery/acme/main:1").skipping(1).times(1)]);
        let (id, conversation, by) = (list[0].id.clone(), conversation(1), ann());
        let answer =
            bench.ask(|reply| Command::Error { id, conversation, ask: Ask::Retry, by, trace: None, reply }).await;
        assert!(matches!(answer, Some(Err(Error::NoSuchError(_)))), "nobody is told that the host stops: {answer:?}");
        bench.arrive(arrival(2, 1)).await;
        let health = bench.settled().await;
        assert_eq!((bench.store.struck(), health.sync_errors.pending), (1, 1));
    });
}

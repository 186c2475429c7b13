//! That a fault strikes where and when its plan says.

use super::*;
use crate::store::MemoryStore;

fn faulty() -> FaultyStore {
    FaultyStore::new(Arc::new(MemoryStore::default()))
}

fn put(key: &str) -> Batch {
    let mut batch = Batch::default();
    batch.put(key, "x");
    batch
}

async fn there(store: &FaultyStore, key: &str) -> bool {
    store.below.get_many(vec![key.into()]).await.unwrap()[0].is_some()
}

#[tokio::test]
async fn a_commit_fails_before_it_is_written_or_after_and_the_host_is_not_ready_until_one_succeeds() {
    let store = faulty();
    store.plan([Fault::at(Point::BeforeCommit).times(1)]);
    assert!(matches!(store.commit(put("a")).await, Err(Error::Failed(_))));
    assert!(!store.healthy() && !there(&store, "a").await);
    store.plan([Fault::at(Point::AfterCommit).times(1)]);
    assert!(matches!(store.commit(put("b")).await, Err(Error::Failed(_))));
    assert!(!store.healthy() && there(&store, "b").await);
    store.commit(put("a")).await.unwrap();
    assert!(store.healthy());
    assert_eq!(store.struck(), 2);
}

#[tokio::test]
async fn a_fault_strikes_keys_of_its_prefix_and_the_operation_that_is_its_turn() {
    let store = faulty();
    store.plan([Fault::at(Point::Read).of("a/"), Fault::at(Point::BeforeCommit).skipping(1).times(1)]);
    store.commit(put("a/1")).await.unwrap();
    store.commit(put("b/1")).await.unwrap_err();
    store.commit(put("b/1")).await.unwrap();
    assert!(store.get(b"a/1").is_err() && store.get(b"b/1").is_ok());
    assert!(store.get_many(vec!["b/1".into(), "a/1".into()]).await.is_err());
    assert!(store.scan(b"", None, 1).is_err(), "a scan of everything touches it too");
    assert!(store.range(Range::of("a/1/", 1)).await.is_err());
    assert!(store.range(Range::of("b/", 1)).await.is_ok());
    store.plan([]);
    assert!(store.get(b"a/1").unwrap().is_some());
}

#[tokio::test]
async fn a_slow_commit_waits_for_its_gate_and_the_next_plan_lets_others_through() {
    let (store, gate) = (Arc::new(faulty()), Arc::new(Semaphore::new(0)));
    store.plan([Fault::at(Point::BeforeCommit).waiting_for(Arc::clone(&gate))]);
    let slow = tokio::spawn({
        let store = Arc::clone(&store);
        async move { store.commit(put("a")).await }
    });
    while store.struck() == 0 {
        tokio::task::yield_now().await;
    }
    store.plan([]);
    store.commit(put("b")).await.unwrap();
    assert!(there(&store, "b").await && !there(&store, "a").await && !slow.is_finished());
    gate.add_permits(1);
    slow.await.unwrap().unwrap();
    assert!(there(&store, "a").await);
}

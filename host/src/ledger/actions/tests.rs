//! Lists of actions: newest first, in pages, narrowed; and what is too old is forgotten from the oldest on.

use std::sync::Arc;

use super::*;
use crate::domain::{Asker, Via};
use crate::store::MemoryStore;

fn asker(name: &str) -> Asker {
    Asker::new(name, Via::Api, Some([127, 0, 0, 1].into()))
}

fn action(at: u64, name: &str, what: Deed) -> Action {
    Action { order: action_order(), ..Action::new(&asker(name), what, Timestamp::from_millis(at)) }
}

/// A ledger with ten actions: one each second from the first on, by two people in turn.
async fn ledger() -> Ledger {
    let ledger = Ledger::new(Arc::new(MemoryStore::default()));
    for number in 1..=10 {
        let (name, what) = if number % 2 == 0 { ("ann", Deed::Retry) } else { ("bob", Deed::SignIn) };
        ledger.keep_action(&action(number * 1_000, name, what)).await.unwrap();
    }
    ledger
}

/// The seconds of all actions that match, over as many pages as it takes.
async fn seconds(ledger: &Ledger, filter: &ActionFilter, limit: usize) -> Vec<u64> {
    let (mut all, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let page = ledger.actions(filter, cursor.as_deref(), limit).await.unwrap();
        assert!(page.actions.len() <= limit && page.actions.iter().all(|(id, _)| is_action_id(id)), "{page:?}");
        all.extend(page.actions.iter().map(|(_, action)| action.at.as_millis() / 1_000));
        cursor = page.next;
        match &cursor {
            Some(next) => assert!(is_action_id(next), "{next}"),
            None => return all,
        }
    }
}

#[tokio::test]
async fn actions_are_listed_newest_first_in_pages_and_narrowed() {
    let (ledger, at) = (ledger().await, |second: u64| Some(Timestamp::from_millis(second * 1_000)));
    for limit in [1, 3, 10, 500] {
        let all = ActionFilter::default();
        assert_eq!(seconds(&ledger, &all, limit).await, (1..=10).rev().collect::<Vec<_>>());
        let ann = ActionFilter { by: Some("ann".to_owned()), ..ActionFilter::default() };
        assert_eq!(seconds(&ledger, &ann, limit).await, [10, 8, 6, 4, 2]);
        let some = ActionFilter { what: Some(Deed::SignIn), since: at(3), before: at(9), ..ActionFilter::default() };
        assert_eq!(seconds(&ledger, &some, limit).await, [7, 5, 3]);
        let acme = ActionFilter { orgs: Some([OrgId::new("acme").unwrap()].into()), ..ActionFilter::default() };
        assert!(seconds(&ledger, &acme, limit).await.is_empty());
        let about = ActionFilter { subject: Some("se-1".to_owned()), ..ActionFilter::default() };
        assert!(seconds(&ledger, &about, limit).await.is_empty(), "none is about that");
    }
}

#[tokio::test]
async fn a_page_looks_at_a_bounded_number_and_says_how_to_go_on() {
    let ledger = Ledger::new(Arc::new(MemoryStore::default()));
    let mut batch = Batch::default();
    for number in 0..LOOKED_AT as u64 + 10 {
        put(&mut batch, &action(number, "ann", Deed::Retry));
    }
    ledger.store.commit(batch).await.unwrap();
    let bob = ActionFilter { by: Some("bob".to_owned()), ..ActionFilter::default() };
    let first = ledger.actions(&bob, None, 50).await.unwrap();
    assert!(first.actions.is_empty());
    let second = ledger.actions(&bob, first.next.as_deref(), 50).await.unwrap();
    assert!(second.actions.is_empty() && second.next.is_none());
}

#[tokio::test]
async fn the_same_action_with_another_count_is_one_and_an_unreadable_one_is_left_out() {
    let ledger = Ledger::new(Arc::new(MemoryStore::default()));
    let refused = action(1_000, "", Deed::SignInRefused);
    ledger.keep_action(&refused).await.unwrap();
    ledger.keep_action(&refused.clone().counting(7)).await.unwrap();
    let mut batch = Batch::default();
    batch.put(key::action(Timestamp::from_millis(2_000), 1), "{\"9\":{}}");
    ledger.store.commit(batch).await.unwrap();
    let page = ledger.actions(&ActionFilter::default(), None, 50).await.unwrap();
    let counts: Vec<_> = page.actions.iter().map(|(_, action)| action.count).collect();
    assert_eq!(counts, [7]);
}

#[tokio::test]
async fn what_is_too_old_is_forgotten_a_part_at_a_time_from_the_oldest_on() {
    let (ledger, before) = (ledger().await, Timestamp::from_millis(6_000));
    assert_eq!(ledger.forget_actions(before, 3).await.unwrap(), 3);
    assert_eq!(ledger.forget_actions(before, 3).await.unwrap(), 2);
    assert_eq!(ledger.forget_actions(before, 3).await.unwrap(), 0);
    assert_eq!(seconds(&ledger, &ActionFilter::default(), 50).await, [10, 9, 8, 7, 6]);
    assert_eq!(ledger.newest_action().await.unwrap(), Some(Timestamp::from_millis(10_000)));
}

#[test]
fn what_is_no_id_of_an_action_is_no_cursor() {
    let id = id_of(key::action(Timestamp::from_millis(1_790_000_000_000), 7).as_bytes());
    assert_eq!(id, "1790000000000-0000000000000007");
    assert!(is_action_id(&id));
    for bad in ["", "-", "none", "1790000000000", "1790000000000-7", "179000000000é-0000000000000007"] {
        assert!(!is_action_id(bad), "{bad}");
    }
}

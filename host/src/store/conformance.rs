//! The promises of a store, as one suite that runs against every implementation.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::{Batch, Error, FaultyStore, LARGEST_VALUE, MemoryStore, Order, Pair, Range, SledStore, Store, ring};

/// Runs a promise against each store.
fn each(promise: impl Fn(Arc<dyn Store>)) {
    promise(Arc::new(MemoryStore::default()));
    promise(Arc::new(FaultyStore::new(Arc::new(MemoryStore::default()))));
    let folder = tempfile::tempdir().unwrap();
    promise(Arc::new(SledStore::open(folder.path()).unwrap()));
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn batch(writes: &[(&str, Option<&str>)]) -> Batch {
    let mut batch = Batch::default();
    for (key, value) in writes {
        match value {
            Some(value) => batch.put(*key, *value),
            None => batch.delete(*key),
        }
    }
    batch
}

/// Everything, two pairs at a time.
fn in_pages(store: &dyn Store, order: Order) -> Vec<Pair> {
    let mut all: Vec<Pair> = Vec::new();
    loop {
        let after = all.last().map(|(key, _)| key.clone());
        let page = wait(store.range(Range { order, ..Range::of("", 2) }.after(after))).unwrap();
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}

#[test]
fn a_batch_is_written_whole_and_a_later_write_to_a_key_wins() {
    each(|store| {
        wait(store.commit(batch(&[("a", Some("1")), ("b", Some("1")), ("a", Some("2")), ("b", None)]))).unwrap();
        assert_eq!(store.get(b"a").unwrap().as_deref(), Some(&b"2"[..]));
        assert_eq!(store.get(b"b").unwrap(), None);
    });
}

#[test]
fn a_scan_keeps_to_its_prefix_its_order_and_its_limit() {
    each(|store| {
        let all: Vec<_> = ["a/1", "a/2", "a/3", "a0", "b/1"].iter().map(|key| (*key, Some("x"))).collect();
        wait(store.commit(batch(&all))).unwrap();
        let keys = |after: Option<&str>, limit| -> Vec<String> {
            let pairs = store.scan(b"a/", after.map(str::as_bytes), limit).unwrap();
            pairs.into_iter().map(|(key, _)| String::from_utf8(key).unwrap()).collect()
        };
        assert_eq!(keys(None, 10), ["a/1", "a/2", "a/3"]);
        assert_eq!(keys(None, 2), ["a/1", "a/2"]);
        assert_eq!(keys(Some("a/1"), 10), ["a/2", "a/3"]);
        assert_eq!(keys(Some("A"), 10), ["a/1", "a/2", "a/3"], "a cursor before the prefix starts at the prefix");
        assert!(keys(Some("b"), 10).is_empty());
    });
}

#[test]
fn a_value_that_could_not_be_kept_durably_is_refused_and_nothing_of_its_batch_is_written() {
    each(|store| {
        let mut batch = batch(&[("small", Some("x"))]);
        batch.put("large", vec![0; LARGEST_VALUE + 1]);
        assert!(matches!(wait(store.commit(batch)), Err(Error::TooLarge { .. })));
        assert_eq!(store.get(b"small").unwrap(), None);
        let mut fits = Batch::default();
        fits.put("large", vec![7; LARGEST_VALUE]);
        wait(store.commit(fits)).unwrap();
        assert_eq!(store.get(b"large").unwrap().map(|value| value.len()), Some(LARGEST_VALUE));
    });
}

#[test]
fn many_keys_are_answered_in_the_order_in_which_they_were_asked_for() {
    each(|store| {
        wait(store.commit(batch(&[("a", Some("1")), ("b", Some("2"))]))).unwrap();
        let values = wait(store.get_many(["b", "none", "a", "b"].map(Vec::from).to_vec())).unwrap();
        let texts: Vec<_> = values.iter().map(|value| value.as_deref().map(|v| str::from_utf8(v).unwrap())).collect();
        assert_eq!(texts, [Some("2"), None, Some("1"), Some("2")]);
        assert!(wait(store.get_many(Vec::new())).unwrap().is_empty());
    });
}

#[test]
fn a_range_goes_both_ways_within_its_prefix_and_continues_after_a_key() {
    each(|store| {
        let all: Vec<_> = ["a", "a/1", "a/2", "a/3", "a0", "b"].iter().map(|key| (*key, Some("x"))).collect();
        wait(store.commit(batch(&all))).unwrap();
        let read = |range: Range| -> Vec<String> {
            let pairs = wait(store.range(range)).unwrap();
            assert!(pairs.iter().all(|(_, value)| value == b"x"));
            pairs.into_iter().map(|(key, _)| String::from_utf8(key).unwrap()).collect()
        };
        let of = |limit, after: &str| Range::of("a/", limit).after(Some(after.into()));
        assert_eq!(read(Range::of("a/", 9)), ["a/1", "a/2", "a/3"]);
        assert_eq!(read(Range::of("a/", 2)), ["a/1", "a/2"]);
        assert!(read(Range::of("a/", 0)).is_empty());
        assert_eq!(read(of(9, "a/1")), ["a/2", "a/3"]);
        assert_eq!(read(of(9, "a")), ["a/1", "a/2", "a/3"], "a key before the prefix excludes nothing");
        assert!(read(of(9, "a/3")).is_empty() && read(of(9, "b")).is_empty());
        assert_eq!(read(Range::of("a/", 9).backward()), ["a/3", "a/2", "a/1"]);
        assert_eq!(read(Range::of("a/", 1).backward()), ["a/3"]);
        assert_eq!(read(of(9, "a/3").backward()), ["a/2", "a/1"]);
        assert_eq!(read(of(9, "b").backward()), ["a/3", "a/2", "a/1"], "a key behind the prefix excludes nothing");
        assert!(read(of(9, "a/1").backward()).is_empty() && read(of(9, "a/").backward()).is_empty());
        assert!(read(of(9, "a").backward()).is_empty());
        assert_eq!(read(Range::of("", 9).backward()).len(), 6);
    });
}

#[test]
fn a_prefix_of_the_largest_bytes_has_no_end_before_the_end_of_all_keys() {
    each(|store| {
        let mut batch = Batch::default();
        let keys = [vec![254], vec![255], vec![255, 255], vec![255, 255, 255]];
        for key in &keys {
            batch.put(key.clone(), "x");
        }
        wait(store.commit(batch)).unwrap();
        let pairs = wait(store.range(Range::of([255, 255], 9).backward())).unwrap();
        assert_eq!(pairs.into_iter().map(|(key, _)| key).collect::<Vec<_>>(), [keys[3].clone(), keys[2].clone()]);
        assert_eq!(wait(store.range(Range::of([254], 9))).unwrap().len(), 1);
    });
}

#[test]
fn a_page_ends_after_eight_mebibytes_of_values_unless_only_keys_are_read() {
    each(|store| {
        for key in ["a", "b", "c", "d", "e"] {
            let mut batch = Batch::default();
            batch.put(key, vec![7; LARGEST_VALUE]);
            wait(store.commit(batch)).unwrap();
        }
        let first = wait(store.range(Range::of("", 9))).unwrap();
        assert_eq!(first.len(), 4);
        let rest = wait(store.range(Range::of("", 9).after(Some(first[3].0.clone())))).unwrap();
        assert_eq!(
            rest.iter().map(|(key, value)| (&key[..], value.len())).collect::<Vec<_>>(),
            [(&b"e"[..], LARGEST_VALUE)]
        );
        let keys = wait(store.range(Range::of("", 9).keys_only().backward())).unwrap();
        assert_eq!(keys.len(), 5);
        assert!(keys.iter().all(|(_, value)| value.is_empty()));
        assert_eq!(store.scan(b"", None, 9).unwrap().len(), 5);
    });
}

#[test]
fn a_stale_fence_writes_nothing_and_does_no_harm_to_the_commits_beside_it() {
    each(|store| {
        let (old, other) = (store.acquire("lane/acme"), store.acquire("lane/other"));
        wait(store.commit(batch(&[("a", Some("1"))]).fenced(old.clone()))).unwrap();
        let new = store.acquire("lane/acme");
        let outcomes = wait(async {
            tokio::join!(
                store.commit(batch(&[("b", Some("1"))])),
                store.commit(batch(&[("a", Some("stale")), ("c", Some("stale"))]).fenced(old.clone())),
                store.commit(batch(&[("d", Some("1"))]).fenced(new)),
                store.commit(batch(&[("e", Some("1"))]).fenced(other)),
            )
        });
        assert!(matches!(&outcomes.1, Err(Error::Fenced { holder }) if holder == "lane/acme"), "{outcomes:?}");
        assert!(outcomes.0.is_ok() && outcomes.2.is_ok() && outcomes.3.is_ok(), "{outcomes:?}");
        assert!(matches!(wait(store.commit(Batch::default().fenced(old))), Err(Error::Fenced { .. })));
        let kept: Vec<_> = wait(store.range(Range::of("", 9))).unwrap().into_iter().map(|(_, value)| value).collect();
        assert_eq!(kept, [b"1", b"1", b"1", b"1"]);
        assert!(store.healthy());
    });
}

#[test]
fn a_batch_knows_the_bytes_of_its_keys_and_values() {
    let mut batch = batch(&[("key", Some("value")), ("gone", None)]);
    batch.put("", "");
    assert_eq!((batch.len(), batch.bytes()), (3, 3 + 5 + 4));
}

#[test]
fn a_commit_larger_than_what_the_writer_gathers_goes_through() {
    each(|store| {
        let mut large = Batch::default();
        for key in 0..6u8 {
            large.put([key], vec![key; LARGEST_VALUE]);
        }
        let (large, small) =
            wait(async { tokio::join!(store.commit(large), store.commit(batch(&[("z", Some("1"))]))) });
        assert!(large.is_ok() && small.is_ok());
        assert_eq!(wait(store.range(Range::of("", 9).keys_only())).unwrap().len(), 7);
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn both_stores_agree_with_a_map(batches in prop::collection::vec(
        prop::collection::vec(("[ab]{1,3}", prop::option::of("[xy]{0,2}")), 0..6), 0..8,
    )) {
        each(|store| {
            let mut map = BTreeMap::new();
            for writes in &batches {
                let mut next = Batch::default();
                for (key, value) in writes {
                    match value {
                        Some(value) => { map.insert(key.clone().into_bytes(), value.clone().into_bytes()); next.put(key.as_str(), value.as_str()); }
                        None => { map.remove(key.as_bytes()); next.delete(key.as_str()); }
                    }
                }
                wait(store.commit(next)).unwrap();
            }
            let mut all: Vec<_> = map.into_iter().collect();
            assert_eq!(store.scan(b"", None, 1000).unwrap(), all);
            for order in [Order::Forward, Order::Backward] {
                assert_eq!(in_pages(store.as_ref(), order), all);
                all.reverse();
            }
        });
    }
}

fn appending(values: impl IntoIterator<Item = &'static str>) -> Batch {
    let mut batch = Batch::default();
    values.into_iter().for_each(|value| batch.append(value.into()));
    batch
}

/// The ring as numbers and values.
fn ring_of(store: &dyn Store) -> Vec<(u64, Vec<u8>)> {
    let pairs = store.scan(ring::RING.as_bytes(), None, usize::MAX).unwrap();
    pairs.into_iter().map(|(key, value)| (ring::number(&key).unwrap(), value)).collect()
}

#[test]
fn what_is_appended_is_numbered_in_the_order_of_the_commits_and_told_when_it_is_kept() {
    each(|store| {
        let told = store.appended();
        assert_eq!(*told.borrow(), 0);
        wait(async {
            let (one, other) = (store.commit(appending(["a", "b"])), store.commit(appending(["c"])));
            let (one, other) = tokio::join!(one, other);
            one.and(other).unwrap();
        });
        let mut ring = ring_of(store.as_ref());
        assert_eq!(*told.borrow(), 3);
        assert_eq!(ring.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [1, 2, 3]);
        let place = |of: &[u8]| ring.iter().position(|(_, value)| value == of).unwrap();
        assert_eq!(place(b"b"), place(b"a") + 1, "those of one commit stay together");
        let stale = store.acquire("lane/acme");
        let _newer = store.acquire("lane/acme");
        assert!(matches!(wait(store.commit(appending(["stale"]).fenced(stale))), Err(Error::Fenced { .. })));
        wait(store.commit(batch(&[("d", Some("1"))]))).unwrap();
        wait(store.commit(appending(["e"]))).unwrap();
        ring.push((4, b"e".to_vec()));
        assert_eq!((ring_of(store.as_ref()), *told.borrow()), (ring, 4), "what was refused has no number");
    });
}

#[test]
fn the_ring_keeps_so_many_and_the_oldest_goes_for_the_newest() {
    each(|store| {
        wait(store.commit(appending(vec!["x"; usize::try_from(ring::KEPT).unwrap() - 1]))).unwrap();
        wait(store.commit(appending(["y", "z"]))).unwrap();
        let ring = ring_of(store.as_ref());
        assert_eq!((ring.first().unwrap().0, ring.last().unwrap().0), (2, ring::KEPT + 1));
        assert_eq!(ring.len() as u64, ring::KEPT);
    });
}

#[test]
fn changed_keys_are_noted_from_the_watch_on_and_read_as_of_one_moment() {
    each(|store| {
        wait(store.commit(batch(&[("before", Some("1"))]))).unwrap();
        let watch = store.watch().unwrap();
        assert!(matches!(store.watch(), Err(Error::Busy)));
        wait(store.commit(batch(&[("c", Some("1")), ("a", Some("1")), ("b", None)]))).unwrap();
        wait(store.commit(batch(&[("a", Some("2"))]))).unwrap();
        let taken = wait(store.changed(&watch, 2)).unwrap();
        assert_eq!(taken.changes, [(b"a".to_vec(), Some(b"2".to_vec())), (b"b".to_vec(), None)]);
        assert!(!taken.all);
        let taken = wait(store.changed(&watch, 2)).unwrap();
        assert_eq!(taken.changes, [(b"c".to_vec(), Some(b"1".to_vec()))]);
        assert!(taken.all);
        assert!(wait(store.changed(&watch, 2)).unwrap().all);
        drop(watch);
        let again = store.watch().unwrap();
        assert!(wait(store.changed(&again, 9)).unwrap().changes.is_empty());
    });
}

#[test]
fn a_watch_that_is_outrun_says_so_and_holds_a_bounded_number_of_keys() {
    let store = MemoryStore::default();
    let watch = store.watch().unwrap();
    for thousand in 0..101u32 {
        let mut batch = Batch::default();
        (0..1_000u32).for_each(|key| batch.put((thousand * 1_000 + key).to_be_bytes(), ""));
        wait(store.commit(batch)).unwrap();
    }
    assert!(matches!(wait(store.changed(&watch, 9)), Err(Error::Outrun)));
}

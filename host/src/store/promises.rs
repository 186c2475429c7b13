//! The promises of a store, as one suite that runs against every implementation.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::{Batch, Error, LARGEST_VALUE, MemoryStore, SledStore, Store, export, import};

/// Runs a promise against each store.
fn each(promise: impl Fn(Arc<dyn Store>)) {
    promise(Arc::new(MemoryStore::default()));
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
fn the_export_of_one_store_is_the_import_of_the_other() {
    each(|from| {
        wait(from.commit(batch(&[("a", Some("1")), ("b/ü", Some("\u{0}zwei"))]))).unwrap();
        let mut lines = Vec::new();
        assert_eq!(export(from.as_ref(), &mut lines).unwrap(), 2);
        each(|to| {
            assert_eq!(wait(import(to.as_ref(), &lines[..])).unwrap(), 2);
            assert_eq!(to.scan(b"", None, 10).unwrap(), from.scan(b"", None, 10).unwrap());
        });
    });
}

#[test]
fn what_was_acknowledged_is_there_after_the_store_is_opened_again_and_no_blob_file_was_made() {
    let folder = tempfile::tempdir().unwrap();
    let store = SledStore::open(folder.path()).unwrap();
    let mut large = batch(&[("a", Some("1"))]);
    large.put("large", vec![7; LARGEST_VALUE]);
    wait(store.commit(large)).unwrap();
    drop(store);
    let store = SledStore::open(folder.path()).unwrap();
    assert_eq!(store.get(b"a").unwrap().as_deref(), Some(&b"1"[..]));
    assert_eq!(store.get(b"large").unwrap().map(|value| value.len()), Some(LARGEST_VALUE));
    let blobs = std::fs::read_dir(folder.path().join("blobs")).map_or(0, Iterator::count);
    assert_eq!(blobs, 0, "values in blob files are never synced");
}

#[test]
fn a_second_process_on_one_store_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let _first = SledStore::open(folder.path()).unwrap();
    assert!(matches!(SledStore::open(folder.path()), Err(Error::InUse { .. })));
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
            assert_eq!(store.scan(b"", None, 1000).unwrap(), map.into_iter().collect::<Vec<_>>());
        });
    }
}

//! What the store on disk promises besides: that it is found again, and that it belongs to one process.

use super::*;
use crate::store::LARGEST_VALUE;

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn put(key: &str, value: impl Into<Vec<u8>>) -> Batch {
    let mut batch = Batch::default();
    batch.put(key, value);
    batch
}

#[test]
fn what_was_acknowledged_is_there_after_the_store_is_opened_again_and_no_blob_file_was_made() {
    let folder = tempfile::tempdir().unwrap();
    let store = SledStore::open(folder.path()).unwrap();
    let mut large = put("a", "1");
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

//! Loss at recovery: what was acknowledged and is not found any more is told, and nothing is used before somebody said so.

use std::collections::BTreeMap;
use std::os::unix::fs::FileExt as _;

use super::*;

/// Writes so many records, fifteen in each commit.
fn fill(store: &SledStore, records: usize, bytes: usize) {
    let all: Vec<_> = (0..records).map(|record| format!("error/{record:06}")).collect();
    for keys in all.chunks(15) {
        let mut batch = Batch::default();
        keys.iter().for_each(|key| batch.put(key.as_str(), vec![b'x'; bytes]));
        wait(store.commit(batch)).unwrap();
    }
}

fn count(store: &SledStore) -> Result<usize, Error> {
    wait(store.range(Range::of("error/", usize::MAX).keys_only())).map(|keys| keys.len())
}

/// What kill -9 leaves of a store: a copy of its folder while it is open.
fn killed(folder: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_file()) {
        std::fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
    }
    copy
}

/// Flips one bit in each of fourteen places of the log; answers how many stores were refused, and complains about each that
/// starts with fewer records than were acknowledged.
fn flip(records: usize, bytes: usize) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let store = SledStore::open(folder.path()).unwrap();
    fill(&store, records, bytes);
    let whole = killed(folder.path());
    assert_eq!(count(&SledStore::open(whole.path()).unwrap()).unwrap(), records, "a kill alone loses nothing");
    let (mut refused, mut silent) = (0, Vec::new());
    for place in 0..14 {
        let copy = killed(folder.path());
        let log = File::options().read(true).write(true).open(copy.path().join("db")).unwrap();
        let at = log.metadata().unwrap().len() * (2 * place + 1) / 28;
        let mut byte = [0];
        log.read_exact_at(&mut byte, at).unwrap();
        log.write_all_at(&[byte[0] ^ 0x10], at).unwrap();
        match SledStore::open(copy.path()).and_then(|store| count(&store)) {
            Ok(found) if found < records => silent.push(format!("byte {at}: {found} of {records}")),
            Ok(_) => {}
            Err(_) => refused += 1,
        }
    }
    assert!(silent.is_empty(), "started with fewer records, without a word: {silent:#?}");
    refused
}

#[test]
fn damage_in_the_log_of_a_killed_store_is_never_silent() {
    assert!(flip(2_105, 300) >= 10);
}

#[test]
fn damage_in_a_log_of_many_segments_is_never_silent_either() {
    assert!(flip(2_105, 12_000) >= 10);
}

/// The files of a folder.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_file());
    entries.map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap())).collect()
}

/// A killed store of 300 records in 20 commits.
fn killed_store() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let store = SledStore::open(folder.path()).unwrap();
    fill(&store, 300, 200);
    killed(folder.path())
}

#[test]
fn a_log_that_was_cut_is_refused_without_a_change_and_used_only_when_that_is_asked_for() {
    let folder = killed_store();
    let log = File::options().write(true).open(folder.path().join("db")).unwrap();
    log.set_len(log.metadata().unwrap().len() / 2).unwrap();
    let before = contents(folder.path());
    for _ in 0..2 {
        let Err(error) = SledStore::open(folder.path()) else { panic!("it was opened") };
        let Error::Lost { acknowledged: 20, recovered: 1..20, .. } = &error else { panic!("{error}") };
        assert!(error.to_string().contains("--accept-loss") && error.to_string().contains("backup"), "{error}");
    }
    assert_eq!(contents(folder.path()), before);
    let accepted = Opening { accept_loss: true, ..Opening::default() };
    let store = SledStore::open_with(folder.path(), accepted).unwrap();
    let left = count(&store).unwrap();
    assert!((1..300).contains(&left), "{left}");
    wait(store.commit(put("error/new", "1"))).unwrap();
    drop(store);
    assert_eq!(count(&SledStore::open(folder.path()).unwrap()).unwrap(), left + 1, "the loss is known from then on");
}

#[test]
fn a_log_of_which_nothing_is_left_is_a_loss_and_no_new_store() {
    for bytes in [None, Some(0), Some(10), Some(100)] {
        let folder = killed_store();
        let log = folder.path().join("db");
        match bytes {
            Some(bytes) => File::options().write(true).open(&log).unwrap().set_len(bytes).unwrap(),
            None => std::fs::remove_file(&log).unwrap(),
        }
        for _ in 0..2 {
            let opened = SledStore::open(folder.path()).err();
            assert!(
                matches!(opened, Some(Error::Lost { acknowledged: 20, recovered: 0, .. })),
                "{bytes:?}: {opened:?}"
            );
        }
    }
}

#[test]
fn the_claim_is_that_of_the_last_acknowledged_commit() {
    let folder = tempfile::tempdir().unwrap();
    let store = SledStore::open(folder.path()).unwrap();
    for number in 1..=5 {
        wait(store.commit(put("a", "1"))).unwrap();
        assert_eq!(committed::Committed::read(folder.path()).unwrap(), Some(number));
    }
    drop(store);
    let store = SledStore::open(folder.path()).unwrap();
    wait(store.commit(put("a", "1"))).unwrap();
    assert_eq!(committed::Committed::read(folder.path()).unwrap(), Some(6));
}

#[test]
fn a_store_that_claims_nothing_is_taken_and_claims_from_then_on() {
    let folder = killed_store();
    std::fs::remove_file(folder.path().join("committed")).unwrap();
    let store = SledStore::open(folder.path()).unwrap();
    assert_eq!(count(&store).unwrap(), 300);
    assert_eq!(committed::Committed::read(folder.path()).unwrap(), Some(20));
}

#[test]
fn a_claim_that_cannot_be_read_or_is_of_a_newer_release_is_refused() {
    let folder = killed_store();
    let claim = folder.path().join("committed");
    std::fs::write(&claim, "1 20 00000000\n").unwrap();
    assert!(matches!(SledStore::open(folder.path()).err(), Some(Error::Unreadable { .. })));
    std::fs::write(&claim, format!("9 20 {:08x}\n", crc32fast::hash(b"9 20"))).unwrap();
    let accepted = Opening { accept_loss: true, ..Opening::default() };
    let refused = SledStore::open_with(folder.path(), accepted).err();
    assert!(matches!(refused, Some(Error::Newer { found: 9, known: 1, .. })), "{refused:?}");
    std::fs::write(&claim, "1 20 00000000\n").unwrap();
    assert_eq!(count(&SledStore::open_with(folder.path(), accepted).unwrap()).unwrap(), 300);
}

//! What the store on disk promises besides: that it is found again, and that it belongs to one process.

mod loss;

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use super::*;
use crate::store::LARGEST_VALUE;

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
}

fn is_there(store: &SledStore, key: &str) -> Result<bool, Error> {
    Ok(wait(store.get_many(vec![key.into()]))?[0].is_some())
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
fn numbers_of_what_is_appended_go_on_after_the_store_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    for expected in [1, 2] {
        let store = SledStore::open(folder.path()).unwrap();
        assert_eq!(*store.appended().borrow(), expected - 1);
        let mut batch = Batch::default();
        batch.append(b"x".to_vec());
        wait(store.commit(batch)).unwrap();
        assert_eq!(*store.appended().borrow(), expected);
        assert!(store.get(&ring::key(expected)).unwrap().is_some());
    }
}

#[test]
fn a_second_process_on_one_store_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let _first = SledStore::open(folder.path()).unwrap();
    assert!(matches!(SledStore::open(folder.path()), Err(Error::InUse { .. })));
}

#[test]
fn a_store_that_was_let_go_opens_again_at_once_while_others_keep_the_threads_of_the_database_busy() {
    let rounds = || {
        let folder = tempfile::tempdir().unwrap();
        for round in 0..20 {
            let store = SledStore::open(folder.path()).unwrap();
            wait(store.commit(put("a", vec![round; 100_000]))).unwrap();
        }
    };
    std::thread::scope(|scope| (0..8).for_each(|_| drop(scope.spawn(rounds))));
}

/// A disk of some MiB of its own, so that it can be full; `None` where this user may not mount one.
struct Disk(tempfile::TempDir);

impl Disk {
    fn of(mebibytes: usize) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let size = format!("size={mebibytes}m");
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(folder.path()).output();
        if mount.is_ok_and(|output| output.status.success()) {
            return Some(Self(folder));
        }
        eprintln!("skipped: only root may mount a small disk");
        None
    }

    /// Takes all the space there is, in a file that is answered.
    fn fill(&self) -> PathBuf {
        let path = self.0.path().join("ballast");
        let mut file = File::create(&path).unwrap();
        while file.write_all(&[7; 4096]).is_ok() {}
        path
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.0.path()).status();
    }
}

#[test]
fn after_a_disk_was_full_commits_are_taken_again_as_soon_as_there_is_space() {
    let Some(disk) = Disk::of(32) else { return };
    let store = SledStore::open(&disk.0.path().join("store")).unwrap();
    wait(store.commit(put("before", "1"))).unwrap();
    let ballast = disk.fill();
    for round in 0..3 {
        wait(store.commit(put("refused", vec![round; 1024 * 1024]))).unwrap_err();
        assert!(!store.healthy() && is_there(&store, "before").is_err());
    }
    std::fs::remove_file(ballast).unwrap();
    wait(async {
        let taken = async {
            while store.commit(put("after", "1")).await.is_err() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), taken).await.expect("nothing is taken any more");
    });
    assert!(store.healthy());
    assert!(is_there(&store, "before").unwrap() && is_there(&store, "after").unwrap());
    drop(store);
    let store = SledStore::open(&disk.0.path().join("store")).unwrap();
    assert!(is_there(&store, "before").unwrap() && is_there(&store, "after").unwrap());
}

#[test]
fn when_the_writer_panics_the_store_is_not_healthy_and_takes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(folder.path(), Opening::default()).unwrap();
    let handle = Arc::new(Handle(RwLock::new(Ok(database.db.clone()))));
    let healthy = Arc::new(AtomicBool::new(true));
    let (commits, mut queue) = mpsc::channel(1);
    let broken = move || {
        let commit: Option<Commit> = queue.blocking_recv();
        panic!("on purpose, with {} writes", commit.map_or(0, |commit| commit.batch.len()));
    };
    let writer = Some(writer::spawn(Arc::clone(&healthy), broken).unwrap());
    let store = SledStore { handle, commits: Some(commits), writer, healthy, gate: Arc::default() };
    assert!(store.healthy());
    for _ in 0..2 {
        assert!(matches!(wait(store.commit(put("a", "1"))), Err(Error::Closed)));
    }
    while store.healthy() {
        std::thread::yield_now();
    }
}

#[test]
fn a_snapshot_that_was_broken_off_does_not_keep_the_store_from_opening() {
    let folder = tempfile::tempdir().unwrap();
    wait(SledStore::open(folder.path()).unwrap().commit(put("a", "1"))).unwrap();
    let broken_off = folder.path().join("snap.00000000FFFFFFFF.generating");
    std::fs::write(&broken_off, "half of a snapshot").unwrap();
    let store = SledStore::open(folder.path()).unwrap();
    assert!(is_there(&store, "a").unwrap() && !broken_off.exists());
}

#[test]
fn a_store_is_made_for_its_owner_alone_and_an_older_one_is_closed_to_others() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("of/the/store");
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let open_to_others = || -> Vec<String> {
        let entries = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
        let shown = |path: &PathBuf| format!("{} {:o}", path.display(), mode(path));
        entries.filter(|path| mode(path) & 0o077 != 0).map(|path| shown(&path)).collect()
    };
    for round in 0..2 {
        let store = SledStore::open(&folder).unwrap();
        wait(store.commit(put("a", "1"))).unwrap();
        assert_eq!((mode(&folder), open_to_others()), (0o700, Vec::new()), "round {round}");
        drop(store);
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
        for name in ["db", "conf", "committed"] {
            std::fs::set_permissions(folder.join(name), std::fs::Permissions::from_mode(0o644)).unwrap();
        }
    }
    std::fs::write(parent.path().join("of/somebody's file"), "").unwrap();
    std::fs::set_permissions(parent.path().join("of"), std::fs::Permissions::from_mode(0o755)).unwrap();
    drop(SledStore::open(&parent.path().join("of")).unwrap());
    assert_eq!(mode(&parent.path().join("of")), 0o755, "a folder with other things in it is not the store's own");
}

#[test]
fn a_store_that_has_to_be_there_is_not_made() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("typing-error");
    let refused = SledStore::open_with(&folder, Opening::existing());
    assert!(matches!(refused, Err(Error::Missing { .. })));
    assert!(!folder.exists());
}

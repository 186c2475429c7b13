//! The store on disk: sled 0.34 behind one writer that gathers commits, syncs them once and then acknowledges them all.
//!
//! sled's own `flush` does not make a write survive a power cut on Linux (it asks for `sync_file_range`), and values
//! above a quarter of a segment go to files that are never synced. So the log file is synced here after each flush,
//! segments are large, and larger values are refused.

#[cfg(test)]
mod tests;

use std::fs::File;
use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use tokio::sync::{mpsc, oneshot};

use super::fence::Fences;
use super::{Batch, Error, Fence, Order, Pair, Range, Reading, Store};

/// A batch gathers commits until it has so many writes.
const GATHER: usize = 512;
/// A batch gathers commits up to so many bytes of keys and values; one commit that is larger goes alone.
const GATHER_BYTES: usize = 4 * 1024 * 1024;
/// So many commits may wait for the writer before the next one waits for a place.
const QUEUE: usize = 1024;
/// sled's default cache of 1 GiB is more than this host should ever take.
const CACHE_BYTES: u64 = 64 * 1024 * 1024;
/// Values up to a quarter of this stay in the log.
const SEGMENT_BYTES: usize = 8 * 1024 * 1024;

/// A sled database in a folder of its own.
pub struct SledStore {
    db: ::sled::Db,
    commits: Option<mpsc::Sender<Commit>>,
    writer: Option<JoinHandle<()>>,
    healthy: Arc<AtomicBool>,
    fences: Arc<Fences>,
}

struct Commit {
    batch: Batch,
    done: oneshot::Sender<Result<(), Error>>,
}

impl SledStore {
    /// Opens the database in `folder`, or makes one.
    ///
    /// # Errors
    /// [`Error::InUse`] when another process has it, [`Error::Failed`] when it cannot be opened.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        std::fs::create_dir_all(folder).map_err(|error| Error::Failed(format!("{}: {error}", folder.display())))?;
        let db = ::sled::Config::new()
            .path(folder)
            .cache_capacity(CACHE_BYTES)
            .segment_size(SEGMENT_BYTES)
            .flush_every_ms(None)
            .open()
            .map_err(|error| match error.to_string() {
                text if text.contains("could not acquire lock") => Error::InUse { path: folder.display().to_string() },
                text => Error::Failed(text),
            })?;
        let log = File::options()
            .read(true)
            .write(true)
            .open(folder.join("db"))
            .map_err(|error| Error::Failed(format!("{}: {error}", folder.join("db").display())))?;
        // The name of a new log file has to survive as well.
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| Error::Failed(error.to_string()))?;
        let healthy = Arc::new(AtomicBool::new(true));
        let (commits, queue) = mpsc::channel(QUEUE);
        let fences = Arc::new(Fences::default());
        let writer = {
            let (db, healthy, fences) = (db.clone(), Arc::clone(&healthy), Arc::clone(&fences));
            std::thread::Builder::new()
                .name("store-writer".to_owned())
                .spawn(move || write(&db, &log, queue, &healthy, &fences))
                .map_err(|error| Error::Failed(error.to_string()))?
        };
        Ok(Self { db, commits: Some(commits), writer: Some(writer), healthy, fences })
    }
}

/// The next commits to write: those that have gathered while the last batch was synced, up to a batch's bounds.
fn gather(queue: &mut mpsc::Receiver<Commit>, left_over: &mut Option<Commit>) -> Option<Vec<Commit>> {
    let first = left_over.take().or_else(|| queue.blocking_recv())?;
    let (mut writes, mut bytes) = (first.batch.len(), first.batch.bytes());
    let mut commits = vec![first];
    while let Ok(next) = queue.try_recv() {
        (writes, bytes) = (writes + next.batch.len(), bytes + next.batch.bytes());
        if writes > GATHER || bytes > GATHER_BYTES {
            *left_over = Some(next);
            break;
        }
        commits.push(next);
    }
    Some(commits)
}

/// Writes commits until there can be no more, many at once.
fn write(db: &::sled::Db, log: &File, mut queue: mpsc::Receiver<Commit>, healthy: &AtomicBool, fences: &Fences) {
    let mut left_over = None;
    while let Some(commits) = gather(&mut queue, &mut left_over) {
        let mut gathered = ::sled::Batch::default();
        let mut waiting = Vec::with_capacity(commits.len());
        let held = fences.hold();
        for Commit { batch, done } in commits {
            if let Err(stale) = held.check(batch.fence.as_ref()) {
                let _ = done.send(Err(stale));
                continue;
            }
            for (key, value) in batch.operations {
                match value {
                    Some(value) => gathered.insert(key, value),
                    None => gathered.remove(key),
                }
            }
            waiting.push(done);
        }
        if waiting.is_empty() {
            continue;
        }
        let applied = db.apply_batch(gathered);
        drop(held);
        let outcome = applied
            .and_then(|()| db.flush())
            .map_err(|error| error.to_string())
            .and_then(|_| log.sync_data().map_err(|error| error.to_string()))
            .map_err(Error::Failed);
        if let Err(error) = &outcome {
            tracing::error!(%error, "a write to the store failed");
        }
        healthy.store(outcome.is_ok(), Ordering::SeqCst);
        for done in waiting {
            // Whoever asked may have gone; the write is done all the same.
            let _ = done.send(outcome.clone());
        }
    }
}

impl Store for SledStore {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let value = self.db.get(key).map_err(failed)?;
        Ok(value.map(|value| value.to_vec()))
    }

    fn scan(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Result<Vec<Pair>, Error> {
        page(&self.db, &Range::of(prefix, limit).after(after.map(<[u8]>::to_vec)))
    }

    fn get_many(&self, keys: Vec<Vec<u8>>) -> Reading<'_, Vec<Option<Vec<u8>>>> {
        let db = self.db.clone();
        off_thread(move || {
            keys.iter().map(|key| Ok(db.get(key).map_err(failed)?.map(|value| value.to_vec()))).collect()
        })
    }

    fn range(&self, range: Range) -> Reading<'_, Vec<Pair>> {
        let db = self.db.clone();
        off_thread(move || page(&db, &range))
    }

    fn commit(&self, batch: Batch) -> Pin<Box<dyn Future<Output = Result<(), Error>> + Send + '_>> {
        Box::pin(async move {
            batch.check()?;
            let (done, outcome) = oneshot::channel();
            let commits = self.commits.as_ref().ok_or(Error::Closed)?;
            commits.send(Commit { batch, done }).await.map_err(|_| Error::Closed)?;
            outcome.await.map_err(|_| Error::Closed)?
        })
    }

    fn acquire(&self, holder: &str) -> Fence {
        self.fences.acquire(holder)
    }

    fn healthy(&self) -> bool {
        self.healthy.load(Ordering::SeqCst)
    }
}

impl Drop for SledStore {
    /// The writer finishes what was handed to it, so that the folder can be opened again at once.
    fn drop(&mut self) {
        self.commits = None;
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

fn failed(error: ::sled::Error) -> Error {
    Error::Failed(error.to_string())
}

fn page(db: &::sled::Db, range: &Range) -> Result<Vec<Pair>, Error> {
    let Some(bounds) = range.bounds() else { return Ok(Vec::new()) };
    let pairs = db.range::<Vec<u8>, _>(bounds);
    match range.order {
        Order::Forward => range.page(pairs.map(|pair| pair.map_err(failed))),
        Order::Backward => range.page(pairs.rev().map(|pair| pair.map_err(failed))),
    }
}

/// Reads on a thread that may wait for the disk.
fn off_thread<T: Send + 'static>(read: impl FnOnce() -> Result<T, Error> + Send + 'static) -> Reading<'static, T> {
    Box::pin(async move { tokio::task::spawn_blocking(read).await.map_err(|_| Error::Closed)? })
}

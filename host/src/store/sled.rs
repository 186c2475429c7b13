//! The store on disk: sled 0.34 behind one writer that gathers commits, syncs them once and then acknowledges them all.
//!
//! sled's own `flush` does not make a write survive a power cut on Linux (it asks for `sync_file_range`), and values
//! above a quarter of a segment go to files that are never synced. So the log file is synced here after each flush,
//! segments are large, and larger values are refused.

use std::fs::File;
use std::future::Future;
use std::ops::Bound;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use tokio::sync::{mpsc, oneshot};

use super::{Batch, Error, Pair, Store};

/// A batch gathers commits until it has so many writes.
const GATHER: usize = 512;
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
        let writer = {
            let (db, healthy) = (db.clone(), Arc::clone(&healthy));
            std::thread::Builder::new()
                .name("store-writer".to_owned())
                .spawn(move || write(&db, &log, queue, &healthy))
                .map_err(|error| Error::Failed(error.to_string()))?
        };
        Ok(Self { db, commits: Some(commits), writer: Some(writer), healthy })
    }
}

/// Takes what has gathered while the last batch was synced, and makes it the next batch.
fn write(db: &::sled::Db, log: &File, mut queue: mpsc::Receiver<Commit>, healthy: &AtomicBool) {
    while let Some(first) = queue.blocking_recv() {
        let mut size = first.batch.len();
        let mut commits = vec![first];
        while size < GATHER
            && let Ok(next) = queue.try_recv()
        {
            size += next.batch.len();
            commits.push(next);
        }
        let mut gathered = ::sled::Batch::default();
        let mut waiting = Vec::with_capacity(commits.len());
        for Commit { batch, done } in commits {
            for (key, value) in batch.operations {
                match value {
                    Some(value) => gathered.insert(key, value),
                    None => gathered.remove(key),
                }
            }
            waiting.push(done);
        }
        let outcome = db
            .apply_batch(gathered)
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
        let start = match after {
            Some(after) if after >= prefix => Bound::Excluded(after.to_vec()),
            _ => Bound::Included(prefix.to_vec()),
        };
        let mut pairs = Vec::new();
        for pair in self.db.range::<Vec<u8>, _>((start, Bound::Unbounded)) {
            let (key, value) = pair.map_err(failed)?;
            if pairs.len() >= limit || !key.starts_with(prefix) {
                break;
            }
            pairs.push((key.to_vec(), value.to_vec()));
        }
        Ok(pairs)
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

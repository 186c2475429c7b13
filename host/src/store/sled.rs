//! The store on disk: sled 0.34 behind one writer that gathers commits, syncs them once and then acknowledges them all.
//!
//! sled's own `flush` does not make a write survive a power cut on Linux (it asks for `sync_file_range`), and values
//! above a quarter of a segment go to files that are never synced. So the log file is synced here after each flush,
//! segments are large, and larger values are refused. sled keeps its first failure for ever: after one the database is
//! closed and opened anew.

mod committed;
mod database;
mod log;
#[cfg(test)]
mod tests;
mod writer;

use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::thread::JoinHandle;

use tokio::sync::watch::Receiver;
use tokio::sync::{mpsc, oneshot};

use self::database::Database;
use self::writer::{Commit, Writer, let_go};
use super::gate::Gate;
use super::ring;
use super::{Batch, Changes, Error, Fence, Order, PAGE_BYTES, Pair, Range, Reading, Store, Watch};

/// So many commits may wait for the writer before the next one waits for a place.
const QUEUE: usize = 1024;
/// sled's default cache is 1 GiB. What this one leaves out is in the system's own, and what a page takes in memory is a
/// multiple of what sled counts.
const CACHE_BYTES: u64 = 8 * 1024 * 1024;
/// Values up to a quarter of this stay in the log.
const SEGMENT_BYTES: usize = 8 * 1024 * 1024;

/// A sled database in a folder of its own.
pub struct SledStore {
    handle: Arc<Handle>,
    commits: Option<mpsc::Sender<Commit>>,
    writer: Option<JoinHandle<()>>,
    healthy: Arc<AtomicBool>,
    gate: Arc<Gate>,
}

/// How a store is opened.
#[derive(Debug, Clone, Copy, Default)]
pub struct Opening {
    /// Go on when less is found than was acknowledged; the log says what is gone.
    pub accept_loss: bool,
    /// Refuse a folder in which there is no store yet, instead of making one.
    pub must_exist: bool,
}

impl Opening {
    /// Of a store that is there.
    #[must_use]
    pub fn existing() -> Self {
        Self { must_exist: true, ..Self::default() }
    }
}

/// The database for readers, or why there is none at the moment.
struct Handle(RwLock<Result<::sled::Db, Error>>);

impl Handle {
    fn read<T>(&self, read: impl FnOnce(&::sled::Db) -> Result<T, Error>) -> Result<T, Error> {
        match &*self.0.read().unwrap_or_else(PoisonError::into_inner) {
            Ok(db) => read(db),
            Err(error) => Err(error.clone()),
        }
    }

    fn open(&self, db: ::sled::Db) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Ok(db);
    }

    /// Waits for the reads on their way, so that afterwards nobody has the database.
    fn close(&self, error: Error) {
        let before = std::mem::replace(&mut *self.0.write().unwrap_or_else(PoisonError::into_inner), Err(error));
        let_go(before);
    }
}

impl SledStore {
    /// Opens the database in `folder`, or makes one.
    ///
    /// # Errors
    /// As [`SledStore::open_with`].
    pub fn open(folder: &Path) -> Result<Self, Error> {
        Self::open_with(folder, Opening::default())
    }

    /// Opens the database in `folder`.
    ///
    /// # Errors
    /// [`Error::InUse`] when another process has it and keeps it for two seconds, [`Error::Missing`] when there has to be one
    /// and is not, [`Error::Lost`] and [`Error::Damaged`] when less is found than was acknowledged (nothing was changed
    /// then, unless the loss is only seen once sled has opened it), [`Error::Newer`] when a newer release wrote it,
    /// [`Error::Failed`] when it cannot be opened.
    pub fn open_with(folder: &Path, opening: Opening) -> Result<Self, Error> {
        let database = Database::open(folder, opening)?;
        let handle = Arc::new(Handle(RwLock::new(Ok(database.db.clone()))));
        let (healthy, gate) = (Arc::new(AtomicBool::new(true)), Arc::new(Gate::default()));
        gate.opened(newest(&database.db)?);
        let (commits, queue) = mpsc::channel(QUEUE);
        let writer = Writer {
            folder: folder.to_owned(),
            queue,
            handle: Arc::clone(&handle),
            healthy: Arc::clone(&healthy),
            gate: Arc::clone(&gate),
        };
        let writer = writer::spawn(Arc::clone(&healthy), move || writer.run(database))?;
        Ok(Self { handle, commits: Some(commits), writer: Some(writer), healthy, gate })
    }

    /// Reads on a thread that may wait for the disk.
    fn off_thread<T: Send + 'static>(
        &self,
        read: impl FnOnce(&::sled::Db) -> Result<T, Error> + Send + 'static,
    ) -> Reading<'static, T> {
        let handle = Arc::clone(&self.handle);
        Box::pin(
            async move { tokio::task::spawn_blocking(move || handle.read(read)).await.map_err(|_| Error::Closed)? },
        )
    }
}

impl Store for SledStore {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        self.handle.read(|db| get(db, key))
    }

    fn scan(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Result<Vec<Pair>, Error> {
        self.handle.read(|db| page(db, &Range::of(prefix, limit).after(after.map(<[u8]>::to_vec)), usize::MAX))
    }

    fn get_many(&self, keys: Vec<Vec<u8>>) -> Reading<'_, Vec<Option<Vec<u8>>>> {
        self.off_thread(move |db| keys.iter().map(|key| get(db, key)).collect())
    }

    fn range(&self, range: Range) -> Reading<'_, Vec<Pair>> {
        self.off_thread(move |db| page(db, &range, PAGE_BYTES))
    }

    fn ranges(&self, ranges: Vec<Range>) -> Reading<'_, Vec<Vec<Pair>>> {
        self.off_thread(move |db| ranges.iter().map(|range| page(db, range, PAGE_BYTES)).collect())
    }

    fn commit(&self, batch: Batch) -> Pin<Box<dyn Future<Output = Result<(), Error>> + Send + '_>> {
        Box::pin(async move {
            batch.check()?;
            self.handle.read(|_| Ok(()))?;
            let (done, outcome) = oneshot::channel();
            let commits = self.commits.as_ref().ok_or(Error::Closed)?;
            commits.send(Commit { batch, done }).await.map_err(|_| Error::Closed)?;
            outcome.await.map_err(|_| Error::Closed)?
        })
    }

    fn acquire(&self, holder: &str) -> Fence {
        self.gate.acquire(holder)
    }

    fn appended(&self) -> Receiver<u64> {
        self.gate.appended()
    }

    fn watch(&self) -> Result<Watch, Error> {
        self.gate.watch()
    }

    fn changed<'a>(&'a self, watch: &'a Watch, most: usize) -> Reading<'a, Changes> {
        let (gate, watch) = (Arc::clone(&self.gate), watch.clone());
        self.off_thread(move |db| watch.take(|| gate.hold(), most, |key| get(db, key)))
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
            // It may be waiting before it opens the database anew.
            writer.thread().unpark();
            let _ = writer.join();
        }
        self.handle.close(Error::Closed);
    }
}

fn failed(error: ::sled::Error) -> Error {
    Error::Failed(error.to_string())
}

/// The number of the newest value of the ring; 0 where there is none.
fn newest(db: &::sled::Db) -> Result<u64, Error> {
    let newest = db.scan_prefix(ring::RING).keys().next_back().transpose().map_err(failed)?;
    Ok(newest.and_then(|key| ring::number(&key)).unwrap_or(0))
}

fn get(db: &::sled::Db, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
    Ok(db.get(key).map_err(failed)?.map(|value| value.to_vec()))
}

fn page(db: &::sled::Db, range: &Range, most: usize) -> Result<Vec<Pair>, Error> {
    let Some(bounds) = range.bounds() else { return Ok(Vec::new()) };
    let pairs = db.range::<Vec<u8>, _>(bounds);
    match range.order {
        Order::Forward => range.page(most, pairs.map(|pair| pair.map_err(failed))),
        Order::Backward => range.page(most, pairs.rev().map(|pair| pair.map_err(failed))),
    }
}

//! The one thread that writes: it gathers commits, makes them durable together, and opens the database anew after a failure.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::{mpsc, oneshot};

use super::super::gate::Gate;
use super::super::{Batch, Error};
use super::database::{Database, forget_unwritten, takes_writes};
use super::{Handle, Opening, newest};

/// A batch gathers commits until it has so many writes.
const GATHER: usize = 512;
/// A batch gathers commits up to so many bytes of keys and values; one commit that is larger goes alone.
const GATHER_BYTES: usize = 4 * 1024 * 1024;
/// After so many writes the memory of what they replaced is freed once more: one replaces a few things, and 512 are freed at once.
const WRITES_FREED: usize = 64;
/// The first wait before the database is opened once more; each later one is twice as long,
const FIRST_WAIT: Duration = Duration::from_millis(100);
/// up to this.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// A batch, and who waits for it.
pub(super) struct Commit {
    pub(super) batch: Batch,
    pub(super) done: oneshot::Sender<Result<(), Error>>,
}

/// What the thread works with.
pub(super) struct Writer {
    pub(super) folder: PathBuf,
    pub(super) queue: mpsc::Receiver<Commit>,
    pub(super) handle: Arc<Handle>,
    pub(super) healthy: Arc<AtomicBool>,
    pub(super) gate: Arc<Gate>,
}

/// Says that nothing is written any more, however the thread ends.
struct Ending(Arc<AtomicBool>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

/// Starts the thread; `healthy` is false as soon as it has ended.
pub(super) fn spawn(healthy: Arc<AtomicBool>, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, Error> {
    let thread = move || {
        let _ending = Ending(healthy);
        work();
    };
    let builder = std::thread::Builder::new().name("store-writer".to_owned());
    builder.spawn(thread).map_err(|error| Error::Failed(error.to_string()))
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

/// Frees memory of pages that so many writes have replaced. sled leaves that to crossbeam-epoch, which frees at most 512 things
/// each 128th time that somebody looks into the database: writes without reads would take 2 kB each, until something reads.
fn free_what_was_replaced(writes: usize) {
    for _ in 0..=writes / WRITES_FREED {
        crossbeam_epoch::pin().flush();
    }
}

impl Writer {
    /// Writes commits until the store is dropped.
    pub(super) fn run(mut self, mut database: Database) {
        let (mut left_over, mut wait) = (None, Duration::ZERO);
        while let Some(commits) = gather(&mut self.queue, &mut left_over) {
            let (outcome, waiting) = self.write(&mut database, commits);
            let Err(error) = outcome else {
                wait = Duration::ZERO;
                answer(waiting, &Ok(()));
                continue;
            };
            tracing::error!(%error, "a write to the store failed; the database is opened anew");
            self.healthy.store(false, Ordering::SeqCst);
            self.handle.close(error.clone());
            answer(waiting.into_iter().chain(left_over.take().map(|left| left.done)), &Err(error.clone()));
            let_go(database);
            match self.reopen(error, &mut wait) {
                Some(opened) => database = opened,
                None => return,
            }
            tracing::info!("the store takes writes again");
        }
        let_go(database);
    }

    /// Applies what its fences allow, and makes it durable.
    fn write(&self, database: &mut Database, commits: Vec<Commit>) -> (Result<(), Error>, Vec<Done>) {
        let mut gathered = ::sled::Batch::default();
        let (mut waiting, mut writes) = (Vec::with_capacity(commits.len()), 0);
        let mut held = self.gate.hold();
        let (noted, mut keys) = (held.noted(), Vec::new());
        for Commit { batch, done } in commits {
            if let Err(stale) = held.check(batch.fence.as_ref()) {
                answer([done], &Err(stale));
                continue;
            }
            if noted.is_some() {
                keys.extend(batch.keys().cloned());
            }
            writes += batch.len();
            for (key, value) in batch.operations.into_iter().chain(held.append(batch.appended)) {
                match value {
                    Some(value) => gathered.insert(key, value),
                    None => gathered.remove(key),
                }
            }
            waiting.push(done);
        }
        if waiting.is_empty() {
            return (Ok(()), waiting);
        }
        let applied = guarded(|| database.apply(gathered));
        if let Some(noted) = noted {
            noted.add(keys);
        }
        let last = held.last();
        drop(held);
        free_what_was_replaced(writes);
        let durable = applied.and_then(|()| guarded(|| database.sync()));
        if durable.is_ok() {
            self.gate.is_durable(last);
        }
        (durable, waiting)
    }

    /// Opens the database anew, again and again with growing waits; `None` when the store is dropped.
    fn reopen(&mut self, mut error: Error, wait: &mut Duration) -> Option<Database> {
        loop {
            std::thread::park_timeout(*wait);
            *wait = (*wait * 2).clamp(FIRST_WAIT, LONGEST_WAIT);
            loop {
                match self.queue.try_recv() {
                    Ok(commit) => answer([commit.done], &Err(error.clone())),
                    Err(TryRecvError::Empty) => break,
                    Err(TryRecvError::Disconnected) => return None,
                }
            }
            match open_anew(&self.folder).and_then(|database| Ok((newest(&database.db)?, database))) {
                Ok((newest, database)) => {
                    self.gate.opened(newest);
                    self.handle.open(database.db.clone());
                    self.healthy.store(true, Ordering::SeqCst);
                    return Some(database);
                }
                Err(again) if again.to_string() == error.to_string() => {}
                Err(again) => {
                    tracing::error!(error = %again, "the store cannot be opened anew; it is tried again");
                    self.handle.close(again.clone());
                    error = again;
                }
            }
        }
    }
}

/// Opens a database that failed, and writes to it: nothing else tells whether it takes writes.
fn open_anew(folder: &Path) -> Result<Database, Error> {
    takes_writes(folder)?;
    forget_unwritten(folder);
    let mut database = Database::open(folder, Opening::existing())?;
    match guarded(|| database.apply(::sled::Batch::default()).and_then(|()| database.sync())) {
        Ok(()) => Ok(database),
        Err(error) => {
            let_go(database);
            Err(error)
        }
    }
}

type Done = oneshot::Sender<Result<(), Error>>;

fn answer(waiting: impl IntoIterator<Item = Done>, outcome: &Result<(), Error>) {
    for done in waiting {
        // Whoever asked may have gone; what was written stays written.
        let _ = done.send(outcome.clone());
    }
}

/// sled may panic where its disk fails; what it had in memory is not used again.
fn guarded(write: impl FnOnce() -> Result<(), Error>) -> Result<(), Error> {
    catch_unwind(AssertUnwindSafe(write)).unwrap_or_else(|_| Err(Error::Failed("the database broke off".to_owned())))
}

/// Drops a database, whose last sync may panic.
pub(super) fn let_go<T>(database: T) {
    if catch_unwind(AssertUnwindSafe(|| drop(database))).is_err() {
        tracing::error!("the database could not be closed cleanly");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(bytes: usize) -> Commit {
        let mut batch = Batch::default();
        batch.put("", vec![0; bytes]);
        Commit { batch, done: oneshot::channel().0 }
    }

    #[test]
    fn a_batch_gathers_up_to_its_bounds_and_a_larger_commit_goes_alone() {
        const MEBIBYTE: usize = 1024 * 1024;
        let (commits, mut queue) = mpsc::channel(2_000);
        for bytes in [MEBIBYTE, MEBIBYTE, 9 * MEBIBYTE, 3 * MEBIBYTE, MEBIBYTE, 1] {
            commits.try_send(commit(bytes)).ok().unwrap();
        }
        for _ in 0..1_000 {
            commits.try_send(commit(0)).ok().unwrap();
        }
        drop(commits);
        let (mut left_over, mut sizes) = (None, Vec::new());
        while let Some(gathered) = gather(&mut queue, &mut left_over) {
            sizes.push((gathered.len(), gathered.iter().map(|commit| commit.batch.bytes()).sum::<usize>()));
        }
        let four = 4 * MEBIBYTE;
        assert_eq!(sizes, [(2, 2 * MEBIBYTE), (1, 9 * MEBIBYTE), (2, four), (512, 1), (489, 0)]);
    }
}

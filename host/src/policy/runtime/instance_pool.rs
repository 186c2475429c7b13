//! Instances that outlive a decision, for the policies that choose so: bounded, recycled, and given back when idle.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use wasmtime::Store;
use wasmtime::component::Instance;

use crate::policy::runtime::guest::{Given, Guest};
use crate::policy::runtime::sandbox::Sandbox;

/// So many decisions an instance makes at most: whatever it hoards, it does not hoard for ever.
const DECISIONS: u32 = 1_000;
/// An instance that nobody asked for so long is given back.
const IDLE: Duration = Duration::from_secs(60);

/// An instance between two decisions, or a store that has none yet.
pub(crate) struct Running {
    pub(crate) store: Store<Guest>,
    pub(crate) instance: Option<Instance>,
    /// Decisions that it made.
    decisions: u32,
    /// Its place among all that are kept; taken when it is kept for the first time.
    place: Option<OwnedSemaphorePermit>,
}

impl Running {
    /// An empty store.
    pub(crate) fn new(store: Store<Guest>) -> Self {
        Self { store, instance: None, decisions: 0, place: None }
    }

    /// One that was configured already.
    pub(crate) fn configured(store: Store<Guest>, instance: Instance) -> Self {
        Self { instance: Some(instance), ..Self::new(store) }
    }
}

/// The instances of one configured plugin that wait for their next question.
#[derive(Clone, Default)]
pub(crate) struct Warm(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    /// The one used last is the last.
    idle: Vec<(Running, Instant)>,
    /// How many may wait; 0 where each decision gets an instance of its own.
    most: usize,
    /// Whether somebody looks after those that idle.
    swept: bool,
}

impl Warm {
    /// Keeps at most so many from here on; those beyond that are dropped.
    pub(crate) fn keep_at_most(&self, most: usize) {
        let mut kept = self.lock();
        kept.most = most;
        kept.swept = false;
        let beyond = kept.idle.len().saturating_sub(most);
        kept.idle.drain(..beyond);
    }

    /// Keeps one for the moment of a trial, after which [`keep_at_most`](Self::keep_at_most) is called.
    pub(crate) fn keep_for_trial(&self, sandbox: &Sandbox, running: Running) {
        let mut kept = self.lock();
        (kept.most, kept.swept) = (1, true);
        drop(kept);
        self.put_back(sandbox, running);
    }

    /// One to ask, as fresh as it may be, with the clock and the chance of this decision.
    pub(crate) fn take(&self, sandbox: &Sandbox, given: Given) -> Running {
        let waiting = self.lock().idle.pop();
        match waiting {
            Some((mut running, _)) => {
                running.store.data_mut().begin(given, sandbox.config.log_bytes);
                running
            }
            None => Running::new(sandbox.store(given)),
        }
    }

    /// Keeps one that answered, where it may be kept.
    pub(crate) fn put_back(&self, sandbox: &Sandbox, mut running: Running) {
        running.decisions += 1;
        let mut kept = self.lock();
        if kept.idle.len() >= kept.most || running.decisions >= DECISIONS || running.instance.is_none() {
            return;
        }
        if running.place.is_none() {
            // Where every place is taken, this policy's next decision has to begin anew.
            let Ok(place) = Arc::clone(&sandbox.kept).try_acquire_owned() else { return };
            running.place = Some(place);
        }
        kept.idle.push((running, Instant::now()));
        if !std::mem::replace(&mut kept.swept, true) {
            tokio::spawn(sweep(Arc::downgrade(&self.0)));
        }
    }

    /// Gives back those that have idled for so long.
    pub(crate) fn give_back(&self, idle: Duration) {
        self.lock().idle.retain(|(_, since)| since.elapsed() < idle);
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Places for all instances that are kept between decisions, whatever their policy.
pub(crate) fn places(most: usize) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(most))
}

/// Ends when nothing is kept any more.
async fn sweep(kept: std::sync::Weak<Mutex<Kept>>) {
    loop {
        tokio::time::sleep(IDLE / 2).await;
        let Some(kept) = kept.upgrade() else { return };
        let warm = Warm(kept);
        warm.give_back(IDLE);
        let mut kept = warm.lock();
        if kept.idle.is_empty() {
            kept.swept = false;
            return;
        }
    }
}

//! Instances that outlive a decision, for the policies that choose so: bounded in number, in decisions and in idle time.

use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;
use wasmtime::Store;
use wasmtime::component::Instance;

use super::guest::{ClockAndSeed, Guest};
use super::sandbox::Sandbox;
use crate::policy::locks::lock;

/// How many decisions an instance makes at most: whatever it keeps in memory, it does not keep for ever.
const DECISIONS: u32 = 1_000;
/// How long an instance may wait for its next question before it is dropped.
const IDLE: Duration = Duration::from_secs(60);

/// An instance between two decisions, or a store that has none yet.
pub(super) struct PooledInstance {
    pub(super) store: Store<Guest>,
    pub(super) instance: Option<Instance>,
    /// How many decisions it made.
    decisions: u32,
    /// Its place among the kept instances of all policies; taken when it is kept for the first time.
    place: Option<OwnedSemaphorePermit>,
}

impl PooledInstance {
    /// An empty store.
    pub(super) fn new(store: Store<Guest>) -> Self {
        Self { store, instance: None, decisions: 0, place: None }
    }

    /// One that was configured already.
    pub(super) fn configured(store: Store<Guest>, instance: Instance) -> Self {
        Self { instance: Some(instance), ..Self::new(store) }
    }
}

/// The instances of one configured plugin that wait for their next question.
#[derive(Clone, Default)]
pub(super) struct InstancePool(Arc<Mutex<Idle>>);

#[derive(Default)]
struct Idle {
    /// Each with the moment since when it waits; the one used last is the last.
    instances: Vec<(PooledInstance, Instant)>,
    /// How many may wait; 0 where each decision gets an instance of its own.
    most: usize,
    /// Whether a task drops those that wait too long.
    swept: bool,
}

impl InstancePool {
    /// Keeps at most so many from here on; those beyond that are dropped.
    pub(super) fn keep_at_most(&self, most: usize) {
        let mut idle = lock(&self.0);
        idle.most = most;
        idle.swept = false;
        let beyond = idle.instances.len().saturating_sub(most);
        idle.instances.drain(..beyond);
    }

    /// Keeps one for the moment of a trial, after which [`keep_at_most`](Self::keep_at_most) is called.
    pub(super) fn keep_for_trial(&self, sandbox: &Sandbox, instance: PooledInstance) {
        let mut idle = lock(&self.0);
        (idle.most, idle.swept) = (1, true);
        drop(idle);
        self.put_back(sandbox, instance);
    }

    /// The instance that was used last, or an empty store, with the clock and the seed of this decision.
    pub(super) fn take(&self, sandbox: &Sandbox, clock_and_seed: ClockAndSeed) -> PooledInstance {
        let waiting = lock(&self.0).instances.pop();
        match waiting {
            Some((mut pooled, _)) => {
                pooled.store.data_mut().begin(clock_and_seed, sandbox.config.log_bytes);
                pooled
            }
            None => PooledInstance::new(sandbox.store(clock_and_seed)),
        }
    }

    /// Keeps one that answered, where it may be kept.
    pub(super) fn put_back(&self, sandbox: &Sandbox, mut pooled: PooledInstance) {
        pooled.decisions += 1;
        let mut idle = lock(&self.0);
        if idle.instances.len() >= idle.most || pooled.decisions >= DECISIONS || pooled.instance.is_none() {
            return;
        }
        if pooled.place.is_none() {
            // Where every place is taken, this policy's next decision has to begin anew.
            let Ok(place) = Arc::clone(&sandbox.kept).try_acquire_owned() else { return };
            pooled.place = Some(place);
        }
        idle.instances.push((pooled, Instant::now()));
        if !std::mem::replace(&mut idle.swept, true) {
            tokio::spawn(sweep(Arc::downgrade(&self.0)));
        }
    }

    /// Drops those that have waited for so long.
    pub(super) fn drop_idle(&self, idle: Duration) {
        lock(&self.0).instances.retain(|(_, since)| since.elapsed() < idle);
    }
}

/// Ends when nothing waits any more.
async fn sweep(idle: Weak<Mutex<Idle>>) {
    loop {
        tokio::time::sleep(IDLE / 2).await;
        let Some(idle) = idle.upgrade() else { return };
        let pool = InstancePool(idle);
        pool.drop_idle(IDLE);
        let mut idle = lock(&pool.0);
        if idle.instances.is_empty() {
            idle.swept = false;
            return;
        }
    }
}

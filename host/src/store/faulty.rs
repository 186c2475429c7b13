//! A store that fails by plan: what stands on a store is tested with it.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Semaphore;
use tokio::sync::watch::Receiver;

use super::ring::RING;
use super::{Batch, Changes, Error, Fence, Pair, Range, Reading, Store, Watch};

/// Another store with faults in front of it. Without a plan it behaves as that one does.
pub struct FaultyStore {
    below: Arc<dyn Store>,
    plan: Mutex<Vec<Fault>>,
    struck: AtomicUsize,
    commits: AtomicUsize,
    /// Whether the last commit succeeded.
    healthy: AtomicBool,
}

/// Where a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    /// A read, before it is made.
    Read,
    /// A commit, before anything of it is written.
    BeforeCommit,
    /// A commit, after all of it was written: it is kept, and its caller is told otherwise.
    AfterCommit,
}

/// One line of a plan: which operations fail or wait.
#[derive(Debug, Clone)]
pub struct Fault {
    point: Point,
    prefix: Vec<u8>,
    skipped: usize,
    times: usize,
    gate: Option<Arc<Semaphore>>,
}

impl Fault {
    /// Every operation at this point fails.
    #[must_use]
    pub fn at(point: Point) -> Self {
        Self { point, prefix: Vec::new(), skipped: 0, times: usize::MAX, gate: None }
    }

    /// Only those that touch a key with this prefix.
    #[must_use]
    pub fn of(self, prefix: impl Into<Vec<u8>>) -> Self {
        Self { prefix: prefix.into(), ..self }
    }

    /// Only from the one on that comes after so many.
    #[must_use]
    pub fn skipping(self, operations: usize) -> Self {
        Self { skipped: operations, ..self }
    }

    /// Only so many of them.
    #[must_use]
    pub fn times(self, times: usize) -> Self {
        Self { times, ..self }
    }

    /// They do not fail: each waits for a permit of `gate` and keeps it. A read that cannot wait (`get`, `scan`) does not.
    #[must_use]
    pub fn waiting_for(self, gate: Arc<Semaphore>) -> Self {
        Self { gate: Some(gate), ..self }
    }

    fn strikes(&mut self, point: Point, touched: &Touched) -> bool {
        if self.point != point || self.times == 0 || !touched.meets(&self.prefix) {
            return false;
        }
        if self.skipped > 0 {
            self.skipped -= 1;
            return false;
        }
        self.times -= 1;
        true
    }
}

/// What an operation reads or writes.
enum Touched {
    Keys(Vec<Vec<u8>>),
    Below(Vec<u8>),
}

impl Touched {
    fn meets(&self, prefix: &[u8]) -> bool {
        match self {
            Self::Keys(keys) => keys.iter().any(|key| key.starts_with(prefix)),
            Self::Below(range) => range.starts_with(prefix) || prefix.starts_with(range),
        }
    }
}

impl FaultyStore {
    /// Puts faults in front of a store; none yet.
    #[must_use]
    pub fn new(below: Arc<dyn Store>) -> Self {
        Self {
            below,
            plan: Mutex::default(),
            struck: AtomicUsize::new(0),
            commits: AtomicUsize::new(0),
            healthy: AtomicBool::new(true),
        }
    }

    /// Replaces the plan; what waits at a gate of the old one still waits.
    pub fn plan(&self, plan: impl IntoIterator<Item = Fault>) {
        *self.faults() = plan.into_iter().collect();
    }

    /// How many operations have failed or waited by plan.
    pub fn struck(&self) -> usize {
        self.struck.load(Ordering::SeqCst)
    }

    /// How many commits there were, those that failed included.
    pub fn commits(&self) -> usize {
        self.commits.load(Ordering::SeqCst)
    }

    fn faults(&self) -> MutexGuard<'_, Vec<Fault>> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The gates to wait at, and whether the operation fails behind them.
    fn strike(&self, point: Point, touched: &Touched) -> (Vec<Arc<Semaphore>>, Result<(), Error>) {
        let (mut gates, mut outcome) = (Vec::new(), Ok(()));
        for fault in self.faults().iter_mut().filter_map(|fault| fault.strikes(point, touched).then_some(fault)) {
            self.struck.fetch_add(1, Ordering::SeqCst);
            match &fault.gate {
                Some(gate) => gates.push(Arc::clone(gate)),
                None => outcome = Err(Error::Failed(format!("by plan ({point:?})"))),
            }
        }
        (gates, outcome)
    }

    async fn pass(&self, point: Point, touched: &Touched) -> Result<(), Error> {
        let (gates, outcome) = self.strike(point, touched);
        for gate in gates {
            gate.acquire().await.map_err(|_| Error::Closed)?.forget();
        }
        outcome
    }

    async fn write(&self, batch: Batch) -> Result<(), Error> {
        self.commits.fetch_add(1, Ordering::SeqCst);
        let appends = (!batch.appended.is_empty()).then(|| RING.into());
        let touched = Touched::Keys(batch.keys().cloned().chain(appends).collect());
        self.pass(Point::BeforeCommit, &touched).await?;
        self.below.commit(batch).await?;
        self.pass(Point::AfterCommit, &touched).await
    }
}

impl Store for FaultyStore {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        self.strike(Point::Read, &Touched::Keys(vec![key.to_vec()])).1?;
        self.below.get(key)
    }

    fn scan(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Result<Vec<Pair>, Error> {
        self.strike(Point::Read, &Touched::Below(prefix.to_vec())).1?;
        self.below.scan(prefix, after, limit)
    }

    fn get_many(&self, keys: Vec<Vec<u8>>) -> Reading<'_, Vec<Option<Vec<u8>>>> {
        Box::pin(async move {
            self.pass(Point::Read, &Touched::Keys(keys.clone())).await?;
            self.below.get_many(keys).await
        })
    }

    fn range(&self, range: Range) -> Reading<'_, Vec<Pair>> {
        Box::pin(async move {
            self.pass(Point::Read, &Touched::Below(range.prefix.clone())).await?;
            self.below.range(range).await
        })
    }

    fn ranges(&self, ranges: Vec<Range>) -> Reading<'_, Vec<Vec<Pair>>> {
        Box::pin(async move {
            for range in &ranges {
                self.pass(Point::Read, &Touched::Below(range.prefix.clone())).await?;
            }
            self.below.ranges(ranges).await
        })
    }

    fn commit(&self, batch: Batch) -> Pin<Box<dyn Future<Output = Result<(), Error>> + Send + '_>> {
        Box::pin(async move {
            let outcome = self.write(batch).await;
            match outcome {
                // Refused, not failed.
                Err(Error::TooLarge { .. } | Error::Fenced { .. }) => {}
                _ => self.healthy.store(outcome.is_ok(), Ordering::SeqCst),
            }
            outcome
        })
    }

    fn acquire(&self, holder: &str) -> Fence {
        self.below.acquire(holder)
    }

    fn appended(&self) -> Receiver<u64> {
        self.below.appended()
    }

    fn watch(&self) -> Result<Watch, Error> {
        self.below.watch()
    }

    fn changed<'a>(&'a self, watch: &'a Watch, most: usize) -> Reading<'a, Changes> {
        Box::pin(async move {
            self.pass(Point::Read, &Touched::Below(Vec::new())).await?;
            self.below.changed(watch, most).await
        })
    }

    fn healthy(&self) -> bool {
        self.healthy.load(Ordering::SeqCst) && self.below.healthy()
    }
}

#[cfg(test)]
mod tests;

//! The only place that reads a clock; a test gives its own and moves it by hand.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;

use crate::domain::Timestamp;

/// Tells the time and waits for it.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// One that stands still until a test moves it.
    Manual(ManualClock),
}

impl Clock {
    /// The time now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that may")]
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                Timestamp::default().after(since)
            }
            Self::Manual(clock) => Timestamp::from_millis(clock.now.load(Ordering::SeqCst)),
        }
    }

    /// Returns when it is `until` or later.
    pub async fn sleep_until(&self, until: Timestamp) {
        match self {
            Self::System => tokio::time::sleep(until.since(self.now())).await,
            Self::Manual(clock) => {
                // As with the machine's clock: how long a wait takes is settled when it begins, wherever the clock is set.
                let mut moved = clock.moved.subscribe();
                let passed = || clock.passed.load(Ordering::SeqCst);
                let wait = u64::try_from(until.since(self.now()).as_millis()).unwrap_or(u64::MAX);
                let end = passed().saturating_add(wait);
                while passed() < end && moved.changed().await.is_ok() {}
            }
        }
    }
}

/// Measures how long something took, for metrics and benchmarks; never for a decision.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(std::time::Instant);

impl Stopwatch {
    /// Starts now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that may")]
    pub fn start() -> Self {
        Self(std::time::Instant::now())
    }

    /// The time since the start.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// A clock that stands still until it is moved; clones share one time.
#[derive(Debug, Clone)]
pub struct ManualClock {
    now: Arc<AtomicU64>,
    /// Milliseconds that have passed since it was made, however it was set.
    passed: Arc<AtomicU64>,
    moved: watch::Sender<()>,
}

impl ManualClock {
    /// Stands at `start`.
    #[must_use]
    pub fn new(start: Timestamp) -> Self {
        Self { now: Arc::new(AtomicU64::new(start.as_millis())), passed: Arc::default(), moved: watch::Sender::new(()) }
    }

    /// Moves it forward and wakes everyone whose time has come.
    pub fn advance(&self, by: Duration) {
        let by = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        self.now.fetch_add(by, Ordering::SeqCst);
        self.passed.fetch_add(by, Ordering::SeqCst);
        self.moved.send_replace(());
    }

    /// Sets it back, as people and time servers do.
    pub fn turn_back(&self, by: Duration) {
        let by = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        let _ = self.now.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |now| Some(now.saturating_sub(by)));
    }
}

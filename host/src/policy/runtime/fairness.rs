//! Turns: plugins that take long leave a part of the machine to those who do not.

use std::num::NonZero;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::ThreadId;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::policy::runtime::guest_log::lock;

/// Processor time after which a plugin takes long, and goes on by turns.
const LONG: Duration = Duration::from_millis(1);
/// One decision that took long outweighs so many that did not,
const WEIGHT: u32 = 16;
/// and no more than this is held against a plugin.
const MOST: u32 = 4 * WEIGHT;

/// Who takes long waits for a turn. There is one of each kind for each core but one, or one where there is one core.
#[derive(Clone)]
pub(crate) struct Turns {
    /// While they run: from one tick to the next.
    running: Arc<Semaphore>,
    /// Before they begin, where it is known beforehand: for a whole decision.
    beginning: Arc<Semaphore>,
}

impl Turns {
    pub(crate) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        let turns = || Arc::new(Semaphore::new(cores.saturating_sub(1).max(1)));
        Self { running: turns(), beginning: turns() }
    }

    /// Leaves the turn to others and waits for another. (The semaphores are never closed: waiting ends in having one.)
    pub(crate) async fn next(self, share: Arc<Mutex<Share>>) {
        lock(&share).wait();
        tokio::task::yield_now().await;
        let turn = self.running.acquire_owned().await.ok();
        lock(&share).go_on(turn);
    }

    /// A turn to begin with, for a plugin that took long lately; nobody else needs one.
    pub(crate) async fn to_begin(&self, pace: &Pace) -> Option<OwnedSemaphorePermit> {
        if !pace.is_slow() {
            return None;
        }
        // One for each plugin waits, so that no policy fills the queue with its decisions.
        let _first = pace.queue.lock().await;
        Arc::clone(&self.beginning).acquire_owned().await.ok()
    }
}

/// What one run of a plugin takes of the machine. Processor time is counted, not time: a machine that stood still, or was
/// busy with others, makes nobody late.
#[derive(Default)]
pub(crate) struct Share {
    took: Duration,
    /// The thread that it runs on, and how much of the processor that had taken when it began to.
    since: Option<(ThreadId, Duration)>,
    turn: Option<OwnedSemaphorePermit>,
    waits: bool,
    /// How often a tick found it running.
    ticks: u64,
}

impl Share {
    /// It begins to run, on this thread.
    pub(crate) fn begin() -> Self {
        Self { since: Some(here()), ..Self::default() }
    }

    /// A tick found it running, on this thread.
    pub(crate) fn tick(&mut self) {
        let (thread, now) = here();
        self.took += match self.since {
            Some((on, since)) if on == thread => now.saturating_sub(since),
            // It was moved to another thread meanwhile, and began there some time between two ticks.
            _ => LONG,
        };
        self.since = Some((thread, now));
        self.ticks += 1;
    }

    /// Processor time up to the newest tick.
    pub(crate) fn took(&self) -> Duration {
        self.took
    }

    /// Whether it takes long: then it goes on by turns.
    pub(crate) fn is_long(&self) -> bool {
        self.took >= LONG
    }

    /// Whether anything was heard of it since so many ticks, or it waits for its turn.
    pub(crate) fn goes_on(&self, ticks: &mut u64) -> bool {
        let moved = std::mem::replace(ticks, self.ticks) != self.ticks;
        moved || self.waits
    }

    /// It has ended.
    pub(crate) fn end(&mut self) {
        self.turn = None;
    }

    fn wait(&mut self) {
        (self.turn, self.waits) = (None, true);
    }

    fn go_on(&mut self, turn: Option<OwnedSemaphorePermit>) {
        (self.turn, self.waits, self.since) = (turn, false, Some(here()));
    }
}

/// This thread, and the processor time that it has taken.
fn here() -> (ThreadId, Duration) {
    (std::thread::current().id(), thread_time())
}

#[cfg(unix)]
fn thread_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// Time itself, where nothing better is to be had.
#[cfg(not(unix))]
#[expect(clippy::disallowed_methods, reason = "no decision sees it: it only ends those that take too long")]
fn thread_time() -> Duration {
    static START: std::sync::LazyLock<std::time::Instant> = std::sync::LazyLock::new(std::time::Instant::now);
    START.elapsed()
}

/// How long the decisions of a plugin took lately. One that took long is not enough to call it slow.
#[derive(Default)]
pub(crate) struct Pace {
    held: AtomicU32,
    /// Held by the decision that waits for a turn to begin with; the plugin's others wait for that one.
    queue: tokio::sync::Mutex<()>,
}

impl Pace {
    /// A decision took long, or takes long at this moment.
    pub(crate) fn note_long(&self) {
        let more = |held| Some(MOST.min(held + WEIGHT));
        let _ = self.held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
    }

    /// A decision ended that did not take long.
    pub(crate) fn note_short(&self) {
        let less = |held: u32| held.checked_sub(1);
        let _ = self.held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }

    fn is_slow(&self) -> bool {
        self.held.load(Ordering::Relaxed) > WEIGHT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugin_is_slow_when_it_took_long_more_than_once_and_no_more_when_it_was_quick_for_a_while() {
        let pace = Pace::default();
        pace.note_long();
        assert!(!pace.is_slow());
        (0..WEIGHT).for_each(|_| pace.note_short());
        pace.note_short();
        pace.note_long();
        assert!(!pace.is_slow(), "the one before is forgotten");
        (0..100).for_each(|_| pace.note_long());
        (0..MOST - WEIGHT - 1).for_each(|_| pace.note_short());
        assert!(pace.is_slow());
        pace.note_short();
        assert!(!pace.is_slow());
    }

    #[tokio::test]
    async fn who_is_slow_begins_with_a_turn_and_nobody_else_waits_for_one() {
        let turns = Turns::new();
        let (slow, quick) = (Pace::default(), Pace::default());
        (0..2).for_each(|_| slow.note_long());
        let mut taken = Vec::new();
        while turns.beginning.available_permits() > 0 {
            taken.push(turns.to_begin(&slow).await.expect("a turn"));
        }
        assert!(turns.to_begin(&quick).await.is_none());
        let mut next = std::pin::pin!(turns.to_begin(&slow));
        assert!(futures_util::poll!(next.as_mut()).is_pending());
        taken.pop();
        assert!(next.await.is_some());
    }

    #[test]
    fn a_run_takes_the_processor_time_of_its_thread_and_none_while_it_waits() {
        let mut share = Share::begin();
        std::thread::sleep(2 * LONG);
        share.tick();
        assert!(!share.is_long(), "sleeping takes nothing: {:?}", share.took());
        while !share.is_long() {
            share.tick();
        }
        let (took, mut ticks) = (share.took(), 0);
        share.wait();
        assert!(share.goes_on(&mut ticks) && share.goes_on(&mut ticks), "it waits for its turn");
        share.go_on(None);
        assert!(!share.goes_on(&mut ticks), "nothing was heard of it since");
        share.tick();
        assert!(share.goes_on(&mut ticks) && share.took() < took + 2 * LONG);
    }
}

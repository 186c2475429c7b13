//! Fairness: decisions that take long share slots of the processor, so that those that do not find a core free.

use std::num::NonZero;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::ThreadId;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::policy::locks::lock;

/// Processor time of a decision after which it needs a slot to go on.
const LONG: Duration = Duration::from_millis(1);
/// What one long decision adds to the score of its plugin; a short one takes away 1.
const WEIGHT: u32 = 16;
/// The highest score.
const MOST: u32 = 4 * WEIGHT;

/// Slots of the processor. Of each kind there are as many as cores but one, and one where there is a single core.
#[derive(Clone)]
pub(crate) struct CpuSlots {
    /// Held by a long decision from one tick of the engine to the next.
    running: Arc<Semaphore>,
    /// Held by a decision of a slow plugin from its beginning to its end.
    beginning: Arc<Semaphore>,
}

impl CpuSlots {
    pub(super) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        let slots = || Arc::new(Semaphore::new(cores.saturating_sub(1).max(1)));
        Self { running: slots(), beginning: slots() }
    }

    /// Gives the slot back and waits for another. (The semaphores are never closed: waiting ends in having one.)
    pub(super) async fn next(self, used: Arc<Mutex<CpuUse>>) {
        lock(&used).wait();
        tokio::task::yield_now().await;
        let slot = self.running.acquire_owned().await.ok();
        lock(&used).go_on(slot);
    }

    /// A slot to begin with, for a plugin that took long lately; `None` for all others, which need none.
    pub(crate) async fn to_begin(&self, slowness: &Slowness) -> Option<OwnedSemaphorePermit> {
        if !slowness.is_slow() {
            return None;
        }
        // One for each plugin waits, so that no policy fills the queue with its decisions.
        let _first = slowness.queue.lock().await;
        Arc::clone(&self.beginning).acquire_owned().await.ok()
    }
}

/// The processor time of one run of a plugin. Time itself is not counted: a machine that stood still, or was busy with
/// others, brings no deadline closer.
#[derive(Default)]
pub(super) struct CpuUse {
    /// Up to the newest tick.
    took: Duration,
    /// The thread that it runs on, and that thread's processor time when this was counted last.
    since: Option<(ThreadId, Duration)>,
    slot: Option<OwnedSemaphorePermit>,
    /// Whether it waits for a slot.
    waits: bool,
    /// How often a tick found it running.
    ticks: u64,
}

impl CpuUse {
    /// It begins to run, on this thread.
    pub(super) fn begin() -> Self {
        Self { since: Some(here()), ..Self::default() }
    }

    /// A tick found it running, on this thread.
    pub(super) fn tick(&mut self) {
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
    pub(super) fn took(&self) -> Duration {
        self.took
    }

    /// Whether it takes long: then it needs a slot.
    pub(super) fn is_long(&self) -> bool {
        self.took >= LONG
    }

    /// Whether a tick found it running since the last call of this, or it waits for a slot.
    pub(super) fn goes_on(&self, ticks: &mut u64) -> bool {
        let moved = std::mem::replace(ticks, self.ticks) != self.ticks;
        moved || self.waits
    }

    /// It has ended: gives its slot back.
    pub(super) fn end(&mut self) {
        self.slot = None;
    }

    fn wait(&mut self) {
        (self.slot, self.waits) = (None, true);
    }

    fn go_on(&mut self, slot: Option<OwnedSemaphorePermit>) {
        (self.slot, self.waits, self.since) = (slot, false, Some(here()));
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

/// How long the decisions of a plugin took lately, as a score. One long decision is not enough to call it slow.
#[derive(Default)]
pub(crate) struct Slowness {
    score: AtomicU32,
    /// Held by the decision that waits for a slot to begin with; the plugin's others wait for that one.
    queue: tokio::sync::Mutex<()>,
}

impl Slowness {
    /// A decision took long, or takes long at this moment.
    pub(super) fn note_long(&self) {
        let more = |score| Some(MOST.min(score + WEIGHT));
        let _ = self.score.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
    }

    /// A decision ended that did not take long.
    pub(super) fn note_short(&self) {
        let less = |score: u32| score.checked_sub(1);
        let _ = self.score.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }

    fn is_slow(&self) -> bool {
        self.score.load(Ordering::Relaxed) > WEIGHT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugin_is_slow_when_it_took_long_more_than_once_and_no_more_when_it_was_quick_for_a_while() {
        let slowness = Slowness::default();
        slowness.note_long();
        assert!(!slowness.is_slow());
        (0..WEIGHT).for_each(|_| slowness.note_short());
        slowness.note_short();
        slowness.note_long();
        assert!(!slowness.is_slow(), "the one before is forgotten");
        (0..100).for_each(|_| slowness.note_long());
        (0..MOST - WEIGHT - 1).for_each(|_| slowness.note_short());
        assert!(slowness.is_slow());
        slowness.note_short();
        assert!(!slowness.is_slow());
    }

    #[tokio::test]
    async fn a_slow_plugin_begins_with_a_slot_and_no_other_waits_for_one() {
        let slots = CpuSlots::new();
        let (slow, quick) = (Slowness::default(), Slowness::default());
        (0..2).for_each(|_| slow.note_long());
        let mut taken = Vec::new();
        while slots.beginning.available_permits() > 0 {
            taken.push(slots.to_begin(&slow).await.expect("a slot"));
        }
        assert!(slots.to_begin(&quick).await.is_none());
        let mut next = std::pin::pin!(slots.to_begin(&slow));
        assert!(futures_util::poll!(next.as_mut()).is_pending());
        taken.pop();
        assert!(next.await.is_some());
    }

    #[test]
    fn a_run_takes_the_processor_time_of_its_thread_and_none_while_it_waits() {
        let mut used = CpuUse::begin();
        std::thread::sleep(2 * LONG);
        used.tick();
        assert!(!used.is_long(), "sleeping takes nothing: {:?}", used.took());
        while !used.is_long() {
            used.tick();
        }
        let (took, mut ticks) = (used.took(), 0);
        used.wait();
        assert!(used.goes_on(&mut ticks) && used.goes_on(&mut ticks), "it waits for a slot");
        used.go_on(None);
        assert!(!used.goes_on(&mut ticks), "nothing was heard of it since");
        used.tick();
        assert!(used.goes_on(&mut ticks) && used.took() < took + 2 * LONG);
    }
}

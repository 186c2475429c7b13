//! Turns: plugins that take long leave a part of the machine to those who do not.

use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A plugin that comes back from one instruction so many ticks later took long: it filled all its memory, perhaps.
const LONG: u64 = 8;
/// One decision that took long outweighs so many that did not,
const WEIGHT: u32 = 16;
/// and no more than this is held against a plugin.
const MOST: u32 = 4 * WEIGHT;

/// Who takes long waits for a turn. There is one for each core but one.
#[derive(Clone)]
pub(super) struct Turns {
    /// While they run: from one tick to the next.
    running: Arc<Semaphore>,
    /// Before they begin, where it is known beforehand: for a whole decision.
    beginning: Arc<Semaphore>,
    /// Ticks of the engine since it was started.
    ticks: Arc<AtomicU64>,
}

impl Turns {
    pub(super) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        let turns = || Arc::new(Semaphore::new(cores.saturating_sub(1).max(1)));
        Self { running: turns(), beginning: turns(), ticks: Arc::default() }
    }

    /// The engine ticks.
    pub(super) fn tick(&self) {
        self.ticks.fetch_add(1, Ordering::Relaxed);
    }

    /// Ticks since the engine was started.
    pub(super) fn now(&self) -> u64 {
        self.ticks.load(Ordering::Relaxed)
    }

    /// Whether so much time went by since then that whoever heard of no tick meanwhile takes long.
    pub(super) fn is_long_since(&self, then: u64) -> bool {
        self.now() - then >= LONG
    }

    /// A turn to go on with. (The semaphores are never closed: waiting ends in having one.)
    pub(super) async fn to_go_on(self) -> Option<OwnedSemaphorePermit> {
        self.running.acquire_owned().await.ok()
    }

    /// A turn to begin with, for a plugin that took long lately; nobody else needs one.
    pub(super) async fn to_begin(&self, pace: &Pace) -> Option<OwnedSemaphorePermit> {
        if !pace.is_slow() {
            return None;
        }
        Arc::clone(&self.beginning).acquire_owned().await.ok()
    }
}

/// How long the decisions of a plugin took lately. One that took long is not enough to call it slow: the machine may have
/// stood still.
#[derive(Default)]
pub(super) struct Pace(AtomicU32);

impl Pace {
    /// A decision took long, or takes long at this moment.
    pub(super) fn note_long(&self) {
        let more = |held| Some(MOST.min(held + WEIGHT));
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
    }

    /// A decision ended that did not take long.
    pub(super) fn note_short(&self) {
        let less = |held: u32| held.checked_sub(1);
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }

    fn is_slow(&self) -> bool {
        self.0.load(Ordering::Relaxed) > WEIGHT
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
    fn time_that_went_by_without_a_tick_being_heard_is_long_from_some_ticks_on() {
        let turns = Turns::new();
        let then = turns.now();
        (1..LONG).for_each(|_| turns.tick());
        assert!(!turns.is_long_since(then));
        turns.tick();
        assert!(turns.is_long_since(then));
    }
}

//! The conversations of a lane that wait: for a free place, or for their time.

use std::collections::{BTreeSet, VecDeque};

use crate::domain::{ConversationId, Timestamp};

/// New traffic goes first, and retries get what is left.
#[derive(Default)]
pub(super) struct Queue {
    fresh: VecDeque<ConversationId>,
    retries: VecDeque<ConversationId>,
    timers: BTreeSet<(Timestamp, ConversationId)>,
}

impl Queue {
    /// Waits for a place.
    pub(super) fn push(&mut self, id: ConversationId) {
        self.fresh.push_back(id);
    }

    /// Waits for a place, to be tried again by itself.
    pub(super) fn push_retry(&mut self, id: ConversationId) {
        self.retries.push_back(id);
    }

    /// Waits for its time.
    pub(super) fn wake_at(&mut self, at: Timestamp, id: ConversationId) {
        self.timers.insert((at, id));
    }

    /// Who gets the next place.
    pub(super) fn pop(&mut self) -> Option<ConversationId> {
        self.fresh.pop_front().or_else(|| self.retries.pop_front())
    }

    /// Whether new traffic waits for a place.
    pub(super) fn has_fresh(&self) -> bool {
        !self.fresh.is_empty()
    }

    /// One whose time has come.
    pub(super) fn pop_due(&mut self, now: Timestamp) -> Option<ConversationId> {
        let (at, _) = self.timers.first()?;
        if *at > now {
            return None;
        }
        self.timers.pop_first().map(|(_, id)| id)
    }

    /// When the next time comes.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.timers.first().map(|(at, _)| *at)
    }

    /// How many wait for a place.
    pub(super) fn waiting(&self) -> usize {
        self.fresh.len() + self.retries.len()
    }

    /// How many wait for their time.
    pub(super) fn scheduled(&self) -> usize {
        self.timers.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_traffic_goes_before_retries_and_nobody_before_his_time() {
        let id = |text: &str| ConversationId::new(text).unwrap();
        let mut queue = Queue::default();
        queue.wake_at(Timestamp::from_millis(5), id("later"));
        queue.wake_at(Timestamp::from_millis(3), id("sooner"));
        assert_eq!(queue.pop_due(Timestamp::from_millis(2)), None);
        assert_eq!(queue.pop_due(Timestamp::from_millis(9)), Some(id("sooner")));
        queue.push_retry(id("sooner"));
        queue.push(id("new"));
        assert_eq!((queue.waiting(), queue.scheduled(), queue.next_due()), (2, 1, Some(Timestamp::from_millis(5))));
        assert_eq!((queue.pop(), queue.pop(), queue.pop()), (Some(id("new")), Some(id("sooner")), None));
    }
}

//! What a lane shares with those who hand it arrivals: a bell, and how many are not merged yet.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::sync::Notify;

use crate::domain::ConversationId;

/// Conversations of an organization that are remembered as having moved lately.
const MOVED: usize = 500;

/// What a lane shares with those who hand it arrivals and ask about it.
#[derive(Default)]
pub(super) struct Inbound {
    /// Wakes the lane.
    pub(super) arrived: Notify,
    /// Arrivals that are acknowledged, or about to be, and not merged yet.
    unmerged: AtomicUsize,
    /// Whether the inbox was found empty since the start.
    emptied: AtomicBool,
    /// The conversations that were attempted last, oldest first.
    moved: Mutex<VecDeque<ConversationId>>,
}

impl Inbound {
    /// An arrival is about to be acknowledged.
    pub(super) fn arrives(&self) {
        self.unmerged.fetch_add(1, Ordering::SeqCst);
    }

    /// An arrival was not kept, or so the store says: if it was after all, the lane finds it.
    pub(super) fn not_kept(&self) {
        self.merged(1, false);
    }

    /// The lane merged so many, and found the inbox empty.
    pub(super) fn merged(&self, count: usize, emptied: bool) {
        let less = |unmerged: usize| Some(unmerged.saturating_sub(count));
        let _ = self.unmerged.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less);
        if emptied {
            self.emptied.store(true, Ordering::SeqCst);
        }
    }

    /// Arrivals that are not merged yet; 1 at least while nobody has looked into the inbox since the start.
    pub(super) fn unmerged(&self) -> usize {
        let known = self.unmerged.load(Ordering::SeqCst);
        if self.emptied.load(Ordering::SeqCst) { known } else { known.max(1) }
    }

    pub(super) fn note_moved(&self, id: ConversationId) {
        let mut moved = self.moved.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if moved.len() == MOVED {
            moved.pop_front();
        }
        moved.push_back(id);
    }

    /// Newest first; one that moved twice is there twice.
    pub(super) fn moved_lately(&self) -> Vec<ConversationId> {
        let moved = self.moved.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        moved.iter().rev().cloned().collect()
    }
}

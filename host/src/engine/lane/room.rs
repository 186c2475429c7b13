//! Whether conversations of a lane may begin, and how many: as many as there are places, or a wave where it slows.

use super::Lane;
use crate::domain::{Pace, Timestamp};

/// Room for conversations that begin.
#[derive(Default)]
pub(super) struct Room {
    pub(super) places: usize,
    /// Whether they are a wave of an organization that slows.
    pub(super) is_wave: bool,
    /// When there is more of it.
    pub(super) more_at: Option<Timestamp>,
}

impl Lane {
    /// How many conversations may begin now. An organization that slows takes one wave at a time; what holds back all that
    /// is sent has times of its own.
    pub(super) fn room(&self, now: Timestamp) -> Room {
        let (org, under_way) = (&self.shared.org, self.attempts.len());
        let most = org.conversations_at_once();
        match org.salesforce.slowed() {
            Some(quota) if self.breaker.holding().is_none() => {
                let next = self.pace.next(quota, org.salesforce.calls());
                let places = if under_way == 0 && next <= now { most.min(Pace::size(quota)) } else { 0 };
                let more_at = Some(next).filter(|next| *next > now && under_way == 0 && self.queue.waiting() > 0);
                Room { places, is_wave: true, more_at }
            }
            _ => Room { places: most.saturating_sub(under_way), is_wave: false, more_at: None },
        }
    }
}

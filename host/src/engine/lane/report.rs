//! What a lane tells of its organization: its health, and the figures of the metrics.

use std::sync::atomic::Ordering;

use super::Lane;
use crate::domain::{Refusal, State, Timestamp};
use crate::engine::org::{HeldBack, OrgHealth};
use crate::telemetry::{OfOrg, Registered};

impl Lane {
    /// Tells how the organization stands.
    pub(super) fn report(&self) {
        let org = self.shared.org.id.to_string();
        let by_state = [
            (State::Pending, self.counts.pending),
            (State::Retrying, self.counts.retrying),
            (State::Ignored, self.counts.ignored),
            (State::Resolved, self.counts.resolved),
        ];
        for (state, count) in by_state {
            let labels = Registered { org: org.clone(), state: state.as_str() };
            self.shared.metrics.sync_errors.get_or_create(&labels).set(i64::try_from(count).unwrap_or(i64::MAX));
        }
        let waiting = i64::try_from(self.queue.waiting()).unwrap_or(i64::MAX);
        self.shared.metrics.waiting.get_or_create(&OfOrg { org }).set(waiting);
        let held =
            |(refusal, next_probe_at): (&Refusal, Timestamp)| HeldBack { refusal: refusal.clone(), next_probe_at };
        let mut health = OrgHealth {
            sync_errors: self.counts,
            waiting: self.queue.waiting() + self.retrying_all.len(),
            sending: self.attempts.len(),
            scheduled: self.queue.scheduled(),
            unmerged: 0,
            held_back_by: self.breaker.holding().map(held),
            newest_pending: self.newest_pending.clone().filter(|_| self.counts.pending > 0),
        };
        self.health.send_if_modified(|known| {
            health.unmerged = self.inbound.unmerged.load(Ordering::SeqCst);
            let changed = *known != health;
            *known = health;
            changed
        });
    }
}

//! A turn as one commit, and what the lane takes over when that is written.

use super::{CameOut, Todo, Turn};
use crate::domain::{GroupStood, HostEvent, SyncError, SyncErrorId};
use crate::ledger::{CustomerChange, DeliveryChange, ErrorChange, LaneCommit, LaneState};

/// What a lane takes over when a turn is written.
pub(in crate::engine) struct Finished {
    pub(in crate::engine) state: LaneState,
    pub(in crate::engine) newest_pending: Option<SyncErrorId>,
    pub(in crate::engine) todo: Vec<Todo>,
    pub(in crate::engine) came_out: Vec<CameOut>,
}

impl Turn<'_> {
    /// Everything as one commit.
    pub(in crate::engine) fn finish(mut self) -> (LaneCommit, Finished) {
        let mut commit = self.commit;
        for (id, after) in self.deliveries {
            let before = self.loaded.deliveries.remove(&id).filter(|_| !self.forgotten.contains(&id));
            self.state.phases.moved(before.as_ref(), Some(&after));
            commit.deliveries.push(DeliveryChange { id, before, after });
        }
        for (id, after) in self.errors {
            let before = self.loaded.errors.get(&id);
            commit.events.extend(HostEvent::of_error(before, &after, self.now));
            let before = before.map(SyncError::summary);
            commit.errors.push(ErrorChange { before, after });
        }
        for group in self.groups.into_values() {
            let loaded = || self.loaded.groups.get(&group.id).map(|group| GroupStood::of(group, self.now));
            let before = self.groups_stood.get(&group.id).copied().or_else(loaded);
            commit.events.extend(HostEvent::of_group(before, &group, self.now));
            self.state.groups = self.state.groups.saturating_sub(u64::from(group.is_empty()));
            commit.groups.push(group);
        }
        commit.customers.extend(self.loaded.strays);
        for (id, after) in &self.conversations {
            let before = self.loaded.conversations.get(id).filter(|_| !self.forgotten.contains(id));
            commit.customers.extend(CustomerChange::between(self.org, before, Some(after)));
        }
        commit.conversations = self.conversations.into_values().collect();
        commit.pages = self.pages.into_iter().map(|((id, number), page)| (id, number, page)).collect();
        for unreadable in self.loaded.unreadable {
            tracing::error!(org = %self.org, key = %unreadable.key, reason = %unreadable.reason, "a record is set aside");
            commit.quarantined.push(unreadable);
        }
        self.state.seen = self.now;
        self.state.highest = self.state.highest.max(self.now);
        commit.state = Some(self.state.clone());
        (
            commit,
            Finished {
                state: self.state,
                newest_pending: self.newest_pending,
                todo: self.todo,
                came_out: self.came_out,
            },
        )
    }
}

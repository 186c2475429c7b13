//! Causes of an organization, counted from its sync errors.

use std::collections::BTreeMap;

use crate::domain::{Cause, Conversation, Fingerprint, GROUPS_KEPT, Group, GroupChange, OrgId, SyncError};

/// Causes that are being counted.
#[derive(Default)]
pub(super) struct Groups {
    known: BTreeMap<Fingerprint, Group>,
    changes: Vec<(Fingerprint, GroupChange)>,
}

impl Groups {
    /// Puts a sync error into the group of its cause, or that of the rest where there are too many, and counts it.
    pub(super) fn count(&mut self, org: &OrgId, conversation: Option<&Conversation>, error: &mut SyncError) {
        let cause = Cause::new(org, &error.refusal);
        let cause = match conversation {
            Some(conversation) => cause.of_conversation(conversation),
            None => cause,
        };
        let (mut id, at) = (cause.identify().id, error.first_seen);
        let full = u64::try_from(self.known.len()).is_ok_and(|known| known >= GROUPS_KEPT);
        if full && !self.known.contains_key(&id) {
            id = Fingerprint::unnamed();
        }
        let group = self.known.entry(id.clone()).or_insert_with(|| match id == Fingerprint::unnamed() {
            true => Group::of_the_rest(&cause, at),
            false => Group::new(&cause, at),
        });
        group.first_seen = group.first_seen.min(at);
        error.group = id.clone();
        let change = |before, failed, at| {
            (id.clone(), GroupChange { sync_error: error.id.clone(), before, after: Some(error.state), failed, at })
        };
        // It came into the group when it was seen first, and is known to have failed when it was seen last.
        self.changes.push(change(None, false, error.first_seen));
        self.changes.push(change(Some(error.state), true, error.last_seen));
    }

    /// The causes with their counts. What happened is applied in the order of time; of one moment, what came first.
    pub(super) fn finish(mut self) -> Vec<Group> {
        self.changes.sort_by_key(|(_, change)| (change.at, change.failed));
        for (id, change) in self.changes {
            if let Some(group) = self.known.get_mut(&id) {
                group.apply(change);
            }
        }
        self.known.into_values().collect()
    }
}

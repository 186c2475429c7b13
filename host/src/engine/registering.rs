//! What a turn changes in the error registry: sync errors and, with them, the counts of their causes.

use super::turn::Turn;
use crate::domain::{
    Cause, Change, ConversationId, Fingerprint, GROUPS_KEPT, Group, GroupChange, GroupStood, MessageId, Person, State,
    SyncError, SyncErrorId, Timestamp,
};
use crate::ledger::Forgotten;

impl Turn<'_> {
    /// Changes a sync error; answers the messages that are affected now and were not before.
    pub(super) fn register(
        &mut self,
        conversation: &ConversationId,
        id: &SyncErrorId,
        change: Change,
        erased: bool,
    ) -> Vec<MessageId> {
        let known = self.sync_error(id).cloned();
        let before = known.as_ref().map(|error| error.state);
        let error = match (known, &change) {
            (Some(known), _) => Some(known),
            (None, Change::Failed { refusal, group, affected, .. }) => affected.last().map(|message| {
                let (org, refusal, message) = (self.org.clone(), (**refusal).clone(), message.clone());
                SyncError::blank(id.clone(), org, conversation.clone(), message, group.clone(), refusal, self.now)
            }),
            // A change of what was never registered: nothing to change.
            (None, _) => None,
        };
        let Some(mut error) = error else { return Vec::new() };
        let failed = matches!(change, Change::Failed { .. } | Change::FailedAgain { .. });
        let group_before = error.group.clone();
        let new = error.apply(change, self.now);
        if let (true, Some(of)) = (failed, self.conversation(conversation)) {
            (error.team, error.channel) = (of.team.clone(), of.channel.clone());
            error.person = Person::of(&of.customer);
        }
        error.records = self.delivery(conversation).records.of_conversation();
        if erased {
            error.erase();
        }
        if error.state == State::Pending && before != Some(State::Pending) {
            self.newest_pending = Some(id.clone());
        }
        self.state.errors.moved(before, Some(error.state));
        if group_before == error.group {
            self.count_in_group(&error, before, Some(error.state), failed);
        } else {
            let left = SyncError { group: group_before, ..error.clone() };
            self.count_in_group(&left, before, None, false);
            self.count_in_group(&error, None, Some(error.state), failed);
        }
        self.errors.insert(id.clone(), error);
        new
    }

    /// The group of a cause; the one of the rest where an organization has too many.
    pub(super) fn admit(&self, group: Fingerprint) -> Fingerprint {
        let known = self.groups.contains_key(&group) || self.loaded.groups.contains_key(&group);
        if known || self.state.groups < GROUPS_KEPT { group } else { Fingerprint::unnamed() }
    }

    /// When a cause was seen first; `None` where it was never seen before this turn.
    pub(super) fn first_seen(&self, group: &Fingerprint) -> Option<Timestamp> {
        let known = self.groups.get(group).or_else(|| self.loaded.groups.get(group));
        known.map(|group| group.first_seen)
    }

    /// Counts what happened to a sync error in its group.
    fn count_in_group(&mut self, error: &SyncError, before: Option<State>, after: Option<State>, failed: bool) {
        let id = &error.group;
        let known = self.groups.remove(id).or_else(|| {
            let loaded = self.loaded.groups.remove(id)?;
            self.groups_stood.insert(id.clone(), GroupStood::of(&loaded, self.now));
            Some(loaded)
        });
        let mut group = known.unwrap_or_else(|| {
            self.state.groups += 1;
            let cause = Cause::new(self.org, &error.refusal);
            let cause = match self.conversation(&error.conversation) {
                Some(conversation) => cause.of_conversation(conversation),
                None => cause,
            };
            match *id == Fingerprint::unnamed() {
                true => Group::of_the_rest(&cause, self.now),
                false => Group { id: id.clone(), ..Group::new(&cause, self.now) },
            }
        });
        group.apply(GroupChange { sync_error: error.id.clone(), before, after, failed, at: self.now });
        self.groups.insert(id.clone(), group);
    }

    /// Changes words of a sync error, and nothing else.
    pub(super) fn change(&mut self, error: SyncError) {
        self.errors.insert(error.id.clone(), error);
    }

    /// Forgets a sync error, unless this turn did something with it.
    pub(super) fn forget_error(&mut self, error: &SyncError) {
        if !self.errors.contains_key(&error.id) && self.forgotten_errors.insert(error.id.clone()) {
            self.state.errors.moved(Some(error.state), None);
            self.count_in_group(error, Some(error.state), None, false);
            self.commit.forgotten.push(Forgotten::Error(Box::new(error.summary())));
        }
    }

    pub(super) fn sync_error(&self, id: &SyncErrorId) -> Option<&SyncError> {
        self.errors.get(id).or_else(|| self.loaded.errors.get(id).filter(|_| !self.forgotten_errors.contains(id)))
    }

    pub(super) fn affected(&self, error: &SyncErrorId) -> Vec<MessageId> {
        self.sync_error(error).map(|error| error.affected.clone()).unwrap_or_default()
    }
}

//! The end of an upgrade: what was held is put together, organization by organization.

use std::collections::{BTreeSet, HashMap};

use super::conversations::{Known, convert};
use super::groups::Groups;
use super::merging::{merge, named};
use super::{Read, Upgrade, format_1};
use crate::domain::{AuditEntry, ConversationId, Fact, MessageId, OrgId, State, Timestamp};
use crate::ledger::commit::CommitError;
use crate::ledger::{LaneCommit, LaneState, Quarantined, key, record};
use crate::store::{Batch, Error, Pair};

/// A conversation of an organization.
type Place = (OrgId, ConversationId);

impl Upgrade {
    /// What becomes of all that was held.
    ///
    /// # Errors
    /// When a sync error cannot be understood, and nothing tells its organization.
    pub fn end(&mut self) -> Result<Vec<Pair>, Error> {
        for (id, (key, value), reason) in std::mem::take(&mut self.unreadable) {
            let Some(org) = self.org_of.get(&id) else { return Err(reason) };
            let read = self.orgs.entry(org.clone()).or_default();
            read.quarantined.push(Quarantined::of(org, key, value, &reason));
            self.upgraded.quarantined += 1;
        }
        self.place_audit();
        let mut pairs = Vec::new();
        for (org, read) in std::mem::take(&mut self.orgs) {
            for batch in self.organization(&org, read)? {
                pairs.extend(self.written(batch));
            }
        }
        Ok(pairs)
    }

    /// Gives each entry of the audit to the conversation of its message.
    fn place_audit(&mut self) {
        let mut places: HashMap<MessageId, Vec<Place>> = HashMap::new();
        let mut place = |message: &MessageId, org: &OrgId, id: &ConversationId| {
            let places = places.entry(message.clone()).or_default();
            if !places.iter().any(|known| (&known.0, &known.1) == (org, id)) {
                places.push((org.clone(), id.clone()));
            }
        };
        for (org, read) in &self.orgs {
            for (id, conversation) in &read.conversations {
                conversation.messages.iter().for_each(|message| place(&message.id, org, id));
            }
            for (id, errors) in &read.errors {
                errors.iter().for_each(|error| place(&error.message, org, id));
            }
        }
        for (message, entries) in std::mem::take(&mut self.audit) {
            let Some(places) = places.get(&message) else {
                self.upgraded.left_out += entries.len() as u64;
                continue;
            };
            for (key, value) in entries {
                match format_1::decode::<AuditEntry>(&String::from_utf8_lossy(&key), &value) {
                    Ok(entry) => self.give(places, &entry),
                    Err(reason) => {
                        let org = &places[0].0;
                        let entry = Quarantined::of(org, key, value, &reason);
                        self.orgs.entry(org.clone()).or_default().quarantined.push(entry);
                        self.upgraded.quarantined += 1;
                    }
                }
            }
        }
    }

    /// A message may be in conversations of several organizations: what names a sync error or a record is about one of them.
    fn give(&mut self, places: &[Place], entry: &AuditEntry) {
        let owns = |(org, id): &&Place| match &entry.fact {
            Fact::Delivered { record, .. } => self
                .orgs
                .get(org)
                .and_then(|read| read.deliveries.get(id))
                .is_some_and(|delivery| delivery.records.conversation.as_ref() == Some(record)),
            fact => named(fact).is_none_or(|error| self.org_of.get(error) == Some(org)),
        };
        let mut owners: Vec<_> = places.iter().filter(owns).collect();
        if owners.is_empty() {
            owners = places.iter().collect();
        }
        for (org, id) in owners {
            let read = self.orgs.entry(org.clone()).or_default();
            read.audit.entry(id.clone()).or_default().push(entry.clone());
        }
    }

    /// The records of an organization.
    fn organization(&mut self, org: &OrgId, mut read: Read) -> Result<Vec<Batch>, Error> {
        let (mut groups, mut state, mut batches) = (Groups::default(), LaneState::default(), Vec::new());
        let ids: BTreeSet<_> = read.conversations.keys().chain(read.deliveries.keys()).cloned().collect();
        for id in ids {
            let known = Known {
                conversation: read.conversations.remove(&id),
                delivery: read.deliveries.remove(&id),
                errors: read.errors.remove(&id).unwrap_or_default(),
                audit: read.audit.remove(&id).unwrap_or_default(),
                id,
            };
            let (errors, newest) = (known.errors.len(), known.newest());
            let converted = convert(org, known, &mut groups);
            state.seen = state.seen.max(newest);
            let after = converted.commit.deliveries.iter().map(|change| &change.after);
            after.for_each(|delivery| state.phases.moved(None, Some(delivery)));
            let after = converted.commit.errors.iter().map(|change| change.after.state);
            after.for_each(|after| state.errors.moved(None, Some(after)));
            self.upgraded.conversations += 1;
            self.upgraded.merged += (errors - converted.commit.errors.len()) as u64;
            self.upgraded.left_out += converted.too_old as u64;
            let mut batch = encode(org, &converted.commit)?;
            for (old, stays) in converted.aliases {
                batch.put(key::error_alias(&old), record::encode(&stays));
            }
            batches.push(batch);
        }
        self.without_conversation(org, &mut read);
        let groups = groups.finish();
        (state.groups, state.highest) = (groups.len() as u64, state.seen);
        let quarantined = read.quarantined;
        let commit = LaneCommit { groups, quarantined, state: Some(state), at: self.at, ..LaneCommit::default() };
        batches.push(encode(org, &commit)?);
        Ok(batches)
    }

    /// What is left belongs to conversations that are forgotten. Sync errors that are not over are kept aside.
    fn without_conversation(&mut self, org: &OrgId, read: &mut Read) {
        self.upgraded.left_out += read.audit.values().map(|entries| entries.len() as u64).sum::<u64>();
        for (id, errors) in std::mem::take(&mut read.errors) {
            for error in merge(org, &id, None, errors, &[]).errors {
                if error.state == State::Resolved {
                    self.upgraded.left_out += 1;
                    continue;
                }
                let reason = "its conversation is not on record".to_owned();
                let (key, value) = (key::error(&error.id), record::encode(&error));
                read.quarantined.push(Quarantined::because(org, key, value, reason));
                self.upgraded.quarantined += 1;
            }
        }
    }
}

impl Known {
    /// When something of it was written last; what a source told has times of the source.
    fn newest(&self) -> Timestamp {
        let own = self.audit.iter().filter(|entry| !matches!(entry.fact, Fact::Arrived { .. } | Fact::Erased { .. }));
        own.map(|entry| entry.at).chain(self.errors.iter().map(|error| error.last_seen)).max().unwrap_or_default()
    }
}

fn encode(org: &OrgId, commit: &LaneCommit) -> Result<Batch, Error> {
    commit.encode(org).map_err(|error| match error {
        CommitError::TooLarge { key, bytes, .. } => Error::TooLarge { key, bytes },
        CommitError::Unavailable(error) => error,
        CommitError::Fenced => Error::Closed,
    })
}

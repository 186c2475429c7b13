//! Reads records by noun.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{LaneState, Ledger, key, record};
use crate::domain::{
    Arrival, Conversation, ConversationId, Delivery, Group, OrgId, SourceId, SyncError, SyncErrorId, Timestamp, Work,
};
use crate::store::{Batch, Error, Pair, Range};

/// Pairs that are read at a time where all of a prefix are read.
const CHUNK: usize = 1_000;

/// Which conversations of a lane are asked for, by what they do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Queued {
    /// Wait for a place, or are on their way; the longest waiting first.
    Ready(Work),
    /// Wait for the end of an incident; the newest first.
    Parked,
}

impl Ledger {
    pub(super) async fn read<T: DeserializeOwned>(&self, key: String) -> Result<Option<T>, Error> {
        let key = key.into_bytes();
        let value = self.store.get_many(vec![key.clone()]).await?.pop().flatten();
        value.map(|value| record::decode(&key, &value)).transpose()
    }

    /// All pairs of a prefix, some at a time.
    pub(super) async fn each(
        &self,
        prefix: &str,
        keys_only: bool,
        mut take: impl FnMut(Pair) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut after = None;
        loop {
            let mut range = Range::of(prefix, CHUNK).after(after);
            if keys_only {
                range = range.keys_only();
            }
            let pairs = self.store.range(range).await?;
            let Some((last, _)) = pairs.last() else { return Ok(()) };
            after = Some(last.clone());
            for pair in pairs {
                take(pair)?;
            }
        }
    }

    /// The organizations that have records.
    ///
    /// # Errors
    /// When the store cannot be read or the record not be understood; so for all readers below.
    pub async fn orgs(&self) -> Result<Vec<OrgId>, Error> {
        let mut orgs = Vec::new();
        self.each(key::LANES, true, |(name, _)| key::part(&name, 0).map(|org| orgs.push(org))).await?;
        Ok(orgs)
    }

    /// How an organization stands; `None` where it has no records yet.
    pub async fn lane_state(&self, org: &OrgId) -> Result<Option<LaneState>, Error> {
        self.read(key::lane(org)).await
    }

    /// A conversation.
    pub async fn conversation(&self, org: &OrgId, id: &ConversationId) -> Result<Option<Conversation>, Error> {
        self.read(key::conversation(org, id)).await
    }

    /// The same, where it can be understood: for whoever looks at many and needs none of them.
    pub async fn readable_conversation(&self, org: &OrgId, id: &ConversationId) -> Result<Option<Conversation>, Error> {
        match self.conversation(org, id).await {
            Err(error @ Error::Unreadable { .. }) => {
                tracing::error!(%error, "a conversation is left out");
                Ok(None)
            }
            known => known,
        }
    }

    /// Those of these organizations that have a conversation on record.
    pub async fn that_know(&self, id: &ConversationId, orgs: Vec<OrgId>) -> Result<Vec<OrgId>, Error> {
        let keys = orgs.iter().map(|org| key::conversation(org, id).into_bytes()).collect();
        let values = self.store.get_many(keys).await?;
        Ok(orgs.into_iter().zip(values).filter_map(|(org, value)| value.map(|_| org)).collect())
    }

    /// Some conversations of an organization, in the order of their ids.
    pub async fn conversations(&self, org: &OrgId, limit: usize) -> Result<Vec<ConversationId>, Error> {
        let names = self.store.range(Range::of(key::conversations(org), limit).keys_only()).await?;
        Ok(names.iter().filter_map(|(name, _)| key::part(name, 0).ok()).collect())
    }

    /// Where a conversation stands; the default where nothing is known.
    pub async fn delivery(&self, org: &OrgId, id: &ConversationId) -> Result<Delivery, Error> {
        Ok(self.read(key::delivery(org, id)).await?.unwrap_or_default())
    }

    /// A sync error. One that an import merged into another leads to that one.
    pub async fn sync_error(&self, id: &SyncErrorId) -> Result<Option<SyncError>, Error> {
        let keys = vec![key::error(id).into_bytes(), key::error_alias(id).into_bytes()];
        let values = self.store.get_many(keys.clone()).await?;
        let [Some(error), _] = values.as_slice() else {
            let Some(Some(alias)) = values.get(1) else { return Ok(None) };
            let stays: SyncErrorId = record::decode(&keys[1], alias)?;
            return self.read(key::error(&stays)).await;
        };
        record::decode(&keys[0], error).map(Some)
    }

    /// Sync errors by their ids; those that are not there, or cannot be read, are left out.
    pub async fn sync_errors_of(&self, ids: &[SyncErrorId]) -> Result<Vec<SyncError>, Error> {
        let keys: Vec<_> = ids.iter().map(|id| key::error(id).into_bytes()).collect();
        let values = self.store.get_many(keys.clone()).await?;
        let read = |(name, value): (Vec<u8>, Option<Vec<u8>>)| record::decode(&name, &value?).ok();
        let bytes = record::bytes_of(values.iter().flatten());
        Ok(record::off_thread(bytes, || keys.into_iter().zip(values).filter_map(read).collect()))
    }

    /// Conversations that wait in this way, since when, at most `limit`.
    pub async fn queued(
        &self,
        org: &OrgId,
        queued: Queued,
        limit: usize,
    ) -> Result<Vec<(Timestamp, ConversationId)>, Error> {
        match queued {
            Queued::Ready(work) => self.since(Range::of(key::ready(org, work), limit)).await,
            Queued::Parked => self.parked(org, None, limit).await,
        }
    }

    /// Parked conversations, since when, the newest first: those behind this place of the list, at most `limit`.
    pub async fn parked(
        &self,
        org: &OrgId,
        behind: Option<(Timestamp, &ConversationId)>,
        limit: usize,
    ) -> Result<Vec<(Timestamp, ConversationId)>, Error> {
        let behind = behind.map(|(since, id)| key::parked_since(org, since, id).into_bytes());
        self.since(Range::of(key::parked(org), limit).backward().after(behind)).await
    }

    /// Reads keys that end with a time and a conversation.
    async fn since(&self, range: Range) -> Result<Vec<(Timestamp, ConversationId)>, Error> {
        self.index(range, |name| Ok((key::time_part(name, 1)?, key::part(name, 0)?))).await
    }

    /// Conversations that are tried again by themselves, the next one first, with the time before which they are not.
    pub async fn due(&self, org: &OrgId, limit: usize) -> Result<Vec<(Timestamp, ConversationId)>, Error> {
        self.since(Range::of(key::due(org), limit)).await
    }

    /// Reads keys of an index. One that cannot be understood leads nowhere, and is removed.
    pub(super) async fn index<T>(
        &self,
        range: Range,
        read: impl Fn(&[u8]) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        loop {
            let pairs = self.store.range(range.clone().keys_only()).await?;
            let (mut found, mut batch) = (Vec::with_capacity(pairs.len()), Batch::default());
            for (name, _) in pairs {
                match read(&name) {
                    Ok(place) => found.push(place),
                    Err(error) => {
                        tracing::error!(%error, "a key of an index is removed");
                        batch.delete(name);
                    }
                }
            }
            if batch.is_empty() {
                return Ok(found);
            }
            self.store.commit(batch).await?;
        }
    }

    /// Causes of an organization, in the order of their ids; at most so many are looked at. One that cannot be read is left
    /// out.
    pub async fn groups(&self, org: &OrgId, limit: usize) -> Result<Vec<Group>, Error> {
        let (mut groups, mut looked_at, mut after) = (Vec::new(), 0, None);
        while looked_at < limit {
            let pairs = self.store.range(Range::of(key::groups(org), limit - looked_at).after(after)).await?;
            let Some((last, _)) = pairs.last() else { break };
            after = Some(last.clone());
            looked_at += pairs.len();
            groups.extend(pairs.iter().filter_map(|(name, value)| record::decode(name, value).ok()));
        }
        Ok(groups)
    }

    /// The newest action that a poll of a source has seen.
    pub async fn cursor(&self, source: &SourceId) -> Result<u64, Error> {
        Ok(self.read(key::cursor(source)).await?.unwrap_or_default())
    }

    /// The teams that an organization has seen (at most `limit`), each with a conversation of it.
    pub async fn teams(&self, org: &OrgId, limit: usize) -> Result<BTreeMap<String, ConversationId>, Error> {
        let pairs = self.store.range(Range::of(key::teams(org), limit)).await?;
        // A team is a hint for the checks: one that cannot be read is seen again.
        let team = |(name, value): &Pair| {
            let hex: String = key::part(name, 0).ok()?;
            let team = hex::decode(hex).ok().and_then(|bytes| String::from_utf8(bytes).ok())?;
            Some((team, record::decode(name, value).ok()?))
        };
        Ok(pairs.iter().filter_map(team).collect())
    }

    /// Arrivals that are not merged yet, oldest first, with their numbers; those that cannot be read as they are.
    pub async fn inbox(&self, org: &OrgId, limit: usize) -> Result<Vec<(u64, Result<Arrival, Pair>)>, Error> {
        let pairs = self.store.range(Range::of(key::inbox(org), limit)).await?;
        let read = |(name, value): Pair| {
            let number = key::part(&name, 0).unwrap_or_default();
            (number, record::decode(&name, &value).map_err(|_| (name, value)))
        };
        let bytes = record::bytes_of(pairs.iter().map(|(_, value)| value));
        Ok(record::off_thread(bytes, || pairs.into_iter().map(read).collect()))
    }

    /// How many arrivals are not merged yet.
    pub async fn unmerged(&self, org: &OrgId) -> Result<usize, Error> {
        let mut count = 0;
        self.each(&key::inbox(org), true, |_| {
            count += 1;
            Ok(())
        })
        .await?;
        Ok(count)
    }

    /// What alerts keep of an organization.
    pub async fn alert_state<T: DeserializeOwned>(&self, org: &OrgId) -> Result<Option<T>, Error> {
        self.read(key::alert(org)).await
    }

    /// Keeps it.
    pub async fn keep_alert_state<T: Serialize + Sync>(&self, org: &OrgId, state: &T) -> Result<(), Error> {
        let mut batch = Batch::default();
        batch.put(key::alert(org), record::encode(state));
        self.store.commit(batch).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::{Cause, Class, Refusal};
    use crate::store::{MemoryStore, Store};

    #[tokio::test]
    async fn all_causes_are_read_also_where_they_are_more_than_a_page_of_the_store() {
        let store = Arc::new(MemoryStore::default());
        let (ledger, org) = (Ledger::new(store.clone()), OrgId::new("acme").unwrap());
        let refusal = Refusal::new(Class::Record, "CODE", "");
        let group = Group { text: "x".repeat(5_000), ..Group::new(&Cause::new(&org, &refusal), Timestamp::default()) };
        let mut batch = Batch::default();
        for number in 0..2_001 {
            batch.put(format!("{}{number:04}", key::groups(&org)), record::encode(&group));
        }
        store.commit(batch).await.unwrap();
        assert_eq!(ledger.groups(&org, 2_001).await.unwrap().len(), 2_001);
        assert_eq!(ledger.groups(&org, 2_000).await.unwrap().len(), 2_000);
    }
}

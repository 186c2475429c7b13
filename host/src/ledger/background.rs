//! What is looked after in the background: gaps to fill, ids to write back, and what has become too old.

use super::{Ledger, Quarantined, key, record};
use crate::domain::{ConversationId, Delivery, OrgId, Records, SourceId, Timestamp};
use crate::store::{Batch, Error, Pair, Range};

/// Keys of one conversation of a source that are looked at: the newest decides.
const NOTED: usize = 100;

impl Ledger {
    /// Conversations that did not change since before this day and have nothing to do, oldest first, each with the day by
    /// which it was found.
    ///
    /// # Errors
    /// When the store cannot be read; so for all readers below.
    pub async fn aged(&self, org: &OrgId, before: u32, limit: usize) -> Result<Vec<(u32, ConversationId)>, Error> {
        let read = |name: &[u8]| Ok((key::part(name, 1)?, key::part(name, 0)?));
        let mut aged = self.index(Range::of(key::aged(org), limit), read).await?;
        aged.retain(|(day, _)| *day < before);
        Ok(aged)
    }

    /// Conversations that have nothing to do or wait for a person, by the day of their last change, with how they stand.
    pub async fn sweep(
        &self,
        org: &OrgId,
        after: Option<&(u32, ConversationId)>,
        limit: usize,
    ) -> Result<Vec<(u32, ConversationId, Delivery)>, Error> {
        let prefix = key::aged(org);
        let after = after.map(|(day, id)| format!("{prefix}{day:08}/{id}").into_bytes());
        let read = |name: &[u8]| Ok((key::part(name, 1)?, key::part(name, 0)?));
        let places: Vec<(u32, ConversationId)> = self.index(Range::of(prefix, limit).after(after), read).await?;
        let keys: Vec<_> = places.iter().map(|(_, id)| key::delivery(org, id).into_bytes()).collect();
        let values = self.store.get_many(keys.clone()).await?;
        let delivery = |(name, value): (Vec<u8>, Option<Vec<u8>>)| record::decode(&name, &value?).ok();
        let found = places.into_iter().zip(keys.into_iter().zip(values));
        // One that cannot be read, or has moved meanwhile, is as one that never got through.
        Ok(found.map(|((day, id), pair)| (day, id, delivery(pair).unwrap_or_default())).collect())
    }

    /// A conversation of a source of which something was missed, and when that was noted.
    pub async fn gap(&self, source: &SourceId) -> Result<Option<(ConversationId, Timestamp)>, Error> {
        let read = |name: &[u8]| Ok((key::part(name, 1)?, key::time_part(name, 0)?));
        Ok(self.index(Range::of(key::gaps(source), 1), read).await?.pop())
    }

    /// A gap was filled. One that was noted since stays.
    pub async fn filled(&self, source: &SourceId, id: &ConversationId, noted: Timestamp) -> Result<(), Error> {
        let mut batch = Batch::default();
        batch.delete(key::gap(source, id, noted));
        self.store.commit(batch).await
    }

    /// A conversation whose source is to keep ids of Salesforce's records; the one after `after`, or else the first. With the
    /// newest ids, and when they were noted. What cannot be understood is set aside.
    pub async fn link(
        &self,
        source: &SourceId,
        after: Option<&ConversationId>,
    ) -> Result<Option<(ConversationId, Records, Timestamp)>, Error> {
        loop {
            let Some((id, (name, value))) = self.newest_link(source, after).await? else { return Ok(None) };
            let noted = key::time_part(&name, 0)?;
            let error = match record::decode(&name, &value) {
                Ok(records) => return Ok(Some((id, records, noted))),
                Err(error) => error,
            };
            tracing::error!(%source, conversation = %id, %error, "ids of Salesforce that are to be written back are set aside");
            let mut batch = Batch::default();
            batch.delete(name.clone());
            Quarantined::of_source(source, name, value, &error, noted).put(&mut batch);
            self.store.commit(batch).await?;
        }
    }

    async fn newest_link(
        &self,
        source: &SourceId,
        after: Option<&ConversationId>,
    ) -> Result<Option<(ConversationId, Pair)>, Error> {
        let prefix = key::links(source);
        let mut found = Vec::new();
        if let Some(after) = after {
            // A tilde comes after every character of a time.
            let after = format!("{prefix}{after}/~").into_bytes();
            found = self.store.range(Range::of(prefix.clone(), NOTED).after(Some(after))).await?;
        }
        if found.is_empty() {
            found = self.store.range(Range::of(prefix, NOTED)).await?;
        }
        let Some((name, _)) = found.first() else { return Ok(None) };
        let id: ConversationId = key::part(name, 1)?;
        let of_it = |(name, _): &Pair| key::part::<ConversationId>(name, 1).is_ok_and(|own| own == id);
        Ok(found.into_iter().take_while(of_it).last().map(|pair| (id, pair)))
    }

    /// The ids that were noted until then are written, or never will be. Those that were noted since stay.
    pub async fn linked(&self, source: &SourceId, id: &ConversationId, noted: Timestamp) -> Result<(), Error> {
        let prefix = format!("{}{id}/", key::links(source));
        let mut batch = Batch::default();
        for (name, _) in self.store.range(Range::of(prefix, NOTED).keys_only()).await? {
            if key::time_part(&name, 0)? <= noted {
                batch.delete(name);
            }
        }
        self.store.commit(batch).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::store::{MemoryStore, Store};

    #[tokio::test]
    async fn ids_that_cannot_be_read_are_set_aside_and_those_of_the_next_conversation_are_written_back() {
        let store = Arc::new(MemoryStore::default());
        let (ledger, source) = (Ledger::new(store.clone()), SourceId::new("main").unwrap());
        let mut batch = Batch::default();
        let link = |id: &str| key::link(&source, &id.parse().unwrap(), Timestamp::from_millis(7));
        batch.put(link("main:1"), "{\"9\":{\"of\":\"a later release\"}}");
        batch.put(link("main:2"), record::encode(&Records::default()));
        store.commit(batch).await.unwrap();
        for after in [None, Some("main:0".parse().unwrap())] {
            let (id, _, noted) = ledger.link(&source, after.as_ref()).await.unwrap().unwrap();
            assert_eq!((id.as_str(), noted), ("main:2", Timestamp::from_millis(7)));
        }
        let page = ledger.quarantine(None, 10).await.unwrap();
        let keys: Vec<_> = page.entries.iter().map(|entry| entry.key.as_str()).collect();
        assert_eq!(keys, [link("main:1")]);
    }
}

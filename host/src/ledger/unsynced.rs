//! The conversations that have waited longest, each read as the first key of an index: what that costs does not grow with the
//! backlog. What waits for a person stands in none of these indexes.

use super::inbox::arrived_at;
use super::{Ledger, key, record};
use crate::domain::{
    Arrival, ConversationId, ErrorSummary, OrgId, SourceId, State, Timestamp, Unsynced, WaitsFor, Work,
};
use crate::store::{Error, Pair, Range};

/// The conversation that has waited longest, by what it waits for.
#[derive(Debug, Clone, Default)]
pub struct Oldest {
    /// In the inbox, for a place, or on its way.
    pub ready: Option<Unsynced>,
    /// The one that failed first of those that are being retried.
    pub retrying: Option<Unsynced>,
    /// The one that is tried again next; its `since` is that time.
    pub due: Option<Unsynced>,
    /// For the end of an incident.
    pub parked: Option<Unsynced>,
}

impl Oldest {
    /// The oldest of all, wherever it waits.
    #[must_use]
    pub fn of_all(self) -> Option<Unsynced> {
        oldest([self.ready, self.retrying, self.parked])
    }

    /// The oldest that waits for nothing but its turn, or will then; what is parked could move where no incident is open.
    #[must_use]
    pub fn of_movable(self, incident: bool) -> Option<Unsynced> {
        oldest([self.ready, self.due, self.parked.filter(|_| !incident)])
    }
}

fn oldest<const N: usize>(found: [Option<Unsynced>; N]) -> Option<Unsynced> {
    found.into_iter().flatten().min_by_key(|unsynced| unsynced.since)
}

/// The first of an index whose keys end in time and conversation.
fn first((name, _): &Pair, waits_for: WaitsFor) -> Result<Unsynced, Error> {
    let (since, conversation): (_, ConversationId) = (key::time_part(name, 1)?, key::part(name, 0)?);
    Ok(Unsynced { conversation, since, waits_for })
}

/// What stands first in the inbox; one that cannot be read is about to be set aside.
fn first_arrival((name, value): Pair) -> Result<Option<Unsynced>, Error> {
    let since = arrived_at(key::part(&name, 0)?);
    let arrival: Option<Arrival> = record::decode(&name, &value).ok();
    Ok(arrival.map(|arrival| Unsynced { conversation: arrival.conversation, since, waits_for: WaitsFor::Merge }))
}

impl Ledger {
    /// The conversations of an organization that have waited longest.
    ///
    /// # Errors
    /// When the store cannot be read or a key not be understood.
    pub async fn oldest(&self, org: &OrgId) -> Result<Oldest, Error> {
        let mut ranges = vec![Range::of(key::inbox(org), 1), Range::of(key::error_list(org, State::Retrying), 1)];
        let indexes = Work::ALL.map(|work| key::ready(org, work)).into_iter().chain([key::due(org), key::parked(org)]);
        ranges.extend(indexes.map(|index| Range::of(index, 1).keys_only()));
        // One way to the disk for all of them: they are asked for each organization.
        let mut found = self.store.ranges(ranges).await?.into_iter().map(|pairs| pairs.into_iter().next());
        let mut next = || found.next().flatten();
        let (arrival, retrying) = (next().map(first_arrival).transpose()?.flatten(), next());
        let mut waits = |waits_for| next().map(|pair| first(&pair, waits_for)).transpose();
        let mut ready = [arrival, None, None, None];
        for place in &mut ready[1..] {
            *place = waits(WaitsFor::Place)?;
        }
        Ok(Oldest {
            ready: oldest(ready),
            retrying: retrying.and_then(|(name, value)| {
                let error: ErrorSummary = record::decode(&name, &value).ok()?;
                let (conversation, since) = (error.conversation, error.first_seen);
                Some(Unsynced { conversation, since, waits_for: WaitsFor::Retry })
            }),
            due: waits(WaitsFor::Retry)?,
            parked: waits(WaitsFor::IncidentEnd)?,
        })
    }

    /// When something last came of each source, by organization, to the minute.
    ///
    /// # Errors
    /// When the store cannot be read. A record that cannot be understood is left out.
    pub async fn arrived(&self) -> Result<Vec<(OrgId, SourceId, Timestamp)>, Error> {
        let mut arrived = Vec::new();
        self.each(key::ARRIVED, false, |(name, value)| {
            match record::decode(&name, &value) {
                Ok(at) => arrived.push((key::part(&name, 1)?, key::part(&name, 0)?, at)),
                Err(error) => tracing::error!(%error, "when something last came of a source is left out"),
            }
            Ok(())
        })
        .await?;
        Ok(arrived)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::store::{Batch, MemoryStore};

    #[tokio::test]
    async fn the_oldest_is_the_first_of_the_indexes_and_what_waits_for_a_person_is_in_none() {
        let ledger = Ledger::new(Arc::new(MemoryStore::default()));
        let org = OrgId::new("acme").unwrap();
        let mut batch = Batch::default();
        for name in [
            "ready/acme/new/1790000005000/main:5",
            "ready/acme/new/1790000004000/main:4",
            "ready/acme/operation/1790000003000/main:3",
            "due/acme/1790000009000/main:9",
            "parked/acme/1790000002000/main:2",
            "age/acme/00020717/main:1",
            "parked/other/1790000000000/main:0",
        ] {
            batch.put(name, "");
        }
        ledger.store.commit(batch).await.unwrap();
        let id = |found: Option<Unsynced>| found.map(|found| found.conversation.to_string());
        let found = ledger.oldest(&org).await.unwrap();
        assert_eq!(id(found.clone().of_all()).as_deref(), Some("main:2"));
        assert_eq!(id(found.clone().of_movable(true)).as_deref(), Some("main:3"), "what is parked cannot move");
        assert_eq!(id(found.clone().of_movable(false)).as_deref(), Some("main:2"));
        assert_eq!(id(found.due).as_deref(), Some("main:9"));
        let nobody = ledger.oldest(&OrgId::new("nobody").unwrap()).await.unwrap();
        assert_eq!(nobody.of_all(), None);
    }
}

//! Puts an entry of the quarantine back under its key. A lane does it between two of its turns, so that nobody else writes there.

use super::actions;
use super::quarantine::NOT_WRITTEN;
use super::{AuditPage, LaneState, LaneWriter, Quarantined, key, record};
use crate::domain::{Action, Arrival, Conversation, ConversationId, Delivery, Group, SyncError};
use crate::store::{self, Batch};

/// Why an entry stays in the quarantine.
#[derive(Debug, thiserror::Error)]
pub enum NotPutBack {
    /// Forget it, or leave it: the host has gone on without it.
    #[error("something else stands at {0} by now")]
    Occupied(String),
    /// Forget it: there is nothing to put back.
    #[error("nothing of {0} was kept, so there is nothing to put back")]
    NothingKept(String),
    /// Forget it, or leave it: what the platform sends later comes by itself.
    #[error("{0} never became a record: mend it where it came from")]
    NeverARecord(String),
    /// Start a release that understands it.
    #[error("{0}")]
    Unreadable(String),
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl LaneWriter {
    /// Puts an entry back, with the index that leads to it; `state` counts it again. What cannot be understood stays where
    /// it is: the lane would only set it aside once more. Who asked for it is in the same commit.
    ///
    /// # Errors
    /// Says why the entry stays in the quarantine.
    pub async fn put_back(
        &self,
        entry: &Quarantined,
        action: Option<&Action>,
        state: &mut LaneState,
    ) -> Result<(), NotPutBack> {
        if entry.key.is_empty() || entry.value.is_empty() || entry.key.ends_with(NOT_WRITTEN) {
            return Err(NotPutBack::NothingKept(entry.key.clone()));
        }
        let known = self.value(&entry.key).await?;
        if known.as_ref().is_some_and(|known| *known != entry.value) {
            return Err(NotPutBack::Occupied(entry.key.clone()));
        }
        let found = Found::read(entry).map_err(|error| NotPutBack::Unreadable(error.to_string()))?;
        let index = found.index(entry)?;
        let listed = match &index {
            Some(index) => self.value(index).await?.is_some(),
            None => false,
        };
        let mut counted = state.clone();
        match &found {
            Found::Delivery(delivery) if known.is_none() => counted.phases.moved(None, Some(delivery)),
            // Its place in the list stayed when it was set aside, and with it its count.
            Found::Error(error) if !listed => counted.errors.moved(None, Some(error.state)),
            _ => {}
        }
        let mut batch = Batch::default();
        if let Some(index) = index {
            batch.put(index, found.listed());
        }
        if let Found::Error(error) = &found {
            key::indexes_of_error(&error.summary()).into_iter().for_each(|key| batch.put(key, ""));
        }
        if let (Found::Conversation(of), Some(org)) = (&found, &entry.org) {
            key::indexes_of_conversation(org, of).into_iter().for_each(|key| batch.put(key, ""));
        }
        batch.put(entry.key.clone(), entry.value.clone());
        batch.put(key::lane(&self.org), record::encode(&counted));
        entry.forget(&mut batch);
        action.into_iter().for_each(|action| actions::put(&mut batch, action));
        self.ledger.store.commit(batch.fenced(self.fence.clone())).await?;
        action.into_iter().for_each(actions::tell);
        *state = counted;
        Ok(())
    }

    async fn value(&self, key: &str) -> Result<Option<Vec<u8>>, store::Error> {
        Ok(self.ledger.store.get_many(vec![key.as_bytes().to_vec()]).await?.pop().flatten())
    }
}

/// What an entry holds.
enum Found {
    Delivery(Box<Delivery>),
    Error(Box<SyncError>),
    Conversation(Box<Conversation>),
    /// A record that no index leads to.
    Other,
}

impl Found {
    fn read(entry: &Quarantined) -> Result<Self, store::Error> {
        let (name, value) = (entry.key.as_bytes(), entry.value.as_slice());
        let noun = entry.key.split('/').next().unwrap_or_default();
        match noun {
            "delivery" => return record::decode(name, value).map(Self::Delivery),
            "error" => return record::decode(name, value).map(Self::Error),
            "conversation" => return record::decode(name, value).map(Self::Conversation),
            "inbox" => drop(record::decode::<Arrival>(name, value)?),
            "audit" => drop(record::decode::<AuditPage>(name, value)?),
            "group" => drop(record::decode::<Group>(name, value)?),
            _ => return Err(super::unreadable(&entry.key, "this release puts no records of this kind back")),
        }
        Ok(Self::Other)
    }

    /// The index that leads to it.
    fn index(&self, entry: &Quarantined) -> Result<Option<String>, store::Error> {
        Ok(match self {
            Self::Delivery(delivery) => {
                let id: ConversationId = key::part(entry.key.as_bytes(), 0)?;
                entry.org.as_ref().map(|org| key::of_delivery(org, &id, delivery))
            }
            Self::Error(error) => Some(key::of_error(&error.summary())),
            Self::Conversation(_) | Self::Other => None,
        })
    }

    /// What the index holds of it.
    fn listed(&self) -> Vec<u8> {
        match self {
            Self::Error(error) => record::encode(&error.summary()),
            Self::Delivery(_) | Self::Conversation(_) | Self::Other => Vec::new(),
        }
    }
}

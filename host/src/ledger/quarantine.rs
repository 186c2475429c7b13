//! What cannot be read or written: set aside by its key with the reason, so that nothing else waits for it.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Ledger, key, record};
use crate::domain::{Arrival, OrgId, Timestamp};
use crate::store::{Batch, Error, Range};

/// What the key of an entry ends in when nothing of it could be kept.
pub(super) const NOT_WRITTEN: &str = " (not written)";

/// A record that was set aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantined {
    /// Names it in the API and on the command line.
    pub id: String,
    /// The organization that it belongs to.
    pub org: OrgId,
    /// The key under which it was found, or would have been kept.
    pub key: String,
    /// Why it was set aside.
    pub reason: String,
    /// When.
    pub at: Timestamp,
    /// How many bytes it has.
    pub bytes: usize,
    /// What it holds.
    #[serde(skip)]
    pub value: Vec<u8>,
}

impl Quarantined {
    /// A record that cannot be read.
    #[must_use]
    pub fn of(org: &OrgId, key: Vec<u8>, value: Vec<u8>, reason: &Error) -> Self {
        Self::because(org, String::from_utf8_lossy(&key).into_owned(), value, reason.to_string())
    }

    /// An arrival that can be read and is not merged.
    #[must_use]
    pub fn arrival(org: &OrgId, number: u64, arrival: &Arrival, reason: String) -> Self {
        Self::because(org, key::arrival(org, number), record::encode(arrival), reason)
    }

    /// A record that is set aside for a reason; the same content under the same key has the same id.
    #[must_use]
    pub fn because(org: &OrgId, key: String, value: Vec<u8>, reason: String) -> Self {
        let digest = Sha256::new().chain_update(&key).chain_update(&value).finalize();
        let id = format!("qu-{}", hex::encode(&digest[..10]));
        Self { id, org: org.clone(), key, reason, at: Timestamp::default(), bytes: value.len(), value }
    }

    pub(super) fn put(&self, batch: &mut Batch) {
        batch.put(key::quarantine(&self.org, &self.id), record::encode(self));
        batch.put(key::quarantine_value(&self.org, &self.id), self.value.clone());
    }

    pub(super) fn forget(&self, batch: &mut Batch) {
        batch.delete(key::quarantine(&self.org, &self.id));
        batch.delete(key::quarantine_value(&self.org, &self.id));
    }
}

/// A part of the quarantine.
#[derive(Debug, Clone)]
pub struct QuarantinePage {
    /// In the order of organizations and ids, without what they hold.
    pub entries: Vec<Quarantined>,
    /// Asks for the next part; `None` at the end.
    pub next: Option<String>,
}

/// Whether a text can be the `next` of a page of the quarantine: `ORG/ID`.
#[must_use]
pub fn is_quarantine_cursor(text: &str) -> bool {
    text.split_once('/').is_some_and(|(org, id)| OrgId::new(org).is_ok() && id.starts_with("qu-"))
}

impl Ledger {
    /// What is in the quarantine; `after` is the `next` of the page before. An entry that cannot be understood is left out.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn quarantine(&self, after: Option<&str>, limit: usize) -> Result<QuarantinePage, Error> {
        let after = after.map(|after| format!("{}{after}", key::QUARANTINE).into_bytes());
        let pairs = self.store.range(Range::of(key::QUARANTINE, limit).after(after)).await?;
        let last = pairs.last().filter(|_| pairs.len() == limit);
        let next = last.map(|(name, _)| String::from_utf8_lossy(&name[key::QUARANTINE.len()..]).into_owned());
        let mut entries = Vec::with_capacity(pairs.len());
        for (name, value) in &pairs {
            match record::decode(name, value) {
                Ok(entry) => entries.push(entry),
                Err(error) => tracing::error!(%error, "an entry of the quarantine is left out of a list"),
            }
        }
        Ok(QuarantinePage { entries, next })
    }

    /// How many entries the quarantine has; counting ends at `most`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn quarantine_size(&self, most: usize) -> Result<usize, Error> {
        Ok(self.store.range(Range::of(key::QUARANTINE, most).keys_only()).await?.len())
    }

    /// One entry of the quarantine, with what it holds.
    ///
    /// # Errors
    /// When the store cannot be read or the entry not be understood.
    pub async fn quarantined(&self, id: &str) -> Result<Option<Quarantined>, Error> {
        let mut found = None;
        self.each(key::QUARANTINE, true, |(name, _)| {
            if found.is_none() && key::part::<String>(&name, 0)? == id {
                found = Some(name);
            }
            Ok(())
        })
        .await?;
        let Some(name) = found else { return Ok(None) };
        let value = self.store.get_many(vec![name.clone()]).await?.pop().flatten();
        let Some(mut entry) = value.map(|value| record::decode::<Quarantined>(&name, &value)).transpose()? else {
            return Ok(None);
        };
        let value = key::quarantine_value(&entry.org, &entry.id).into_bytes();
        entry.value = self.store.get_many(vec![value]).await?.pop().flatten().unwrap_or_default();
        Ok(Some(entry))
    }

    /// Forgets an entry of the quarantine, and what it holds.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn drop_quarantined(&self, entry: &Quarantined) -> Result<(), Error> {
        let mut batch = Batch::default();
        entry.forget(&mut batch);
        self.store.commit(batch).await
    }
}

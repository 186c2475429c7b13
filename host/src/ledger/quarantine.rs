//! What cannot be read or written: set aside by its key with the reason, so that nothing else waits for it.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Ledger, key, record};
use crate::domain::{OrgId, Timestamp};
use crate::store::{Batch, Error, Range};

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
}

impl Ledger {
    /// What is in the quarantine, in the order of organizations and ids; `after` is an entry's `ORG/ID`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn quarantine(&self, after: Option<&str>, limit: usize) -> Result<Vec<Quarantined>, Error> {
        let after = after.map(|after| format!("{}{after}", key::QUARANTINE).into_bytes());
        let pairs = self.store.range(Range::of(key::QUARANTINE, limit).after(after)).await?;
        pairs.iter().map(|(name, value)| record::decode(name, value)).collect()
    }

    /// One entry of the quarantine, with what it holds.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn quarantined(&self, id: &str) -> Result<Option<Quarantined>, Error> {
        let (mut found, mut after) = (None, None);
        loop {
            let page = self.quarantine(after.as_deref(), 200).await?;
            let Some(last) = page.last() else { break };
            after = Some(format!("{}/{}", last.org, last.id));
            found = page.into_iter().find(|entry| entry.id == id);
            if found.is_some() {
                break;
            }
        }
        let Some(mut found) = found else { return Ok(None) };
        let value = key::quarantine_value(&found.org, &found.id);
        found.value = self.store.get_many(vec![value.into_bytes()]).await?.pop().flatten().unwrap_or_default();
        Ok(Some(found))
    }

    /// Forgets an entry of the quarantine, and what it holds.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn drop_quarantined(&self, entry: &Quarantined) -> Result<(), Error> {
        let mut batch = Batch::default();
        batch.delete(key::quarantine(&entry.org, &entry.id));
        batch.delete(key::quarantine_value(&entry.org, &entry.id));
        self.store.commit(batch).await
    }

    /// Puts an entry of the quarantine back under its key, to be read again; answers `false`, and leaves it, where there is
    /// something else by now.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub async fn put_back(&self, entry: &Quarantined) -> Result<bool, Error> {
        let there = self.store.get_many(vec![entry.key.clone().into_bytes()]).await?.pop().flatten();
        if there.is_some_and(|there| there != entry.value) {
            return Ok(false);
        }
        let mut batch = Batch::default();
        batch.put(entry.key.clone(), entry.value.clone());
        batch.delete(key::quarantine(&entry.org, &entry.id));
        batch.delete(key::quarantine_value(&entry.org, &entry.id));
        self.store.commit(batch).await?;
        Ok(true)
    }
}

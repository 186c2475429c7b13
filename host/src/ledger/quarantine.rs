//! What cannot be read or written: set aside by its key with the reason, so that nothing else waits for it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Ledger, actions, key, record};
use crate::domain::{Action, Arrival, ConversationId, OrgId, SourceId, SyncErrorId, Timestamp};
use crate::store::{Batch, Error, Range};

/// What the key of an entry ends in when nothing of it could be kept.
pub(super) const NOT_WRITTEN: &str = " (not written)";

/// What the owner of an entry begins with where a source sent it.
pub(super) const SENT_BY: &str = "@";
/// So many bytes are kept of what a source sent,
const SENT_BYTES: usize = 64 * 1024;
/// and so many entries of one source: what somebody sends without end must not fill the disk.
const SENT_KEPT: usize = 1_000;

/// A record that was set aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantined {
    /// Names it in the API and on the command line.
    pub id: String,
    /// The organization that it belongs to; absent where nobody knows, because it never became a record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org: Option<OrgId>,
    /// The source that sent it, where it never became a record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceId>,
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
        let id = Self::id_of(&key, &value);
        let (org, at) = (Some(org.clone()), Timestamp::default());
        Self { id, org, source: None, key, reason, at, bytes: value.len(), value }
    }

    /// A record about a source that cannot be read.
    pub(super) fn of_source(source: &SourceId, key: Vec<u8>, value: Vec<u8>, reason: &Error, at: Timestamp) -> Self {
        let key = String::from_utf8_lossy(&key).into_owned();
        let (id, bytes) = (Self::id_of(&key, &value), value.len());
        Self { id, org: None, source: Some(source.clone()), key, reason: reason.to_string(), at, bytes, value }
    }

    /// What a source sent and nobody can use. Of a large one, the beginning is kept.
    #[must_use]
    pub fn sent(source: &SourceId, what: &str, value: &[u8], reason: String, at: Timestamp) -> Self {
        let (key, kept) = (format!("from/{source}/{what}"), value[..value.len().min(SENT_BYTES)].to_vec());
        let id = Self::id_of(&key, value);
        Self { id, org: None, source: Some(source.clone()), key, reason, at, bytes: value.len(), value: kept }
    }

    fn id_of(key: &str, value: &[u8]) -> String {
        let digest = Sha256::new().chain_update(key).chain_update(value).finalize();
        format!("qu-{}", hex::encode(&digest[..10]))
    }

    /// Forgets what it holds, where that is about this conversation: then only its key and its size say that it was there.
    pub fn erase(&mut self, id: &ConversationId) {
        if names(self.key.as_bytes(), id.as_str().as_bytes()) || names(&self.value, id.as_str().as_bytes()) {
            self.value.clear();
            "(erased)".clone_into(&mut self.reason);
        }
    }

    /// Whose it is, in keys and cursors; no organization has a name with this sign.
    pub(super) fn owner(&self) -> String {
        match (&self.org, &self.source) {
            (Some(org), _) => org.to_string(),
            (None, Some(source)) => format!("{SENT_BY}{source}"),
            (None, None) => SENT_BY.to_owned(),
        }
    }

    pub(super) fn put(&self, batch: &mut Batch) {
        batch.put(key::quarantine(&self.owner(), &self.id), record::encode(self));
        batch.put(key::quarantine_value(&self.owner(), &self.id), self.value.clone());
    }

    pub(super) fn forget(&self, batch: &mut Batch) {
        QuarantineKey { owner: self.owner(), id: self.id.clone() }.forget(batch);
    }
}

/// Where an entry is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuarantineKey {
    owner: String,
    id: String,
}

impl QuarantineKey {
    pub(super) fn forget(&self, batch: &mut Batch) {
        batch.delete(key::quarantine(&self.owner, &self.id));
        batch.delete(key::quarantine_value(&self.owner, &self.id));
    }
}

/// Whether a text has an id in it that is not a part of a longer one.
fn names(text: &[u8], id: &[u8]) -> bool {
    let ends = |byte: Option<&u8>| byte.is_none_or(|byte| !byte.is_ascii_alphanumeric() && !b"._:-".contains(byte));
    text.windows(id.len().max(1)).enumerate().any(|(at, part)| {
        part == id && ends(at.checked_sub(1).and_then(|at| text.get(at))) && ends(text.get(at + id.len()))
    })
}

/// A part of the quarantine.
#[derive(Debug, Clone)]
pub struct QuarantinePage {
    /// In the order of organizations and ids, without what they hold.
    pub entries: Vec<Quarantined>,
    /// Asks for the next part; `None` at the end.
    pub next: Option<String>,
}

/// Whether a text can be the `next` of a page of the quarantine: `ORG/ID` or `@SOURCE/ID`.
#[must_use]
pub fn is_quarantine_cursor(text: &str) -> bool {
    text.split_once('/').is_some_and(|(owner, id)| {
        let owner = owner.strip_prefix(SENT_BY).unwrap_or(owner);
        OrgId::new(owner).is_ok() && id.starts_with("qu-")
    })
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

    /// Whether there is room in the quarantine for more of what a source sends.
    pub(super) async fn has_room_for(&self, source: &SourceId) -> Result<bool, Error> {
        let own = format!("{}{SENT_BY}{source}/", key::QUARANTINE);
        Ok(self.store.range(Range::of(own, SENT_KEPT).keys_only()).await?.len() < SENT_KEPT)
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
        let value = key::quarantine_value(&entry.owner(), &entry.id).into_bytes();
        entry.value = self.store.get_many(vec![value]).await?.pop().flatten().unwrap_or_default();
        Ok(Some(entry))
    }

    /// Which entries of an owner, an organization or `@SOURCE`, name one of these ids in their key or in what they hold.
    pub(super) async fn quarantined_about(&self, owner: &str, ids: &[&str]) -> Result<Vec<QuarantineKey>, Error> {
        let names_one = |text: &[u8]| ids.iter().any(|id| names(text, id.as_bytes()));
        let mut found = BTreeSet::new();
        self.each(&key::quarantine(owner, ""), false, |(name, value)| {
            let about = record::decode::<Quarantined>(&name, &value).is_ok_and(|entry| names_one(entry.key.as_bytes()));
            found.extend(about.then(|| key::part(&name, 0)).transpose()?);
            Ok(())
        })
        .await?;
        self.each(&key::quarantine_value(owner, ""), false, |(name, value)| {
            let about = record::off_thread(value.len(), || names_one(&value));
            found.extend(about.then(|| key::part(&name, 0)).transpose()?);
            Ok(())
        })
        .await?;
        Ok(found.into_iter().map(|id| QuarantineKey { owner: owner.to_owned(), id }).collect())
    }

    /// Which entries of an organization are about a conversation with so many sync errors.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn quarantined_of(
        &self,
        org: &OrgId,
        id: &ConversationId,
        errors: &[SyncErrorId],
    ) -> Result<Vec<QuarantineKey>, Error> {
        let ids: Vec<_> = std::iter::once(id.as_str()).chain(errors.iter().map(SyncErrorId::as_str)).collect();
        self.quarantined_about(org.as_str(), &ids).await
    }

    /// Which entries of a source are about a conversation.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn quarantined_from(&self, source: &SourceId, id: &ConversationId) -> Result<Vec<QuarantineKey>, Error> {
        match id.within(source) {
            Some(own) => self.quarantined_about(&format!("{SENT_BY}{source}"), &[own]).await,
            // A digest stands for it: what the source called it is known no more.
            None => Ok(Vec::new()),
        }
    }

    /// Forgets what was set aside before this time, at most so many entries; answers how many.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub async fn forget_quarantined(&self, before: Timestamp, most: usize) -> Result<usize, Error> {
        let mut old = Vec::new();
        self.each(key::QUARANTINE, false, |(name, value)| {
            match record::decode::<Quarantined>(&name, &value) {
                Ok(entry) if entry.at < before && old.len() < most => old.push(entry),
                Ok(_) => {}
                Err(error) => tracing::error!(%error, "an entry of the quarantine is not forgotten"),
            }
            Ok(())
        })
        .await?;
        let mut batch = Batch::default();
        old.iter().for_each(|entry| entry.forget(&mut batch));
        if !batch.is_empty() {
            self.store.commit(batch).await?;
        }
        Ok(old.len())
    }

    /// Forgets an entry of the quarantine, and what it holds. Who asked for it is in the same commit.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn drop_quarantined(&self, entry: &Quarantined, action: Option<&Action>) -> Result<(), Error> {
        let mut batch = Batch::default();
        entry.forget(&mut batch);
        action.into_iter().for_each(|action| actions::put(&mut batch, action));
        self.store.commit(batch).await?;
        action.into_iter().for_each(actions::tell);
        Ok(())
    }
}

#[cfg(test)]
mod tests;

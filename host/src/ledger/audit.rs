//! The audit of a conversation's messages, in pages: an entry more changes the newest page, and is no record of its own.

use serde::{Deserialize, Serialize};

use super::{Ledger, key, record};
use crate::domain::{AuditEntry, ConversationId, MessageId, OrgId};
use crate::store::{Error, Range};

/// The bytes of entries with which a page is full.
const PAGE_BYTES: usize = 8 * 1024;
/// Pages that are kept of one conversation, the newest.
pub(super) const PAGES: u32 = 64;
/// The largest entry, in bytes as JSON; of a larger one what an event carried beside is left out.
const ENTRY_BYTES: usize = 64 * 1024;
/// Conversations of one message id: the same account may have moved from one organization to another.
const PLACES: usize = 10;

/// Entries of the audit of a conversation, in the order in which they were written.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AuditPage {
    /// The entries.
    pub entries: Vec<AuditEntry>,
    /// How many bytes they take, about.
    #[serde(skip)]
    bytes: usize,
}

impl AuditPage {
    /// Adds an entry; the same one twice (by time and order) is one. Answers whether the page is full now.
    pub fn add(&mut self, mut entry: AuditEntry) -> bool {
        let known = self
            .entries
            .iter_mut()
            .find(|known| (known.at, known.order, &known.message) == (entry.at, entry.order, &entry.message));
        if let Some(known) = known {
            *known = entry;
            return false;
        }
        let mut size = serde_json::to_vec(&entry).map_or(0, |bytes| bytes.len());
        if size > ENTRY_BYTES {
            entry.fact.shorten(ENTRY_BYTES / 4);
            size = ENTRY_BYTES;
        }
        if self.bytes == 0 {
            self.bytes = serde_json::to_vec(&self.entries).map_or(0, |bytes| bytes.len());
        }
        self.bytes += size;
        self.entries.push(entry);
        self.bytes >= PAGE_BYTES
    }
}

impl Ledger {
    /// Which conversations a message belongs to.
    ///
    /// # Errors
    /// When the store cannot be read; so for all readers below.
    pub async fn conversations_of(&self, message: &MessageId) -> Result<Vec<(OrgId, ConversationId)>, Error> {
        let range = Range::of(key::places_of_message(message), PLACES).keys_only();
        self.store.range(range).await?.iter().map(|(name, _)| Ok((key::part(name, 1)?, key::part(name, 0)?))).collect()
    }

    /// The audit of a message in those organizations that are to be shown, oldest first.
    pub async fn audit(
        &self,
        message: &MessageId,
        shows: impl Fn(&OrgId) -> bool + Send,
    ) -> Result<Vec<AuditEntry>, Error> {
        let mut entries = Vec::new();
        for (org, conversation) in self.conversations_of(message).await?.into_iter().filter(|(org, _)| shows(org)) {
            let pages = self.audit_pages(&org, &conversation).await?;
            let all = pages.into_iter().flat_map(|(_, page)| page.entries);
            entries.extend(all.filter(|entry| entry.is_about(message)));
        }
        entries.sort_by_key(|entry| (entry.at, entry.order));
        Ok(entries)
    }

    /// The audit of a conversation by page. A page that cannot be read is left out.
    pub async fn audit_pages(&self, org: &OrgId, id: &ConversationId) -> Result<Vec<(u32, AuditPage)>, Error> {
        let mut pages = Vec::new();
        self.each(&key::audit(org, id), false, |(name, value)| {
            match record::decode(&name, &value) {
                Ok(page) => pages.push((key::part(&name, 0)?, page)),
                Err(error) => tracing::error!(%error, "a page of an audit is left out"),
            }
            Ok(())
        })
        .await?;
        Ok(pages)
    }
}

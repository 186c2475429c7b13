//! Records of what is looked after in the background, and how records are forgotten.
//!
//! ```text
//! age/ORG/DAY/CONVERSATION                 conversations by the day on which they changed last
//! gap/SOURCE/CONVERSATION                  of which something was missed
//! link/SOURCE/CONVERSATION                 ids of Salesforce's records that the source is to keep
//! ```

use super::records::{Records, Write, audit_key, error_index, last_part, parse, unreadable};
use super::{Error, Pair};
use crate::domain::{self, AuditEntry, ConversationId, OrgId, SourceId, State, SyncError, SyncErrorId, Timestamp};

impl Records {
    /// Conversations that did not change since before this day, oldest first, with the day of their last change.
    ///
    /// # Errors
    /// When the store cannot be read or the record not be understood; so for all readers below.
    pub fn aged(&self, org: &OrgId, before: u32, limit: usize) -> Result<Vec<(u32, ConversationId)>, Error> {
        let mut aged = Vec::new();
        for (key, _) in self.store().scan(format!("age/{org}/").as_bytes(), None, limit)? {
            let name = String::from_utf8_lossy(&key);
            let day = name.rsplit('/').nth(1).and_then(|day| day.parse().ok());
            let day = day.ok_or_else(|| unreadable(&name, "its day is none"))?;
            if day >= before {
                break;
            }
            aged.push((day, last_part(&key)?));
        }
        Ok(aged)
    }

    /// Sync errors in this state that were seen first before a time, oldest first. Others are not looked at.
    pub fn older_errors(
        &self,
        org: &OrgId,
        state: State,
        before: Timestamp,
        limit: usize,
    ) -> Result<Vec<SyncError>, Error> {
        let mut older = Vec::new();
        for (key, _) in self.store().scan(format!("error-index/{state}/{org}/").as_bytes(), None, limit)? {
            let name = String::from_utf8_lossy(&key);
            let (at, id) = name.rsplit('/').next().and_then(|part| part.split_once('-')).unwrap_or_default();
            let at: u64 = at.parse().map_err(|_| unreadable(&name, "its time is none"))?;
            if at >= before.as_millis() {
                break;
            }
            let id = SyncErrorId::new(id).map_err(|error| unreadable(&name, &error.to_string()))?;
            older.extend(self.sync_error(&id)?);
        }
        Ok(older)
    }

    /// A conversation of a source of which something was missed.
    pub fn gap(&self, source: &SourceId) -> Result<Option<ConversationId>, Error> {
        let first = self.store().scan(format!("gap/{source}/").as_bytes(), None, 1)?;
        first.first().map(|(key, _)| last_part(key)).transpose()
    }

    /// The ids of Salesforce's records that the source of a conversation is to keep.
    pub fn linking(&self, source: &SourceId, id: &ConversationId) -> Result<Option<domain::Records>, Error> {
        self.read(&format!("link/{source}/{id}"))
    }

    /// A conversation whose source is to keep ids of Salesforce's records; the one after `after`, or else the first.
    pub fn link(
        &self,
        source: &SourceId,
        after: Option<&ConversationId>,
    ) -> Result<Option<(ConversationId, domain::Records)>, Error> {
        let prefix = format!("link/{source}/");
        let next = |after: Option<String>| self.store().scan(prefix.as_bytes(), after.as_deref().map(str::as_bytes), 1);
        let mut found: Vec<Pair> = Vec::new();
        if let Some(after) = after {
            found = next(Some(format!("{prefix}{after}")))?;
        }
        if found.is_empty() {
            found = next(None)?;
        }
        let read = |(key, value): &Pair| Ok((last_part(key)?, parse(&String::from_utf8_lossy(key), value)?));
        found.first().map(read).transpose()
    }
}

fn age(org: &OrgId, day: u32, id: &ConversationId) -> String {
    format!("age/{org}/{day:08}/{id}")
}

impl Write {
    /// A conversation changed on this day; `before` is the day of its last change, 0 for a new one.
    pub fn age(&mut self, org: &OrgId, id: &ConversationId, before: u32, day: u32) {
        if before > 0 {
            self.delete(age(org, before, id));
        }
        self.put(age(org, day, id), &());
    }

    /// Something of a conversation was missed.
    pub fn gap(&mut self, source: &SourceId, id: &ConversationId) {
        self.put(format!("gap/{source}/{id}"), &());
    }

    /// It was asked for.
    pub fn filled(&mut self, source: &SourceId, id: &ConversationId) {
        self.delete(format!("gap/{source}/{id}"));
    }

    /// The source of a conversation is to keep the ids of these records.
    pub fn link(&mut self, source: &SourceId, id: &ConversationId, records: &domain::Records) {
        self.put(format!("link/{source}/{id}"), records);
    }

    /// It keeps them, or never will.
    pub fn linked(&mut self, source: &SourceId, id: &ConversationId) {
        self.delete(format!("link/{source}/{id}"));
    }

    /// Forgets a conversation and where it stands.
    pub fn forget_conversation(&mut self, org: &OrgId, id: &ConversationId, day: u32) {
        self.delete(format!("conversation/{org}/{id}"));
        self.delete(format!("delivery/{org}/{id}"));
        self.delete(format!("active/{org}/{id}"));
        self.delete(age(org, day, id));
    }

    /// Forgets lines of an audit.
    pub fn forget_audit(&mut self, entries: &[AuditEntry]) {
        for entry in entries {
            self.delete(audit_key(entry));
        }
    }

    /// Forgets a sync error.
    pub fn forget_sync_error(&mut self, error: &SyncError) {
        self.delete(error_index(error, error.state));
        self.delete(format!("error/{}", error.id));
    }
}

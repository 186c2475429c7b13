//! The records of this host and their keys: which nouns are kept, where, and in which version.
//!
//! ```text
//! conversation/ORG/CONVERSATION            conversation at its newest message
//! delivery/ORG/CONVERSATION                where it stands on its way
//! active/ORG/CONVERSATION                  a delivery that goes on by itself after a restart
//! inbox/ORG/NUMBER                         arrivals that are acknowledged but not merged yet
//! error/ID                                 sync errors
//! error-index/STATE/ORG/FIRST_SEEN-ID      the class, for lists
//! counts/ORG                               sync errors by state
//! audit/MESSAGE/AT-ORDER                   lines of a message's audit
//! cursor/SOURCE                            the newest action that a poll has seen
//! team/ORG/TEAM-IN-HEX                     a conversation of each team that was seen
//! told/ORG                                 what the recipients of an organization's mails know
//! policy-revision/POLICY/NUMBER            revisions of a policy, with their texts
//! refresh-token/ORG                        the one that Salesforce gave last, sealed
//! ```

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Batch, Error, Keys, Store};
use crate::domain::{
    Arrival, AuditEntry, Class, Conversation, ConversationId, Delivery, ErrorCounts, MessageId, OrgId, Phase,
    PolicyName, PolicyRevision, SourceId, State, SyncError, SyncErrorId, Timestamp,
};

/// A list looks at so many index entries for one page; a filter that matches little gets short pages instead of a stall.
const LOOKED_AT: usize = 5_000;

/// Every record is written with its version, so that a later release can tell what it reads.
#[derive(Serialize, Deserialize)]
enum Versioned<T> {
    #[serde(rename = "1")]
    V1(T),
}

/// What the recipients of an organization's mails know.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// That sync errors are pending.
    pub pending: bool,
    /// That a limit pauses it.
    pub paused: bool,
    /// That its policy was rolled back, and when that was last.
    #[serde(default)]
    pub rolled_back: Option<Timestamp>,
}

/// Reads records.
#[derive(Clone)]
pub struct Records {
    store: Arc<dyn Store>,
    /// What tokens are sealed with.
    keys: Keys,
}

/// What a list of sync errors is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct ErrorFilter {
    /// Only of this organization.
    pub org: Option<OrgId>,
    /// Only in this state.
    pub state: Option<State>,
    /// Only of this class.
    pub class: Option<Class>,
}

/// A part of a list.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// In order of state, organization and time first seen.
    pub items: Vec<T>,
    /// Asks for the next part; `None` at the end.
    pub next: Option<String>,
}

impl Records {
    /// Records of a store.
    #[must_use]
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store, keys: Keys::default() }
    }

    /// The same, with keys to seal tokens with.
    #[must_use]
    pub fn with_keys(self, keys: Keys) -> Self {
        Self { keys, ..self }
    }

    pub(super) fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The store below.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    pub(super) fn read<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, Error> {
        self.store.get(key.as_bytes())?.map(|value| parse(key, &value)).transpose()
    }

    /// # Errors
    /// When the store cannot be read or the record not be understood; so for all readers below.
    pub fn conversation(&self, org: &OrgId, id: &ConversationId) -> Result<Option<Conversation>, Error> {
        self.read(&format!("conversation/{org}/{id}"))
    }

    /// Some conversations of an organization, in the order of their ids.
    pub fn conversations(&self, org: &OrgId, limit: usize) -> Result<Vec<ConversationId>, Error> {
        let pairs = self.store.scan(format!("conversation/{org}/").as_bytes(), None, limit)?;
        pairs.iter().map(|(key, _)| last_part(key)).collect()
    }

    /// Where a conversation stands; the default where nothing is known.
    pub fn delivery(&self, org: &OrgId, id: &ConversationId) -> Result<Delivery, Error> {
        Ok(self.read(&format!("delivery/{org}/{id}"))?.unwrap_or_default())
    }

    /// A sync error.
    pub fn sync_error(&self, id: &SyncErrorId) -> Result<Option<SyncError>, Error> {
        self.read(&format!("error/{id}"))
    }

    /// Sync errors of an organization by state.
    pub fn counts(&self, org: &OrgId) -> Result<ErrorCounts, Error> {
        Ok(self.read(&format!("counts/{org}"))?.unwrap_or_default())
    }

    /// The newest action that a poll of a source has seen.
    pub fn cursor(&self, source: &SourceId) -> Result<u64, Error> {
        Ok(self.read(&format!("cursor/{source}"))?.unwrap_or_default())
    }

    /// The teams that an organization has seen (at most `limit`), each with a conversation of it.
    pub fn teams(&self, org: &OrgId, limit: usize) -> Result<Vec<(String, ConversationId)>, Error> {
        let pairs = self.store.scan(format!("team/{org}/").as_bytes(), None, limit)?;
        let team = |(key, value): &(Vec<u8>, Vec<u8>)| {
            let name = String::from_utf8_lossy(key);
            let team = name.rsplit('/').next().and_then(|part| hex::decode(part).ok());
            let team =
                team.and_then(|team| String::from_utf8(team).ok()).ok_or_else(|| unreadable(&name, "not hex"))?;
            Ok((team, parse(&name, value)?))
        };
        pairs.iter().map(team).collect()
    }

    /// What the recipients of an organization's mails know.
    pub fn told(&self, org: &OrgId) -> Result<Told, Error> {
        Ok(self.read(&format!("told/{org}"))?.unwrap_or_default())
    }

    /// The revisions of every policy.
    pub fn policy_revisions(&self) -> Result<Vec<(PolicyName, PolicyRevision)>, Error> {
        const PREFIX: &str = "policy-revision/";
        let (mut all, mut after) = (Vec::new(), None::<Vec<u8>>);
        loop {
            let pairs = self.store.scan(PREFIX.as_bytes(), after.as_deref(), 100)?;
            let Some((last, _)) = pairs.last() else { return Ok(all) };
            after = Some(last.clone());
            for (key, value) in pairs {
                let key = String::from_utf8_lossy(&key).into_owned();
                let name = key.strip_prefix(PREFIX).and_then(|rest| rest.split('/').next()).unwrap_or_default();
                let name = PolicyName::new(name).map_err(|error| unreadable(&key, &error.to_string()))?;
                all.push((name, parse(&key, &value)?));
            }
        }
    }

    /// The audit of a message, oldest first.
    pub fn audit(&self, message: &MessageId) -> Result<Vec<AuditEntry>, Error> {
        let pairs = self.store.scan(format!("audit/{message}/").as_bytes(), None, 1_000)?;
        pairs.iter().map(|(key, value)| parse(&String::from_utf8_lossy(key), value)).collect()
    }

    /// Deliveries that go on by themselves, by conversation; `after` continues.
    pub fn active(
        &self,
        org: &OrgId,
        after: Option<&ConversationId>,
        limit: usize,
    ) -> Result<Vec<ConversationId>, Error> {
        let prefix = format!("active/{org}/");
        let after = after.map(|id| format!("{prefix}{id}"));
        let pairs = self.store.scan(prefix.as_bytes(), after.as_ref().map(String::as_bytes), limit)?;
        pairs.iter().map(|(key, _)| last_part(key)).collect()
    }

    /// Arrivals that are not merged yet, oldest first, with their numbers.
    pub fn inbox(&self, org: &OrgId, limit: usize) -> Result<Vec<(u64, Arrival)>, Error> {
        let pairs = self.store.scan(format!("inbox/{org}/").as_bytes(), None, limit)?;
        pairs
            .iter()
            .map(|(key, value)| {
                let name = String::from_utf8_lossy(key);
                let number = name.rsplit('/').next().and_then(|number| number.parse().ok());
                let number = number.ok_or_else(|| unreadable(&name, "its number is none"))?;
                Ok((number, parse(&name, value)?))
            })
            .collect()
    }

    /// How many arrivals are not merged yet.
    pub fn unmerged(&self, org: &OrgId) -> Result<usize, Error> {
        let (prefix, mut after, mut count) = (format!("inbox/{org}/"), None, 0);
        loop {
            let pairs = self.store.scan(prefix.as_bytes(), after.as_deref(), 1_000)?;
            let Some((last, _)) = pairs.last() else { return Ok(count) };
            after = Some(last.clone());
            count += pairs.len();
        }
    }

    /// Sync errors that match a filter; `cursor` is the `next` of the page before.
    pub fn sync_errors(
        &self,
        filter: &ErrorFilter,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<SyncError>, Error> {
        let states = filter.state.map_or_else(|| State::ALL.to_vec(), |state| vec![state]);
        let after = cursor.map(|cursor| format!("error-index/{}", cursor.replace('~', "/")));
        let (mut items, mut looked_at, mut next) = (Vec::new(), 0, None);
        'states: for state in states {
            let prefix = match &filter.org {
                Some(org) => format!("error-index/{state}/{org}/"),
                None => format!("error-index/{state}/"),
            };
            // A cursor of a later state leaves an earlier one's list empty, and of an earlier one does not narrow it.
            let place =
                |key: &str| State::ALL.iter().position(|state| key.starts_with(&format!("error-index/{state}/")));
            let mut from = match &after {
                Some(after) if place(after) > place(&prefix) => continue,
                Some(after) if place(after) == place(&prefix) => Some(after.clone().into_bytes()),
                _ => None,
            };
            loop {
                let pairs = self.store.scan(prefix.as_bytes(), from.as_deref(), limit.max(100))?;
                let Some((last, _)) = pairs.last() else { break };
                from = Some(last.clone());
                for (key, class) in pairs {
                    let name = String::from_utf8_lossy(&key).into_owned();
                    if items.len() == limit || looked_at == LOOKED_AT {
                        break 'states;
                    }
                    looked_at += 1;
                    next = Some(name.trim_start_matches("error-index/").replace('/', "~"));
                    if filter.class.is_some_and(|wanted| wanted.as_str().as_bytes() != class) {
                        continue;
                    }
                    let id = name.rsplit('/').next().and_then(|part| part.split_once('-')).map(|(_, id)| id);
                    let id = id.and_then(|id| SyncErrorId::new(id).ok()).ok_or_else(|| unreadable(&name, "no id"))?;
                    items.extend(self.sync_error(&id)?);
                }
            }
            next = None;
        }
        Ok(Page { items, next })
    }
}

/// Writes records into a batch, each with what belongs to it.
#[derive(Debug, Default)]
pub struct Write(Batch);

impl Write {
    pub(super) fn put<T: Serialize>(&mut self, key: String, record: &T) {
        // Records are made of strings, numbers, lists and maps with text keys: there is always JSON for them.
        let value = serde_json::to_vec(&Versioned::V1(record)).unwrap_or_default();
        self.0.put(key, value);
    }

    pub(super) fn delete(&mut self, key: String) {
        self.0.delete(key);
    }

    /// A conversation.
    pub fn conversation(&mut self, org: &OrgId, conversation: &Conversation) {
        self.put(format!("conversation/{org}/{}", conversation.id), conversation);
    }

    /// A delivery, and whether it goes on by itself after a restart.
    pub fn delivery(&mut self, org: &OrgId, id: &ConversationId, delivery: &Delivery) {
        self.put(format!("delivery/{org}/{id}"), delivery);
        let active = format!("active/{org}/{id}");
        match delivery.phase {
            Phase::Ready | Phase::Sending { .. } | Phase::Waiting { .. } => self.0.put(active, ""),
            Phase::Idle | Phase::Held => self.0.delete(active),
        }
    }

    /// An acknowledged arrival.
    pub fn inbox(&mut self, org: &OrgId, number: u64, arrival: &Arrival) {
        self.put(format!("inbox/{org}/{number:020}"), arrival);
    }

    /// A merged arrival leaves the inbox.
    pub fn merged(&mut self, org: &OrgId, number: u64) {
        self.0.delete(format!("inbox/{org}/{number:020}"));
    }

    /// A sync error, and its place in the lists; `before` is the state that it had.
    pub fn sync_error(&mut self, error: &SyncError, before: Option<State>) {
        if let Some(before) = before.filter(|before| *before != error.state) {
            self.0.delete(error_index(error, before));
        }
        self.0.put(error_index(error, error.state), error.refusal.class.as_str());
        self.put(format!("error/{}", error.id), error);
    }

    /// Sync errors of an organization by state.
    pub fn counts(&mut self, org: &OrgId, counts: &ErrorCounts) {
        self.put(format!("counts/{org}"), counts);
    }

    /// A line of a message's audit.
    pub fn audit(&mut self, entry: &AuditEntry) {
        self.put(audit_key(entry), entry);
    }

    /// The newest action that a poll has seen.
    pub fn cursor(&mut self, source: &SourceId, action: u64) {
        self.put(format!("cursor/{source}"), &action);
    }

    /// A team was seen in this conversation.
    pub fn team(&mut self, org: &OrgId, team: &str, conversation: &ConversationId) {
        self.put(format!("team/{org}/{}", hex::encode(team)), conversation);
    }

    /// What the recipients of an organization's mails know.
    pub fn told(&mut self, org: &OrgId, told: &Told) {
        self.put(format!("told/{org}"), told);
    }

    /// A revision of a policy.
    pub fn policy_revision(&mut self, policy: &PolicyName, revision: &PolicyRevision) {
        self.put(format!("policy-revision/{policy}/{:010}", revision.number), revision);
    }

    /// A revision that is forgotten.
    pub fn forget_policy_revision(&mut self, policy: &PolicyName, number: u32) {
        self.0.delete(format!("policy-revision/{policy}/{number:010}"));
    }

    /// The batch to commit.
    #[must_use]
    pub fn into_batch(self) -> Batch {
        self.0
    }

    /// Whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

pub(super) fn error_index(error: &SyncError, state: State) -> String {
    format!("error-index/{state}/{}/{:013}-{}", error.org, error.first_seen.as_millis(), error.id)
}

pub(super) fn audit_key(entry: &AuditEntry) -> String {
    format!("audit/{}/{:013}-{:020}", entry.message, entry.at.as_millis(), entry.order)
}

pub(super) fn parse<T: DeserializeOwned>(key: &str, value: &[u8]) -> Result<T, Error> {
    match serde_json::from_slice(value) {
        Ok(Versioned::V1(record)) => Ok(record),
        Err(error) => Err(unreadable(key, &error.to_string())),
    }
}

pub(super) fn last_part(key: &[u8]) -> Result<ConversationId, Error> {
    let name = String::from_utf8_lossy(key);
    let part = name.rsplit('/').next().unwrap_or_default();
    ConversationId::new(part).map_err(|error| unreadable(&name, &error.to_string()))
}

pub(super) fn unreadable(key: &str, reason: &str) -> Error {
    Error::Unreadable { key: key.to_owned(), reason: reason.to_owned() }
}

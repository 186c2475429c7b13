//! Turns an export of format 1 into records of today.
//!
//! What a pair of an older format becomes depends on others that come later, so that most of it is held in memory until the
//! end: the audit as it came, sync errors and deliveries parsed, conversations without their texts. With what they become
//! that is two to three times the size of the export without conversations; conversations, arrivals and revisions of
//! policies pass through.
//!
//! What cannot be understood goes to the quarantine of its organization. Where it belongs to none the import is refused.
//! What is derived (`active/`, `age/`, `counts/`, `error-index/`) is derived anew. `told/` is left out: alerts keep another
//! record, and tell once more what is wrong.

mod conversations;
mod end;
mod format_1;
mod groups;
mod merging;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::str::FromStr;

use super::{Quarantined, key, record, unreadable};
use crate::domain::{
    Arrival, AuditEntry, Conversation, ConversationId, MessageId, OrgId, PolicyRevision, Records, SyncErrorId,
    Timestamp,
};
use crate::store::format::FORMAT;
use crate::store::{Batch, Convert, Error, Pair};

/// What an import of format 1 did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Upgraded {
    /// Records that were read.
    pub read: u64,
    /// Records that they became.
    pub written: u64,
    /// Conversations.
    pub conversations: u64,
    /// Sync errors that were read.
    pub sync_errors: u64,
    /// Those that went into another one of their conversation.
    pub merged: u64,
    /// Records that could not be understood.
    pub quarantined: u64,
    /// Entries of the audit that no conversation keeps any more, and resolved sync errors of forgotten conversations.
    pub left_out: u64,
}

impl fmt::Display for Upgraded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { read, written, conversations, sync_errors, merged, quarantined, left_out } = self;
        writeln!(f, "{read} records of format 1 became {written} of format 2: {conversations} conversations")?;
        writeln!(f, "{merged} of {sync_errors} sync errors went into another one of their conversation")?;
        writeln!(f, "{left_out} entries of the audit, or resolved sync errors, belong to no conversation: left out")?;
        write!(f, "{quarantined} records could not be understood: `GET /v1/quarantine` lists them")
    }
}

/// What was read of an organization.
#[derive(Default)]
struct Read {
    /// Without their texts.
    conversations: BTreeMap<ConversationId, Conversation>,
    deliveries: BTreeMap<ConversationId, format_1::Delivery>,
    errors: BTreeMap<ConversationId, Vec<format_1::SyncError>>,
    audit: BTreeMap<ConversationId, Vec<AuditEntry>>,
    quarantined: Vec<Quarantined>,
}

/// Turns the pairs of an export of format 1 into those of today: first each pair, then the end.
#[derive(Default)]
pub struct Upgrade {
    at: Timestamp,
    orgs: BTreeMap<OrgId, Read>,
    /// Entries of the audit as they came.
    audit: BTreeMap<MessageId, Vec<Pair>>,
    /// Sync errors that cannot be understood.
    unreadable: Vec<(SyncErrorId, Pair, Error)>,
    /// The organization of each sync error.
    org_of: HashMap<SyncErrorId, OrgId>,
    upgraded: Upgraded,
}

impl Upgrade {
    /// Begins an upgrade that happens now.
    #[must_use]
    pub fn new(at: Timestamp) -> Self {
        Self { at, ..Self::default() }
    }

    /// What was done until now.
    #[must_use]
    pub const fn upgraded(&self) -> &Upgraded {
        &self.upgraded
    }

    /// What becomes of a pair at once. Pairs may come in any order, each key once.
    ///
    /// # Errors
    /// When it cannot be understood, and belongs to no organization.
    pub fn pair(&mut self, (key, value): Pair) -> Result<Vec<Pair>, Error> {
        self.upgraded.read += 1;
        let name = String::from_utf8_lossy(&key).into_owned();
        let parts: Vec<_> = name.split('/').collect();
        let mut batch = Batch::default();
        match parts.as_slice() {
            ["active", org, _] | ["age", org, _, _] | ["counts" | "told", org] => {
                self.orgs.entry(id(&name, org)?).or_default();
            }
            ["error-index", _, org, place] => {
                let error = place.split_once('-').map_or("", |(_, error)| error);
                self.org_of.insert(id(&name, error)?, id(&name, org)?);
            }
            ["audit", message, _] => self.audit.entry(id(&name, message)?).or_default().push((key, value)),
            ["error", error] => match format_1::decode::<format_1::SyncError>(&name, &value) {
                Ok(error) => {
                    self.upgraded.sync_errors += 1;
                    self.org_of.insert(error.id.clone(), error.org.clone());
                    let read = self.orgs.entry(error.org.clone()).or_default();
                    read.errors.entry(error.conversation.clone()).or_default().push(error);
                }
                Err(reason) => self.unreadable.push((id(&name, error)?, (key, value), reason)),
            },
            [noun @ ("conversation" | "delivery" | "inbox" | "team"), org, own] => {
                let org: OrgId = id(&name, org)?;
                let read = self.orgs.entry(org.clone()).or_default();
                if let Err(error) = read.take(&mut batch, noun, (&org, own), (&name, &value)) {
                    self.upgraded.quarantined += 1;
                    read.quarantined.push(Quarantined::of(&org, key, value, &error));
                }
            }
            _ => self.of_no_org(&mut batch, &parts, (&name, &value))?,
        }
        Ok(self.written(batch))
    }

    /// What belongs to a source, to a policy, or is sealed.
    fn of_no_org(&self, batch: &mut Batch, parts: &[&str], (name, value): (&str, &[u8])) -> Result<(), Error> {
        match parts {
            ["cursor", source] => {
                let action: u64 = format_1::decode(name, value)?;
                batch.put(key::cursor(&id(name, source)?), record::encode(&action));
            }
            ["gap", source, of] => batch.put(key::gap(&id(name, source)?, &id(name, of)?, self.at), ""),
            ["link", source, of] => {
                let records: Records = format_1::decode(name, value)?;
                batch.put(key::link(&id(name, source)?, &id(name, of)?, self.at), record::encode(&records));
            }
            ["policy-revision", policy, _] => {
                let revision: PolicyRevision = format_1::decode(name, value)?;
                batch.put(key::policy_revision(&id(name, policy)?, revision.number), record::encode(&revision));
            }
            // Its envelope is one of its own.
            ["refresh-token", _] => batch.put(name, value),
            _ => return Err(unreadable(name, "format 1 has no such record")),
        }
        Ok(())
    }

    fn written(&mut self, batch: Batch) -> Vec<Pair> {
        let pairs = batch.into_pairs();
        self.upgraded.written += pairs.len() as u64;
        pairs
    }
}

impl Read {
    /// Takes a record of an organization, and writes what passes through.
    fn take(
        &mut self,
        batch: &mut Batch,
        noun: &str,
        (org, own): (&OrgId, &str),
        (name, value): (&str, &[u8]),
    ) -> Result<(), Error> {
        match noun {
            "conversation" => {
                let mut conversation: Conversation = format_1::decode(name, value)?;
                batch.put(key::conversation(org, &conversation.id), record::encode(&conversation));
                key::indexes_of_conversation(org, &conversation).into_iter().for_each(|key| batch.put(key, ""));
                conversation.messages.iter_mut().for_each(|message| message.body = String::new());
                (conversation.tags, conversation.attributes) = (Vec::new(), Vec::new());
                conversation.customer.attributes = Vec::new();
                self.conversations.insert(conversation.id.clone(), conversation);
            }
            "delivery" => drop(self.deliveries.insert(id(name, own)?, format_1::decode(name, value)?)),
            "inbox" => {
                let arrival: Arrival = format_1::decode(name, value)?;
                batch.put(key::arrival(org, id(name, own)?), record::encode(&arrival));
            }
            _ => {
                let conversation: ConversationId = format_1::decode(name, value)?;
                let team = hex::decode(own).ok().and_then(|team| String::from_utf8(team).ok());
                let team = team.ok_or_else(|| unreadable(name, "no hexadecimal digits of a text"))?;
                batch.put(key::team(org, &team), record::encode(&conversation));
            }
        }
        Ok(())
    }
}

impl Convert for Upgrade {
    fn format(&self) -> u64 {
        FORMAT
    }

    fn pair(&mut self, pair: Pair) -> Result<Vec<Pair>, Error> {
        Self::pair(self, pair)
    }

    fn end(&mut self) -> Result<Vec<Pair>, Error> {
        let pairs = Self::end(self)?;
        tracing::info!("{}", self.upgraded);
        Ok(pairs)
    }
}

/// A part of a key.
fn id<T: FromStr<Err: ToString>>(name: &str, part: &str) -> Result<T, Error> {
    part.parse().map_err(|error: T::Err| unreadable(name, &error.to_string()))
}

//! Everything that is kept of one conversation, in each organization that has it.

use std::collections::{BTreeSet, HashMap};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Ledger, error_ids, key, record};
use crate::domain::{
    AuditEntry, Cause, Conversation, ConversationId, Customer, Delivery, Direction, Fingerprint, Group, Message, OrgId,
    SyncError, SyncErrorId,
};
use crate::store::Error;

/// Sync errors of one conversation that are read, the newest.
const ERRORS: usize = 100;
/// The last words of a conversation are cut off behind so many characters.
const LAST_WORDS: usize = 160;

/// What is kept of one conversation in one organization.
#[derive(Debug)]
pub struct Story {
    /// The organization.
    pub org: OrgId,
    /// The conversation; `None` where its record was set aside.
    pub conversation: Option<Conversation>,
    /// Where it stands.
    pub delivery: Delivery,
    /// Its sync errors, oldest first, each with what is wrong in words.
    pub errors: Vec<(SyncError, String)>,
    /// The audit of all its messages, oldest first.
    pub audit: Vec<AuditEntry>,
}

/// What of a conversation its last words are read of.
#[derive(Deserialize)]
struct Words {
    messages: Vec<Message>,
}

/// What of it tells who the customer is.
#[derive(Deserialize)]
struct Named {
    customer: Customer,
}

impl Ledger {
    /// What was said last in these conversations, by the customer where they said something. Those that are not there, cannot
    /// be read or say nothing have none.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn last_words(&self, of: &[(&OrgId, &ConversationId)]) -> Result<Vec<Option<String>>, Error> {
        let last = |Words { messages }| {
            let said = || messages.iter().rev().filter(|message| !message.body.trim().is_empty());
            let of_customer = said().find(|message| message.direction == Direction::Inbound);
            let last = of_customer.or_else(|| said().next())?;
            Some(last.body.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(LAST_WORDS).collect())
        };
        self.of_each(of, last).await
    }

    /// The names of the customers of these conversations; none where it is not known.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn customer_names(&self, of: &[(&OrgId, &ConversationId)]) -> Result<Vec<Option<String>>, Error> {
        self.of_each(of, |Named { customer }| customer.name).await
    }

    /// A text of each of these conversations, where they are there and can be read.
    async fn of_each<T: DeserializeOwned>(
        &self,
        of: &[(&OrgId, &ConversationId)],
        text: impl Fn(T) -> Option<String>,
    ) -> Result<Vec<Option<String>>, Error> {
        let keys: Vec<_> = of.iter().map(|(org, id)| key::conversation(org, id).into_bytes()).collect();
        let values = self.store.get_many(keys.clone()).await?;
        let read = |(name, value): (Vec<u8>, Option<Vec<u8>>)| text(record::decode(&name, &value?).ok()?);
        let bytes = record::bytes_of(values.iter().flatten());
        Ok(record::off_thread(bytes, || keys.into_iter().zip(values).map(read).collect()))
    }

    /// What is kept of a conversation, in the order of the organizations that have it.
    ///
    /// # Errors
    /// When the store cannot be read; so for the readers below. A record that cannot be understood counts as absent.
    pub async fn stories(&self, id: &ConversationId) -> Result<Vec<Story>, Error> {
        let mut orgs = self.orgs().await?;
        orgs.sort();
        let keys = orgs.iter().flat_map(|org| [key::conversation(org, id), key::delivery(org, id)]);
        let keys: Vec<_> = keys.map(String::into_bytes).collect();
        let values = self.store.get_many(keys.clone()).await?;
        let mut stories = Vec::new();
        for (org, (keys, values)) in orgs.into_iter().zip(keys.chunks(2).zip(values.chunks(2))) {
            let conversation = values[0].as_ref().and_then(|value| record::decode(&keys[0], value).ok());
            let delivery = values[1].as_ref().and_then(|value| record::decode(&keys[1], value).ok());
            if conversation.is_some() || delivery.is_some() {
                stories.push(self.story(org, id, conversation, delivery.unwrap_or_default()).await?);
            }
        }
        Ok(stories)
    }

    async fn story(
        &self,
        org: OrgId,
        id: &ConversationId,
        conversation: Option<Conversation>,
        delivery: Delivery,
    ) -> Result<Story, Error> {
        let ids: Vec<SyncErrorId> = error_ids(&org, id, &delivery);
        let errors = self.sync_errors_of(&ids[ids.len().saturating_sub(ERRORS)..]).await?;
        let titles = self.titles(&org, &errors).await?;
        let titled = |error: SyncError| {
            let cause = Cause::new(&org, &error.refusal);
            let own = || conversation.as_ref().map_or(cause.clone(), |of| cause.clone().of_conversation(of)).identify();
            let title = titles.get(&error.group).cloned().unwrap_or_else(|| own().title);
            (error, title)
        };
        let errors = errors.into_iter().map(titled).collect();
        let audit = self.conversation_audit(&org, id).await?;
        Ok(Story { org, conversation, delivery, errors, audit })
    }

    /// What the causes of sync errors are called.
    async fn titles(&self, org: &OrgId, errors: &[SyncError]) -> Result<HashMap<Fingerprint, String>, Error> {
        let groups: BTreeSet<_> = errors.iter().map(|error| &error.group).collect();
        let keys: Vec<_> = groups.into_iter().map(|group| key::group(org, group).into_bytes()).collect();
        let values = self.store.get_many(keys.clone()).await?;
        let read = |(key, value): (&Vec<u8>, Option<Vec<u8>>)| record::decode::<Group>(key, &value?).ok();
        let groups = keys.iter().zip(values).filter_map(read);
        Ok(groups.map(|group| (group.id, group.title)).collect())
    }

    /// The audit of all messages of a conversation, oldest first.
    pub async fn conversation_audit(&self, org: &OrgId, id: &ConversationId) -> Result<Vec<AuditEntry>, Error> {
        let pages = self.audit_pages(org, id).await?;
        let mut entries: Vec<_> = pages.into_iter().flat_map(|(_, page)| page.entries).collect();
        entries.sort_by(|a, b| a.place().cmp(&b.place()));
        Ok(entries)
    }
}

//! Everything that a turn of a lane has to know, read in two steps however much it is.

use std::collections::{HashMap, HashSet};

use serde::de::DeserializeOwned;

use super::{AuditPage, CustomerChange, Ledger, Quarantined, key, record};
use crate::domain::{Conversation, ConversationId, Delivery, Fingerprint, Group, OrgId, SyncError, SyncErrorId};
use crate::store::Error;

/// What is asked for.
#[derive(Debug, Default)]
pub struct Load {
    /// Conversations, each with its delivery, its open sync error and the audit page that is being filled.
    pub conversations: Vec<ConversationId>,
    /// Deliveries with what belongs to them, without their conversations.
    pub deliveries: Vec<ConversationId>,
    /// Causes beside those of the open sync errors.
    pub groups: Vec<Fingerprint>,
}

/// What was found; what is not there is absent.
#[derive(Debug, Default)]
pub struct Loaded {
    /// Conversations.
    pub conversations: HashMap<ConversationId, Conversation>,
    /// Where they stand.
    pub deliveries: HashMap<ConversationId, Delivery>,
    /// Their open sync errors.
    pub errors: HashMap<SyncErrorId, SyncError>,
    /// The audit pages that are being filled.
    pub pages: HashMap<ConversationId, AuditPage>,
    /// Causes.
    pub groups: HashMap<Fingerprint, Group>,
    /// Records that cannot be read. They count as absent, and are to be set aside with the next commit.
    pub unreadable: Vec<Quarantined>,
    /// Keys by which conversations were found whose records are set aside: names are in them.
    pub strays: Vec<CustomerChange>,
}

/// Keys that are asked for together, and what to do with each value.
struct Asked<'a> {
    keys: Vec<Vec<u8>>,
    takers: Vec<Taker<'a>>,
}

type Taker<'a> = Box<dyn FnOnce(&mut Loaded, &[u8], &[u8]) -> Result<(), Error> + Send + 'a>;

impl<'a> Asked<'a> {
    const fn new() -> Self {
        Self { keys: Vec::new(), takers: Vec::new() }
    }

    fn ask<T: DeserializeOwned>(&mut self, key: String, take: impl FnOnce(&mut Loaded, T) + Send + 'a) {
        self.keys.push(key.into_bytes());
        self.takers.push(Box::new(|loaded, key, value| {
            take(loaded, record::decode(key, value)?);
            Ok(())
        }));
    }
}

impl Ledger {
    /// Reads what is asked for.
    ///
    /// # Errors
    /// When the store cannot be read. A record that cannot be understood is no error.
    pub async fn load(&self, org: &OrgId, load: Load) -> Result<Loaded, Error> {
        let mut loaded = Loaded::default();
        let mut first = Asked::new();
        for id in &load.conversations {
            first.ask(key::conversation(org, id), |loaded, it| drop(loaded.conversations.insert(id.clone(), it)));
        }
        let deliveries = || load.conversations.iter().chain(&load.deliveries);
        for id in deliveries() {
            first.ask(key::delivery(org, id), |loaded, it| drop(loaded.deliveries.insert(id.clone(), it)));
        }
        self.take(org, &mut loaded, first).await?;
        let of = |entry: &Quarantined| key::part(entry.key.strip_prefix("conversation/")?.as_bytes(), 0).ok();
        let lost: HashSet<_> = loaded.unreadable.iter().filter_map(of).collect();
        if !lost.is_empty() {
            loaded.strays = self.keys_leading_to(org, &lost).await?;
        }
        let mut second = Asked::new();
        let mut groups = load.groups;
        for id in deliveries() {
            let Some(delivery) = loaded.deliveries.get(id) else { continue };
            let page = key::audit_page(org, id, delivery.page);
            second.ask(page, |loaded, it| drop(loaded.pages.insert(id.clone(), it)));
            if let Some(open) = &delivery.open {
                let error = open.id.clone();
                second.ask(key::error(&open.id), |loaded, it| drop(loaded.errors.insert(error, it)));
                groups.push(open.group.clone());
            }
        }
        groups.sort();
        groups.dedup();
        for id in groups {
            second.ask(key::group(org, &id), |loaded, it| drop(loaded.groups.insert(id, it)));
        }
        self.take(org, &mut loaded, second).await?;
        Ok(loaded)
    }

    /// Reads causes beside those that are loaded already.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn load_groups(&self, org: &OrgId, loaded: &mut Loaded, groups: &[Fingerprint]) -> Result<(), Error> {
        let mut asked = Asked::new();
        for id in groups.iter().filter(|id| !loaded.groups.contains_key(id)) {
            asked.ask(key::group(org, id), |loaded, it| drop(loaded.groups.insert(id.clone(), it)));
        }
        self.take(org, loaded, asked).await
    }

    async fn take(&self, org: &OrgId, loaded: &mut Loaded, asked: Asked<'_>) -> Result<(), Error> {
        if asked.keys.is_empty() {
            return Ok(());
        }
        let values = self.store.get_many(asked.keys.clone()).await?;
        record::off_thread(record::bytes_of(values.iter().flatten()), || {
            for ((key, value), take) in asked.keys.into_iter().zip(values).zip(asked.takers) {
                let Some(value) = value else { continue };
                if let Err(error) = take(loaded, &key, &value) {
                    loaded.unreadable.push(Quarantined::of(org, key, value, &error));
                }
            }
        });
        Ok(())
    }
}

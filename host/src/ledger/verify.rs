//! Recounts what is derived: indexes and counts, against the records that they follow from.

mod strays;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{LaneState, Ledger, PhaseCounts, key, record};
use crate::domain::{
    ApiToken, ConsoleSession, Conversation, ConversationId, Delivery, ErrorCounts, Fingerprint, Group, HostEvent,
    OrgId, Phase, State, SyncError,
};
use crate::store::{Error, Pair, Range, ring};

/// Records that are read at a time.
const CHUNK: usize = 200;

/// Differences that are named; more are counted.
const NAMED: usize = 100;

/// What a recount found.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Verified {
    /// Conversations that were looked at.
    pub conversations: u64,
    /// Sync errors that were looked at.
    pub sync_errors: u64,
    /// How many things differ from what they should be.
    pub differences: u64,
    /// Some of them, in words.
    pub named: Vec<String>,
}

impl Verified {
    fn differs(&mut self, what: String) {
        self.differences += 1;
        if self.named.len() < NAMED {
            self.named.push(what);
        }
    }
}

/// What the records of one organization say.
#[derive(Default)]
struct Recount {
    errors: ErrorCounts,
    phases: PhaseCounts,
    groups: BTreeMap<Fingerprint, ErrorCounts>,
    /// How many keys its indexes have to have.
    indexed: u64,
}

type Recounts = BTreeMap<OrgId, Recount>;

impl Ledger {
    /// Recounts every organization's indexes and counts and says what differs; `told` hears of the progress after each
    /// chunk. On a running host a difference may be a change that was made meanwhile.
    ///
    /// Every conversation and every sync error is read once, 200 at a time, and every key of an index once more; where an
    /// organization's indexes do not have as many keys as they should, its records are read a second time. In memory are one
    /// chunk and the counts of each organization and cause, however large the store is.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn verify(&self, mut told: impl FnMut(&Verified) + Send) -> Result<Verified, Error> {
        let (mut verified, mut recounts) = (Verified::default(), Recounts::new());
        for org in self.orgs().await? {
            recounts.entry(org).or_default();
        }
        let mut after = None;
        while let Some(chunk) = self.chunk("error/", &mut after, false).await? {
            self.recount_errors(chunk, &mut recounts, &mut verified).await?;
            told(&verified);
        }
        let mut after = None;
        while let Some(chunk) = self.chunk("delivery/", &mut after, false).await? {
            self.recount_deliveries(chunk, &mut recounts, &mut verified).await?;
            told(&verified);
        }
        let mut after = None;
        while let Some(chunk) = self.chunk("conversation/", &mut after, false).await? {
            self.recount_customers(chunk, &mut recounts, &mut verified).await?;
            told(&verified);
        }
        self.look_at_tokens(&mut verified).await?;
        for (org, recount) in &recounts {
            self.compare_indexes(org, recount, &mut verified).await?;
            self.compare_counts(org, recount, &mut verified).await?;
            told(&verified);
        }
        self.look_at_events(&mut verified).await?;
        Ok(verified)
    }

    /// Whether the events follow one another without a gap. Older ones may go while this reads.
    async fn look_at_events(&self, verified: &mut Verified) -> Result<(), Error> {
        let mut last = None;
        self.each(ring::RING, false, |(name, value)| {
            if let Err(error) = record::decode::<HostEvent>(&name, &value) {
                verified.differs(error.to_string());
            }
            let number = ring::number(&name);
            if last.is_some_and(|last| number != Some(last + 1)) {
                verified.differs(format!("before {} an event is missing", String::from_utf8_lossy(&name)));
            }
            last = number;
            Ok(())
        })
        .await
    }

    /// Whether every token and every session of the console can be read, under the key by which it is looked for.
    async fn look_at_tokens(&self, verified: &mut Verified) -> Result<(), Error> {
        self.each(key::API_TOKENS, false, |(name, value)| {
            match record::decode::<ApiToken>(&name, &value) {
                Ok(token) if key::api_token(&token.id).into_bytes() == name => {}
                Ok(token) => verified.differs(format!("the token {} has the key of another one", token.id)),
                Err(error) => verified.differs(error.to_string()),
            }
            Ok(())
        })
        .await?;
        self.each(key::CONSOLE_SESSIONS, false, |(name, value)| {
            if let Err(error) = record::decode::<ConsoleSession>(&name, &value) {
                verified.differs(error.to_string());
            }
            Ok(())
        })
        .await
    }

    /// How an organization stands by its records alone, where its own record of that is lost.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn recounted(&self, org: &OrgId) -> Result<LaneState, Error> {
        let mut counted = LaneState::default();
        self.each(&key::deliveries(org), false, |(name, value)| {
            if let Ok(delivery) = record::decode::<Delivery>(&name, &value) {
                counted.phases.moved(None, Some(&delivery));
            }
            Ok(())
        })
        .await?;
        for state in State::ALL {
            self.each(&key::error_list(org, state), true, |_| {
                counted.errors.moved(None, Some(state));
                Ok(())
            })
            .await?;
        }
        Ok(counted)
    }

    /// The next pairs of a prefix; `None` at the end.
    async fn chunk(
        &self,
        prefix: &str,
        after: &mut Option<Vec<u8>>,
        keys_only: bool,
    ) -> Result<Option<Vec<Pair>>, Error> {
        let range = Range { keys_only, ..Range::of(prefix, CHUNK).after(after.take()) };
        let pairs = self.store.range(range).await?;
        *after = pairs.last().map(|(name, _)| name.clone());
        Ok(Some(pairs).filter(|pairs| !pairs.is_empty()))
    }

    async fn recount_errors(
        &self,
        chunk: Vec<Pair>,
        recounts: &mut Recounts,
        verified: &mut Verified,
    ) -> Result<(), Error> {
        let mut expected = Vec::new();
        for (name, value) in chunk {
            verified.sync_errors += 1;
            match record::decode::<SyncError>(&name, &value) {
                Ok(error) => {
                    let recount = recounts.entry(error.org.clone()).or_default();
                    recount.errors.moved(None, Some(error.state));
                    recount.groups.entry(error.group.clone()).or_default().moved(None, Some(error.state));
                    let keys = leading_to(&error);
                    recount.indexed += keys.len() as u64;
                    expected.extend(keys);
                }
                Err(error) => verified.differs(error.to_string()),
            }
        }
        self.look_for(expected, verified).await
    }

    async fn recount_deliveries(
        &self,
        chunk: Vec<Pair>,
        recounts: &mut Recounts,
        verified: &mut Verified,
    ) -> Result<(), Error> {
        let mut expected = Vec::new();
        for (name, value) in chunk {
            let (org, id): (OrgId, ConversationId) = (key::part(&name, 1)?, key::part(&name, 0)?);
            verified.conversations += 1;
            match record::decode::<Delivery>(&name, &value) {
                Ok(delivery) => {
                    if delivery.open.is_none() && delivery.phase == Phase::Held {
                        verified.differs(format!("{org}/{id} waits for a person, and has no sync error"));
                    }
                    expected.push(key::of_delivery(&org, &id, &delivery));
                    let recount = recounts.entry(org).or_default();
                    recount.phases.moved(None, Some(&delivery));
                    recount.indexed += 1;
                }
                Err(error) => verified.differs(error.to_string()),
            }
        }
        self.look_for(expected, verified).await
    }

    async fn recount_customers(
        &self,
        chunk: Vec<Pair>,
        recounts: &mut Recounts,
        verified: &mut Verified,
    ) -> Result<(), Error> {
        let mut expected = Vec::new();
        for (name, value) in chunk {
            let org: OrgId = key::part(&name, 1)?;
            // One that cannot be read is set aside when somebody needs it.
            let Ok(conversation) = record::decode::<Conversation>(&name, &value) else { continue };
            let keys = key::indexes_of_conversation(&org, &conversation);
            recounts.entry(org).or_default().indexed += keys.len() as u64;
            expected.extend(keys);
        }
        self.look_for(expected, verified).await
    }

    /// Names the keys of indexes that are not there.
    async fn look_for(&self, keys: Vec<String>, verified: &mut Verified) -> Result<(), Error> {
        let found = self.store.get_many(keys.iter().map(|key| key.clone().into_bytes()).collect()).await?;
        for (missing, _) in keys.iter().zip(found).filter(|(_, found)| found.is_none()) {
            verified.differs(format!("the index has no {missing}"));
        }
        Ok(())
    }

    async fn compare_counts(&self, org: &OrgId, recount: &Recount, verified: &mut Verified) -> Result<(), Error> {
        let mut counted = BTreeMap::new();
        self.each(&key::groups(org), false, |(name, value)| {
            match record::decode::<Group>(&name, &value) {
                Ok(group) => drop(counted.insert(group.id, group.counts)),
                Err(error) => verified.differs(error.to_string()),
            }
            Ok(())
        })
        .await?;
        for id in recount.groups.keys().chain(counted.keys()).collect::<BTreeSet<_>>() {
            let (says, is) =
                (counted.get(id).copied().unwrap_or_default(), recount.groups.get(id).copied().unwrap_or_default());
            if says != is {
                verified.differs(format!("{org}: the cause {id} counts {says:?}; there are {is:?}"));
            }
        }
        let state = self.lane_state(org).await.ok().flatten().unwrap_or_default();
        if state.errors != recount.errors {
            verified.differs(format!("{org} counts sync errors as {:?}; there are {:?}", state.errors, recount.errors));
        }
        if state.phases != recount.phases {
            verified
                .differs(format!("{org} counts conversations as {:?}; there are {:?}", state.phases, recount.phases));
        }
        Ok(())
    }
}

/// The keys of the indexes that lead to a sync error.
fn leading_to(error: &SyncError) -> Vec<String> {
    let summary = error.summary();
    let mut keys = key::indexes_of_error(&summary);
    keys.push(key::of_error(&summary));
    keys
}

//! Recounts what is derived: indexes and counts, against the records that they follow from.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;

use super::{LaneState, Ledger, PhaseCounts, key, record};
use crate::domain::{Delivery, ErrorCounts, Fingerprint, Group, OrgId, Phase, State, SyncError, Work};
use crate::store::Error;

/// Differences that are named; more are counted.
const NAMED: usize = 100;

/// What a recount found.
#[derive(Debug, Default, Serialize)]
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
    /// Keys of indexes that have to be there.
    expected: BTreeSet<String>,
}

impl Ledger {
    /// Recounts every organization's indexes and counts and says what differs. On a running host a difference may be a change
    /// that was made meanwhile.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn verify(&self) -> Result<Verified, Error> {
        let mut verified = Verified::default();
        let mut recounts: HashMap<OrgId, Recount> = HashMap::new();
        for org in self.orgs().await? {
            recounts.entry(org).or_default();
        }
        let mut errors = Vec::new();
        self.each("error/", false, |(name, value)| {
            match record::decode::<SyncError>(&name, &value) {
                Ok(error) => errors.push(error.summary()),
                Err(error) => verified.differs(error.to_string()),
            }
            Ok(())
        })
        .await?;
        for summary in errors {
            verified.sync_errors += 1;
            let recount = recounts.entry(summary.org.clone()).or_default();
            recount.errors.moved(None, Some(summary.state));
            recount.groups.entry(summary.group.clone()).or_default().moved(None, Some(summary.state));
            recount.expected.insert(key::of_error(&summary));
        }
        for (org, mut recount) in recounts {
            self.recount_deliveries(&org, &mut recount, &mut verified).await?;
            self.compare(&org, &recount, &mut verified).await?;
        }
        Ok(verified)
    }

    /// How an organization stands by its records alone, where its own record of that is lost.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn recounted(&self, org: &OrgId) -> Result<LaneState, Error> {
        let (mut recount, mut ignored) = (Recount::default(), Verified::default());
        self.recount_deliveries(org, &mut recount, &mut ignored).await?;
        for state in State::ALL {
            self.each(&key::error_list(org, state), true, |_| {
                recount.errors.moved(None, Some(state));
                Ok(())
            })
            .await?;
        }
        Ok(LaneState { errors: recount.errors, phases: recount.phases, ..LaneState::default() })
    }

    async fn recount_deliveries(
        &self,
        org: &OrgId,
        recount: &mut Recount,
        verified: &mut Verified,
    ) -> Result<(), Error> {
        self.each(&key::deliveries(org), false, |(name, value)| {
            let id = key::part(&name, 0)?;
            verified.conversations += 1;
            match record::decode::<Delivery>(&name, &value) {
                Ok(delivery) => {
                    recount.phases.moved(None, Some(&delivery));
                    recount.expected.insert(key::of_delivery(org, &id, &delivery));
                    if delivery.open.is_none() && delivery.phase == Phase::Held {
                        verified.differs(format!("{org}/{id} waits for a person, and has no sync error"));
                    }
                }
                Err(error) => verified.differs(error.to_string()),
            }
            Ok(())
        })
        .await
    }

    async fn compare(&self, org: &OrgId, recount: &Recount, verified: &mut Verified) -> Result<(), Error> {
        let mut found = BTreeSet::new();
        let indexes = Work::ALL.map(|work| key::ready(org, work)).into_iter();
        let indexes = indexes.chain([key::due(org), key::parked(org), key::aged(org)]);
        for prefix in indexes.chain(State::ALL.map(|state| key::error_list(org, state))) {
            self.each(&prefix, true, |(name, _)| {
                found.insert(String::from_utf8_lossy(&name).into_owned());
                Ok(())
            })
            .await?;
        }
        for missing in recount.expected.difference(&found) {
            verified.differs(format!("the index has no {missing}"));
        }
        for stray in found.difference(&recount.expected) {
            verified.differs(format!("the index has {stray}, to which no record leads"));
        }
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

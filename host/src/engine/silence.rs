//! What has not moved for long: the conversation that has waited longest, and sources that do not answer.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;

use super::{Engine, EnvironmentHealth};
use crate::domain::{OrgId, SourceHealth, SourceId, Timestamp, Unsynced};
use crate::ledger::{Delivered, Ledger};
use crate::store;
use crate::telemetry::{OfOrg, OfSource};

/// How often the time of the newest arrival is written.
const KEPT_EVERY: Duration = Duration::from_secs(60);

/// When something last came of each source, by organization.
pub(super) struct Arrivals(Mutex<BTreeMap<(OrgId, SourceId), Arrived>>);

struct Arrived {
    at: Timestamp,
    /// As it is on record.
    kept: Timestamp,
}

impl Arrivals {
    /// As the store has it.
    pub(super) async fn read(ledger: &Ledger) -> Result<Self, store::Error> {
        let known = ledger.arrived().await?.into_iter();
        let known = known.map(|(org, source, at)| ((org, source), Arrived { at, kept: at }));
        Ok(Self(Mutex::new(known.collect())))
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<(OrgId, SourceId), Arrived>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is to be written with these arrivals, where that was not done within a minute.
    pub(super) fn due(&self, delivered: &Delivered, now: Timestamp) -> Vec<(OrgId, SourceId, Timestamp)> {
        let known = self.known();
        let mut due = Vec::new();
        for (org, _, arrival) in &delivered.arrivals {
            let of = (org.clone(), arrival.source.clone());
            if known.get(&of).is_none_or(|known| !now.is_within(KEPT_EVERY, known.kept)) {
                due.push((of.0, of.1, now));
            }
        }
        due.sort();
        due.dedup();
        due
    }

    /// They are in the store.
    pub(super) fn came(&self, delivered: &Delivered, now: Timestamp) {
        let mut known = self.known();
        for (org, _, arrival) in delivered.arrivals.iter().filter(|(.., arrival)| arrival.erased_by.is_none()) {
            let of = (org.clone(), arrival.source.clone());
            known.entry(of).or_insert(Arrived { at: now, kept: now }).at = now;
        }
        for (org, source, at) in &delivered.arrived {
            if let Some(arrived) = known.get_mut(&(org.clone(), source.clone())) {
                arrived.kept = *at;
            }
        }
    }

    fn of(&self, org: &OrgId, source: &SourceId) -> Option<Timestamp> {
        self.known().get(&(org.clone(), source.clone())).map(|arrived| arrived.at)
    }

    /// The newest of each source, whichever organization it was for.
    fn by_source(&self) -> BTreeMap<SourceId, Timestamp> {
        let mut newest = BTreeMap::<SourceId, Timestamp>::new();
        for ((_, source), arrived) in self.known().iter() {
            let at = newest.entry(source.clone()).or_insert(arrived.at);
            *at = arrived.at.max(*at);
        }
        newest
    }
}

/// How a source of an organization stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SourceStanding {
    /// The source.
    pub source: SourceId,
    /// When something last came of it for the organization.
    pub arrived_at: Option<Timestamp>,
    /// Since when it is silent: calls of one kind have come to nothing for the time of `alerts.silent_seconds`.
    pub silent_since: Option<Timestamp>,
}

impl Engine {
    /// The conversation of an organization that has waited longest without waiting for a person.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn oldest_unsynced(&self, org: &OrgId) -> Result<Option<Unsynced>, store::Error> {
        Ok(self.ledger.oldest(org).await?.of_all())
    }

    /// The sources that lead to an organization, and how each stands.
    #[must_use]
    pub fn sources(&self, org: &OrgId) -> Vec<SourceStanding> {
        let standing = |source: SourceId| SourceStanding {
            arrived_at: self.arrived.of(org, &source),
            silent_since: self
                .environments
                .get(&source)
                .and_then(|kept| self.silent_since(&source, &kept.health.borrow())),
            source,
        };
        self.sources_of(org).into_iter().map(standing).collect()
    }

    /// When something last came of a source, whichever organization it was for.
    #[must_use]
    pub fn arrived_at(&self, source: &SourceId) -> Option<Timestamp> {
        self.arrived.by_source().remove(source)
    }

    /// Since when an environment is silent. One that never had traffic is not.
    #[must_use]
    pub fn silent_since(&self, source: &SourceId, health: &EnvironmentHealth) -> Option<Timestamp> {
        let since = health.in_vain_since.filter(|since| self.clock.now().since(*since) >= self.silent)?;
        self.arrived_at(source).map(|_| since)
    }

    /// The environments of an organization that had traffic, as far as its alerts are concerned.
    pub(super) fn source_health(&self, org: &OrgId) -> Vec<SourceHealth> {
        let health = |source: SourceId| {
            let arrived_at = self.arrived_at(&source)?;
            let health = self.environments.get(&source)?.health.borrow().clone();
            let EnvironmentHealth { in_vain_since, answered_at, .. } = health;
            Some(SourceHealth { source, in_vain_since, answered_at, arrived_at })
        };
        self.sources_of(org).into_iter().filter_map(health).collect()
    }

    fn sources_of(&self, org: &OrgId) -> Vec<SourceId> {
        let accounts = self.lanes.get(org).and_then(|lane| lane.org.as_ref()).map(|org| &org.accounts);
        let mut sources: Vec<_> = accounts.into_iter().flatten().map(|(source, _)| source.clone()).collect();
        sources.sort();
        sources.dedup();
        sources
    }

    /// Sets the ages among the metrics: they grow while nothing happens, and so they are as of the moment when somebody looks.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn measure(&self) -> Result<(), store::Error> {
        let now = self.clock.now();
        let age = |since: Timestamp| i64::try_from(now.since(since).as_secs()).unwrap_or(i64::MAX);
        for org in self.lanes.iter().filter(|(_, lane)| lane.org.is_some()).map(|(org, _)| org) {
            let oldest = self.oldest_unsynced(org).await?;
            let gauge = self.metrics.unsynced_age.get_or_create_owned(&OfOrg { org: org.to_string() });
            gauge.set(oldest.map_or(0, |oldest| age(oldest.since)));
        }
        for (source, at) in self.arrived.by_source() {
            self.metrics.arrival_age.get_or_create_owned(&OfSource { source: source.to_string() }).set(age(at));
        }
        Ok(())
    }
}

//! How organizations and Alcmeon environments stand, for whoever looks or waits for a change.

use std::sync::Arc;

use tokio::sync::watch;

use super::{Engine, EnvironmentHealth, Error, LaneHandle, Org, OrgHealth};
use crate::domain::{OrgId, SourceId};

impl Engine {
    /// An organization that is configured.
    pub(super) fn configured(&self, org: &OrgId) -> Result<&LaneHandle, Error> {
        let lane = self.lanes.get(org).filter(|lane| lane.org.is_some());
        lane.ok_or_else(|| Error::NoSuchOrg(org.clone()))
    }

    /// Whether an organization is configured, or has records.
    #[must_use]
    pub fn knows(&self, org: &OrgId) -> bool {
        self.lanes.contains_key(org)
    }

    /// The organizations that are configured, with how they stand, in the order of their ids.
    #[must_use]
    pub fn orgs(&self) -> Vec<(Arc<Org>, OrgHealth)> {
        let lanes = self.lanes.values();
        let mut orgs: Vec<_> =
            lanes.filter_map(|lane| Some((Arc::clone(lane.org.as_ref()?), lane.health.borrow().clone()))).collect();
        orgs.sort_by(|a, b| a.0.id.cmp(&b.0.id));
        orgs
    }

    /// The same without how they stand.
    #[must_use]
    pub fn connected(&self) -> Vec<Arc<Org>> {
        let mut orgs: Vec<_> = self.lanes.values().filter_map(|lane| lane.org.clone()).collect();
        orgs.sort_by(|a, b| a.id.cmp(&b.id));
        orgs
    }

    /// The sum of something over the organizations that are configured and are meant.
    pub fn sum(&self, is_meant: impl Fn(&OrgId) -> bool, of: impl Fn(&OrgHealth) -> u64) -> u64 {
        let lanes = self.lanes.iter().filter(|(id, lane)| lane.org.is_some() && is_meant(id));
        lanes.map(|(_, lane)| of(&lane.health.borrow())).sum()
    }

    /// The organizations that have records and are not configured any more, in the order of their ids.
    #[must_use]
    pub fn departed(&self) -> Vec<(OrgId, OrgHealth)> {
        let departed = self.lanes.iter().filter(|(_, lane)| lane.org.is_none());
        let mut orgs: Vec<_> = departed.map(|(id, lane)| (id.clone(), lane.health.borrow().clone())).collect();
        orgs.sort_by(|a, b| a.0.cmp(&b.0));
        orgs
    }

    /// An organization.
    ///
    /// # Errors
    /// When there is no such organization.
    pub fn org(&self, id: &OrgId) -> Result<(Arc<Org>, OrgHealth), Error> {
        let lane = self.configured(id)?;
        let org = lane.org.clone().ok_or_else(|| Error::NoSuchOrg(id.clone()))?;
        Ok((org, lane.health.borrow().clone()))
    }

    /// Tells whenever the health of an organization changes.
    ///
    /// # Errors
    /// When there is no such organization.
    pub fn watch(&self, id: &OrgId) -> Result<watch::Receiver<OrgHealth>, Error> {
        let lane = self.lanes.get(id).ok_or_else(|| Error::NoSuchOrg(id.clone()))?;
        Ok(lane.health.subscribe())
    }

    /// The Alcmeon environments, and how each stands.
    #[must_use]
    pub fn environments(&self) -> Vec<(SourceId, EnvironmentHealth)> {
        self.environments.iter().map(|(source, kept)| (source.clone(), kept.health.borrow().clone())).collect()
    }

    /// Tells whenever an environment stands in another way.
    #[must_use]
    pub fn watch_environment(&self, source: &SourceId) -> Option<watch::Receiver<EnvironmentHealth>> {
        self.environments.get(source).map(|kept| kept.health.subscribe())
    }
}

//! How an organization stands, as far as those who are told by mail are concerned.

use super::{Engine, HeldCause};
use crate::domain::{BrakedCause, Checks, Hold, OngoingIncident, OrgId, PendingCause, Situation, Why};
use crate::store;

/// Causes that are looked at.
const GROUPS: usize = 2_001;

impl Engine {
    /// How an organization stands.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn situation(&self, id: &OrgId) -> Result<Situation, store::Error> {
        let Some(lane) = self.lanes.get(id) else { return Ok(Situation::default()) };
        let health = lane.health.borrow().clone();
        let now = self.clock.now();
        let groups = self.ledger.groups(id, GROUPS).await?;
        let incident = health.incident.as_ref().filter(|incident| !incident.recovering);
        let oldest = self.ledger.oldest(id).await?.of_movable(incident.is_some());
        let report = self.last_report(id).ok().flatten();
        let red = |check: &&super::Check| check.ok == Some(false);
        let slowed = lane.org.as_ref().is_none_or(|org| org.slowed().is_some());
        let braked = |held: &HeldCause| {
            let group = groups.iter().find(|group| group.id == held.group);
            let title = group.map_or_else(|| held.group.to_string(), |group| group.title.clone());
            let (policy, pending) = (held.policy.clone(), group.map_or(0, |group| group.counts.pending));
            let Hold { at, until, why } = held.hold;
            (why == Why::TooMany).then_some(BrakedCause { title, policy, at, until, pending })
        };
        let braked = health.held.iter().filter_map(braked).collect();
        Ok(Situation {
            counts: health.sync_errors,
            parked: health.parked,
            causes: groups
                .iter()
                .filter(|group| group.counts.pending > 0)
                .filter_map(|group| PendingCause::of(group, now))
                .collect(),
            incident: incident.map(|incident| OngoingIncident {
                since: incident.since,
                refusal: incident.refusal.clone(),
                next_probe_at: incident.next_probe_at.unwrap_or(now),
                waiting: health.parked,
            }),
            retrying_by_hand: health.retrying_all,
            rollback: None,
            braked,
            oldest_unsynced: oldest,
            moved_at: health.moved_at,
            could_move: incident.is_none() && !slowed,
            sources: self.source_health(id),
            checks: report.map(|report| Checks {
                at: report.checked_at,
                red: report.checks.iter().filter(red).map(|check| format!("{}: {}", check.name, check.found)).collect(),
            }),
        })
    }
}

//! What a lane tells of its organization: its health, and the figures of the metrics.

use super::Lane;
use crate::domain::{IncidentStatus, Operation, OperationStatus, Passage, State, Task};
use crate::engine::org::{HeldCause, IncidentHealth, OrgHealth};
use crate::telemetry::{OfOrg, Registered};

/// Causes that are told as held.
const HELD: usize = 100;

impl Lane {
    /// Tells how the organization stands.
    pub(super) fn report(&self) {
        let (org, metrics) = (self.parts.org.to_string(), &self.parts.shared.metrics);
        let errors = self.state.errors;
        let by_state = [
            (State::Pending, errors.pending),
            (State::Retrying, errors.retrying),
            (State::Ignored, errors.ignored),
            (State::Resolved, errors.resolved),
        ];
        let gauge = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        for (state, count) in by_state {
            let labels = Registered { org: org.clone(), state: state.as_str() };
            metrics.sync_errors.get_or_create(&labels).set(gauge(count));
        }
        self.classes.report(&self.parts.org, metrics);
        let phases = self.state.phases;
        let sending = self.flights.len() as u64;
        let waiting = phases.ready().saturating_sub(sending);
        metrics.waiting.get_or_create(&OfOrg { org: org.clone() }).set(gauge(waiting));
        metrics.parked.get_or_create(&OfOrg { org }).set(gauge(phases.parked));
        let mut health = OrgHealth {
            sync_errors: errors,
            waiting,
            sending,
            scheduled: phases.waiting,
            parked: phases.parked,
            retrying_all: self.operations.values().map(left_to_retry).sum(),
            operations: self
                .operations
                .values()
                .filter(|it| it.status == OperationStatus::Running && !it.stands())
                .count(),
            unmerged: 0,
            incident: self.incident(),
            moved_at: self.moved_at,
            newest_pending: self.newest_pending.clone().filter(|_| errors.pending > 0),
            held: self.held(),
        };
        self.parts.health.send_if_modified(|known| {
            health.unmerged = self.parts.inbound.unmerged();
            let changed = *known != health;
            *known = health;
            changed
        });
    }

    /// The newest causes that policies may not ignore any more.
    fn held(&self) -> Vec<HeldCause> {
        let held = |operation: &Operation| {
            let Task::AutoIgnore { policy, group, brake } = operation.task.clone() else { return None };
            let (hold, operation) = (brake.hold.filter(|_| operation.stands())?, operation.id.clone());
            Some(HeldCause { group, policy, operation, hold, held: brake.held })
        };
        let mut all: Vec<_> = self.operations.values().filter_map(held).collect();
        all.sort_by_key(|held| std::cmp::Reverse(held.hold.at));
        all.truncate(HELD);
        all
    }

    fn incident(&self) -> Option<IncidentHealth> {
        let incident = &self.admission.incident;
        let (since, refusal) = incident.cause()?;
        let now = self.parts.shared.clock.now();
        let next_probe_at = match incident.passage(now) {
            Passage::Barred(until) => until,
            Passage::Probe => Some(now),
            Passage::Free | Passage::Ramp(_) => None,
        };
        let recovering = matches!(incident.status, IncidentStatus::Recovering { .. });
        Some(IncidentHealth { since, refusal: refusal.clone(), next_probe_at, recovering })
    }
}

/// How many sync errors an operation is still to retry, as far as that is known.
fn left_to_retry(operation: &Operation) -> u64 {
    if !operation.task.sends() || operation.status != OperationStatus::Running {
        return 0;
    }
    let matched = operation.matched.unwrap_or(operation.done + 1);
    matched.saturating_sub(operation.done + operation.skipped).max(operation.under_way())
}

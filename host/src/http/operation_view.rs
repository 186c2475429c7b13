//! An operation as the API shows it, in one organization and as the sums over all of them.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::domain::{
    Brake, ErrorQuery, Fingerprint, Operation, OperationId, OperationStatus, OrgId, PolicyRef, ResyncQuery, Retried,
    Task, Timestamp,
};

/// An operation as the API shows it: the sums over its organizations, and each of them.
#[derive(Serialize)]
pub(super) struct View {
    id: OperationId,
    task: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    assignee: Option<String>,
    by: String,
    created_at: Timestamp,
    status: OperationStatus,
    #[serde(flatten)]
    sums: Sums,
    /// From 0 to 1; absent where nobody knows how much there is.
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<f64>,
    /// When it will have ended if it goes on as it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    estimated_end_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<Timestamp>,
    orgs: Vec<InOrg>,
}

#[derive(Default, Serialize)]
struct Sums {
    /// Sync errors that matched; absent where only the end tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    matched: Option<u64>,
    /// Those that were acted on.
    done: u64,
    /// Those that were left: they had changed meanwhile.
    skipped: u64,
    /// Those that were retried and are not tried yet.
    under_way: u64,
    passed: u64,
    failed_alike: u64,
    failed_otherwise: u64,
    changed: u64,
}

#[derive(Serialize)]
struct InOrg {
    org: OrgId,
    status: OperationStatus,
    query: ErrorQuery,
    /// What is sent once more.
    #[serde(skip_serializing_if = "Option::is_none")]
    resync: Option<ResyncQuery>,
    /// Conversations that were looked at for that.
    #[serde(skip_serializing_if = "Option::is_none")]
    looked_at: Option<u64>,
    #[serde(flatten)]
    sums: Sums,
    /// Failures after its retries, by cause.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    failed_as: BTreeMap<Fingerprint, u64>,
    /// Causes of which it left the rest alone, because the first ones failed alike.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stopped: Vec<Fingerprint>,
    /// What a policy ignores by itself: which revision, and its brake.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    auto: Option<Auto>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<Timestamp>,
}

#[derive(Serialize)]
struct Auto {
    policy: PolicyRef,
    brake: Brake,
}

impl Sums {
    fn of(operation: &Operation) -> Self {
        let came = |how| operation.retried.get(&how).copied().unwrap_or(0);
        Self {
            matched: operation.matched,
            done: operation.done,
            skipped: operation.skipped,
            under_way: operation.under_way(),
            passed: came(Retried::Passed),
            failed_alike: came(Retried::FailedAlike),
            failed_otherwise: came(Retried::FailedOtherwise),
            changed: came(Retried::Changed),
        }
    }

    fn add(&mut self, other: &Self) {
        self.matched = self.matched.zip(other.matched).map(|(one, other)| one + other);
        self.done += other.done;
        self.skipped += other.skipped;
        self.under_way += other.under_way;
        self.passed += other.passed;
        self.failed_alike += other.failed_alike;
        self.failed_otherwise += other.failed_otherwise;
        self.changed += other.changed;
    }
}

impl View {
    pub(super) fn of(id: OperationId, all: Vec<(OrgId, Operation)>, now: Timestamp) -> Self {
        let mut sums = Sums { matched: Some(0), ..Sums::default() };
        all.iter().for_each(|(_, operation)| sums.add(&Sums::of(operation)));
        let over = all.iter().all(|(_, operation)| operation.ended_at.is_some());
        let ended_at = all.iter().filter_map(|(_, operation)| operation.ended_at).max().filter(|_| over);
        let statuses: BTreeSet<_> = all.iter().map(|(_, operation)| operation.status.as_str()).collect();
        let first = [OperationStatus::Running, OperationStatus::Paused, OperationStatus::Cancelled];
        let status = first.into_iter().find(|status| statuses.contains(status.as_str()));
        let created_at = all.iter().map(|(_, operation)| operation.as_of).min().unwrap_or(now);
        let known: Option<Vec<_>> = all.iter().map(|(_, operation)| operation.progress()).collect();
        #[expect(clippy::cast_precision_loss, reason = "a mean of some organizations")]
        let progress = known.map(|known| known.iter().sum::<f64>() / known.len().max(1) as f64);
        let running = status == Some(OperationStatus::Running);
        let task = all.first().map(|(_, operation)| operation.task.clone());
        let (reason, assignee) = match &task {
            Some(Task::Ignore { reason }) => (Some(reason.clone()), None),
            Some(Task::Assign { assignee }) => (None, assignee.clone()),
            _ => (None, None),
        };
        Self {
            id,
            task: task.as_ref().map_or("", Task::as_str),
            reason,
            assignee,
            by: all.first().map(|(_, operation)| operation.by.clone()).unwrap_or_default(),
            created_at,
            status: status.unwrap_or(OperationStatus::Done),
            sums,
            progress,
            estimated_end_at: progress.filter(|_| running).and_then(|share| estimate(created_at, now, share)),
            ended_at,
            orgs: all.into_iter().map(|(org, operation)| InOrg::of(org, operation)).collect(),
        }
    }
}

/// When what took so long for a share of it will have ended.
fn estimate(began: Timestamp, now: Timestamp, share: f64) -> Option<Timestamp> {
    let so_far = now.since(began);
    (share > 0.0).then(|| now.after(so_far.mul_f64((1.0 - share) / share)))
}

impl InOrg {
    fn of(org: OrgId, operation: Operation) -> Self {
        let sums = Sums::of(&operation);
        let Operation { task, status, query, failed_as, stopped, ended_at, sweep, .. } = operation;
        let looked_at = sweep.map(|sweep| sweep.looked_at);
        let (resync, auto) = match task {
            Task::Resync { query } => (Some(query), None),
            Task::AutoIgnore { policy, brake, .. } => (None, Some(Auto { policy, brake })),
            _ => (None, None),
        };
        Self { org, status, query, resync, looked_at, sums, failed_as, stopped, auto, ended_at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_estimated_by_what_is_done() {
        let at = Timestamp::from_millis;
        assert_eq!(estimate(at(1_000), at(2_000), 0.25), Some(at(5_000)));
        assert_eq!(estimate(at(1_000), at(2_000), 0.0), None);
    }
}

//! What is done with many sync errors at once, as the API tells it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::policy::PolicyRef;
use crate::domain::{self, Fingerprint, OperationId, OperationStatus, OrgId, Retried, Task, Timestamp, Why};

/// What is to be done with many sync errors.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OperationRequest {
    #[schema(pattern = "^(retry|ignore|reopen|assign|resync)$", examples("retry"))]
    pub(crate) task: String,
    /// All sync errors that the task is for, where there is none.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub(crate) query: Value,
    /// Why they are ignored; for `ignore`.
    #[serde(default)]
    #[schema(max_length = 500)]
    pub(crate) reason: Option<String>,
    /// Who looks after the causes; for `assign`, where nobody does without it.
    #[serde(default)]
    pub(crate) assignee: Option<String>,
    /// Only tell what it would be about.
    #[serde(default)]
    pub(crate) dry_run: bool,
}

/// What an operation would be about.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct DryRun {
    #[schema(pattern = "^(retry|ignore|reopen|assign|resync)$")]
    pub(crate) task: Cow<'static, str>,
    /// Sync errors that match; at least so many where it is not exact.
    pub(crate) matched: u64,
    pub(crate) is_exact: bool,
    /// Salesforce calls that a retry of all of them may take, as an estimate from what was measured.
    pub(crate) salesforce_calls: u64,
    /// By cause.
    pub(crate) groups: Vec<MatchedGroup>,
}

/// A cause of which sync errors match.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct MatchedGroup {
    pub(crate) id: Fingerprint,
    pub(crate) org: OrgId,
    pub(crate) title: String,
    pub(crate) matched: u64,
}

/// An operation: the sums over its organizations, and each of them.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct Operation {
    pub(crate) id: OperationId,
    #[schema(pattern = "^(retry|ignore|reopen|assign|resync|auto-ignore)$")]
    pub(crate) task: Cow<'static, str>,
    /// Why it ignores.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) assignee: Option<String>,
    pub(crate) by: String,
    pub(crate) created_at: Timestamp,
    pub(crate) status: OperationStatus,
    #[serde(flatten)]
    pub(crate) sums: OperationSums,
    /// From 0 to 1; absent where nobody knows how much there is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) progress: Option<f64>,
    /// When it will have ended if it goes on as it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) estimated_end_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ended_at: Option<Timestamp>,
    pub(crate) orgs: Vec<InOrg>,
}

/// Operations, the newest first.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct OperationList {
    pub(crate) operations: Vec<Operation>,
}

/// How many sync errors.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
pub(crate) struct OperationSums {
    /// Those that matched; absent where only the end tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) matched: Option<u64>,
    /// Those that were acted on.
    pub(crate) done: u64,
    /// Those that were left: they had changed meanwhile.
    pub(crate) skipped: u64,
    /// Those that were retried and are not tried yet.
    pub(crate) under_way: u64,
    /// Those that got through.
    pub(crate) passed: u64,
    /// Those that failed again, with the same cause and with another one.
    pub(crate) failed_alike: u64,
    pub(crate) failed_otherwise: u64,
    /// Those that somebody changed before they were tried.
    pub(crate) changed: u64,
}

/// An operation in one organization.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[schema(as = OperationInOrg)]
pub(crate) struct InOrg {
    pub(crate) org: OrgId,
    pub(crate) status: OperationStatus,
    /// What it is about, by the fields of the records; absent fields narrow nothing.
    #[schema(value_type = Object)]
    pub(crate) query: domain::ErrorQuery,
    /// What is sent once more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object)]
    pub(crate) resync: Option<domain::ResyncQuery>,
    /// Conversations that were looked at for that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) looked_at: Option<u64>,
    #[serde(flatten)]
    pub(crate) sums: OperationSums,
    /// Failures after its retries, by cause.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) failed_as: BTreeMap<String, u64>,
    /// Causes of which it left the rest alone, because the first ones failed alike.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) stopped: Vec<Fingerprint>,
    /// What a policy ignores by itself: which revision,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) policy: Option<PolicyRef>,
    /// and its brake.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) brake: Option<Brake>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ended_at: Option<Timestamp>,
}

/// What keeps a policy from ignoring too much by itself.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct Brake {
    /// When it ignored first, and last.
    pub(crate) since: Timestamp,
    pub(crate) last: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hold: Option<Hold>,
    /// How many judgements to ignore were held.
    pub(crate) held: u64,
}

/// Since when, until when and why a policy may not ignore.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct Hold {
    pub(crate) at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) until: Option<Timestamp>,
    pub(crate) why: Why,
}

impl OperationSums {
    fn of(operation: &domain::Operation) -> Self {
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

impl Operation {
    pub(crate) fn of(id: OperationId, all: Vec<(OrgId, domain::Operation)>, now: Timestamp) -> Self {
        let mut sums = OperationSums { matched: Some(0), ..OperationSums::default() };
        all.iter().for_each(|(_, operation)| sums.add(&OperationSums::of(operation)));
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
            task: task.as_ref().map_or("", Task::as_str).into(),
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
    fn of(org: OrgId, operation: domain::Operation) -> Self {
        let sums = OperationSums::of(&operation);
        let domain::Operation { task, status, query, failed_as, stopped, ended_at, sweep, .. } = operation;
        let looked_at = sweep.map(|sweep| sweep.looked_at);
        let failed_as = failed_as.into_iter().map(|(group, count)| (group.to_string(), count)).collect();
        let (mut resync, mut policy, mut brake) = (None, None, None);
        match task {
            Task::Resync { query } => resync = Some(query),
            Task::AutoIgnore { policy: by, brake: its, .. } => {
                (policy, brake) = (Some(PolicyRef::from(by)), Some(Brake::from(its)));
            }
            _ => {}
        }
        Self { org, status, query, resync, looked_at, sums, failed_as, stopped, policy, brake, ended_at }
    }
}

impl From<domain::Brake> for Brake {
    fn from(brake: domain::Brake) -> Self {
        let hold = brake.hold.map(|domain::Hold { at, until, why }| Hold { at, until, why });
        Self { since: brake.since, last: brake.last, hold, held: brake.held }
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

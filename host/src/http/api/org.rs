//! Organizations: how each stands.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::group::{ErrorCounts, Held};
use super::sync_error::{Advice, Refusal};
use super::trouble::Trouble;
use crate::domain::{self, ConversationId, OperationId, OrgId, PolicyName, SourceId, SyncErrorId, Timestamp, WaitsFor};
use crate::engine::{self, OrgHealth, SourceStanding};
use crate::salesforce;

/// An organization, and how it stands.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct Org {
    pub(crate) id: OrgId,
    pub(crate) name: String,
    pub(crate) policy: PolicyName,
    /// The accounts linked to it, as the configuration writes them.
    #[schema(examples(json!(["main/6", "shop/*"])))]
    pub(crate) accounts: Vec<String>,
    pub(crate) alert_recipients: usize,
    /// No mail about it is sent until then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) mails_muted_until: Option<Timestamp>,
    /// What is wrong with it that an operator can cure.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) troubles: Vec<Trouble>,
    #[serde(flatten)]
    pub(crate) health: Health,
    /// The conversation that has waited longest without waiting for a person; absent where none waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) oldest_unsynced: Option<Unsynced>,
    /// Where its conversations come from.
    pub(crate) sources: Vec<Source>,
    /// What can be done while there is an incident.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) incident_advice: Option<Advice>,
    pub(crate) salesforce: Salesforce,
}

/// What an organization's Salesforce has been asked.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[schema(as = SalesforceUsage)]
pub(crate) struct Salesforce {
    /// Calls since the start.
    pub(crate) calls: u64,
    /// Calls of the last 24 hours and the most that are allowed, as Salesforce said last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<u64>>, min_items = 2, max_items = 2)]
    pub(crate) api_usage: Option<(u64, u64)>,
    /// Why the organization slows, where it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) slowed: Option<String>,
}

/// An organization that has records and is not configured any more.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct DepartedOrg {
    pub(crate) id: OrgId,
    #[serde(flatten)]
    pub(crate) health: Health,
}

/// All organizations.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct OrgList {
    pub(crate) orgs: Vec<Org>,
    pub(crate) departed: Vec<DepartedOrg>,
}

/// How an organization stands.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[schema(as = OrgHealth)]
pub(crate) struct Health {
    pub(crate) sync_errors: ErrorCounts,
    /// Conversations that wait for a free place.
    pub(crate) waiting: u64,
    /// Conversations that are on their way.
    pub(crate) sending: u64,
    /// Conversations that are tried again by themselves later.
    pub(crate) scheduled: u64,
    /// Conversations that wait for the end of an incident.
    pub(crate) parked: u64,
    /// Sync errors that are still to be retried because somebody asked for many at once.
    pub(crate) retrying_all: u64,
    /// Operations that go on and come to an end.
    pub(crate) operations: usize,
    /// Arrivals that are acknowledged but not merged yet.
    pub(crate) unmerged: usize,
    /// What is wrong with the organization as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) incident: Option<Incident>,
    /// When a conversation last got through or was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) moved_at: Option<Timestamp>,
    /// The sync error that became pending last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) newest_pending: Option<SyncErrorId>,
    /// What policies may not ignore any more, the newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) held: Vec<Held>,
}

/// What is wrong with an organization as a whole: nothing gets through, so conversations are parked.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct Incident {
    pub(crate) since: Timestamp,
    pub(crate) refusal: Refusal,
    /// When it is looked at again whether it still holds; absent while it is being looked at, and when it is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_probe_at: Option<Timestamp>,
    /// Whether conversations get through again, more and more at once.
    pub(crate) recovering: bool,
}

/// A conversation that is not in Salesforce yet.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct Unsynced {
    pub(crate) conversation: ConversationId,
    pub(crate) since: Timestamp,
    pub(crate) waits_for: WaitsFor,
}

/// A source of an organization's conversations.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct Source {
    pub(crate) source: SourceId,
    /// When something last came of it for the organization.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) arrived_at: Option<Timestamp>,
    /// Since when it is silent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) silent_since: Option<Timestamp>,
}

/// The first points to check about an organization.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct Report {
    pub(crate) org: OrgId,
    pub(crate) checked_at: Timestamp,
    pub(crate) checks: Vec<Check>,
    /// Conversations that an incident held back and that are tried again, because the connection works.
    pub(crate) retried: u64,
}

/// A point to check.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct Check {
    #[schema(examples("queues"))]
    pub(crate) name: Cow<'static, str>,
    /// Absent where that cannot be said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ok: Option<bool>,
    /// What was found, in words for a person.
    pub(crate) found: String,
}

/// The points as somebody found them last.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct LastReport {
    pub(crate) org: OrgId,
    /// How old it is, in seconds; absent where nobody has looked since the start, and nothing else is there then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) age_seconds: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) checked_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) checks: Option<Vec<Check>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) retried: Option<u64>,
}

/// What a *retry all* has begun.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct RetryAll {
    pub(crate) org: OrgId,
    /// Sync errors that are retried.
    pub(crate) retried: u64,
    /// The operation that does it; absent where there was nothing to retry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) operation: Option<OperationId>,
}

impl LastReport {
    pub(crate) fn of(org: OrgId, report: Option<(Arc<engine::Report>, u64)>) -> Self {
        let age_seconds = report.as_ref().map(|(_, age)| *age);
        let report = report.map(|(report, _)| Report::from(&*report));
        let (checked_at, retried) = report.as_ref().map(|report| (report.checked_at, report.retried)).unzip();
        Self { org, age_seconds, checked_at, checks: report.map(|report| report.checks), retried }
    }
}

impl From<&engine::Report> for Report {
    fn from(engine::Report { org, checked_at, checks, retried }: &engine::Report) -> Self {
        let check = |check: &engine::Check| Check { name: check.name.into(), ok: check.ok, found: check.found.clone() };
        let checks = checks.iter().map(check).collect();
        Self { org: org.clone(), checked_at: *checked_at, checks, retried: *retried }
    }
}

impl From<OrgHealth> for Health {
    fn from(health: OrgHealth) -> Self {
        Self {
            sync_errors: health.sync_errors.into(),
            waiting: health.waiting,
            sending: health.sending,
            scheduled: health.scheduled,
            parked: health.parked,
            retrying_all: health.retrying_all,
            operations: health.operations,
            unmerged: health.unmerged,
            incident: health.incident.map(Incident::from),
            moved_at: health.moved_at,
            newest_pending: health.newest_pending,
            held: health.held.into_iter().map(Held::from).collect(),
        }
    }
}

impl From<engine::IncidentHealth> for Incident {
    fn from(incident: engine::IncidentHealth) -> Self {
        let engine::IncidentHealth { since, refusal, next_probe_at, recovering } = incident;
        Self { since, refusal: refusal.into(), next_probe_at, recovering }
    }
}

impl Health {
    /// What can be done about the incident, if there is one.
    pub(crate) fn advice(health: &OrgHealth) -> Option<Advice> {
        health.incident.as_ref().map(|incident| salesforce::advice(&incident.refusal).into())
    }
}

impl From<domain::Unsynced> for Unsynced {
    fn from(domain::Unsynced { conversation, since, waits_for }: domain::Unsynced) -> Self {
        Self { conversation, since, waits_for }
    }
}

impl From<SourceStanding> for Source {
    fn from(SourceStanding { source, arrived_at, silent_since }: SourceStanding) -> Self {
        Self { source, arrived_at, silent_since }
    }
}

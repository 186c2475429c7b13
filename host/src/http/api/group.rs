//! A cause, and what people put to it.

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::policy::PolicyRef;
use super::sync_error::Advice;
use crate::domain::{
    self, Class, Condition, Fingerprint, OperationId, OrgId, PolicyName, Question, SyncErrorId, Timestamp, Why,
};
use crate::engine::HeldCause;

/// A cause: what sync errors of one kind have in common, whatever ids, numbers and names differ.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct Group {
    pub(crate) id: Fingerprint,
    pub(crate) org: OrgId,
    /// What is wrong, in words for a person.
    pub(crate) title: String,
    pub(crate) condition: Condition,
    pub(crate) class: Class,
    pub(crate) code: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) fields: Vec<String>,
    /// The policy at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) policy: Option<PolicyName>,
    /// What that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) question: Option<Question>,
    /// The words of the refusals without what differs from one conversation to the next.
    pub(crate) text: String,
    pub(crate) counts: ErrorCounts,
    /// Conversations with a sync error that is not over; each has one at most.
    pub(crate) conversations: u64,
    pub(crate) first_seen: Timestamp,
    pub(crate) last_seen: Timestamp,
    /// Failures of the last 24 hours, and of the last 14 days.
    pub(crate) failures_24h: u64,
    pub(crate) failures_14d: u64,
    /// Sync errors that failed last, the newest at the end.
    pub(crate) samples: Vec<SyncErrorId>,
    /// Who looks after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) assignee: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) note: Option<String>,
    /// Where its ticket is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ticket: Option<String>,
    pub(crate) advice: Advice,
    /// Failures by hour; only of a cause that is asked for alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) failures: Option<Vec<Hour>>,
    /// Revisions of policies that may not ignore it any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) held: Vec<Held>,
}

/// Sync errors by state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub(crate) struct ErrorCounts {
    pub(crate) pending: u64,
    pub(crate) retrying: u64,
    pub(crate) ignored: u64,
    pub(crate) resolved: u64,
}

/// Failures of one hour.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct Hour {
    pub(crate) from: Timestamp,
    pub(crate) failures: u32,
}

/// A cause that a policy may not ignore by itself any more.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct Held {
    pub(crate) group: Fingerprint,
    pub(crate) policy: PolicyRef,
    /// Resume it to let the policy go on.
    pub(crate) operation: OperationId,
    /// Since when.
    pub(crate) at: Timestamp,
    /// When it goes on by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) until: Option<Timestamp>,
    pub(crate) why: Why,
    /// How many judgements to ignore were held.
    pub(crate) held: u64,
}

/// A page of causes.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct GroupList {
    pub(crate) groups: Vec<Group>,
    /// Asks for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_cursor: Option<String>,
    /// How many match in all.
    pub(crate) total: usize,
}

/// What people put to a cause; what is absent stays, and `null` takes away.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::option_option, reason = "absent, taken away and put are three things")]
pub(crate) struct GroupChange {
    /// Who looks after it.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub(crate) assignee: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub(crate) note: Option<Option<String>>,
    /// An address that begins with `http://` or `https://`.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub(crate) ticket: Option<Option<String>>,
}

/// Tells `null` from what is absent.
#[expect(clippy::option_option, reason = "absent, taken away and put are three things")]
fn given<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(from).map(Some)
}

impl Group {
    pub(crate) fn of(group: domain::Group, held: Vec<HeldCause>, now: Timestamp, by_hour: bool) -> Self {
        let day = |days: u64| Timestamp::from_millis(now.as_millis().saturating_sub(days * 86_400_000));
        let hours = || group.failures.hours().map(|(from, failures)| Hour { from, failures }).collect();
        Self {
            condition: group.condition(now),
            conversations: group.open() + group.counts.ignored,
            failures_24h: group.failures.since(day(1)),
            failures_14d: group.failures.since(day(14)),
            advice: group.class.advice().into(),
            failures: by_hour.then(hours),
            held: held.into_iter().map(Held::from).collect(),
            id: group.id,
            org: group.org,
            title: group.title,
            class: group.class,
            code: group.code,
            fields: group.fields,
            policy: group.policy,
            question: group.question,
            text: group.text,
            counts: group.counts.into(),
            first_seen: group.first_seen,
            last_seen: group.last_seen,
            samples: group.samples,
            assignee: group.assignee,
            note: group.note,
            ticket: group.ticket,
        }
    }
}

impl From<domain::ErrorCounts> for ErrorCounts {
    fn from(domain::ErrorCounts { pending, retrying, ignored, resolved }: domain::ErrorCounts) -> Self {
        Self { pending, retrying, ignored, resolved }
    }
}

impl From<HeldCause> for Held {
    fn from(HeldCause { group, policy, operation, hold, held }: HeldCause) -> Self {
        let domain::Hold { at, until, why } = hold;
        Self { group, policy: policy.into(), operation, at, until, why, held }
    }
}

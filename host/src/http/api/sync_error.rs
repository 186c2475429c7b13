//! A sync error, with what explains it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::audit::Fact;
use super::policy::{Fault, PolicyRef};
use crate::domain::{
    self, Class, ConversationId, Ending, Fingerprint, MessageId, OrgId, Question, RecordId, Scope, State, SyncErrorId,
    Timestamp,
};
use crate::salesforce;

/// One conversation that did not get through, what stands in its way, and what became of it.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct SyncError {
    pub(crate) id: SyncErrorId,
    pub(crate) org: OrgId,
    pub(crate) conversation: ConversationId,
    /// The conversation's newest message when it failed last.
    pub(crate) message: MessageId,
    /// Messages that are not in Salesforce because of it, the newest at the end.
    pub(crate) affected: Vec<MessageId>,
    /// How many those are; `affected` has the newest.
    pub(crate) affected_count: u64,
    pub(crate) state: State,
    /// Its cause.
    pub(crate) group: Fingerprint,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) team: Option<String>,
    /// The platform's word for the channel.
    pub(crate) channel: String,
    /// Who the customer is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) person: Option<Person>,
    /// Records of the conversation in Salesforce.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) records: Vec<RecordId>,
    pub(crate) refusal: Refusal,
    /// The revision of the policy that said what was to come of it; absent where none did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) judged_by: Option<PolicyRef>,
    /// Attempts over all retries, and since the last of those that a person asked for.
    pub(crate) attempts: u32,
    pub(crate) attempts_since_retry: u32,
    pub(crate) first_seen: Timestamp,
    pub(crate) last_seen: Timestamp,
    /// When it is tried again by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_attempt_at: Option<Timestamp>,
    /// Who changed it last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) touched_by: Option<String>,
    /// Why it is ignored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// What a policy would have ignored it for, where it may not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) held: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ending: Option<Ending>,
    /// Grows with every change of the conversation.
    pub(crate) version: u64,
    /// Its states, the newest at the end.
    pub(crate) history: Vec<Moment>,
    pub(crate) advice: Advice,
}

/// A customer.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct Person {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) phone: Option<String>,
}

/// A no, from Salesforce, a policy or the host itself.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct Refusal {
    pub(crate) class: Class,
    pub(crate) scope: Scope,
    /// Salesforce's code, or one that tells who else refused.
    #[schema(examples("FIELD_CUSTOM_VALIDATION_EXCEPTION"))]
    pub(crate) code: String,
    pub(crate) text: String,
    /// The fields that it names.
    pub(crate) fields: Vec<String>,
    /// The records that it names.
    pub(crate) records: Vec<String>,
    /// Of the answer over HTTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<u16>,
    /// Salesforce's id of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) request_id: Option<String>,
    /// What was sent; without secrets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) request: Option<Request>,
    /// What came back; absent in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) answer: Option<Answer>,
    /// The policy at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) blame: Option<Blame>,
}

/// A request as it was sent to Salesforce.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    /// JSON.
    pub(crate) body: Value,
}

/// An answer as it came from Salesforce.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) headers: BTreeMap<String, String>,
    /// JSON, or a text where it was none.
    pub(crate) body: Value,
    /// How many bytes it had, where it is cut off here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cut_from: Option<usize>,
}

/// A policy that failed to answer.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct Blame {
    pub(crate) policy: PolicyRef,
    pub(crate) question: Question,
    pub(crate) fault: Fault,
}

/// A state, and how it came to it.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct Moment {
    pub(crate) at: Timestamp,
    pub(crate) state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
}

/// What a person is told about a refusal.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct Advice {
    pub(crate) happened: Cow<'static, str>,
    /// What to check first.
    pub(crate) check: Cow<'static, str>,
    /// What follows without anybody's doing.
    pub(crate) by_itself: Cow<'static, str>,
}

/// A page of sync errors.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct SyncErrorList {
    pub(crate) sync_errors: Vec<SyncError>,
    /// Asks for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_cursor: Option<String>,
    /// Asks for the page before; absent on the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) previous_cursor: Option<String>,
    /// How many match in all; absent where only a walk over them could tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) total: Option<u64>,
    /// How many were looked at for this page. One that is not full and has a `next_cursor` ended where its time was used up.
    pub(crate) scanned: usize,
}

/// A sync error, and what policies decided about it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Evidence {
    #[serde(flatten)]
    pub(crate) error: SyncError,
    /// Whether personal data is left out.
    pub(crate) masked: bool,
    /// Oldest first.
    pub(crate) decisions: Vec<Decided>,
}

/// What a policy decided.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Decided {
    pub(crate) at: Timestamp,
    pub(crate) question: Question,
    pub(crate) policy: PolicyRef,
    /// The entry of the audit; absent where nothing was said beside the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fact: Option<Fact>,
}

/// Why something is ignored.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ignore {
    /// One line for whoever finds it later; 1 to 500 characters.
    #[schema(min_length = 1, max_length = 500, examples("a test account"))]
    pub(crate) reason: String,
}

impl SyncError {
    /// With the answer that Salesforce gave.
    pub(crate) fn whole(error: domain::SyncError) -> Self {
        let advice = salesforce::advice(&error.refusal).into();
        let domain::SyncError { id, org, conversation, message, affected, affected_count, state, group, .. } = error;
        Self {
            id,
            org,
            conversation,
            message,
            affected,
            affected_count,
            state,
            group,
            team: error.team,
            channel: error.channel,
            person: error.person.map(|person| Person::from(*person)),
            records: error.records,
            refusal: error.refusal.into(),
            judged_by: error.judged_by.map(PolicyRef::from),
            attempts: error.attempts,
            attempts_since_retry: error.attempts_since_retry,
            first_seen: error.first_seen,
            last_seen: error.last_seen,
            next_attempt_at: error.next_attempt_at,
            touched_by: error.touched_by,
            reason: error.reason,
            held: error.held,
            ending: error.ending,
            version: error.version,
            history: error.history.into_iter().map(Moment::from).collect(),
            advice,
        }
    }
}

impl From<domain::SyncError> for SyncError {
    /// As lists have it: without the answer, which can be long.
    fn from(mut error: domain::SyncError) -> Self {
        error.refusal.answer = None;
        Self::whole(error)
    }
}

impl From<domain::Person> for Person {
    fn from(domain::Person { name, email, phone }: domain::Person) -> Self {
        Self { name, email, phone }
    }
}

impl From<domain::Refusal> for Refusal {
    fn from(refusal: domain::Refusal) -> Self {
        let domain::Refusal { class, scope, code, text, fields, records, status, request_id, .. } = refusal;
        let request = refusal.request.map(|domain::RequestSent { method, path, body }| Request { method, path, body });
        let answer = refusal.answer.map(|answer| {
            let domain::AnswerReceived { status, headers, body, cut_from } = *answer;
            Answer { status, headers, body, cut_from }
        });
        let blame = refusal.blame.map(|domain::Blame { policy, question, fault }| Blame {
            policy: policy.into(),
            question,
            fault: fault.into(),
        });
        Self { class, scope, code, text, fields, records, status, request_id, request, answer, blame }
    }
}

impl From<domain::Moment> for Moment {
    fn from(domain::Moment { at, state, by, reason }: domain::Moment) -> Self {
        Self { at, state, by, reason }
    }
}

impl From<domain::Advice> for Advice {
    fn from(domain::Advice { happened, check, by_itself }: domain::Advice) -> Self {
        Self { happened: happened.into(), check: check.into(), by_itself: by_itself.into() }
    }
}

//! A sync error, with what explains it.

use std::collections::BTreeMap;

use serde::Serialize;
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
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SyncError {
    id: SyncErrorId,
    org: OrgId,
    conversation: ConversationId,
    /// The conversation's newest message when it failed last.
    message: MessageId,
    /// Messages that are not in Salesforce because of it, the newest at the end.
    affected: Vec<MessageId>,
    /// How many those are; `affected` has the newest.
    affected_count: u64,
    state: State,
    /// Its cause.
    group: Fingerprint,
    #[serde(skip_serializing_if = "Option::is_none")]
    team: Option<String>,
    /// The platform's word for the channel.
    channel: String,
    /// Who the customer is.
    #[serde(skip_serializing_if = "Option::is_none")]
    person: Option<Person>,
    /// Records of the conversation in Salesforce.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    records: Vec<RecordId>,
    refusal: Refusal,
    /// The revision of the policy that said what was to come of it; absent where none did.
    #[serde(skip_serializing_if = "Option::is_none")]
    judged_by: Option<PolicyRef>,
    /// Attempts over all retries, and since the last of those that a person asked for.
    attempts: u32,
    attempts_since_retry: u32,
    first_seen: Timestamp,
    last_seen: Timestamp,
    /// When it is tried again by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_attempt_at: Option<Timestamp>,
    /// Who changed it last.
    #[serde(skip_serializing_if = "Option::is_none")]
    touched_by: Option<String>,
    /// Why it is ignored.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// What a policy would have ignored it for, where it may not.
    #[serde(skip_serializing_if = "Option::is_none")]
    held: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ending: Option<Ending>,
    /// Grows with every change of the conversation.
    version: u64,
    /// Its states, the newest at the end.
    history: Vec<Moment>,
    advice: Advice,
}

/// A customer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Person {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
}

/// A no, from Salesforce, a policy or the host itself.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Refusal {
    class: Class,
    scope: Scope,
    /// Salesforce's code, or one that tells who else refused.
    #[schema(examples("FIELD_CUSTOM_VALIDATION_EXCEPTION"))]
    code: String,
    text: String,
    /// The fields that it names.
    fields: Vec<String>,
    /// The records that it names.
    records: Vec<String>,
    /// Of the answer over HTTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    /// Salesforce's id of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    /// What was sent; without secrets.
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<Request>,
    /// What came back; absent in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<Answer>,
    /// The policy at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    blame: Option<Blame>,
}

/// A request as it was sent to Salesforce.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Request {
    method: String,
    path: String,
    /// JSON.
    body: Value,
}

/// An answer as it came from Salesforce.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Answer {
    status: u16,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    headers: BTreeMap<String, String>,
    /// JSON, or a text where it was none.
    body: Value,
    /// How many bytes it had, where it is cut off here.
    #[serde(skip_serializing_if = "Option::is_none")]
    cut_from: Option<usize>,
}

/// A policy that failed to answer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Blame {
    policy: PolicyRef,
    question: Question,
    fault: Fault,
}

/// A state, and how it came to it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Moment {
    at: Timestamp,
    state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// What a person is told about a refusal.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Advice {
    happened: &'static str,
    /// What to check first.
    check: &'static str,
    /// What follows without anybody's doing.
    by_itself: &'static str,
}

/// A page of sync errors.
#[derive(Debug, Serialize, ToSchema)]
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
#[derive(Debug, serde::Deserialize, ToSchema)]
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
        Self { happened, check, by_itself }
    }
}

//! A revision that decides nothing: asked beside the one in force, to see what would change.

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Value, json};

use crate::domain::{
    Contact, ContactSearch, Conversation, Decision, Destination, Fault, Link, Question, Timestamp, Verdict,
};
use crate::policy::host::{PolicyHost, given};
use crate::policy::revision::revision::Revision;
use crate::policy::runtime::configured::Answerer;
use crate::policy::runtime::conversions::Failing;

/// A policy that was configured and tried but is not in force. Its decisions are counted nowhere.
#[derive(Clone)]
pub struct Candidate {
    host: PolicyHost,
    revision: Arc<Revision>,
}

impl Candidate {
    pub(crate) fn new(host: PolicyHost, revision: Arc<Revision>) -> Self {
        Self { host, revision }
    }

    /// Where a conversation would go.
    pub async fn route(&self, of: &Conversation, now: Timestamp) -> Decision<Destination> {
        let ask = async |asked: &Answerer, given| asked.route(&self.host.0.sandbox, given, of).await;
        self.host.ask(&self.revision, Question::Route, given(of, now), ask).await
    }

    /// What contacts would be searched for.
    pub async fn search(&self, of: &Conversation, now: Timestamp) -> Decision<Vec<ContactSearch>> {
        let ask = async |asked: &Answerer, given| asked.search(&self.host.0.sandbox, given, of).await;
        self.host.ask(&self.revision, Question::Search, given(of, now), ask).await
    }

    /// Which of the found contacts the customer would be.
    pub async fn choose(&self, of: &Conversation, found: &[Contact], now: Timestamp) -> Decision<Link> {
        let ask = async |asked: &Answerer, given| asked.choose(&self.host.0.sandbox, given, of, found).await;
        self.host.ask(&self.revision, Question::Choose, given(of, now), ask).await
    }

    /// What would be done about a failure.
    pub async fn judge(&self, of: Failing<'_>, now: Timestamp) -> Decision<Verdict> {
        let ask = async |asked: &Answerer, given| asked.judge(&self.host.0.sandbox, given, of).await;
        self.host.ask(&self.revision, Question::Judge, given(of.conversation, now), ask).await
    }
}

/// A question that two revisions answer differently.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// The conversation.
    pub conversation: String,
    /// What was asked.
    pub question: Question,
    /// The answer of the revision in force; a fault as `{"fault": "...", "says": "..."}`.
    pub now: Value,
    /// The answer of the candidate.
    pub then: Value,
}

/// The difference between two decisions of one question, if there is one. Two refusals with the same code are alike.
#[must_use]
pub fn difference<T: Serialize + PartialEq>(
    of: &Conversation,
    now: &Decision<T>,
    then: &Decision<T>,
) -> Option<Difference> {
    let alike = match (&now.answer, &then.answer) {
        (Ok(now), Ok(then)) => now == then,
        (Err(now), Err(then)) => now.code() == then.code(),
        _ => false,
    };
    (!alike).then(|| Difference {
        conversation: of.id.to_string(),
        question: now.question,
        now: shown(&now.answer),
        then: shown(&then.answer),
    })
}

/// An answer as JSON.
#[must_use]
pub fn shown<T: Serialize>(answer: &Result<T, Fault>) -> Value {
    match answer {
        Ok(answer) => json!(answer),
        Err(fault) => json!({ "fault": fault.code(), "says": fault.to_string() }),
    }
}

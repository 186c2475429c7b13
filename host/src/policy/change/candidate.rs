//! A revision that decides nothing: asked beside the one in force, to see what would change.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::current::{CurrentRevision, neither_in_force};
use crate::domain::{
    Contact, ContactSearch, Conversation, Decision, Destination, Fault, Link, PluginName, PolicyRef, Question,
    Timestamp, Verdict,
};
use crate::policy::revision::Revision;
use crate::policy::runtime::{Answered, Ask, Choose, Failing, Route, Runtime, Search};

/// A policy that was configured and tried but is not in force. Its decisions are counted nowhere.
#[derive(Clone)]
pub struct Candidate {
    runtime: Arc<Runtime>,
    /// Answers the questions that the revision leaves to the default policy.
    default: Arc<CurrentRevision>,
    revision: Arc<Revision>,
}

impl Candidate {
    pub(super) fn new(runtime: Arc<Runtime>, default: Arc<CurrentRevision>, revision: Arc<Revision>) -> Self {
        Self { runtime, default, revision }
    }

    /// Whether it names this plugin.
    pub(super) fn names(&self, plugin: &PluginName) -> bool {
        self.revision.draft.names(plugin)
    }

    /// Which revision it is; a candidate that is not in force has the number 0.
    #[must_use]
    pub fn policy(&self) -> &PolicyRef {
        &self.revision.policy
    }

    /// The same over its revision with or without snapshots.
    pub(super) fn with(&self, revision: Revision) -> Self {
        Self { revision: Arc::new(revision), ..self.clone() }
    }

    pub(super) fn revision(&self) -> &Arc<Revision> {
        &self.revision
    }

    /// Where a conversation would go.
    pub async fn route(&self, of: &Conversation, now: Timestamp) -> Decision<Destination> {
        self.ask(Route(of), now).await
    }

    /// What contacts would be searched for.
    pub async fn search(&self, of: &Conversation, now: Timestamp) -> Decision<Vec<ContactSearch>> {
        self.ask(Search(of), now).await
    }

    /// Which of the found contacts the customer would be.
    pub async fn choose(&self, of: &Conversation, found: &[Contact], now: Timestamp) -> Decision<Link> {
        self.ask(Choose(of, found), now).await
    }

    /// What would be done about a failure.
    pub async fn judge(&self, of: Failing<'_>, now: Timestamp) -> Decision<Verdict> {
        self.ask(of, now).await
    }

    /// Asks with the clock and the seed of a live decision.
    pub(crate) async fn ask<Q: Ask>(&self, question: Q, now: Timestamp) -> Decision<Q::Answer> {
        let policy = self.revision.policy.clone();
        let default = || self.default.get()?.plugin(Q::QUESTION).cloned();
        let answered = match self.revision.plugin(Q::QUESTION).cloned().or_else(default) {
            Some(plugin) => self.runtime.ask(&plugin, question.clock_and_seed(now), question).await,
            None => Answered::unasked(neither_in_force(&policy.name)),
        };
        answered.decision(policy, Q::QUESTION)
    }
}

/// A question that two revisions answer differently.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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

//! A case: a question put to a policy and the answer expected of it, as one JSON object that people can write by hand.

mod answer;
mod evidence;
mod input;
mod mask;
#[cfg(test)]
mod tests;
mod trial;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use answer::{CaseAnswer, CaseSearch, Yes};
pub use evidence::Evidence;
pub use input::{Conversation, Customer, Failure, Found, Message, Named};
pub use mask::Mask;
pub use trial::Trial;
pub(crate) use trial::{Asker, ask};

use crate::domain::{self, Class, Contact, PluginName, PolicyName, Question, Refusal, Timestamp};

/// When a case happens that says nothing of it: 2026-01-05T09:30:00Z, a Monday.
const SOME_MONDAY: Timestamp = Timestamp::from_millis(1_767_605_400_000);

/// One question, everything that a policy is told with it, and the answer. A key that is not known is refused by name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What is asked; `route` where not given.
    #[serde(default = "route")]
    pub question: Question,
    /// About whom.
    pub conversation: Conversation,
    /// The clock that the policy reads; the time of the newest message where not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub now: Option<Timestamp>,
    /// What the policy's random numbers grow from; the conversation's id where not given, as in a live decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<String>,
    /// The policy's settings; they go before those of the command line, key by key.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub settings: Map<String, Value>,
    /// For `choose`: the contacts that were found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub found: Vec<Found>,
    /// For `judge`: what failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// In a repro bundle: what Salesforce was sent and what it answered. It is for people; no policy is told it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
    /// In a repro bundle: the policy that answered. Where a plugin is tested with the case, it is left alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Bundled>,
    /// The answer that is right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<CaseAnswer>,
}

/// A policy inside a repro bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bundled {
    /// Its name, from which the random numbers grow that it is configured with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<PolicyName>,
    /// The clock that it was configured with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied_at: Option<Timestamp>,
    /// The text of its file.
    pub toml: String,
    /// Its scripts by file name.
    #[serde(default)]
    pub scripts: BTreeMap<String, String>,
    /// SHA-256 of the plugins that answered, in hexadecimal.
    #[serde(default)]
    pub plugin_digests: BTreeMap<PluginName, String>,
}

/// Why a text is no case; its author has to mend it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is not JSON, a key is missing, or one is not known.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// Its parts do not go together.
    #[error("{0}")]
    Senseless(String),
}

impl Case {
    /// Reads a case.
    ///
    /// # Errors
    /// Says which key is unknown, missing or wrong, and where.
    pub fn read(text: &str) -> Result<Self, Error> {
        let case: Self = serde_json::from_str(text)?;
        case.check()?;
        Ok(case)
    }

    /// Reads a case, or a conversation alone, which makes a case that asks where it goes.
    ///
    /// # Errors
    /// As [`Case::read`].
    pub fn read_input(text: &str) -> Result<Self, Error> {
        let keys: Map<String, Value> = serde_json::from_str(text)?;
        if keys.contains_key("conversation") { Self::read(text) } else { Ok(Self::new(serde_json::from_str(text)?)) }
    }

    /// A case that asks where a conversation goes.
    #[must_use]
    pub fn new(conversation: Conversation) -> Self {
        Self {
            question: Question::Route,
            conversation,
            now: None,
            seed: None,
            settings: Map::new(),
            found: Vec::new(),
            failure: None,
            evidence: None,
            policy: None,
            expected: None,
        }
    }

    /// Refuses what could not have been asked or answered.
    ///
    /// # Errors
    /// When `judge` has nothing to judge, or the expected answer is one to another question.
    pub fn check(&self) -> Result<(), Error> {
        if self.question == Question::Judge && self.failure.is_none() {
            return Err(Error::Senseless(
                "`judge` needs a `failure`, such as {\"class\": \"limit\", \"code\": \"...\"}".into(),
            ));
        }
        match &self.expected {
            Some(expected) if !expected.answers(self.question) => {
                Err(Error::Senseless(format!("expected: {expected} is no answer to `{}`", self.question)))
            }
            _ => Ok(()),
        }
    }

    /// The clock that the policy reads.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let newest = || self.conversation.messages.iter().filter_map(|message| message.sent_at).max();
        self.now.or_else(newest).unwrap_or(SOME_MONDAY)
    }

    /// What the policy's random numbers grow from.
    #[must_use]
    pub fn seed(&self) -> &str {
        self.seed.as_deref().unwrap_or(self.conversation.id.as_str())
    }

    pub(super) fn conversation(&self) -> domain::Conversation {
        self.conversation.to_domain(self.now())
    }

    pub(super) fn found(&self) -> Vec<Contact> {
        self.found.iter().map(Found::to_domain).collect()
    }

    /// What failed, how often it was tried, and when it failed first.
    pub(super) fn failure(&self) -> (Refusal, u32, Timestamp) {
        match &self.failure {
            Some(failure) => failure.to_domain(self.now()),
            None => (Refusal::new(Class::Unclassified, "UNKNOWN", ""), 1, self.now()),
        }
    }
}

fn route() -> Question {
    Question::Route
}

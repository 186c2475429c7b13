//! What a policy is asked, what it may answer, and the five ways in which it can fail.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Attribute, PolicyName, RecordId};

/// A revision of a policy: who made a decision.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PolicyRef {
    /// Which policy.
    pub name: PolicyName,
    /// Its revision, counted from 1.
    pub revision: u32,
}

impl fmt::Display for PolicyRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} revision {}", self.name, self.revision)
    }
}

/// The questions that a policy answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Question {
    /// Where does the conversation go?
    Route,
    /// What should contacts be searched for?
    Search,
    /// Which of the found contacts is the customer?
    Choose,
    /// What about this failure?
    Judge,
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Route => "route",
            Self::Search => "search",
            Self::Choose => "choose",
            Self::Judge => "judge",
        })
    }
}

/// One answer of a policy, or the way in which it failed to give one.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision<T> {
    /// Who was asked.
    pub policy: PolicyRef,
    /// What was asked.
    pub question: Question,
    /// The answer.
    pub answer: Result<T, Fault>,
    /// The deterministic cost, in WebAssembly fuel (about one unit an instruction).
    pub cost: u64,
    /// What the plugin wrote to its log, cut off at a bound.
    pub logs: Vec<String>,
    /// The rule that led to the answer, in the policy's own words, where it named one.
    pub rule: Option<String>,
}

impl<T> Decision<T> {
    /// The same decision with its answer in other words.
    pub fn map<U>(self, words: impl FnOnce(T) -> U) -> Decision<U> {
        let Self { policy, question, answer, cost, logs, rule } = self;
        Decision { policy, question, answer: answer.map(words), cost, logs, rule }
    }
}

/// The ways in which a policy fails to answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case", tag = "way")]
pub enum Fault {
    /// The plugin broke off.
    #[error("trapped: {message}")]
    Trapped {
        /// What the engine said of it.
        message: String,
    },
    /// It had not answered when it had taken as much time of a core as it may.
    #[error("too slow: no answer after {limit_ms} ms of a core")]
    TooSlow {
        /// The deadline that it missed, in milliseconds of a core.
        limit_ms: u64,
    },
    /// It asked for more memory, or answered with more bytes, than it may.
    #[error("too large: {message}")]
    TooLarge {
        /// Which bound it passed.
        message: String,
    },
    /// It said no, in its own words.
    #[error("refused with {code}: {message}")]
    Refused {
        /// A code that tools can group by.
        code: String,
        /// Words for a person.
        message: String,
    },
    /// It answered something that cannot be done.
    #[error("senseless answer: {message}")]
    Senseless {
        /// What is wrong with it.
        message: String,
    },
}

impl Fault {
    /// The code under which a sync error lists it.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Trapped { .. } => "POLICY_TRAPPED",
            Self::TooSlow { .. } => "POLICY_TOO_SLOW",
            Self::TooLarge { .. } => "POLICY_TOO_LARGE",
            Self::Refused { code, .. } => code,
            Self::Senseless { .. } => "POLICY_SENSELESS_ANSWER",
        }
    }
}

/// Where a conversation goes in Salesforce.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Destination {
    /// A queue, by id or developer name.
    Queue(String),
    /// A user, by id.
    Owner(RecordId),
    /// Written, but in nobody's queue.
    TrackOnly,
    /// Not written, and why.
    NotEligible(String),
}

impl Destination {
    /// The name of the queue, or the id of the user; empty where it is nobody's.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Queue(name) => name.clone(),
            Self::Owner(user) => user.to_string(),
            Self::TrackOnly | Self::NotEligible(_) => String::new(),
        }
    }
}

/// What to search Salesforce contacts for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactSearch {
    /// API name of a field of Contact.
    pub field: String,
    /// The value that it must equal.
    pub value: String,
}

/// The attribute of a found contact that says by which field it was found; no field of Salesforce has such a name.
pub const FOUND_BY: &str = "found_by";

/// A contact that a search found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// Its id.
    pub id: RecordId,
    /// Its full name.
    pub name: String,
    /// Its e-mail address.
    pub email: Option<String>,
    /// Its phone number.
    pub phone: Option<String>,
    /// Whether it is the shadow of a person account.
    pub person_account: bool,
    /// Further fields.
    pub attributes: Vec<Attribute>,
}

/// Which contact a customer is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Link {
    /// This one.
    Contact(RecordId),
    /// A new one with these fields.
    Create(Vec<Attribute>),
    /// None, and none is needed.
    None,
    /// These could all be the one.
    Ambiguous(Vec<RecordId>),
}

/// What to do about a failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// What the host does for its class.
    AsUsual,
    /// Try again after so many seconds.
    RetryAfter(u32),
    /// Wait for a person.
    Hold,
    /// Put it on record as ignored, and why.
    Ignore(String),
}
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_has_a_code_and_a_refusal_that_of_the_policy() {
        let message = || "words".to_owned();
        let faults = [
            (Fault::Trapped { message: message() }, "POLICY_TRAPPED", "trapped: words"),
            (Fault::TooSlow { limit_ms: 5 }, "POLICY_TOO_SLOW", "too slow: no answer after 5 ms of a core"),
            (Fault::TooLarge { message: message() }, "POLICY_TOO_LARGE", "too large: words"),
            (Fault::Refused { code: "SPAM".to_owned(), message: message() }, "SPAM", "refused with SPAM: words"),
            (Fault::Senseless { message: message() }, "POLICY_SENSELESS_ANSWER", "senseless answer: words"),
        ];
        for (fault, code, words) in faults {
            assert_eq!((fault.code(), fault.to_string().as_str()), (code, words));
        }
    }
}

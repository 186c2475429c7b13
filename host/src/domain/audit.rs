//! The audit of a message: everything that happened to it, in order, for the person who has to explain it.

use serde::{Deserialize, Serialize};

use super::{
    Class, Destination, Link, MessageId, Pick, PolicyRef, Question, ReachedBy, RecordId, RequestOrigin, SyncErrorId,
    Timestamp,
};

/// One line of a message's audit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// The message.
    pub message: MessageId,
    /// Other messages that it is about as well: those that the sync error affects.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<MessageId>,
    /// When it happened.
    pub at: Timestamp,
    /// Orders what happened within one millisecond, and makes an entry written twice one entry.
    pub order: u64,
    /// What happened.
    pub fact: Fact,
    /// The trace of the attempt in which it happened, where traces are on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// How the request came that it follows from, where it follows from one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Box<RequestOrigin>>,
}

impl AuditEntry {
    /// Its place among all entries of its conversation.
    #[must_use]
    pub fn place(&self) -> (Timestamp, u64, &MessageId) {
        (self.at, self.order, &self.message)
    }

    /// Whether it is about a message.
    #[must_use]
    pub fn is_about(&self, message: &MessageId) -> bool {
        self.message == *message || self.also.contains(message)
    }
}

/// What can happen to a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE", rename_all_fields = "snake_case", tag = "what")]
pub enum Fact {
    /// The source told of it.
    Arrived {
        /// The source's word (Alcmeon: the action's type).
        kind: String,
        /// How it reached us.
        by: ReachedBy,
        /// The source's number of the event.
        event: u64,
        /// What the event carried beyond what the host understands.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        extra: Option<serde_json::Value>,
    },
    /// A policy said where it goes.
    Routed {
        /// Who decided.
        policy: PolicyRef,
        /// What was decided.
        destination: Destination,
        /// The cost in fuel.
        cost: u64,
        /// What the plugin wrote to its log.
        #[serde(skip_serializing_if = "Vec::is_empty", default)]
        logs: Vec<String>,
        /// The rule that led to it, where the policy named one.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        rule: Option<String>,
    },
    /// A policy said which contact the customer is.
    Linked {
        /// Who decided.
        policy: PolicyRef,
        /// What was decided.
        link: Link,
        /// How many contacts were found.
        found: usize,
    },
    /// It is in Salesforce.
    Delivered {
        /// The record of the conversation.
        record: RecordId,
        /// Whether that record is new.
        created: bool,
        /// The conversation's version that was written.
        version: u64,
    },
    /// The policy said that it is not to be written.
    NotEligible {
        /// Why.
        reason: String,
    },
    /// It could not be delivered.
    CrmSynchroError {
        /// The sync error.
        sync_error: SyncErrorId,
        /// Its class.
        class: Class,
        /// Its code.
        code: String,
        /// Salesforce's words.
        text: String,
        /// The number of the attempt.
        attempt: u32,
        /// When it is tried again by itself.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        next_attempt_at: Option<Timestamp>,
    },
    /// It waits for the end of an incident of the organization.
    Parked {
        /// What can be done about the incident.
        class: Class,
        /// Its code.
        code: String,
        /// Salesforce's words.
        text: String,
    },
    /// It was too large to be kept: it is in the quarantine.
    Quarantined {
        /// Why.
        reason: String,
    },
    /// A policy failed to judge a failure; the host did as usual.
    PolicyFailed {
        /// Which policy.
        policy: PolicyRef,
        /// What it was asked.
        question: Question,
        /// How it failed.
        fault: String,
    },
    /// What a policy said beside an answer: to a question other than where it goes, or as it refused to say that.
    PolicySaid {
        /// Which policy.
        policy: PolicyRef,
        /// What it was asked.
        question: Question,
        /// The cost in fuel.
        cost: u64,
        /// What the plugin wrote to its log.
        #[serde(skip_serializing_if = "Vec::is_empty", default)]
        logs: Vec<String>,
        /// The rule that led to it, where the policy named one.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        rule: Option<String>,
    },
    /// A person asked for another attempt.
    RetryAsked {
        /// The sync error.
        sync_error: SyncErrorId,
        /// Who.
        by: String,
    },
    /// A person asked for what got through to be sent once more.
    ResyncAsked {
        /// Who.
        by: String,
    },
    /// A person, or a policy, ignored the sync error.
    Ignored {
        /// The sync error.
        sync_error: SyncErrorId,
        /// Who.
        by: String,
        /// Why.
        reason: String,
    },
    /// A person took an ignored sync error back.
    Reopened {
        /// The sync error.
        sync_error: SyncErrorId,
        /// Who.
        by: String,
    },
    /// A person said which contact the customer is.
    ContactChosen {
        /// The sync error at which they said so.
        sync_error: SyncErrorId,
        /// Who.
        by: String,
        /// Which.
        contact: Pick,
    },
    /// The message was forgotten; its words, and those that the audit had of it, are gone.
    Erased {
        /// The source's number of the event that said so; 0 where a person did.
        event: u64,
        /// Who asked for it, where it was not the source.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
    /// The sync error is over.
    Resolved {
        /// The sync error.
        sync_error: SyncErrorId,
        /// How.
        how: super::Ending,
    },
}

impl Fact {
    /// The policy that decided it, and what it was asked, where one did.
    #[must_use]
    pub fn decided_by(&self) -> Option<(&PolicyRef, Question)> {
        match self {
            Self::Routed { policy, .. } => Some((policy, Question::Route)),
            Self::Linked { policy, .. } => Some((policy, Question::Choose)),
            Self::PolicyFailed { policy, question, .. } | Self::PolicySaid { policy, question, .. } => {
                Some((policy, *question))
            }
            _ => None,
        }
    }

    /// The words in it that somebody wrote, and that may name a customer.
    pub fn texts(&mut self) -> Vec<&mut String> {
        match self {
            Self::Routed { logs, rule, destination, .. } => {
                let reason = match destination {
                    Destination::NotEligible(reason) => Some(reason),
                    _ => None,
                };
                logs.iter_mut().chain(rule).chain(reason).collect()
            }
            Self::PolicySaid { logs, rule, .. } => logs.iter_mut().chain(rule).collect(),
            Self::CrmSynchroError { text, .. } | Self::Parked { text, .. } => vec![text],
            Self::NotEligible { reason } | Self::Ignored { reason, .. } | Self::Quarantined { reason } => vec![reason],
            Self::PolicyFailed { fault, .. } => vec![fault],
            Self::Arrived { .. }
            | Self::Linked { .. }
            | Self::Delivered { .. }
            | Self::ResyncAsked { .. }
            | Self::RetryAsked { .. }
            | Self::Reopened { .. }
            | Self::ContactChosen { .. }
            | Self::Erased { .. }
            | Self::Resolved { .. } => Vec::new(),
        }
    }

    /// Cuts what may be long to so many bytes, and leaves out what an event carried beside.
    pub fn shorten(&mut self, most: usize) {
        let cut = |text: &mut String| text.truncate(text.floor_char_boundary(most));
        match self {
            Self::Arrived { extra, .. } => *extra = None,
            Self::Routed { logs, .. } | Self::PolicySaid { logs, .. } => logs.clear(),
            Self::CrmSynchroError { text, .. } | Self::Parked { text, .. } => cut(text),
            Self::NotEligible { reason } | Self::Ignored { reason, .. } | Self::Quarantined { reason } => cut(reason),
            Self::PolicyFailed { fault, .. } => cut(fault),
            Self::Linked { .. }
            | Self::Delivered { .. }
            | Self::RetryAsked { .. }
            | Self::ResyncAsked { .. }
            | Self::Reopened { .. }
            | Self::ContactChosen { .. }
            | Self::Erased { .. }
            | Self::Resolved { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests;

//! An entry of the error registry: what failed, how often, and what became of it.

mod change;
mod state;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use self::change::{Change, Ending, TransitionError};
pub use self::state::State;
use super::{
    ConversationId, Fingerprint, MESSAGES_KEPT, MessageId, OrgId, Person, PolicyRef, RecordId, Refusal, SyncErrorId,
    Timestamp,
};

/// Moments of its history that are kept: the first one and the newest.
const HISTORY: usize = 40;

/// A conversation that did not get into Salesforce, with the messages that this affects. (It never implements
/// `std::error::Error`: it is a record, not a fault.)
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SyncError {
    /// Its id: of the organization, the conversation, and which of its sync errors this is.
    pub id: SyncErrorId,
    /// The organization.
    pub org: OrgId,
    /// The conversation.
    pub conversation: ConversationId,
    /// The newest affected message.
    pub message: MessageId,
    /// The affected messages, oldest first, at most the newest [`MESSAGES_KEPT`].
    pub affected: Vec<MessageId>,
    /// How many messages are affected.
    pub affected_count: u64,
    /// Where it stands.
    pub state: State,
    /// Its cause.
    pub group: Fingerprint,
    /// The team of the conversation when it failed last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// The platform's word for the channel.
    #[serde(default)]
    pub channel: String,
    /// Who the customer is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<Box<Person>>,
    /// Records of Salesforce that the conversation has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<RecordId>,
    /// The last refusal.
    pub refusal: Refusal,
    /// The policy and revision that judged it.
    pub judged_by: Option<PolicyRef>,
    /// How often it was tried, over all retries.
    pub attempts: u32,
    /// How often it was tried since somebody asked for a retry, or since it opened.
    pub attempts_since_retry: u32,
    /// When it failed first.
    pub first_seen: Timestamp,
    /// When it failed last.
    pub last_seen: Timestamp,
    /// When it is tried again by itself; only while `retrying`.
    pub next_attempt_at: Option<Timestamp>,
    /// Who asked for the last retry, who ignored it or took it back.
    pub touched_by: Option<String>,
    /// Why it is ignored.
    pub reason: Option<String>,
    /// Why it is not ignored although its policy says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<String>,
    /// The number of the operation that ignored it, where nobody has changed it since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<u64>,
    /// How it ended.
    pub ending: Option<Ending>,
    /// How often it changed.
    pub version: u64,
    /// When it went from one state to the next, oldest first: the first moment and the newest ones.
    pub history: Vec<Moment>,
}

/// A change of a sync error's state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// When.
    pub at: Timestamp,
    /// Into which state.
    pub state: State,
    /// Who did it; the host where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl SyncError {
    /// A sync error that has just come into being; `Change::Failed` fills it.
    #[must_use]
    pub fn blank(
        id: SyncErrorId,
        org: OrgId,
        conversation: ConversationId,
        message: MessageId,
        group: Fingerprint,
        refusal: Refusal,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            org,
            conversation,
            message,
            affected: Vec::new(),
            affected_count: 0,
            state: State::Pending,
            group,
            team: None,
            channel: String::new(),
            person: None,
            records: Vec::new(),
            refusal,
            judged_by: None,
            attempts: 0,
            attempts_since_retry: 0,
            first_seen: now,
            last_seen: now,
            next_attempt_at: None,
            touched_by: None,
            reason: None,
            held: None,
            operation: None,
            ending: None,
            version: 0,
            history: Vec::new(),
        }
    }

    /// Whether a change is allowed now.
    ///
    /// # Errors
    /// Names the state and what was asked. `Failed` and `Resolve` are always allowed: they are facts, not wishes.
    pub fn allows(&self, change: &Change) -> Result<(), TransitionError> {
        let open = matches!(self.state, State::Pending | State::Retrying);
        let (allowed, asked) = match change {
            Change::Failed { .. } | Change::FailedAgain { .. } | Change::Resolve(_) => (true, ""),
            Change::Retry { .. } => (open, "retried"),
            Change::Ignore { .. } => (open, "ignored"),
            Change::Reopen { .. } => (self.state == State::Ignored, "reopened"),
        };
        if allowed { Ok(()) } else { Err(TransitionError { state: self.state, asked }) }
    }

    /// Carries out a change. Answers the messages that are affected now and were not before.
    pub fn apply(&mut self, change: Change, now: Timestamp) -> Vec<MessageId> {
        self.version += 1;
        if !matches!(change, Change::FailedAgain { .. }) {
            (self.operation, self.held) = (None, None);
        }
        match change {
            Change::Failed {
                refusal,
                group,
                affected,
                judged_by,
                state,
                next_attempt_at,
                ignored,
                operation,
                held,
            } => {
                (self.operation, self.held) = (operation, held);
                self.refusal = *refusal;
                self.group = group;
                self.judged_by = judged_by;
                self.next_attempt_at = next_attempt_at;
                let (by, reason) = ignored.unzip();
                self.reason.clone_from(&reason);
                self.ending = None;
                self.becomes(state, by, reason, now);
                return self.failed(affected, now);
            }
            Change::FailedAgain { affected } => return self.failed(affected, now),
            Change::Retry { by } => {
                self.next_attempt_at = Some(now);
                self.attempts_since_retry = 0;
                self.touched_by = Some(by.clone());
                self.becomes(State::Retrying, Some(by), None, now);
            }
            Change::Ignore { by, reason, operation } => {
                self.operation = operation;
                self.next_attempt_at = None;
                self.touched_by = Some(by.clone());
                self.reason = Some(reason.clone());
                self.becomes(State::Ignored, Some(by), Some(reason), now);
            }
            Change::Reopen { by } => {
                self.touched_by = Some(by.clone());
                self.reason = None;
                self.becomes(State::Pending, Some(by), None, now);
            }
            Change::Resolve(ending) => {
                self.next_attempt_at = None;
                self.ending = Some(ending);
                self.becomes(State::Resolved, None, None, now);
            }
        }
        Vec::new()
    }

    fn failed(&mut self, affected: Vec<MessageId>, now: Timestamp) -> Vec<MessageId> {
        self.attempts += 1;
        self.attempts_since_retry += 1;
        self.last_seen = now;
        let new: Vec<_> = affected.into_iter().filter(|message| !self.affected.contains(message)).collect();
        self.affected_count += new.len() as u64;
        self.affected.extend(new.iter().cloned());
        self.affected.drain(..self.affected.len().saturating_sub(MESSAGES_KEPT));
        if let Some(newest) = self.affected.last() {
            self.message = newest.clone();
        }
        new
    }

    /// It goes into a state. A further failure in one state is counted by the attempts, and is no moment of its own.
    pub(crate) fn becomes(&mut self, state: State, by: Option<String>, reason: Option<String>, now: Timestamp) {
        let same = self.history.last().is_some_and(|last| last.state == state);
        self.state = state;
        if same && by.is_none() {
            return;
        }
        if self.history.len() == HISTORY {
            self.history.remove(1);
        }
        self.history.push(Moment { at: now, state, by, reason });
    }
}

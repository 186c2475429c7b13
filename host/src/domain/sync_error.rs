//! An entry of the error registry: what failed, how often, and what became of it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{ConversationId, MessageId, OrgId, PolicyRef, Refusal, SyncErrorId, Timestamp};

/// A message that did not get into Salesforce. (It never implements `std::error::Error`: it is a record, not a fault.)
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SyncError {
    /// Its id; the same message of the same organization always has the same.
    pub id: SyncErrorId,
    /// The organization.
    pub org: OrgId,
    /// The conversation.
    pub conversation: ConversationId,
    /// The affected message: the newest of the conversation when it failed.
    pub message: MessageId,
    /// Where it stands.
    pub state: State,
    /// The last refusal.
    pub refusal: Refusal,
    /// The policy and revision that judged it.
    pub judged_by: Option<PolicyRef>,
    /// How often it was tried.
    pub attempts: u32,
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
    /// How it ended.
    pub ending: Option<Ending>,
}

/// Where a sync error stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Waits for a person.
    Pending,
    /// Is being tried again, or will be at `next_attempt_at`, without anybody doing anything.
    Retrying,
    /// No further synchronization is expected.
    Ignored,
    /// Over.
    Resolved,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Retrying, Self::Ignored, Self::Resolved];

    /// The word that stands for it in the API, on the page and in mails.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Retrying => "retrying",
            Self::Ignored => "ignored",
            Self::Resolved => "resolved",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for State {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let known = || Self::ALL.map(Self::as_str).join(", ");
        Self::ALL
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| format!("`{text}` is none of {}", known()))
    }
}

/// How a sync error ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// The message itself got through.
    Delivered,
    /// A later message of the conversation got through.
    Superseded,
    /// The policy says by now that the conversation is not to be written.
    NotEligible,
}

/// What can happen to a sync error.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// The message failed, for the first time or again.
    Failed {
        /// The refusal.
        refusal: Box<Refusal>,
        /// Who judged it.
        judged_by: Option<PolicyRef>,
        /// Attempts so far.
        attempts: u32,
        /// Pending, retrying (then with a time) or ignored (then with a reason).
        state: State,
        /// When it is tried again by itself.
        next_attempt_at: Option<Timestamp>,
        /// Why the policy ignores it.
        reason: Option<String>,
    },
    /// A later message of the conversation failed: this one waits as that one does. (An ignored one holds nobody.)
    Follow {
        /// Where the later one stands.
        state: State,
        /// When the later one is tried again by itself.
        next_attempt_at: Option<Timestamp>,
    },
    /// A person asked for another attempt.
    Retry {
        /// Who.
        by: String,
    },
    /// A person ignores it.
    Ignore {
        /// Who.
        by: String,
        /// Why.
        reason: String,
    },
    /// A person takes an ignored one back.
    Reopen {
        /// Who.
        by: String,
    },
    /// It is over.
    Resolve(Ending),
}

/// A change that the present state does not allow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a sync error that is {state} cannot be {asked}")]
pub struct TransitionError {
    /// Where it stands.
    pub state: State,
    /// What was asked.
    pub asked: &'static str,
}

impl SyncError {
    /// A sync error that has just come into being; `Change::Failed` fills it.
    #[must_use]
    pub fn blank(
        org: OrgId,
        conversation: ConversationId,
        message: MessageId,
        refusal: Refusal,
        now: Timestamp,
    ) -> Self {
        Self {
            id: SyncErrorId::of(&org, &message),
            org,
            conversation,
            message,
            state: State::Pending,
            refusal,
            judged_by: None,
            attempts: 0,
            first_seen: now,
            last_seen: now,
            next_attempt_at: None,
            touched_by: None,
            reason: None,
            ending: None,
        }
    }

    /// Whether a change is allowed now.
    ///
    /// # Errors
    /// Names the state and what was asked. `Failed` and `Resolve` are always allowed: they are facts, not wishes.
    pub fn allows(&self, change: &Change) -> Result<(), TransitionError> {
        let open = matches!(self.state, State::Pending | State::Retrying);
        let (allowed, asked) = match change {
            Change::Failed { .. } | Change::Follow { .. } | Change::Resolve(_) => (true, ""),
            Change::Retry { .. } => (open, "retried"),
            Change::Ignore { .. } => (open, "ignored"),
            Change::Reopen { .. } => (self.state == State::Ignored, "reopened"),
        };
        if allowed { Ok(()) } else { Err(TransitionError { state: self.state, asked }) }
    }

    /// Carries out a change.
    pub fn apply(&mut self, change: Change, now: Timestamp) {
        match change {
            Change::Failed { refusal, judged_by, attempts, state, next_attempt_at, reason } => {
                self.refusal = *refusal;
                self.judged_by = judged_by;
                self.attempts = attempts;
                self.last_seen = now;
                self.state = state;
                self.next_attempt_at = next_attempt_at;
                self.reason = reason;
                self.ending = None;
            }
            Change::Follow { state, next_attempt_at } => {
                self.state = if state == State::Retrying { state } else { State::Pending };
                self.next_attempt_at = next_attempt_at;
            }
            Change::Retry { by } => {
                self.state = State::Retrying;
                self.next_attempt_at = Some(now);
                self.touched_by = Some(by);
            }
            Change::Ignore { by, reason } => {
                self.state = State::Ignored;
                self.next_attempt_at = None;
                self.touched_by = Some(by);
                self.reason = Some(reason);
            }
            Change::Reopen { by } => {
                self.state = State::Pending;
                self.touched_by = Some(by);
                self.reason = None;
            }
            Change::Resolve(ending) => {
                self.state = State::Resolved;
                self.next_attempt_at = None;
                self.ending = Some(ending);
            }
        }
    }
}

/// How many sync errors an organization has in each state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorCounts {
    /// Wait for a person.
    pub pending: u64,
    /// Are tried again by themselves.
    pub retrying: u64,
    /// Are ignored.
    pub ignored: u64,
    /// Are over.
    pub resolved: u64,
}

impl ErrorCounts {
    /// A sync error went from one state (`None`: it is new) to another.
    pub fn moved(&mut self, before: Option<State>, after: State) {
        if let Some(before) = before {
            let count = self.of(before);
            *count = count.saturating_sub(1);
        }
        *self.of(after) += 1;
    }

    /// A sync error in this state is forgotten.
    pub fn forgotten(&mut self, state: State) {
        let count = self.of(state);
        *count = count.saturating_sub(1);
    }

    fn of(&mut self, state: State) -> &mut u64 {
        match state {
            State::Pending => &mut self.pending,
            State::Retrying => &mut self.retrying,
            State::Ignored => &mut self.ignored,
            State::Resolved => &mut self.resolved,
        }
    }
}

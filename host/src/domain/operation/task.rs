//! What an operation does with each sync error, or with each cause.

use serde::{Deserialize, Serialize};

use crate::domain::{Brake, Fingerprint, PolicyRef, ResyncQuery, State, Timestamp};

/// What is done with each sync error, or with each cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "do")]
pub enum Task {
    /// Another attempt.
    Retry,
    /// No further synchronization is expected.
    Ignore {
        /// Why.
        reason: String,
    },
    /// What is ignored waits for a person again.
    Reopen {
        /// Only what this operation of the same organization ignored, and nobody has changed since.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        undoes: Option<u64>,
        /// Only what that operation ignored since then.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        since: Option<Timestamp>,
    },
    /// A policy ignores sync errors of one cause, one after another as they fail. It stands as long as the revision decides.
    AutoIgnore {
        /// The policy and its revision.
        policy: PolicyRef,
        /// The cause.
        group: Fingerprint,
        /// Whether it may go on.
        brake: Brake,
    },
    /// What got through is sent once more.
    Resync {
        /// What of it.
        query: ResyncQuery,
    },
    /// Somebody looks after the causes.
    Assign {
        /// Who; nobody where absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        assignee: Option<String>,
    },
}

impl Task {
    /// The word that stands for it in the API, on the page and in mails.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Ignore { .. } => "ignore",
            Self::Reopen { .. } => "reopen",
            Self::Resync { .. } => "resync",
            Self::Assign { .. } => "assign",
            Self::AutoIgnore { .. } => "auto-ignore",
        }
    }

    /// Whether what it does goes to Salesforce, and comes out there.
    #[must_use]
    pub const fn sends(&self) -> bool {
        matches!(self, Self::Retry | Self::Resync { .. })
    }

    /// The states in which a sync error allows it.
    #[must_use]
    pub const fn states(&self) -> &'static [State] {
        match self {
            Self::Retry | Self::Ignore { .. } | Self::AutoIgnore { .. } => &[State::Pending, State::Retrying],
            Self::Reopen { .. } => &[State::Ignored],
            Self::Resync { .. } => &[],
            Self::Assign { .. } => &State::ALL,
        }
    }
}

//! Whether an operation goes on, and what that does not allow.

use serde::{Deserialize, Serialize};

/// Whether an operation goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OperationStatus {
    /// It goes on.
    Running,
    /// Somebody has stopped it for a while.
    Paused,
    /// Somebody has ended it before its end.
    Cancelled,
    /// It came to its end.
    Done,
}

/// A change of an operation that its status does not allow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an operation that is {status} cannot be {asked}")]
pub struct OperationOver {
    /// How it stands.
    pub status: OperationStatus,
    /// What was asked.
    pub asked: &'static str,
}

impl OperationStatus {
    /// The word that stands for it in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Cancelled => "cancelled",
            Self::Done => "done",
        }
    }
}

impl std::fmt::Display for OperationStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

pub(super) const fn asked_of(status: OperationStatus) -> &'static str {
    match status {
        OperationStatus::Running | OperationStatus::Done => "resumed",
        OperationStatus::Paused => "paused",
        OperationStatus::Cancelled => "cancelled",
    }
}

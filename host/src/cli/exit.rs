//! What the exit codes of the command line mean.

use std::process::ExitCode;

use super::remote::Refused;

/// How a command ended, for scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    Done,
    Failed,
    Misused,
    Refused,
    Unfinished,
}

impl Exit {
    /// All of them, in the order of their codes.
    const ALL: [Self; 5] = [Self::Done, Self::Failed, Self::Misused, Self::Refused, Self::Unfinished];

    const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Misused => 2,
            Self::Refused => 3,
            Self::Unfinished => 4,
        }
    }

    const fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "it could not be done, or not with all that was named",
            Self::Misused => "the command line was not understood",
            Self::Refused => "the host refused it, in the words that are printed",
            Self::Unfinished => "an operation has ended, and something failed again or was left (`operation`)",
        }
    }

    /// What `--help` ends with.
    pub(super) fn help() -> String {
        let line = |exit: Self| format!("\n  {}  {}", exit.code(), exit.meaning());
        let all: String = Self::ALL.into_iter().map(line).collect();
        format!("Exit codes:{all}\n`store verify` has its own: 0 nothing differs, 1 something does, 2 nobody can tell.")
    }

    /// Of a command that came to no good end.
    pub(super) fn of(error: &anyhow::Error) -> Self {
        match error.downcast_ref::<Misused>() {
            Some(_) => Self::Misused,
            None if error.is::<Refused>() => Self::Refused,
            None => Self::Failed,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// What the options of a command say together makes no sense.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Misused(pub(super) &'static str);

//! Why a policy was not accepted.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::{Fault, Origin, PluginName, PolicyName, Timestamp};

/// How long a message may be, in characters: it may repeat a key, a name or a text of the policy.
const WORDS: usize = 1_000;

/// One thing that is wrong with a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyProblem {
    /// The file.
    pub path: String,
    /// The line, counted from 1.
    pub line: Option<u32>,
    /// The column, counted from 1.
    pub column: Option<u32>,
    /// What is wrong.
    pub message: String,
}

impl PolicyProblem {
    /// Several problems as one text.
    pub(crate) fn join(problems: &[Self]) -> String {
        problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    }

    /// A problem of a file as a whole.
    pub(crate) fn of(path: impl Into<String>, message: impl Into<String>) -> Self {
        let message = message.into();
        let message = if message.len() > WORDS { message.chars().take(WORDS).collect() } else { message };
        Self { path: path.into(), line: None, column: None, message }
    }

    /// A problem at a place in a text, given in bytes.
    pub(crate) fn at(path: impl Into<String>, text: &str, place: usize, message: impl Into<String>) -> Self {
        let before = &text.as_bytes()[..place.min(text.len())];
        let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let column = String::from_utf8_lossy(&before[line_start..]).chars().count() + 1;
        let number = |number: usize| u32::try_from(number).ok();
        Self { line: number(line), column: number(column), ..Self::of(path, message) }
    }
}

impl fmt::Display for PolicyProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        for place in [self.line, self.column].into_iter().map_while(|place| place) {
            write!(f, ":{place}")?;
        }
        write!(f, ": {}", self.message)
    }
}

/// Why a policy was not accepted; the revision in force goes on serving.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{}", PolicyProblem::join(problems))]
pub struct Rejection {
    /// The policy.
    pub policy: PolicyName,
    /// Where it came from.
    pub origin: Origin,
    /// When it was given.
    pub at: Timestamp,
    /// What is wrong with it; at least one.
    pub problems: Vec<PolicyProblem>,
    /// How the plugin failed to take its settings or to answer a sample, where it did.
    pub fault: Option<Fault>,
    /// The plugin that is not there, where that is the reason; the policy is applied again when it comes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<PluginName>,
    /// Whether the same texts may be accepted later: what is wrong is not in them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub try_again: bool,
}

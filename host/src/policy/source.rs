//! What a policy is made from, and why one was not accepted.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::{Fault, PolicyName, Timestamp};

/// The texts of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicySource {
    /// The text of NAME.toml.
    pub toml: String,
    /// The scripts by file name; those that the policy does not name are left alone.
    #[serde(default)]
    pub scripts: BTreeMap<String, String>,
    /// Where they come from.
    pub origin: Origin,
    /// When they were given.
    pub at: Timestamp,
}

/// Where a policy or a plugin comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "from")]
pub enum Origin {
    /// It is part of this program.
    Embedded,
    /// A file.
    File {
        /// Its path.
        path: String,
    },
    /// A request.
    Api {
        /// The name of the token that was shown.
        by: String,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded => f.write_str("built in"),
            Self::File { path } => f.write_str(path),
            Self::Api { by } => write!(f, "API, by {by}"),
        }
    }
}

/// One thing that is wrong with a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The file.
    pub path: String,
    /// The line, counted from 1.
    pub line: Option<u32>,
    /// The column, counted from 1.
    pub column: Option<u32>,
    /// What is wrong.
    pub message: String,
}

impl Problem {
    /// A problem of a file as a whole.
    pub(super) fn of(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), line: None, column: None, message: message.into() }
    }

    /// A problem at a place in a text, given in bytes.
    pub(super) fn at(path: impl Into<String>, text: &str, place: usize, message: impl Into<String>) -> Self {
        let before = &text.as_bytes()[..place.min(text.len())];
        let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let column = String::from_utf8_lossy(&before[line_start..]).chars().count() + 1;
        let number = |number: usize| u32::try_from(number).ok();
        Self { line: number(line), column: number(column), ..Self::of(path, message) }
    }
}

impl fmt::Display for Problem {
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
#[error("{}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct Rejection {
    /// The policy.
    pub policy: PolicyName,
    /// Where it came from.
    pub origin: Origin,
    /// When it was given.
    pub at: Timestamp,
    /// What is wrong with it; at least one.
    pub problems: Vec<Problem>,
    /// How the plugin failed to take its settings or to answer a sample, where it did.
    pub fault: Option<Fault>,
}

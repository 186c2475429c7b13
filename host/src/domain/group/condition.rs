//! How a group stands, in a word.

use serde::{Deserialize, Serialize};

/// How a group stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    /// It was first seen within the last day.
    New,
    /// It is known.
    Ongoing,
    /// It comes much more often than it did.
    Escalating,
    /// It is back, after a day without.
    Regressed,
    /// None of it waits for a person or a retry.
    Quiet,
}

impl Condition {
    /// Every condition.
    pub const ALL: [Self; 5] = [Self::New, Self::Ongoing, Self::Escalating, Self::Regressed, Self::Quiet];

    /// The word that stands for it in the API, on the page and in mails.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Ongoing => "ongoing",
            Self::Escalating => "escalating",
            Self::Regressed => "regressed",
            Self::Quiet => "quiet",
        }
    }
}

impl std::str::FromStr for Condition {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let known = || Self::ALL.map(Self::as_str).join(", ");
        let found = Self::ALL.into_iter().find(|condition| condition.as_str() == text);
        found.ok_or_else(|| format!("`{text}` is none of {}", known()))
    }
}

impl std::fmt::Display for Condition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

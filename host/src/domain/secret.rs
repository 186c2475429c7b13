//! A secret that no log, error or document can show by accident.

use std::fmt;

use serde::Deserialize;

use super::RecordId;

/// A password, token or key. It has no `Display` and no `Serialize`, and its `Debug` is mute.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Takes a text as a secret.
    #[must_use]
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// Whether there is nothing in it: then everybody knows it.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.0.trim().is_empty()
    }

    /// The text itself, for the one place that has to send or compare it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// A refresh token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshToken {
    /// The token.
    pub token: Secret,
    /// Salesforce's id of the organization that it is for, once an answer has said so.
    pub organization: Option<RecordId>,
}

//! A mail as the log of mails has it: to whom, about what, and what the mail server said.

use serde::{Deserialize, Serialize};

use super::{OrgId, Timestamp};

/// What became of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MailOutcome {
    /// The mail server took it.
    Sent,
    /// The mail server refused it for good.
    Refused,
    /// It was not taken, and is tried again.
    Delayed,
    /// It was not taken, and is not tried again.
    Failed,
}

impl MailOutcome {
    /// Its word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Refused => "refused",
            Self::Delayed => "delayed",
            Self::Failed => "failed",
        }
    }
}

/// A mail to one recipient, as the log of mails has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentMail {
    /// The organization that it is about.
    pub org: OrgId,
    /// When it was tried first,
    pub at: Timestamp,
    /// and last.
    pub last_at: Timestamp,
    /// Who it is for.
    pub to: String,
    /// Its subject.
    pub subject: String,
    /// What became of it.
    pub outcome: MailOutcome,
    /// How often it was tried.
    pub attempts: u32,
    /// The mail server's words, where it did not take it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<String>,
}

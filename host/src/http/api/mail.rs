//! Mails about organizations: what was sent, and what became of it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::{self, MailOutcome, OrgId, Timestamp};

/// Who gets a test mail.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TestMail {
    /// One of the recipients; all of them without it.
    #[serde(default)]
    pub(crate) to: Option<String>,
}

/// What became of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Outcome {
    /// The mail server took it.
    Sent,
    /// The mail server refused it for good.
    Refused,
    /// It was not taken, and is tried again.
    Delayed,
    /// It was not taken, and is not tried again.
    Failed,
}

/// A mail to one recipient.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[schema(as = SentMail)]
pub(crate) struct Mail {
    pub(crate) id: String,
    pub(crate) org: OrgId,
    /// When it was tried first.
    pub(crate) at: Timestamp,
    /// When it was tried last.
    pub(crate) last_at: Timestamp,
    pub(crate) to: String,
    pub(crate) subject: String,
    pub(crate) outcome: Outcome,
    /// How often it was tried.
    pub(crate) attempts: u32,
    /// The mail server's words, where it did not take it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) words: Option<String>,
}

/// A page of mails.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct MailList {
    /// Newest first.
    pub(crate) mails: Vec<Mail>,
    /// Asks for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_cursor: Option<String>,
}

/// What became of a test.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct TestedMails {
    /// One for each recipient.
    pub(crate) mails: Vec<Tested>,
}

/// What became of a test mail to one recipient.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct Tested {
    pub(crate) to: String,
    pub(crate) outcome: Outcome,
    /// The mail server's words, where it did not take it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) words: Option<String>,
}

impl From<MailOutcome> for Outcome {
    fn from(outcome: MailOutcome) -> Self {
        match outcome {
            MailOutcome::Sent => Self::Sent,
            MailOutcome::Refused => Self::Refused,
            MailOutcome::Delayed => Self::Delayed,
            MailOutcome::Failed => Self::Failed,
        }
    }
}

impl From<(String, domain::SentMail)> for Mail {
    fn from((id, mail): (String, domain::SentMail)) -> Self {
        let domain::SentMail { org, at, last_at, to, subject, outcome, attempts, words } = mail;
        Self { id, org, at, last_at, to, subject, outcome: outcome.into(), attempts, words }
    }
}

impl From<domain::SentMail> for Tested {
    fn from(mail: domain::SentMail) -> Self {
        let domain::SentMail { to, outcome, words, .. } = mail;
        Self { to, outcome: outcome.into(), words }
    }
}

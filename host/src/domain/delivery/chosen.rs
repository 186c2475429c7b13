//! A person's word on which contact the customer of a conversation is; it stands above the policy's.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::domain::{IdError, RecordId, Timestamp};

const NO_CONTACT: &str = "none";
const POLICY: &str = "policy";

/// Which contact a person says that a customer is. As text: the contact's id, `none` or `policy`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Pick {
    /// This one, or this person account.
    Contact(RecordId),
    /// None: the conversation is written without one.
    NoContact,
    /// What the policy says: what was chosen before is taken back.
    Policy,
}

/// What a person chose, and who that was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chosen {
    /// What. `Policy` only while an attempt is on its way that began with what was taken back.
    pub pick: Pick,
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

impl Pick {
    /// Whether both mean the same, however the contact's id is written.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Contact(one), Self::Contact(other)) => one == other || one.is_same(other.as_str()),
            _ => self == other,
        }
    }
}

impl fmt::Display for Pick {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Contact(contact) => contact.fmt(f),
            Self::NoContact => f.write_str(NO_CONTACT),
            Self::Policy => f.write_str(POLICY),
        }
    }
}

impl fmt::Display for Chosen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pick, by, at } = self;
        match pick {
            Pick::Contact(contact) => write!(f, "{by} said at {at} that the customer is contact {contact}"),
            Pick::NoContact => write!(f, "{by} said at {at} that the conversation is written without a contact"),
            Pick::Policy => write!(f, "{by} said at {at} that the policy decides"),
        }
    }
}

impl FromStr for Pick {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        match text {
            NO_CONTACT => Ok(Self::NoContact),
            POLICY => Ok(Self::Policy),
            _ => RecordId::new(text).map(Self::Contact),
        }
    }
}

impl TryFrom<String> for Pick {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<Pick> for String {
    fn from(pick: Pick) -> Self {
        pick.to_string()
    }
}

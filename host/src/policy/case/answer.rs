//! What a policy is expected to answer, as one JSON object with one key: `{"queue": "Billing"}`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::{self, Destination, Fault, Link, Question, Verdict};

/// An answer to any of the questions, or the code of the fault that stood in its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CaseAnswer {
    /// To `route`: a queue, by id or developer name.
    Queue(String),
    /// To `route`: a user, by id.
    Owner(String),
    /// To `route`: written, but in nobody's queue.
    TrackOnly(Yes),
    /// To `route`: not written, and why.
    NotEligible(String),
    /// To `search`: best first.
    Searches(Vec<CaseSearch>),
    /// To `choose`: this contact, by id.
    Contact(String),
    /// To `choose`: a new contact with these fields, in whichever order.
    Create(BTreeMap<String, String>),
    /// To `choose`: no contact.
    None(Yes),
    /// To `choose`: any of these, in whichever order.
    Ambiguous(BTreeSet<String>),
    /// To `judge`: what the host does for its class.
    AsUsual(Yes),
    /// To `judge`: try again after so many seconds.
    RetryAfter(u32),
    /// To `judge`: wait for a person.
    Hold(Yes),
    /// To `judge`: put it on record as ignored, and why.
    Ignore(String),
    /// To any question: the code of a refusal, or of another fault such as `POLICY_TRAPPED`. Its words do not count.
    Refused(String),
}

/// A search for contacts: a field and the value that it must equal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseSearch {
    /// API name of a field of Contact.
    pub field: String,
    /// The value that it must equal.
    pub value: String,
}

/// Always `true`: an answer without anything to say beside itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "bool", into = "bool")]
pub struct Yes;

impl TryFrom<bool> for Yes {
    type Error = &'static str;
    fn try_from(value: bool) -> Result<Self, Self::Error> {
        if value { Ok(Self) } else { Err("`true` is the only value here") }
    }
}

impl From<Yes> for bool {
    fn from(_: Yes) -> Self {
        true
    }
}

impl CaseAnswer {
    /// Whether a question can be answered so.
    #[must_use]
    pub fn answers(&self, question: Question) -> bool {
        match self {
            Self::Queue(_) | Self::Owner(_) | Self::TrackOnly(_) | Self::NotEligible(_) => question == Question::Route,
            Self::Searches(_) => question == Question::Search,
            Self::Contact(_) | Self::Create(_) | Self::None(_) | Self::Ambiguous(_) => question == Question::Choose,
            Self::AsUsual(_) | Self::RetryAfter(_) | Self::Hold(_) | Self::Ignore(_) => question == Question::Judge,
            Self::Refused(_) => true,
        }
    }

    /// What came of asking, in the words of a case.
    #[must_use]
    pub fn of(answer: &Result<Self, Fault>) -> Self {
        match answer {
            Ok(answer) => answer.clone(),
            Err(fault) => Self::Refused(fault.code().to_owned()),
        }
    }
}

/// As in a case's file, on one line.
impl fmt::Display for CaseAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

impl From<Destination> for CaseAnswer {
    fn from(of: Destination) -> Self {
        match of {
            Destination::Queue(name) => Self::Queue(name),
            Destination::Owner(id) => Self::Owner(id.into()),
            Destination::TrackOnly => Self::TrackOnly(Yes),
            Destination::NotEligible(why) => Self::NotEligible(why),
        }
    }
}

impl From<Vec<domain::ContactSearch>> for CaseAnswer {
    fn from(of: Vec<domain::ContactSearch>) -> Self {
        let search = |it: domain::ContactSearch| CaseSearch { field: it.field, value: it.value };
        Self::Searches(of.into_iter().map(search).collect())
    }
}

impl From<Link> for CaseAnswer {
    fn from(of: Link) -> Self {
        match of {
            Link::Contact(id) => Self::Contact(id.into()),
            Link::Create(fields) => Self::Create(fields.into_iter().map(|field| (field.name, field.value)).collect()),
            Link::None => Self::None(Yes),
            Link::Ambiguous(ids) => Self::Ambiguous(ids.into_iter().map(String::from).collect()),
        }
    }
}

impl From<Verdict> for CaseAnswer {
    fn from(of: Verdict) -> Self {
        match of {
            Verdict::AsUsual => Self::AsUsual(Yes),
            Verdict::RetryAfter(seconds) => Self::RetryAfter(seconds),
            Verdict::Hold => Self::Hold(Yes),
            Verdict::Ignore(why) => Self::Ignore(why),
        }
    }
}

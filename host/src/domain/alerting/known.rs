//! What one recipient knows of one cause, one incident or one standstill.

use serde::{Deserialize, Serialize};

use crate::domain::{Class, Timestamp};

/// A cause that mails named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Known {
    /// The newest notice that named it.
    pub(super) at: Timestamp,
    /// When something of it was last seen to be pending.
    pub(super) seen_at: Timestamp,
    /// Whether an all-clear came since.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) over: bool,
}

/// That something needs a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Open {
    /// The first notice that said so.
    pub(super) first: Timestamp,
    /// The newest one.
    pub(super) newest: Timestamp,
    /// Sync errors that were resolved by the first.
    pub(super) resolved: u64,
    /// Sync errors that were ignored by the first.
    pub(super) ignored: u64,
}

/// An incident as a recipient knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KnownIncident {
    /// When it began.
    pub(super) since: Timestamp,
    /// The class of the refusal, and since when it is that one.
    pub(super) class: Class,
    pub(super) class_since: Timestamp,
    /// The classes that were told.
    pub(super) told: Vec<Class>,
    /// The first notice of it, and the newest one.
    pub(super) first: Option<Timestamp>,
    pub(super) newest: Option<Timestamp>,
    /// The most conversations that were seen to wait.
    pub(super) waited: u64,
    /// Since when it is over.
    #[serde(skip)]
    pub(super) over_since: Option<Timestamp>,
}

/// Incidents of one class that were told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ToldIncident {
    /// The newest notice.
    pub(super) at: Timestamp,
    /// How many without a quiet time between.
    pub(super) times: u32,
}

/// A standstill, or the silence of a source, that was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stillness {
    /// When it began.
    pub(super) since: Timestamp,
    /// The notice.
    pub(super) at: Timestamp,
    /// Whether its end was told.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) over: bool,
}

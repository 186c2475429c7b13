//! A conversation that is not in Salesforce yet, and not for want of a person.

use serde::{Deserialize, Serialize};

use super::{ConversationId, Timestamp};

/// A conversation that is to be brought into Salesforce without a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unsynced {
    /// Which one.
    pub conversation: ConversationId,
    /// Since when it waits; where it waits for its next attempt, since it failed first.
    pub since: Timestamp,
    /// What it waits for.
    pub waits_for: WaitsFor,
}

/// What a conversation waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WaitsFor {
    /// To be taken from the inbox.
    Merge,
    /// A place, or it is on its way.
    Place,
    /// Its next attempt.
    Retry,
    /// The end of the organization's incident.
    IncidentEnd,
}

//! The state of one conversation's way into one organization, what can happen to it, and what follows.

mod chosen;
mod effect;
mod event;
mod records;
mod step;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use self::chosen::{Chosen, Pick};
pub use self::effect::Effect;
pub use self::event::{Event, Failure};
pub use self::records::{Creation, Records, Routed};
pub use self::step::step;
use super::{ConversationId, Fingerprint, MessageId, OrgId, State, SyncErrorId, Timestamp};

/// Where a conversation stands on its way into Salesforce. It is stored before any effect of a step is carried out.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Delivery {
    /// The conversation's version that should be in Salesforce.
    pub wanted: u64,
    /// The newest version that is settled: written there, or judged not to be.
    pub settled: u64,
    /// What it does now.
    pub phase: Phase,
    /// Attempts since it last got through, a new message came, or a person asked for one.
    #[serde(skip_serializing_if = "is_zero")]
    pub attempts: u32,
    /// Its sync error that is not over: pending, retrying or ignored. A conversation has one at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open: Option<OpenError>,
    /// The operation that retried it last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<InOperation>,
    /// The span by which it is to be attempted, as a W3C `traceparent`, where traces are on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// How many sync errors it has had; it numbers their ids.
    #[serde(skip_serializing_if = "is_zero")]
    pub errors: u32,
    /// What it has become in Salesforce.
    pub records: Records,
    /// Which contact the customer is, where a person said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chosen: Option<Box<Chosen>>,
    /// The newest message of the version that got through last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivered: Option<MessageId>,
    /// When it got through last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivered_at: Option<Timestamp>,
    /// How many audit entries the host wrote for the conversation; it orders them.
    pub entries: u64,
    /// The number of the audit page that is being filled.
    #[serde(skip_serializing_if = "is_zero")]
    pub page: u32,
    /// The day (since 1970) on which the conversation changed last.
    pub day: u32,
    /// The version of the conversation that was forgotten; 0 if none was.
    pub erased: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over references")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Delivery {
    /// Whether what happens to it now is about a version that was forgotten.
    #[must_use]
    pub const fn is_erased(&self) -> bool {
        let version = match self.phase {
            Phase::Sending { version, .. } => version,
            _ => self.wanted,
        };
        self.erased > 0 && version <= self.erased
    }

    /// Whether a failure by this cause of what is on its way changes nothing: an ignore that came during the attempt wins over
    /// its failure, and one that came before over failures of its cause.
    #[must_use]
    pub fn fails_in_silence(&self, group: &Fingerprint) -> bool {
        let Phase::Sending { version, .. } = self.phase else { return false };
        let ignored = self.open.as_ref().filter(|open| open.state == State::Ignored);
        ignored.is_some_and(|open| open.ignored_at >= version || open.group == *group)
    }

    /// The id of its sync error that is not over, or of the next one.
    #[must_use]
    pub fn error_id(&self, org: &OrgId, conversation: &ConversationId) -> SyncErrorId {
        match &self.open {
            Some(open) => open.id.clone(),
            None => SyncErrorId::of(org, conversation, self.errors + 1),
        }
    }
}

/// A conversation's part in an operation that retries many.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InOperation {
    /// The operation's number in the organization.
    pub number: u64,
    /// The cause under which it was taken up.
    pub group: Fingerprint,
    /// Whether what comes of it is not known yet.
    pub waits: bool,
}

/// How a sync error that an operation retried came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Retried {
    /// Its conversation got through, or is not to be written any more.
    Passed,
    /// It failed by the same cause.
    FailedAlike,
    /// It failed by another cause.
    FailedOtherwise,
    /// Somebody ignored it, or it was forgotten, before it was tried.
    Changed,
}

/// A sync error that is not over, as far as the delivery has to know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenError {
    /// The sync error.
    pub id: SyncErrorId,
    /// Pending, retrying or ignored.
    pub state: State,
    /// Its cause.
    pub group: Fingerprint,
    /// The newest message that it affects.
    pub message: MessageId,
    /// The conversation's version that failed last.
    #[serde(default)]
    pub version: u64,
    /// The newest version that had failed, or was on its way, when it was ignored: attempts up to this one change nothing.
    #[serde(default)]
    pub ignored_at: u64,
}

/// What a delivery does now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum Phase {
    /// Nothing: the newest version is settled, or its sync error is ignored.
    #[default]
    Idle,
    /// Waits for a free place.
    Ready {
        /// Why it waits; new traffic has the largest share of places.
        work: Work,
        /// Since when.
        since: Timestamp,
    },
    /// Is on its way.
    Sending {
        /// The version that it carries.
        version: u64,
        /// Why it waited for its place.
        work: Work,
        /// Since when it waited.
        since: Timestamp,
        /// Whether a person asked meanwhile for another attempt.
        #[serde(default)]
        again: bool,
    },
    /// Is tried again by itself.
    Waiting {
        /// Not before this.
        until: Timestamp,
    },
    /// Waits for a person.
    Held,
    /// Waits for the end of an incident of the organization. It has no timer and costs nothing.
    Parked {
        /// Since when, or since its newest message.
        since: Timestamp,
    },
}

/// Why a conversation waits for a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Work {
    /// Something new arrived.
    New,
    /// Its time has come, or a person asked for this one alone.
    Due,
    /// It is one of many that a person asked for at once.
    Operation,
}

impl Work {
    /// Every kind of work.
    pub const ALL: [Self; 3] = [Self::New, Self::Due, Self::Operation];
}

//! An event: a change that clients of the API would otherwise ask for again and again. It names ids, and has no words of anybody:
//! who is forgotten needs not be forgotten in it.

use serde::{Deserialize, Serialize};

use super::{
    Class, Condition, Fingerprint, Group, Incident, OperationId, OperationStatus, OrgId, PolicyName, PolicyRevision,
    RevisionState, State, SyncError, SyncErrorId, Timestamp,
};

/// What changed, when, and of what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostEvent {
    /// What changed.
    #[serde(rename = "type")]
    pub what: EventType,
    /// When.
    pub at: Timestamp,
    /// The organization; absent where it is about none, or about several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org: Option<OrgId>,
    /// The sync error,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sync_error: Option<SyncErrorId>,
    /// and where it stands now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// The cause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<Fingerprint>,
    /// What can be done about the refusals of that cause, or of an incident.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<Class>,
    /// The operation,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<OperationId>,
    /// and where it stands now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<OperationStatus>,
    /// The policy,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyName>,
    /// and its revision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u32>,
}

macro_rules! types {
    ($($(#[$doc:meta])* $name:ident = $word:literal,)*) => {
        /// What can change.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum EventType {
            $($(#[$doc])* #[serde(rename = $word)] $name,)*
        }

        impl EventType {
            /// Every type.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Its name in the API.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }
        }
    };
}

types! {
    /// A conversation did not get through.
    ErrorOpened = "sync_error.opened",
    /// It is tried again.
    ErrorRetrying = "sync_error.retrying",
    /// It was tried again in vain, or failed by another cause.
    ErrorFailed = "sync_error.failed",
    /// Nothing more is expected of it.
    ErrorIgnored = "sync_error.ignored",
    /// What was ignored is not ignored any more.
    ErrorReopened = "sync_error.reopened",
    /// It is over.
    ErrorResolved = "sync_error.resolved",
    /// A cause was never seen before.
    GroupNew = "group.new",
    /// A cause comes much more often than it did.
    GroupEscalating = "group.escalating",
    /// A cause is back after a day without.
    GroupRegressed = "group.regressed",
    /// Nothing gets through to an organization any more.
    IncidentBegan = "incident.began",
    /// It is over.
    IncidentEnded = "incident.ended",
    /// An operation is on record.
    OperationAccepted = "operation.accepted",
    /// It has come further; told once a second at the most.
    OperationProgressed = "operation.progressed",
    /// It stands still.
    OperationPaused = "operation.paused",
    /// It goes on.
    OperationResumed = "operation.resumed",
    /// It came to its end, or was ended.
    OperationEnded = "operation.ended",
    /// A revision of a policy decides from now on.
    PolicyInForce = "policy.in_force",
    /// A revision did worse than the one before, which was put back.
    PolicyRolledBack = "policy.rolled_back",
    /// Somebody changed an organization's settings.
    SettingsChanged = "settings.changed",
    /// What changed before cannot be told any more: whoever listens has to read the lists anew.
    Reset = "reset",
}

impl std::str::FromStr for EventType {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let known = || Self::ALL.iter().map(|what| what.as_str()).collect::<Vec<_>>().join(", ");
        let found = Self::ALL.iter().copied().find(|what| what.as_str() == text);
        found.ok_or_else(|| format!("`{}` is none of {}", text.chars().take(80).collect::<String>(), known()))
    }
}

impl HostEvent {
    /// Something changed, of nothing in particular.
    #[must_use]
    pub const fn new(what: EventType, at: Timestamp) -> Self {
        Self {
            what,
            at,
            org: None,
            sync_error: None,
            state: None,
            group: None,
            class: None,
            operation: None,
            status: None,
            policy: None,
            revision: None,
        }
    }

    /// What is told of a sync error: that it went to another state, or has another cause. `None` where neither changed.
    #[must_use]
    pub fn of_error(before: Option<&SyncError>, now: &SyncError, at: Timestamp) -> Option<Self> {
        use EventType as T;
        let what = match (before.map(|before| before.state), now.state) {
            (None, _) => T::ErrorOpened,
            (Some(_), _) if before.is_some_and(|it| it.state == now.state && it.group == now.group) => return None,
            (Some(_), State::Resolved) => T::ErrorResolved,
            (Some(_), State::Ignored) => T::ErrorIgnored,
            (Some(State::Ignored), _) => T::ErrorReopened,
            (Some(State::Pending), State::Retrying) => T::ErrorRetrying,
            (Some(_), State::Pending | State::Retrying) => T::ErrorFailed,
        };
        Some(Self {
            org: Some(now.org.clone()),
            sync_error: Some(now.id.clone()),
            state: Some(now.state),
            group: Some(now.group.clone()),
            class: Some(now.refusal.class),
            ..Self::new(what, at)
        })
    }

    /// What is told of a cause that stood like this before; `None` for one that was not there.
    #[must_use]
    pub fn of_group(before: Option<GroupStood>, now: &Group, at: Timestamp) -> Option<Self> {
        let escalates = || now.condition(at) == Condition::Escalating;
        let what = match before {
            _ if now.is_empty() => return None,
            None => EventType::GroupNew,
            Some(before) if before.regressed_at != now.regressed_at => EventType::GroupRegressed,
            Some(before) if !before.escalated && escalates() => EventType::GroupEscalating,
            Some(_) => return None,
        };
        let (org, group, class) = (Some(now.org.clone()), Some(now.id.clone()), Some(now.class));
        Some(Self { org, group, class, ..Self::new(what, at) })
    }

    /// What is told of an organization's incident.
    pub fn of_incident(before: &Incident, now: &Incident, org: &OrgId, at: Timestamp) -> impl Iterator<Item = Self> {
        let of = |incident: &Incident| incident.cause().map(|(since, refusal)| (since, refusal.class));
        let (before, now) = (of(before), of(now));
        let changed = before.map(|(since, _)| since) != now.map(|(since, _)| since);
        let event = |what, class| Self { org: Some(org.clone()), class: Some(class), ..Self::new(what, at) };
        let ended = before.filter(|_| changed).map(|(_, class)| event(EventType::IncidentEnded, class));
        let began = now.filter(|_| changed).map(|(_, class)| event(EventType::IncidentBegan, class));
        ended.into_iter().chain(began)
    }

    /// Something is told of an operation.
    #[must_use]
    pub fn of_operation(
        what: EventType,
        org: &OrgId,
        id: &OperationId,
        status: OperationStatus,
        at: Timestamp,
    ) -> Self {
        Self { org: Some(org.clone()), operation: Some(id.clone()), status: Some(status), ..Self::new(what, at) }
    }

    /// What is told of a revision that went into another state.
    #[must_use]
    pub fn of_revision(policy: &PolicyName, now: &PolicyRevision) -> Option<Self> {
        let what = match now.state {
            RevisionState::InForce => EventType::PolicyInForce,
            RevisionState::RolledBack => EventType::PolicyRolledBack,
            RevisionState::Preparing | RevisionState::Ready | RevisionState::Refused | RevisionState::Retired => {
                return None;
            }
        };
        let event = Self::new(what, now.changed_at);
        Some(Self { policy: Some(policy.clone()), revision: Some(now.number), ..event })
    }
}

/// How a cause stood, as far as that is told when it changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupStood {
    escalated: bool,
    regressed_at: Option<Timestamp>,
}

impl GroupStood {
    /// How it stands now.
    #[must_use]
    pub fn of(group: &Group, at: Timestamp) -> Self {
        Self { escalated: group.condition(at) == Condition::Escalating, regressed_at: group.regressed_at }
    }
}

#[cfg(test)]
mod tests;

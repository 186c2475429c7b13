//! What the planner looks at: how an organization stands, and how patient its recipients are.

use std::time::Duration;

use serde::Deserialize;

use crate::domain::{
    Class, Condition, ErrorCounts, Fingerprint, Group, PolicyRef, Refusal, SourceId, SyncErrorId, Timestamp, Unsynced,
};

/// How long mails wait for what may pass, or for more of the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AlertSettings {
    /// So long new causes are gathered, so that one bad deploy is one mail, in seconds.
    pub gather_seconds: u64,
    /// So long an outage lasts before it is told, in seconds. What does not pass by itself is told at once.
    pub outage_seconds: u64,
    /// So long nothing needs a person before that is told, in seconds.
    pub clear_seconds: u64,
    /// It is a standstill, and a source is silent, when nothing moved for so long although it could, in seconds; 60 at least.
    pub silent_seconds: u64,
    /// So long after a mail about a cause there is no other one about it, in seconds; 60 at least.
    pub quiet_seconds: u64,
    /// So long after the last mail there is another one while something waits for a person, in seconds; 60 at least.
    pub remind_seconds: u64,
}

impl Default for AlertSettings {
    fn default() -> Self {
        Self {
            gather_seconds: 60,
            outage_seconds: 180,
            clear_seconds: 180,
            silent_seconds: 3600,
            quiet_seconds: 4 * 3600,
            remind_seconds: 24 * 3600,
        }
    }
}

impl AlertSettings {
    pub(super) const fn gather(&self) -> Duration {
        Duration::from_secs(self.gather_seconds)
    }

    pub(super) const fn outage(&self) -> Duration {
        Duration::from_secs(self.outage_seconds)
    }

    pub(super) const fn clear(&self) -> Duration {
        Duration::from_secs(self.clear_seconds)
    }

    /// It is a standstill, and a source is silent, when nothing moved for so long although it could.
    #[must_use]
    pub fn silent(&self) -> Duration {
        Duration::from_secs(self.silent_seconds.max(60))
    }

    /// So long after a mail about a cause there is no other one about it.
    #[must_use]
    pub fn quiet(&self) -> Duration {
        Duration::from_secs(self.quiet_seconds.max(60))
    }

    /// So long after the last mail there is another one while something waits for a person.
    #[must_use]
    pub fn remind(&self) -> Duration {
        Duration::from_secs(self.remind_seconds.max(60))
    }
}

/// How an organization stands.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Situation {
    /// Its sync errors by state.
    pub counts: ErrorCounts,
    /// Conversations that wait for the end of the incident.
    pub parked: u64,
    /// The groups that have pending sync errors. Where there are none although something is pending, that is told without
    /// a cause.
    pub causes: Vec<PendingCause>,
    /// What is wrong with the organization as a whole.
    pub incident: Option<OngoingIncident>,
    /// Sync errors that a person, an operation or a check asked to try again, and that have not ended since.
    pub retrying_by_hand: u64,
    /// What its policies ignored too much of, so that it is held.
    pub braked: Vec<BrakedCause>,
    /// The newest rollback of its policy.
    pub rollback: Option<Rollback>,
    /// The conversation that has waited longest for nothing but its turn; where it waits for its next attempt, its `since` is
    /// the time of that.
    pub oldest_unsynced: Option<Unsynced>,
    /// When a conversation last got through or was refused.
    pub moved_at: Option<Timestamp>,
    /// Whether conversations may be sent: no incident is open, and nothing slows or stops the organization.
    pub could_move: bool,
    /// The environments that it has conversations from.
    pub sources: Vec<SourceHealth>,
    /// What the last look at the first points to check found.
    pub checks: Option<Checks>,
}

/// How a source that is asked stands; one that never had traffic is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceHealth {
    /// Which one.
    pub source: SourceId,
    /// Since when calls of one kind come to nothing.
    pub in_vain_since: Option<Timestamp>,
    /// When it answered last.
    pub answered_at: Option<Timestamp>,
    /// When something last came of it.
    pub arrived_at: Timestamp,
}

/// A cause with sync errors that wait for a person.
#[derive(Debug, Clone, PartialEq)]
pub struct PendingCause {
    /// Its group.
    pub id: Fingerprint,
    /// What is wrong, in words for a person.
    pub title: String,
    /// The words of the refusals, without what differs from one conversation to the next.
    pub text: String,
    /// The class of the refusals.
    pub class: Class,
    /// The code of the refusals.
    pub code: String,
    /// How many conversations wait because of it.
    pub pending: u64,
    /// When it was seen first.
    pub first_seen: Timestamp,
    /// When it was seen last.
    pub last_seen: Timestamp,
    /// Since when something of it is pending without a break.
    pub pending_since: Timestamp,
    /// How it stands.
    pub condition: Condition,
    /// A sync error that stands for all of them.
    pub sample: Option<SyncErrorId>,
}

impl PendingCause {
    /// A group as a cause; `None` where nothing of it is pending.
    #[must_use]
    pub fn of(group: &Group, now: Timestamp) -> Option<Self> {
        Some(Self {
            id: group.id.clone(),
            title: group.title.clone(),
            text: group.text.clone(),
            class: group.class,
            code: group.code.clone(),
            pending: group.counts.pending,
            first_seen: group.first_seen,
            last_seen: group.last_seen,
            pending_since: group.pending_since?,
            condition: group.condition(now),
            sample: group.samples.last().cloned(),
        })
    }
}

/// What is wrong with an organization as a whole.
#[derive(Debug, Clone, PartialEq)]
pub struct OngoingIncident {
    /// Since when.
    pub since: Timestamp,
    /// The refusal that everything gets.
    pub refusal: Refusal,
    /// When Salesforce is asked again.
    pub next_probe_at: Timestamp,
    /// How many conversations wait for its end.
    pub waiting: u64,
}

/// A cause of which a revision of a policy ignored too much.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrakedCause {
    /// What is wrong, in words for a person.
    pub title: String,
    /// Which policy.
    pub policy: PolicyRef,
    /// When its brake bit.
    pub at: Timestamp,
    /// When it goes on by itself.
    pub until: Option<Timestamp>,
    /// How many of the cause are pending.
    pub pending: u64,
}

/// A revision of a policy was taken out of force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rollback {
    /// Which one.
    pub policy: PolicyRef,
    /// The revision that decides again.
    pub back_to: u32,
    /// Why, in words for an operator.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

/// What a look at the first points to check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checks {
    /// When.
    pub at: Timestamp,
    /// The points that are not as they should be, in words for a person.
    pub red: Vec<String>,
}
#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Cause, GroupChange, OrgId, State};

    #[test]
    fn a_group_is_a_cause_while_something_of_it_is_pending() {
        let (org, refusal) = (OrgId::new("acme").unwrap(), Refusal::new(Class::Record, "CODE", "words"));
        let (first, later) = (Timestamp::from_millis(1_000), Timestamp::from_millis(2_000));
        let mut group = Group::new(&Cause::new(&org, &refusal), first);
        assert_eq!(PendingCause::of(&group, first), None);
        let sync_error = || SyncErrorId::new("se-1").unwrap();
        let (before, after) = (None, Some(State::Pending));
        group.apply(GroupChange { sync_error: sync_error(), before, after, failed: true, at: later });
        let cause = PendingCause::of(&group, later).unwrap();
        assert_eq!((cause.class, cause.code.as_str(), cause.pending), (Class::Record, "CODE", 1));
        assert_eq!((cause.first_seen, cause.last_seen, cause.pending_since), (first, later, later));
        assert_eq!((cause.id, cause.title, cause.sample), (group.id, group.title, Some(sync_error())));
    }
}

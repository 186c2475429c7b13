//! The sync errors of a conversation: those that are not over become one.

use super::format_1;
use crate::domain::{
    AuditEntry, Cause, Conversation, ConversationId, Fact, MESSAGES_KEPT, OrgId, State, SyncError, SyncErrorId,
};

/// What became of the sync errors of a conversation.
#[derive(Default)]
pub(super) struct Merged {
    /// Those that are over, oldest first, and at the end the one that is not, where there is one.
    pub(super) errors: Vec<SyncError>,
    /// The ids that they had, each with the one that stays.
    pub(super) aliases: Vec<(SyncErrorId, SyncErrorId)>,
}

impl Merged {
    /// The sync error that is not over.
    pub(super) fn open(&self) -> Option<&SyncError> {
        self.errors.last().filter(|error| error.state != State::Resolved)
    }
}

/// Merges the sync errors of a conversation. Each that is over keeps a number of its own; all others, the ignored ones
/// too, are one: an ignored one beside it could be neither opened again nor ended by a success.
pub(super) fn merge(
    org: &OrgId,
    id: &ConversationId,
    conversation: Option<&Conversation>,
    mut errors: Vec<format_1::SyncError>,
    audit: &[AuditEntry],
) -> Merged {
    errors.sort_by(|a, b| (a.first_seen, &a.id).cmp(&(b.first_seen, &b.id)));
    let (over, open): (Vec<_>, Vec<_>) = errors.into_iter().partition(|error| error.state == State::Resolved);
    let sets = over.into_iter().map(|error| vec![error]).chain((!open.is_empty()).then_some(open));
    let mut merged = Merged::default();
    for (number, set) in (1..).zip(sets) {
        let new = SyncErrorId::of(org, id, number);
        merged.aliases.extend(set.iter().map(|old| (old.id.clone(), new.clone())));
        merged.errors.extend(one(new, conversation, &set, audit));
    }
    merged
}

/// One sync error in the place of several, which come in the order in which they were seen first; `None` of none.
fn one(
    id: SyncErrorId,
    conversation: Option<&Conversation>,
    set: &[format_1::SyncError],
    audit: &[AuditEntry],
) -> Option<SyncError> {
    let state = [State::Pending, State::Retrying, State::Ignored].into_iter();
    let state = state.into_iter().find(|state| set.iter().any(|old| old.state == *state)).unwrap_or(State::Resolved);
    // Its words are those of the newest one; ignored ones are asked only where all are ignored.
    let asked = set.iter().filter(|old| state == State::Ignored || old.state != State::Ignored);
    let newest = asked.max_by_key(|old| old.last_seen)?;
    let mut affected: Vec<_> = Vec::new();
    for old in set {
        if !affected.contains(&old.message) {
            affected.push(old.message.clone());
        }
    }
    let count = affected.len();
    affected.drain(..count.saturating_sub(MESSAGES_KEPT));
    let message = affected.last()?.clone();
    let group = Cause::new(&newest.org, &newest.refusal).identify().id;
    let (org, refusal, of) = (newest.org.clone(), newest.refusal.clone(), newest.conversation.clone());
    let mut error = SyncError::blank(id, org, of, message, group, refusal, set.first()?.first_seen);
    history(&mut error, set, audit);
    let (by, reason) = match state {
        State::Ignored => (newest.touched_by.clone(), newest.reason.clone()),
        _ => (None, None),
    };
    error.last_seen = set.iter().map(|old| old.last_seen).max()?;
    if error.history.last().is_none_or(|last| last.state != state) {
        error.becomes(state, by, reason.clone(), error.last_seen);
    }
    Some(SyncError {
        state,
        affected,
        affected_count: count as u64,
        team: conversation.and_then(|of| of.team.clone()),
        channel: conversation.map(|of| of.channel.clone()).unwrap_or_default(),
        judged_by: newest.judged_by.clone(),
        attempts: set.iter().map(|old| old.attempts).max()?,
        attempts_since_retry: newest.attempts,
        next_attempt_at: newest.next_attempt_at.filter(|_| state == State::Retrying),
        touched_by: newest.touched_by.clone(),
        reason,
        ending: newest.ending.filter(|_| state == State::Resolved),
        version: 1,
        ..error
    })
}

/// The moments of a sync error, from what the audit of its messages says.
fn history(error: &mut SyncError, set: &[format_1::SyncError], audit: &[AuditEntry]) {
    for entry in audit.iter().filter(|entry| named(&entry.fact).is_some_and(|id| set.iter().any(|old| old.id == *id))) {
        let (state, by, reason) = match &entry.fact {
            Fact::CrmSynchroError { next_attempt_at: Some(_), .. } => (State::Retrying, None, None),
            Fact::CrmSynchroError { .. } => (State::Pending, None, None),
            Fact::RetryAsked { by, .. } => (State::Retrying, Some(by.clone()), None),
            Fact::Ignored { by, reason, .. } => (State::Ignored, Some(by.clone()), Some(reason.clone())),
            Fact::Reopened { by, .. } => (State::Pending, Some(by.clone()), None),
            Fact::Resolved { .. } => (State::Resolved, None, None),
            _ => continue,
        };
        error.becomes(state, by, reason, entry.at);
    }
}

/// The sync error that an entry of the audit names.
pub(super) const fn named(fact: &Fact) -> Option<&SyncErrorId> {
    match fact {
        Fact::CrmSynchroError { sync_error, .. }
        | Fact::RetryAsked { sync_error, .. }
        | Fact::Ignored { sync_error, .. }
        | Fact::Reopened { sync_error, .. }
        | Fact::Resolved { sync_error, .. } => Some(sync_error),
        _ => None,
    }
}

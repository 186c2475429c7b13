//! An attempt that failed: what comes next of it, and what the sync error and the audit are told.

use super::{came_out, choosing, queue};
use crate::domain::delivery::{Delivery, Effect, Failure, OpenError, Phase, Work};
use crate::domain::{Change, Fact, Plan, Retried, State, Timestamp, plan};

pub(super) fn fail(state: &mut Delivery, effects: &mut Vec<Effect>, failure: Failure, now: Timestamp) {
    let Phase::Sending { version, again, .. } = state.phase else { return };
    // What was to be forgotten meanwhile does not come back with the attempt.
    let forgotten = state.records.creation.as_ref().is_some_and(|creation| creation.fields.is_empty());
    state.records = failure.records.clone();
    if let (true, Some(creation)) = (forgotten, &mut state.records.creation) {
        creation.fields.clear();
    }
    choosing::overtook(state);
    let newer = state.wanted > version;
    let silent = state.fails_in_silence(&failure.group);
    let ignored = state.open.as_ref().filter(|open| open.state == State::Ignored);
    if failure.parks {
        // A message that came since the failure that was ignored is still to be attempted.
        let over = ignored.is_some_and(|open| open.version >= state.wanted);
        state.phase = if over { Phase::Idle } else { Phase::Parked { since: now } };
        if over {
            came_out(state, effects, Retried::Changed, None);
        }
        return;
    }
    state.attempts += 1;
    let next = match plan(&failure.verdict, failure.refusal.class, state.attempts, failure.jitter, now) {
        _ if silent => Next { state: State::Ignored, at: None, reason: None },
        Plan::Ignore(reason) => Next { state: State::Ignored, at: None, reason: Some(reason) },
        _ if again => Next { state: State::Retrying, at: Some(now), reason: None },
        Plan::RetryAt(at) => Next { state: State::Retrying, at: Some(at), reason: None },
        Plan::Hold => Next { state: State::Pending, at: None, reason: None },
    };
    if !again {
        let alike = state.open.as_ref().is_some_and(|open| open.group == failure.group);
        let how = if alike { Retried::FailedAlike } else { Retried::FailedOtherwise };
        came_out(state, effects, how, Some(&failure.group));
    }
    register(state, effects, failure, &next, silent, version);
    match next.at {
        _ if newer => {
            state.attempts = 0;
            queue(state, effects, Work::New, now);
        }
        Some(_) if again => {
            state.attempts = 0;
            queue(state, effects, Work::Due, now);
        }
        Some(until) => {
            state.phase = Phase::Waiting { until };
            effects.push(Effect::WakeAt(until));
        }
        None if next.state == State::Ignored => state.phase = Phase::Idle,
        None => state.phase = Phase::Held,
    }
}

/// Where a failure leaves the sync error.
struct Next {
    state: State,
    /// When it is tried again by itself.
    at: Option<Timestamp>,
    /// Why the policy ignores it.
    reason: Option<String>,
}

/// The sync error and the audit of a failed attempt.
fn register(
    state: &mut Delivery,
    effects: &mut Vec<Effect>,
    failure: Failure,
    next: &Next,
    silent: bool,
    version: u64,
) {
    let Failure { error, group, message, affected, refusal, judged_by, ignored_by, held, .. } = failure;
    let id = state.open.as_ref().map_or(error, |open| open.id.clone());
    if state.open.is_none() {
        state.errors += 1;
    }
    let fact = Fact::CrmSynchroError {
        sync_error: id.clone(),
        class: refusal.class,
        code: refusal.code.clone(),
        text: refusal.text.clone(),
        attempt: state.attempts,
        next_attempt_at: next.at,
    };
    effects.push(Effect::Audit { message: message.clone(), fact });
    let by = judged_by.as_ref().map_or_else(|| "policy".to_owned(), |policy| format!("policy {policy}"));
    if let Some(reason) = next.reason.clone() {
        let fact = Fact::Ignored { sync_error: id.clone(), by: by.clone(), reason };
        effects.push(Effect::Audit { message: message.clone(), fact });
    }
    let ignored_at = match (&state.open, next.state) {
        (Some(open), State::Ignored) if silent => open.ignored_at,
        (_, State::Ignored) => version,
        _ => 0,
    };
    // What is ignored in silence stays the cause that was ignored.
    let cause = state.open.as_ref().filter(|_| silent).map_or_else(|| group.clone(), |open| open.group.clone());
    state.open = Some(OpenError { id: id.clone(), state: next.state, group: cause, message, version, ignored_at });
    let change = match silent {
        true => Change::FailedAgain { affected },
        false => Change::Failed {
            refusal: Box::new(refusal),
            group,
            affected,
            judged_by,
            state: next.state,
            next_attempt_at: next.at,
            ignored: next.reason.clone().map(|reason| (by, reason)),
            operation: ignored_by.filter(|_| next.reason.is_some()),
            held,
        },
    };
    effects.push(Effect::Registry { error: id, change });
}

//! The one function that moves a delivery: an exhaustive match, without a clock and without I/O.

mod choosing;
mod failing;

use super::{Chosen, Delivery, Effect, Event, InOperation, OpenError, Phase, Records, Work};
use crate::domain::{Change, Ending, Fact, Fingerprint, MessageId, Retried, State, SyncErrorId, Timestamp};

/// Moves a delivery.
#[must_use]
pub fn step(mut state: Delivery, event: Event, now: Timestamp) -> (Delivery, Vec<Effect>) {
    let mut effects = Vec::new();
    match event {
        Event::Arrived { version } => arrive(&mut state, &mut effects, version, now),
        Event::Started => {
            let (work, since) = match state.phase {
                Phase::Ready { work, since } => (work, since),
                Phase::Parked { since } => (Work::Due, since),
                _ => return (state, effects),
            };
            choosing::begins(&mut state);
            state.phase = Phase::Sending { version: state.wanted, work, since, again: false };
            effects.push(Effect::Send { version: state.wanted });
        }
        Event::Parked => {
            if matches!(state.phase, Phase::Ready { .. } | Phase::Waiting { .. }) {
                state.phase = Phase::Parked { since: now };
            }
        }
        Event::Intends(creation) => {
            if matches!(state.phase, Phase::Sending { .. }) {
                state.records.creation = Some(creation);
            }
        }
        Event::Delivered { message, records } => deliver(&mut state, &mut effects, message, records, now),
        Event::Excused => settle(&mut state, &mut effects, |_| Ending::NotEligible, now),
        Event::Failed(failure) => failing::fail(&mut state, &mut effects, *failure, now),
        Event::Due { early } => {
            if matches!(state.phase, Phase::Waiting { until } if until <= now || early) {
                queue(&mut state, &mut effects, Work::Due, now);
            }
        }
        Event::RetryAsked { by, operation } => retry(&mut state, &mut effects, by, operation, now),
        Event::ResyncAsked { by, operation } => resync(&mut state, &mut effects, by, operation, now),
        Event::IgnoreAsked { by, reason, operation } => ignore(&mut state, &mut effects, by, reason, operation),
        Event::ReopenAsked { by } => reopen(&mut state, &mut effects, by),
        Event::ContactChosen { by, pick, sync_error, message } => {
            let chosen = Chosen { pick, by, at: now };
            choose(&mut state, &mut effects, chosen, sync_error, message, now);
        }
        Event::Restarted => {
            if let Phase::Sending { work, since, .. } = state.phase {
                state.phase = Phase::Ready { work, since };
                effects.push(Effect::Queue(work));
            }
        }
    }
    (state, effects)
}

fn queue(state: &mut Delivery, effects: &mut Vec<Effect>, work: Work, now: Timestamp) {
    state.phase = Phase::Ready { work, since: now };
    effects.push(Effect::Queue(work));
}

/// A new message starts the count of attempts anew.
fn arrive(state: &mut Delivery, effects: &mut Vec<Effect>, version: u64, now: Timestamp) {
    state.wanted = state.wanted.max(version);
    if state.wanted <= state.settled {
        return;
    }
    match state.phase {
        Phase::Sending { .. } | Phase::Ready { work: Work::New, .. } => {}
        Phase::Parked { .. } => {
            state.attempts = 0;
            state.phase = Phase::Parked { since: now };
        }
        Phase::Idle | Phase::Held | Phase::Waiting { .. } | Phase::Ready { .. } => {
            state.attempts = 0;
            queue(state, effects, Work::New, now);
        }
    }
}

fn deliver(state: &mut Delivery, effects: &mut Vec<Effect>, message: MessageId, records: Records, now: Timestamp) {
    if !matches!(state.phase, Phase::Sending { .. }) {
        return;
    }
    state.records = records;
    state.delivered = Some(message.clone());
    state.delivered_at = Some(now);
    let ending = |open: &OpenError| match open.message == message {
        true => Ending::Delivered,
        false => Ending::Superseded,
    };
    let overtaken = choosing::overtook(state);
    settle(state, effects, ending, now);
    if overtaken && state.phase == Phase::Idle {
        queue(state, effects, Work::Due, now);
    }
}

/// The version that was sent is settled, and the sync error of the conversation is over.
fn settle(state: &mut Delivery, effects: &mut Vec<Effect>, ending: impl Fn(&OpenError) -> Ending, now: Timestamp) {
    let Phase::Sending { version, .. } = state.phase else { return };
    state.settled = state.settled.max(version);
    state.attempts = 0;
    came_out(state, effects, Retried::Passed, None);
    state.operation = None;
    if let Some(open) = state.open.take() {
        let how = ending(&open);
        effects.push(Effect::Registry { error: open.id.clone(), change: Change::Resolve(how) });
        effects.push(Effect::Audit { message: open.message, fact: Fact::Resolved { sync_error: open.id, how } });
    }
    state.phase = Phase::Idle;
    if state.wanted > state.settled {
        queue(state, effects, Work::New, now);
    }
}

/// What an operation waits for has come out.
fn came_out(state: &mut Delivery, effects: &mut Vec<Effect>, how: Retried, group: Option<&Fingerprint>) {
    if let Some(of) = state.operation.as_mut().filter(|of| of.waits) {
        of.waits = false;
        effects.push(Effect::CameOut { of: of.clone(), how, group: group.cloned() });
    }
}

fn retry(state: &mut Delivery, effects: &mut Vec<Effect>, by: String, operation: Option<InOperation>, now: Timestamp) {
    let work = if operation.is_some() { Work::Operation } else { Work::Due };
    if operation.is_some() && state.open.as_ref().is_some_and(|open| open.state != State::Ignored) {
        // An operation that waited for it is told by whoever took it over.
        came_out(state, effects, Retried::Changed, None);
        state.operation = operation;
    }
    let Some(open) = state.open.as_mut().filter(|open| open.state != State::Ignored) else { return };
    open.state = State::Retrying;
    effects.push(Effect::Registry { error: open.id.clone(), change: Change::Retry { by: by.clone() } });
    let fact = Fact::RetryAsked { sync_error: open.id.clone(), by };
    effects.push(Effect::Audit { message: open.message.clone(), fact });
    send_again(state, effects, work, now);
}

fn send_again(state: &mut Delivery, effects: &mut Vec<Effect>, work: Work, now: Timestamp) {
    match &mut state.phase {
        Phase::Sending { again, .. } => *again = true,
        Phase::Ready { .. } | Phase::Parked { .. } => state.attempts = 0,
        Phase::Idle | Phase::Held | Phase::Waiting { .. } => {
            state.attempts = 0;
            queue(state, effects, work, now);
        }
    }
}

/// Also what got through is sent again: it may be linked to somebody else.
fn choose(
    state: &mut Delivery,
    effects: &mut Vec<Effect>,
    chosen: Chosen,
    sync_error: SyncErrorId,
    message: MessageId,
    now: Timestamp,
) {
    let (by, pick) = (chosen.by.clone(), chosen.pick.clone());
    choosing::keep(state, chosen);
    effects.push(Effect::Audit { message, fact: Fact::ContactChosen { sync_error, by: by.clone(), contact: pick } });
    if let Some(open) = state.open.as_mut().filter(|open| open.state != State::Ignored) {
        open.state = State::Retrying;
        effects.push(Effect::Registry { error: open.id.clone(), change: Change::Retry { by } });
    }
    send_again(state, effects, Work::Due, now);
}

/// What got through is sent once more; what is about to be sent anyway is left alone.
fn resync(state: &mut Delivery, effects: &mut Vec<Effect>, by: String, operation: InOperation, now: Timestamp) {
    let (Phase::Idle, None, Some(message)) = (state.phase, &state.open, state.delivered.clone()) else { return };
    state.operation = Some(operation);
    effects.push(Effect::Audit { message, fact: Fact::ResyncAsked { by } });
    queue(state, effects, Work::Operation, now);
}

/// No further synchronization is expected of what failed; what is on its way is left alone, and its failure is silent.
fn ignore(state: &mut Delivery, effects: &mut Vec<Effect>, by: String, reason: String, operation: Option<u64>) {
    if state.open.as_ref().is_none_or(|open| open.state == State::Ignored) {
        return;
    }
    came_out(state, effects, Retried::Changed, None);
    let Some(open) = state.open.as_mut() else { return };
    let on_its_way = match state.phase {
        Phase::Sending { version, .. } => version,
        _ => 0,
    };
    (open.state, open.ignored_at) = (State::Ignored, open.version.max(on_its_way));
    let newer = state.wanted > open.ignored_at;
    let change = Change::Ignore { by: by.clone(), reason: reason.clone(), operation };
    effects.push(Effect::Registry { error: open.id.clone(), change });
    let fact = Fact::Ignored { sync_error: open.id.clone(), by, reason };
    effects.push(Effect::Audit { message: open.message.clone(), fact });
    match &mut state.phase {
        Phase::Sending { again, .. } => *again = false,
        // A message that came since the failure is attempted.
        Phase::Ready { work: Work::New, .. } | Phase::Parked { .. } if newer => {}
        phase => *phase = Phase::Idle,
    }
}

fn reopen(state: &mut Delivery, effects: &mut Vec<Effect>, by: String) {
    let Some(open) = state.open.as_mut().filter(|open| open.state == State::Ignored) else { return };
    (open.state, open.ignored_at) = (State::Pending, 0);
    effects.push(Effect::Registry { error: open.id.clone(), change: Change::Reopen { by: by.clone() } });
    let fact = Fact::Reopened { sync_error: open.id.clone(), by };
    effects.push(Effect::Audit { message: open.message.clone(), fact });
    if state.phase == Phase::Idle {
        state.phase = Phase::Held;
    }
}

#[cfg(test)]
mod tests;

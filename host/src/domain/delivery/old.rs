//! The state of one conversation's way into one organization, and the one function that moves it.

use serde::{Deserialize, Serialize};

use super::{
    Change, Ending, Fact, MessageId, OrgId, Plan, PolicyRef, RecordId, Refusal, State, SyncErrorId, Timestamp, Verdict,
    plan,
};

/// Where a conversation stands on its way into Salesforce. It is stored before any effect of a step is carried out.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    /// The conversation's version that should be in Salesforce.
    pub wanted: u64,
    /// The newest version that is settled: written there, or judged not to be.
    pub settled: u64,
    /// What it does now.
    pub phase: Phase,
    /// Attempts since it last got through or a new message came.
    pub attempts: u32,
    /// Sync errors that are pending or retrying, oldest first.
    pub open: Vec<OpenError>,
    /// What it has become in Salesforce.
    pub records: Records,
    /// Numbers the audit entries of the conversation.
    pub entries: u64,
    /// The day (since 1970) on which the conversation changed last.
    #[serde(default)]
    pub day: u32,
    /// The version of the conversation that was forgotten; 0 if none was.
    #[serde(default)]
    pub erased: u64,
}

impl Delivery {
    /// Whether what happens to it now is about a version that was forgotten.
    #[must_use]
    pub const fn is_erased(&self) -> bool {
        let version = match self.phase {
            Phase::Sending { version } => version,
            _ => self.wanted,
        };
        self.erased > 0 && version <= self.erased
    }
}

/// A sync error that is not over, and its message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenError {
    /// The sync error.
    pub id: SyncErrorId,
    /// The affected message.
    pub message: MessageId,
}

/// The Salesforce records of a conversation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Records {
    /// The conversation itself.
    pub conversation: Option<RecordId>,
    /// The linked contact.
    pub contact: Option<RecordId>,
    /// The case, where the host writes it.
    pub case: Option<RecordId>,
    /// The queue or user that it was given to last.
    pub owner: Option<RecordId>,
}

/// What a delivery does now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum Phase {
    /// Nothing: the newest version is settled, or its sync error is ignored.
    #[default]
    Idle,
    /// Waits for a free place.
    Ready,
    /// Is on its way.
    Sending {
        /// The version that it carries.
        version: u64,
    },
    /// Is tried again by itself.
    Waiting {
        /// Not before this.
        until: Timestamp,
    },
    /// Waits for a person.
    Held,
}

/// What can happen to a delivery.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The conversation changed.
    Arrived {
        /// Its version now.
        version: u64,
    },
    /// A place is free.
    Started,
    /// The attempt got through.
    Delivered {
        /// The newest message of the version that was written.
        message: MessageId,
        /// What it has become.
        records: Records,
    },
    /// The policy said that the conversation is not to be written.
    Excused,
    /// The attempt failed.
    Failed(Box<Failure>),
    /// The time of a waiting delivery has come.
    Due,
    /// A person asked for another attempt.
    RetryAsked {
        /// The sync error.
        error: SyncErrorId,
        /// Who.
        by: String,
    },
    /// A person ignores a sync error.
    IgnoreAsked {
        /// The sync error.
        error: SyncErrorId,
        /// Who.
        by: String,
        /// Why.
        reason: String,
    },
    /// A person takes an ignored sync error back.
    ReopenAsked {
        /// The sync error.
        error: SyncErrorId,
        /// Its message.
        message: MessageId,
        /// Who.
        by: String,
    },
    /// The host starts again: nothing is on its way any more.
    Restarted,
}

/// A failed attempt, as it was judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// The organization, of which the sync error's id is made.
    pub org: OrgId,
    /// The newest message of the version that was sent.
    pub message: MessageId,
    /// What is known of the records even so (a contact found before the failure).
    pub records: Records,
    /// The refusal.
    pub refusal: Refusal,
    /// What the policy says about it.
    pub verdict: Verdict,
    /// Who said so.
    pub judged_by: Option<PolicyRef>,
    /// While nothing gets through to the organization: nothing was sent, and nothing will be before this.
    pub barred_until: Option<Timestamp>,
    /// A random number from 0 to 999 that spreads the retries.
    pub jitter: u16,
}

/// What has to be done after a step; the engine carries it out and nothing else.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Queue it for a free place.
    Queue,
    /// Send this version.
    Send {
        /// The version.
        version: u64,
    },
    /// Give it an `Event::Due` at this time.
    WakeAt(Timestamp),
    /// Change a sync error in the registry (`Change::Failed` also creates it).
    Registry {
        /// The sync error.
        error: SyncErrorId,
        /// Its message.
        message: MessageId,
        /// What happens to it.
        change: Change,
    },
    /// Write a line of the message's audit.
    Audit {
        /// The message.
        message: MessageId,
        /// What happened.
        fact: Fact,
    },
}

/// Moves a delivery: one exhaustive match, no clock, no I/O.
#[must_use]
pub fn step(mut state: Delivery, event: Event, now: Timestamp) -> (Delivery, Vec<Effect>) {
    let mut effects = Vec::new();
    match event {
        Event::Arrived { version } => {
            state.wanted = state.wanted.max(version);
            if state.wanted > state.settled && !matches!(state.phase, Phase::Ready | Phase::Sending { .. }) {
                ready(&mut state, &mut effects);
            }
        }
        Event::Started => {
            if state.phase == Phase::Ready {
                state.phase = Phase::Sending { version: state.wanted };
                effects.push(Effect::Send { version: state.wanted });
            }
        }
        Event::Delivered { message, records } => {
            state.records = records;
            settle(&mut state, &mut effects, |open| {
                if open.message == message { Ending::Delivered } else { Ending::Superseded }
            });
        }
        Event::Excused => settle(&mut state, &mut effects, |_| Ending::NotEligible),
        Event::Failed(failure) => fail(&mut state, &mut effects, *failure, now),
        Event::Due => {
            if matches!(state.phase, Phase::Waiting { until } if until <= now) {
                state.phase = Phase::Ready;
                effects.push(Effect::Queue);
            }
        }
        Event::RetryAsked { error, by } => retry(&mut state, &mut effects, &error, by),
        Event::IgnoreAsked { error, by, reason } => ignore(&mut state, &mut effects, &error, by, reason),
        Event::ReopenAsked { error, message, by } => {
            if state.open.iter().all(|open| open.id != error) {
                state.open.push(OpenError { id: error.clone(), message: message.clone() });
            }
            if state.phase == Phase::Idle {
                state.phase = Phase::Held;
            }
            registry(&mut effects, error.clone(), message.clone(), Change::Reopen { by: by.clone() });
            effects.push(Effect::Audit { message, fact: Fact::Reopened { sync_error: error, by } });
        }
        Event::Restarted => match state.phase {
            Phase::Sending { .. } | Phase::Ready => {
                state.phase = Phase::Ready;
                effects.push(Effect::Queue);
            }
            Phase::Waiting { until } => effects.push(Effect::WakeAt(until)),
            Phase::Idle | Phase::Held => {}
        },
    }
    (state, effects)
}

/// A new message, or a person, starts the count of attempts anew.
fn ready(state: &mut Delivery, effects: &mut Vec<Effect>) {
    state.phase = Phase::Ready;
    state.attempts = 0;
    effects.push(Effect::Queue);
}

/// The version that was sent is settled: every sync error of the conversation is over, unless it is ignored.
fn settle(state: &mut Delivery, effects: &mut Vec<Effect>, ending: impl Fn(&OpenError) -> Ending) {
    let Phase::Sending { version } = state.phase else { return };
    state.settled = state.settled.max(version);
    state.attempts = 0;
    for open in std::mem::take(&mut state.open) {
        let how = ending(&open);
        registry(effects, open.id.clone(), open.message.clone(), Change::Resolve(how));
        effects.push(Effect::Audit { message: open.message, fact: Fact::Resolved { sync_error: open.id, how } });
    }
    state.phase = Phase::Idle;
    if state.wanted > state.settled {
        ready(state, effects);
    }
}

fn fail(state: &mut Delivery, effects: &mut Vec<Effect>, failure: Failure, now: Timestamp) {
    let Phase::Sending { version } = state.phase else { return };
    let Failure { org, message, records, refusal, verdict, judged_by, barred_until, jitter } = failure;
    state.records = records;
    if barred_until.is_none() {
        state.attempts += 1;
    }
    let id = SyncErrorId::of(&org, &message);
    let planned = match (plan(&verdict, refusal.class, state.attempts.max(1), jitter, now), barred_until) {
        (Plan::RetryAt(at), Some(until)) => Plan::RetryAt(at.max(until)),
        (planned, _) => planned,
    };
    let (registered, next_attempt_at, reason) = match planned {
        Plan::RetryAt(at) => (State::Retrying, Some(at), None),
        Plan::Hold => (State::Pending, None, None),
        Plan::Ignore(reason) => (State::Ignored, None, Some(reason)),
    };
    state.open.retain(|open| open.id != id);
    for open in &state.open {
        let change = Change::Follow { state: registered, next_attempt_at };
        registry(effects, open.id.clone(), open.message.clone(), change);
    }
    if registered != State::Ignored {
        state.open.push(OpenError { id: id.clone(), message: message.clone() });
    }
    let fact = Fact::CrmSynchroError {
        sync_error: id.clone(),
        class: refusal.class,
        code: refusal.code.clone(),
        text: refusal.text.clone(),
        attempt: state.attempts,
        next_attempt_at,
    };
    effects.push(Effect::Audit { message: message.clone(), fact });
    if let Some(reason) = reason.clone() {
        let by = judged_by.as_ref().map_or_else(|| "policy".to_owned(), |policy| format!("policy {policy}"));
        effects.push(Effect::Audit {
            message: message.clone(),
            fact: Fact::Ignored { sync_error: id.clone(), by, reason },
        });
    }
    let attempts = state.attempts;
    let change =
        Change::Failed { refusal: Box::new(refusal), judged_by, attempts, state: registered, next_attempt_at, reason };
    registry(effects, id, message, change);
    match next_attempt_at {
        _ if state.wanted > version => ready(state, effects),
        Some(until) => {
            state.phase = Phase::Waiting { until };
            effects.push(Effect::WakeAt(until));
        }
        None => state.phase = if state.open.is_empty() { Phase::Idle } else { Phase::Held },
    }
}

fn retry(state: &mut Delivery, effects: &mut Vec<Effect>, error: &SyncErrorId, by: String) {
    let Some(open) = state.open.iter().find(|open| open.id == *error).cloned() else { return };
    registry(effects, open.id.clone(), open.message.clone(), Change::Retry { by: by.clone() });
    effects.push(Effect::Audit { message: open.message, fact: Fact::RetryAsked { sync_error: open.id, by } });
    if !matches!(state.phase, Phase::Ready | Phase::Sending { .. }) {
        ready(state, effects);
    }
}

fn ignore(state: &mut Delivery, effects: &mut Vec<Effect>, error: &SyncErrorId, by: String, reason: String) {
    let Some(place) = state.open.iter().position(|open| open.id == *error) else { return };
    let open = state.open.remove(place);
    let change = Change::Ignore { by: by.clone(), reason: reason.clone() };
    registry(effects, open.id.clone(), open.message.clone(), change);
    effects.push(Effect::Audit { message: open.message, fact: Fact::Ignored { sync_error: open.id, by, reason } });
    if state.open.is_empty() && matches!(state.phase, Phase::Waiting { .. } | Phase::Held) {
        state.phase = Phase::Idle;
    }
}

fn registry(effects: &mut Vec<Effect>, error: SyncErrorId, message: MessageId, change: Change) {
    effects.push(Effect::Registry { error, message, change });
}

#[cfg(test)]
#[path = "delivery_tests.rs"]
mod tests;

//! What is on record and what has to be, in words that can be compared: a line for each thing.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::conversations::{Conv, Does};
use super::entries::{ERASED, Entry, When, Why};
use super::organization::{Model, Wrong};
use crate::domain::{
    Cause, Delivery, Fingerprint, IncidentStatus, Operation, Phase, Retried, State, SyncError, Timestamp,
};
use crate::engine::lane::tests::bench::{Bench, CONTACTS, Mood, conversation, org};

pub(super) type Facts = BTreeMap<String, String>;

/// Asserts that both say the same, and says what they do not.
pub(super) fn assert_same(is: &Facts, has_to_be: &Facts, after: &str) {
    let mut differences = String::new();
    for thing in is.keys().chain(has_to_be.keys().filter(|thing| !is.contains_key(*thing))) {
        let (is, has_to_be) = (is.get(thing), has_to_be.get(thing));
        if is != has_to_be {
            let _ = write!(differences, "\n{thing}\n          is {is:?}\n   has to be {has_to_be:?}");
        }
    }
    assert!(differences.is_empty(), "after {after}:{differences}");
}

/// The cause of a fingerprint.
pub(super) fn why(group: &Fingerprint) -> Why {
    let is_it = |why: &Why| Cause::new(&org(), &why.refusal()).identify().id == *group;
    Why::ALL.into_iter().find(is_it).expect("a cause of the model")
}

pub(super) fn fingerprint(why: Why) -> Fingerprint {
    Cause::new(&org(), &why.refusal()).identify().id
}

/// Takes from the record what chance decides: when something is tried again, within its bounds; and whose cause is a new one.
pub(super) async fn adopt(model: &mut Model, bench: &Bench) {
    for conv in model.convs.values_mut() {
        let Some(When(from, before)) = conv.open().and_then(|error| error.next).filter(|it| it.0 < it.1) else {
            continue;
        };
        let id = conv.errors.last().expect("a sync error").id.clone();
        let error = bench.ledger.sync_error(&id).await.expect("a sync error");
        if let Some(at) = error.and_then(|error| error.next_attempt_at).filter(|at| (from..before).contains(at)) {
            conv.waits_until(When(at, at));
        }
    }
    let emptied = std::mem::take(&mut model.emptied);
    for group in bench.ledger.groups_of(&org()).await.expect("causes") {
        if let Some(known) = emptied.get(&why(&group.id)).and_then(|why| model.causes.get_mut(why)) {
            (known.first_seen, known.assignee) = (group.first_seen, group.assignee);
            known.failures = group.failures.hours().map(|(_, count)| u64::from(count)).sum();
        }
    }
}

fn at(time: Timestamp) -> u64 {
    time.as_millis() - super::START
}

fn next(when: Option<When>) -> String {
    when.map_or_else(String::new, |When(from, before)| match from == before {
        true => at(from).to_string(),
        false => format!("{}..{}", at(from), at(before)),
    })
}

fn message(number: u64, message: u64) -> String {
    format!("main:{number}-{message}")
}

impl Model {
    /// What has to be on record.
    pub(super) fn facts(&self) -> Facts {
        let mut facts = Facts::new();
        let count = |of: &dyn Fn(&Entry) -> bool| self.entries().iter().filter(|(_, error)| of(error)).count();
        for state in State::ALL {
            facts.insert(format!("{state} in all"), count(&|error| error.state == state).to_string());
        }
        let doing = |does: fn(Does) -> bool| self.convs.values().filter(|conv| does(conv.does)).count();
        let parked = doing(|does| does == Does::Parked);
        let goes_on = self.operations.values().filter(|it| !it.is_over && it.status.as_str() == "running").count();
        let scheduled = doing(|does| matches!(does, Does::Waits(_)));
        facts.insert("health".into(), format!("ready 0, parked {parked}, scheduled {scheduled}, operations {goes_on}"));
        facts.insert("calls".into(), format!("{} attempts, {} probes", self.attempts, self.probes));
        facts.insert(
            "incident".into(),
            match self.wrong {
                Wrong::Nothing => "none".into(),
                Wrong::Unanswered(times) => format!("{times} in a row"),
                Wrong::Open { since, why, next, probes } => {
                    format!("{} since {}, probes {probes}, next {}", why.refusal().code, at(since), at(next))
                }
            },
        );
        for (why, known) in &self.causes {
            let of_state = |state| count(&|error| error.why == *why && error.state == state);
            let counts = State::ALL.map(of_state);
            let (seen, assignee) = ((at(known.first_seen), at(known.last_seen)), &known.assignee);
            facts.insert(
                format!("cause {why:?}"),
                format!("{counts:?} {seen:?} {} failures, {assignee:?}", known.failures),
            );
        }
        for (number, conv) in &self.convs {
            facts.insert(format!("conversation {number}"), conv.fact(*number));
            for (place, error) in conv.errors.iter().enumerate() {
                facts.insert(format!("sync error {number}/{place} {}", error.id), error.fact(*number));
            }
        }
        for (number, it) in &self.operations {
            let came_out: BTreeMap<_, _> = it.came_out.iter().map(|(how, count)| (how.real(), *count)).collect();
            let parts = (it.status.as_str(), it.is_over, it.matched, it.done, it.skipped);
            facts.insert(
                format!("operation {number} {}", it.id),
                format!(
                    "{parts:?} {came_out:?} as {:?} stopped {:?} under way {}",
                    it.failed_as,
                    it.stopped,
                    it.under_way()
                ),
            );
        }
        facts
    }
}

impl Conv {
    fn fact(&self, number: u64) -> String {
        let does = match self.does {
            Does::Waits(when) => format!("waits until {}", next(Some(when))),
            does => format!("{does:?}"),
        };
        let (tries, errors, open) = (self.tries, self.errors.len(), self.open().map(|error| error.state));
        format!(
            "{does}, tries {tries}, errors {errors}, open {open:?}, version {}, name {:?}, delivered {:?}, chosen {:?}, \
             contact {:?}, retried by {:?}",
            self.messages.len(),
            self.name,
            self.delivered.map(|delivered| message(number, delivered)),
            self.chosen.map(|place| CONTACTS[place]),
            self.contact.map(|place| CONTACTS[place]),
            self.part,
        )
    }
}

impl Entry {
    fn fact(&self, number: u64) -> String {
        let affected: Vec<_> = self.affected.iter().map(|of| message(number, *of)).collect();
        let moments: Vec<_> = self.moments.iter().map(|(time, state, by)| (at(*time), *state, *by)).collect();
        let Self { why, state, attempts, since_retry, touched, reason, ignored_by, ending, person, erased, .. } = self;
        let (seen, next) = ((at(self.first_seen), at(self.last_seen)), next(self.next));
        format!(
            "{state} {why:?} attempts {attempts}/{since_retry} seen {seen:?} next {next} touched {touched} {reason:?} by \
             {ignored_by:?} {ending:?} {person:?} erased {erased} {affected:?} {moments:?}"
        )
    }
}

/// What is on record of what the model knows of, and all causes.
pub(super) async fn on_record(bench: &Bench, model: &Model) -> Facts {
    let (ledger, mut facts) = (&bench.ledger, Facts::new());
    let health = bench.health.borrow().clone();
    let counts = health.sync_errors;
    let counts = [counts.pending, counts.retrying, counts.ignored, counts.resolved];
    for (state, count) in State::ALL.into_iter().zip(counts) {
        facts.insert(format!("{state} in all"), count.to_string());
    }
    let ready = health.waiting + health.sending + health.unmerged as u64;
    let (parked, scheduled, operations) = (health.parked, health.scheduled, health.operations);
    let line = format!("ready {ready}, parked {parked}, scheduled {scheduled}, operations {operations}");
    facts.insert("health".into(), line);
    facts.insert("calls".into(), format!("{} attempts, {} probes", bench.attempts(), bench.probes()));
    let state = ledger.lane_state(&org()).await.expect("a state").unwrap_or_default();
    facts.insert(
        "incident".into(),
        match &state.incident.status {
            IncidentStatus::Closed => "none".into(),
            IncidentStatus::Suspected { in_a_row } => format!("{in_a_row} in a row"),
            IncidentStatus::Open { since, refusal, next_probe_at, probes } => {
                format!("{} since {}, probes {probes}, next {}", refusal.code, at(*since), at(*next_probe_at))
            }
            IncidentStatus::Recovering { .. } => "recovering".into(),
        },
    );
    for group in ledger.groups_of(&org()).await.expect("causes") {
        let counts = [group.counts.pending, group.counts.retrying, group.counts.ignored, group.counts.resolved];
        let failures: u32 = group.failures.hours().map(|(_, count)| count).sum();
        let (seen, assignee) = ((at(group.first_seen), at(group.last_seen)), &group.assignee);
        facts.insert(
            format!("cause {:?}", why(&group.id)),
            format!("{counts:?} {seen:?} {failures} failures, {assignee:?}"),
        );
    }
    for number in model.convs.keys() {
        let id = conversation(*number);
        let delivery = ledger.delivery(&org(), &id).await.expect("a delivery");
        let known = ledger.conversation(&org(), &id).await.expect("a conversation").expect("it is on record");
        facts.insert(format!("conversation {number}"), conversation_fact(&delivery, known.customer.name.as_ref()));
        assert_eq!(delivery.wanted, known.version);
        for place in 0..delivery.errors {
            let id = crate::domain::SyncErrorId::of(&org(), &id, place + 1);
            let error = ledger.sync_error(&id).await.expect("a sync error").expect("it is on record");
            facts.insert(format!("sync error {number}/{place} {id}"), error_fact(&error));
        }
    }
    for (number, it) in &model.operations {
        let found = ledger.operation(&it.id).await.expect("an operation");
        let [(_, place, operation)] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!(place, number, "operations are numbered as they begin");
        facts.insert(format!("operation {number} {}", it.id), operation_fact(operation));
    }
    facts
}

fn conversation_fact(delivery: &Delivery, name: Option<&String>) -> String {
    let does = match delivery.phase {
        Phase::Idle => "Nothing".to_owned(),
        Phase::Held => "Held".to_owned(),
        Phase::Waiting { until } => format!("waits until {}", at(until)),
        Phase::Parked { .. } => "Parked".to_owned(),
        phase => format!("{phase:?}"),
    };
    let Delivery { attempts, errors, wanted, chosen, records, .. } = delivery;
    let part = delivery.operation.as_ref().map(|of| (of.number, why(&of.group), of.waits));
    format!(
        "{does}, tries {attempts}, errors {errors}, open {:?}, version {wanted}, name {name:?}, delivered {:?}, chosen {:?}, contact \
         {:?}, retried by {part:?}",
        delivery.open.as_ref().map(|open| open.state),
        delivery.delivered.as_ref().map(ToString::to_string),
        chosen.as_ref().map(|chosen| chosen.pick.to_string()),
        records.contact.as_ref().map(ToString::to_string),
    )
}

fn error_fact(error: &SyncError) -> String {
    let affected: Vec<_> = error.affected.iter().map(ToString::to_string).collect();
    assert_eq!(error.affected_count, affected.len() as u64);
    let moments = error.history.iter().map(|moment| (at(moment.at), moment.state, moment.by.is_some()));
    let moments: Vec<_> = moments.collect();
    let SyncError { state, attempts, attempts_since_retry, touched_by, reason, operation, ending, .. } = error;
    let (seen, touched) = ((at(error.first_seen), at(error.last_seen)), touched_by.is_some());
    let next = next(error.next_attempt_at.map(|at| When(at, at)));
    let person = error.person.as_ref().and_then(|person| person.name.clone());
    format!(
        "{state} {:?} attempts {attempts}/{attempts_since_retry} seen {seen:?} next {next} touched {touched} {reason:?} by \
         {operation:?} {ending:?} {person:?} erased {} {affected:?} {moments:?}",
        why(&error.group),
        error.refusal.text == ERASED,
    )
}

fn operation_fact(operation: &Operation) -> String {
    let Operation { status, matched, done, skipped, retried, failed_as, stopped, .. } = operation;
    let failed_as: BTreeMap<_, _> = failed_as.iter().map(|(group, count)| (why(group), *count)).collect();
    let stopped: std::collections::BTreeSet<_> = stopped.iter().map(why).collect();
    let parts = (status.as_str(), operation.ended_at.is_some(), matched.unwrap_or_default(), *done, *skipped);
    let retried: &BTreeMap<Retried, u64> = retried;
    format!("{parts:?} {retried:?} as {failed_as:?} stopped {stopped:?} under way {}", operation.under_way())
}

/// What gets through, from now on.
pub(super) fn mood(model: &mut Model, bench: &Bench, mood: Mood) {
    model.mood = mood;
    bench.mood(mood);
}

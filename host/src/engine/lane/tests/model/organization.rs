//! The model of an organization: which attempts are made and what they lead to, and its incident.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::conversations::{Conv, Does};
use super::entries::{Entry, When, Why};
use super::operations::{InModel, Outcome};
use crate::domain::{State, Timestamp};
use crate::engine::lane::tests::bench::{Mood, START};

/// So many unanswered calls in a row are an outage.
const IN_A_ROW: u32 = 5;

/// What is wrong with the organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrong {
    Nothing,
    Unanswered(u32),
    Open { since: Timestamp, why: Why, next: Timestamp, probes: u32 },
}

/// A cause, beside its counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) first_seen: Timestamp,
    pub(super) last_seen: Timestamp,
    pub(super) failures: u64,
    pub(super) assignee: Option<String>,
}

/// What has to be there.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) now: Timestamp,
    pub(super) mood: Mood,
    pub(super) says: BTreeMap<u64, Why>,
    pub(super) convs: BTreeMap<u64, Conv>,
    pub(super) wrong: Wrong,
    pub(super) causes: BTreeMap<Why, Known>,
    /// Causes that nothing was left of in this move: whether what fails next is in a new one depends on who comes first.
    pub(super) emptied: BTreeSet<Why>,
    /// By their numbers.
    pub(super) operations: BTreeMap<u64, InModel>,
    pub(super) attempts: usize,
    pub(super) probes: usize,
    /// How many attempts of this move began first, side by side.
    pub(super) first_batch: Option<usize>,
    pub(super) messages: u64,
}

impl Model {
    pub(super) fn new() -> Self {
        Self {
            now: Timestamp::from_millis(START),
            mood: Mood::Good,
            says: BTreeMap::new(),
            convs: BTreeMap::new(),
            wrong: Wrong::Nothing,
            causes: BTreeMap::new(),
            emptied: BTreeSet::new(),
            operations: BTreeMap::new(),
            attempts: 0,
            probes: 0,
            first_batch: None,
            messages: 0,
        }
    }

    pub(super) const fn is_open(&self) -> bool {
        matches!(self.wrong, Wrong::Open { .. })
    }

    /// Every sync error with the number of its conversation, in the order of lists.
    pub(super) fn entries(&self) -> Vec<(u64, &Entry)> {
        let all = self.convs.iter().flat_map(|(number, conv)| conv.errors.iter().map(|error| (*number, error)));
        let mut all: Vec<_> = all.collect();
        all.sort_by_key(|(_, error)| (error.first_seen, error.id.clone()));
        all
    }

    pub(super) fn arrive(&mut self, number: u64, name: String) {
        self.messages += 1;
        self.convs.entry(number).or_insert_with(|| Conv::new(number)).arrive(self.messages, name);
    }

    /// Time passes.
    pub(super) fn pass(&mut self, by: Duration) {
        self.now = self.now.after(by);
        for conv in self.convs.values_mut() {
            if matches!(conv.does, Does::Waits(When(at, _)) if at <= self.now) {
                conv.does = Does::Ready;
            }
        }
    }

    /// Somebody says that the cause of the incident is gone.
    pub(super) fn lift(&mut self) {
        if let Wrong::Open { next, .. } = &mut self.wrong {
            *next = self.now;
        }
    }

    /// Everything is done that waits for no time.
    pub(super) fn settle(&mut self) {
        self.act();
        loop {
            let of =
                |does: Does| self.convs.iter().filter(move |(_, conv)| conv.does == does).map(|(number, _)| *number);
            let (ready, parked): (Vec<_>, Vec<_>) = (of(Does::Ready).collect(), of(Does::Parked).collect());
            if let Wrong::Open { next, .. } = self.wrong {
                if next > self.now {
                    ready.iter().for_each(|number| self.conv(*number).does = Does::Parked);
                    break;
                }
                match ready.iter().chain(&parked).next() {
                    Some(number) => self.attempt(*number, true),
                    None => self.probe(),
                }
                continue;
            }
            parked.iter().for_each(|number| self.conv(*number).does = Does::Ready);
            self.take_up();
            let batch = self.convs.iter().filter(|(_, conv)| conv.does == Does::Ready).map(|(number, _)| *number);
            let batch: Vec<_> = batch.collect();
            if batch.is_empty() {
                break;
            }
            self.first_batch.get_or_insert(batch.len());
            batch.into_iter().for_each(|number| self.attempt(number, false));
        }
        self.end_operations();
    }

    pub(super) fn conv(&mut self, number: u64) -> &mut Conv {
        self.convs.get_mut(&number).expect("a conversation")
    }

    fn probe(&mut self) {
        self.probes += 1;
        match self.mood {
            Mood::Outage => self.refused(Why::Outage, true),
            Mood::Dead => self.refused(Why::Dead, true),
            _ => self.wrong = Wrong::Nothing,
        }
    }

    fn attempt(&mut self, number: u64, is_probe: bool) {
        self.take_off(number);
        self.land(number, is_probe);
    }

    /// An attempt begins.
    pub(super) fn take_off(&mut self, number: u64) {
        self.attempts += 1;
        self.conv(number).takes_off();
    }

    /// An attempt ends.
    pub(super) fn land(&mut self, number: u64, is_probe: bool) {
        let said = self.says.get(&number).copied();
        let Does::Flies(flight) = self.conv(number).does else { return };
        let of_org = match self.mood {
            Mood::Outage => Some(Why::Outage),
            Mood::Dead => Some(Why::Dead),
            _ => None,
        };
        if let Some(why) = of_org {
            self.refused(why, is_probe);
            match self.is_open() {
                true => self.conv(number).parks(),
                false => self.fail(number, why, true),
            }
            return;
        }
        self.wrong = Wrong::Nothing;
        match said.filter(|why| *why != Why::Contact || flight.chosen.is_none()) {
            Some(why) => self.fail(number, why, true),
            None => {
                self.came_out(number, Outcome::Passed, None);
                let now = self.now;
                self.conv(number).gets_through(now);
            }
        }
    }

    /// The organization as a whole refuses.
    fn refused(&mut self, why: Why, is_probe: bool) {
        let (now, first) = (self.now, if why == Why::Outage { 10 } else { 120 });
        let longest = if why == Why::Outage { 120 } else { 3_600 };
        let open = |since, probes: u32| {
            let wait = (first << probes.min(10)).min(longest);
            Wrong::Open { since, why, next: now.after(Duration::from_secs(wait)), probes }
        };
        self.wrong = match self.wrong {
            Wrong::Open { since, probes, .. } if is_probe => open(since, probes + 1),
            known @ Wrong::Open { .. } => known,
            _ if why == Why::Dead => open(now, 0),
            Wrong::Unanswered(times) if times + 1 >= IN_A_ROW => open(now, 0),
            Wrong::Unanswered(times) => Wrong::Unanswered(times + 1),
            Wrong::Nothing => Wrong::Unanswered(1),
        };
    }

    fn fail(&mut self, number: u64, why: Why, may_pass: bool) {
        let now = self.now;
        let conv = self.conv(number);
        let is_alike = conv.open().is_some_and(|error| error.why == why);
        if !conv.is_asked_again() {
            self.came_out(number, if is_alike { Outcome::Alike } else { Outcome::Otherwise }, Some(why));
        }
        self.conv(number).fails(why, may_pass, now);
        // What is ignored in silence stays the cause that was ignored.
        let why = self.conv(number).open().expect("it failed").why;
        let cause = self.causes.entry(why).or_insert_with(|| Known { first_seen: now, ..Known::default() });
        (cause.last_seen, cause.failures) = (now, cause.failures + 1);
        self.forget_empty();
    }

    /// A cause is known as long as it has a sync error.
    fn forget_empty(&mut self) {
        let left: BTreeSet<_> = self.convs.values().flat_map(|conv| &conv.errors).map(|error| error.why).collect();
        self.emptied.extend(self.causes.keys().filter(|why| !left.contains(why)));
        self.causes.retain(|why, _| left.contains(why));
    }

    /// A conversation that waits for the end of the incident is not to be written; answers whether it is one.
    pub(super) fn ignore_parked(&mut self, number: u64) -> bool {
        let Wrong::Open { why, .. } = self.wrong else { return false };
        if self.convs.get(&number).is_none_or(|conv| conv.does != Does::Parked) {
            return false;
        }
        if self.conv(number).has_more() {
            self.conv(number).takes_off();
            self.fail(number, why, false);
        }
        if self.conv(number).open().is_some_and(|error| error.state != State::Ignored) {
            self.ignore(number, super::REASON, None);
        }
        true
    }

    /// A conversation is forgotten, with its customer; operations over that customer end.
    pub(super) fn erase(&mut self, number: u64) {
        let Some(conv) = self.convs.get_mut(&number) else { return };
        let people: BTreeSet<_> =
            conv.errors.iter().map(|error| &error.person).chain([&conv.name]).flatten().cloned().collect();
        conv.erase();
        for operation in self.operations.values_mut().filter(|it| !it.is_over) {
            operation.forget(&people);
        }
    }

    /// The open sync error of a conversation, which is not ignored, is from now on.
    pub(super) fn ignore(&mut self, number: u64, reason: &str, operation: Option<u64>) {
        let now = self.now;
        self.came_out(number, Outcome::Changed, None);
        self.conv(number).ignore(reason, operation, now);
    }
}

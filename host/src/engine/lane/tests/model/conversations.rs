//! The model of a conversation and its sync errors: what has to become of them, and nothing of how the lane does that.

use std::time::Duration;

use super::entries::{Entry, When, Why};
use crate::domain::{ConversationId, Ending, State, SyncErrorId, Timestamp};
use crate::engine::lane::tests::bench::{conversation, org};

/// Attempts at what passes by itself, before a person is waited for.
const TRIES: u32 = 12;
/// What a conversation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Does {
    Nothing,
    /// Waits for a person.
    Held,
    Waits(When),
    Parked,
    /// Is attempted before the move is over.
    Ready,
    Flies(Flight),
}

/// An attempt on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Flight {
    /// So many messages it carries.
    carries: usize,
    /// Whether somebody has asked for another one meanwhile.
    again: bool,
    /// The contact that had been chosen when it began.
    pub(super) chosen: Option<usize>,
}

/// A conversation.
#[derive(Debug, Clone)]
pub(super) struct Conv {
    pub(super) id: ConversationId,
    pub(super) messages: Vec<u64>,
    /// The newest message that got through.
    pub(super) delivered: Option<u64>,
    pub(super) name: Option<String>,
    /// So many messages there were when it was erased.
    pub(super) erased: usize,
    pub(super) does: Does,
    pub(super) tries: u32,
    pub(super) errors: Vec<Entry>,
    /// So many messages there were when the open sync error failed last, and when it was ignored.
    failed_at: usize,
    ignored_at: usize,
    /// The operation that retried it last, under which cause, and whether that has not come out.
    pub(super) part: Option<(u64, Why, bool)>,
    pub(super) chosen: Option<usize>,
    pub(super) contact: Option<usize>,
}

impl Conv {
    pub(super) fn new(number: u64) -> Self {
        Self {
            id: conversation(number),
            messages: Vec::new(),
            delivered: None,
            name: None,
            erased: 0,
            does: Does::Nothing,
            tries: 0,
            errors: Vec::new(),
            failed_at: 0,
            ignored_at: 0,
            part: None,
            chosen: None,
            contact: None,
        }
    }

    pub(super) fn open(&self) -> Option<&Entry> {
        self.errors.last().filter(|error| error.state != State::Resolved)
    }

    /// Whether there is a message that its sync error was not about when it failed last, or was ignored.
    pub(super) fn has_more(&self) -> bool {
        self.open().is_none() || self.failed_at.max(self.ignored_at) < self.messages.len()
    }

    pub(super) fn open_mut(&mut self) -> Option<&mut Entry> {
        self.errors.last_mut().filter(|error| error.state != State::Resolved)
    }

    /// A change of its sync error brings back nothing that was forgotten.
    fn written(&mut self) {
        let about = if let Does::Flies(flight) = self.does { flight.carries } else { self.messages.len() };
        if about <= self.erased
            && let Some(error) = self.errors.last_mut()
        {
            error.erase();
        }
    }

    /// Chance has decided when it is tried again.
    pub(super) fn waits_until(&mut self, when: When) {
        if matches!(self.does, Does::Waits(_)) {
            self.does = Does::Waits(when);
        }
        if let Some(error) = self.open_mut() {
            error.next = Some(when);
        }
    }

    pub(super) fn arrive(&mut self, message: u64, name: String) {
        self.messages.push(message);
        self.name = Some(name);
        if !matches!(self.does, Does::Flies(_)) {
            self.again();
        }
    }

    fn again(&mut self) {
        if let Does::Flies(flight) = &mut self.does {
            flight.again = true;
            return;
        }
        self.tries = 0;
        if self.does != Does::Parked {
            self.does = Does::Ready;
        }
    }

    /// Somebody asks for another attempt.
    pub(super) fn retry(&mut self, now: Timestamp) {
        if let Some(error) = self.open_mut() {
            (error.next, error.since_retry, error.touched) = (Some(When(now, now)), 0, true);
            error.ignored_by = None;
            error.becomes(State::Retrying, true, now);
            self.written();
        }
        self.again();
    }

    pub(super) fn reopen(&mut self, now: Timestamp) {
        let Some(error) = self.open_mut() else { return };
        (error.touched, error.reason, error.ignored_by) = (true, None, None);
        error.becomes(State::Pending, true, now);
        self.written();
        self.ignored_at = 0;
        if self.does == Does::Nothing {
            self.does = Does::Held;
        }
    }

    pub(super) fn ignore(&mut self, reason: &str, operation: Option<u64>, now: Timestamp) {
        let flies = if let Does::Flies(flight) = self.does { flight.carries } else { 0 };
        self.ignored_at = self.failed_at.max(flies);
        let Some(error) = self.open_mut() else { return };
        (error.reason, error.ignored_by, error.next) = (Some(reason.to_owned()), operation, None);
        error.touched = true;
        error.becomes(State::Ignored, true, now);
        self.written();
        match &mut self.does {
            Does::Flies(flight) => flight.again = false,
            Does::Parked if self.ignored_at < self.messages.len() => {}
            does => *does = Does::Nothing,
        }
    }

    pub(super) fn erase(&mut self) {
        (self.erased, self.name) = (self.messages.len(), None);
        self.errors.iter_mut().for_each(Entry::erase);
    }

    /// An attempt begins.
    pub(super) fn takes_off(&mut self) {
        let flight = Flight { carries: self.messages.len(), again: false, chosen: self.chosen };
        self.does = Does::Flies(flight);
    }

    fn flight(&self) -> Flight {
        if let Does::Flies(flight) = self.does { flight } else { panic!("nothing is on its way: {self:?}") }
    }

    /// What is on its way is so no more, and is sent again.
    pub(super) fn breaks_off(&mut self) {
        self.does = Does::Ready;
    }

    pub(super) fn is_asked_again(&self) -> bool {
        self.flight().again
    }

    /// It waits for the end of the incident, unless all of it had failed before that was ignored.
    pub(super) fn parks(&mut self) {
        let is_ignored = self.open().is_some_and(|error| error.state == State::Ignored);
        let is_over = is_ignored && self.failed_at == self.messages.len();
        self.does = if is_over { Does::Nothing } else { Does::Parked };
    }

    pub(super) fn gets_through(&mut self, now: Timestamp) {
        let flight = self.flight();
        let newest = self.messages.get(flight.carries - 1).copied();
        if let Some(error) = self.open_mut() {
            let is_newest = error.affected.last().copied() == newest;
            error.ending = Some(if is_newest { Ending::Delivered } else { Ending::Superseded });
            (error.next, error.ignored_by) = (None, None);
            error.becomes(State::Resolved, false, now);
            self.written();
        }
        (self.delivered, self.tries, self.part) = (newest, 0, None);
        self.contact = flight.chosen.or(self.contact);
        let is_sent_again =
            flight.carries < self.messages.len() || (self.chosen.is_some() && self.contact != self.chosen);
        self.does = if is_sent_again { Does::Ready } else { Does::Nothing };
    }

    /// It fails, and is tried again by itself if it `may` be.
    pub(super) fn fails(&mut self, why: Why, may: bool, now: Timestamp) {
        let flight = self.flight();
        self.tries += 1;
        let wait = Duration::from_secs(1 << (self.tries - 1).min(20)).min(Duration::from_secs(300));
        let passes = may && why.passes() && self.tries < TRIES;
        let next = match flight.again {
            true => Some(When(now, now)),
            false => passes.then(|| When(now.after(wait / 2), now.after(wait / 2 + wait))),
        };
        let is_silent = self.open().is_some_and(|error| {
            error.state == State::Ignored && (error.why == why || self.ignored_at >= flight.carries)
        });
        let sent = &self.messages[..flight.carries];
        let after = sent.iter().filter(|message| self.delivered.is_none_or(|delivered| **message > delivered)).copied();
        let mut affected: Vec<_> = after.collect();
        if affected.is_empty() {
            affected.extend(sent.last());
        }
        self.failed_at = flight.carries;
        if is_silent {
            self.open_mut().expect("it is ignored").failed(affected, now);
        } else {
            if self.open().is_none() {
                let place = u32::try_from(self.errors.len()).expect("few") + 1;
                self.errors.push(Entry::new(SyncErrorId::of(&org(), &self.id, place), why, now));
            }
            self.ignored_at = 0;
            let error = self.open_mut().expect("it is open");
            (error.why, error.next, error.reason, error.ignored_by) = (why, next, None, None);
            error.erased = false;
            error.becomes(if next.is_some() { State::Retrying } else { State::Pending }, false, now);
            error.failed(affected, now);
        }
        self.errors.last_mut().expect("it failed").person = self.name.clone();
        self.written();
        self.does = match next {
            _ if flight.carries < self.messages.len() => Does::Ready,
            _ if is_silent => Does::Nothing,
            Some(_) if flight.again => Does::Ready,
            next => next.map_or(Does::Held, Does::Waits),
        };
        if self.does == Does::Ready {
            self.tries = 0;
        }
    }
}

//! The conversations of a lane that wait, as a window on the ledger's indexes: a backlog of a million costs no more memory
//! than one of some thousand. The window may hold what has moved on meanwhile; what is popped is looked at again.

use std::collections::{BTreeSet, HashSet, VecDeque};

use crate::domain::{ConversationId, OrgId, Timestamp, Work};
use crate::ledger::{Ledger, Queued};
use crate::store;

/// Conversations of each kind that are held in memory.
const WINDOW: usize = 2_000;
/// Who gets the next places while all wait: new traffic the most, what many were asked for at once the least.
const SHARES: [Queued; 8] = [
    Queued::Ready(Work::New),
    Queued::Ready(Work::New),
    Queued::Ready(Work::Due),
    Queued::Ready(Work::New),
    Queued::Parked,
    Queued::Ready(Work::New),
    Queued::Ready(Work::Due),
    Queued::Ready(Work::Operation),
];
/// Who gets a place that the one whose share it is does not need.
const INSTEAD: [Queued; 4] =
    [Queued::Ready(Work::New), Queued::Ready(Work::Due), Queued::Parked, Queued::Ready(Work::Operation)];

/// A part of an index, from its beginning.
#[derive(Debug, Default)]
struct Window {
    ids: VecDeque<ConversationId>,
    /// Whether it holds all that the index has.
    complete: bool,
}

/// What waits for a place, and what waits for its time.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    new: Window,
    due: Window,
    operation: Window,
    parked: Window,
    timers: BTreeSet<(Timestamp, ConversationId)>,
    /// Whether the timers are all that the index has.
    all_timers: bool,
    /// How many places were given, for the shares.
    given: usize,
    /// So many timers are due whatever their time, because the clock went back.
    early: u64,
    /// The same, as it was before the turn that goes on: one that fails gives them back.
    early_before: u64,
}

impl Backlog {
    /// Waits for a place.
    pub(super) fn push(&mut self, queued: Queued, id: ConversationId) {
        let newest_first = queued == Queued::Parked;
        let window = self.window(queued);
        match (newest_first, window.complete || !window.ids.is_empty()) {
            (true, true) => window.ids.push_front(id),
            (false, _) if window.complete => window.ids.push_back(id),
            _ => {}
        }
        if window.ids.len() > WINDOW {
            window.ids.pop_back();
            window.complete = false;
        }
    }

    /// Waits for its time.
    pub(super) fn wake_at(&mut self, at: Timestamp, id: ConversationId) {
        if self.all_timers || self.timers.last().is_some_and(|(last, _)| at < *last) {
            self.timers.insert((at, id));
        }
        if self.timers.len() > WINDOW {
            self.timers.pop_last();
            self.all_timers = false;
        }
    }

    /// Fills the windows that are empty. What is `under_way` still stands at the beginning of its index.
    pub(super) async fn refill(
        &mut self,
        ledger: &Ledger,
        org: &OrgId,
        under_way: &HashSet<ConversationId>,
    ) -> Result<(), store::Error> {
        for queued in INSTEAD {
            let window = self.window(queued);
            if !window.ids.is_empty() || window.complete {
                continue;
            }
            let limit = WINDOW / 2 + under_way.len();
            let found = ledger.queued(org, queued, limit).await?;
            window.complete = found.len() < limit;
            window.ids = found.into_iter().map(|(_, id)| id).filter(|id| !under_way.contains(id)).collect();
        }
        if self.timers.is_empty() && !self.all_timers {
            let found = ledger.due(org, WINDOW / 2).await?;
            self.all_timers = found.len() < WINDOW / 2;
            self.timers = found.into_iter().collect();
        }
        Ok(())
    }

    /// Forgets what it holds: the ledger knows it.
    pub(super) fn forget(&mut self) {
        let early = self.early_before;
        *self = Self { given: self.given, early, early_before: early, ..Self::default() };
    }

    /// The clock went back: everything that waits for its time is due; so many conversations are that, and the window may
    /// hold timers of others that have moved on.
    pub(super) fn clock_went_back(&mut self, waiting: u64) {
        self.early = waiting + self.timers.len() as u64;
        self.early_before = self.early;
    }

    /// What the turn took is written.
    pub(super) const fn written(&mut self) {
        self.early_before = self.early;
    }

    /// Whether something is known to wait for a place.
    pub(super) fn has(&self, queued: Queued) -> bool {
        !self.of(queued).ids.is_empty()
    }

    /// Whether a window may have to be filled before it says what waits.
    pub(super) fn wants_refill(&self) -> bool {
        let empty = |queued: Queued| self.of(queued).ids.is_empty() && !self.of(queued).complete;
        INSTEAD.into_iter().any(empty) || (self.timers.is_empty() && !self.all_timers)
    }

    /// Whether anything is known to wait for a place.
    pub(super) fn waits(&self) -> bool {
        INSTEAD.into_iter().any(|queued| self.has(queued))
    }

    /// Who gets the next place: by shares where all wait.
    pub(super) fn pop(&mut self) -> Option<(Queued, ConversationId)> {
        let turn = SHARES[self.given % SHARES.len()];
        let queued = std::iter::once(turn).chain(INSTEAD).find(|queued| self.has(*queued))?;
        self.given += 1;
        self.pop_of(queued).map(|id| (queued, id))
    }

    /// Waits on, before all others of its kind.
    pub(super) fn put_back(&mut self, queued: Queued, id: ConversationId) {
        self.window(queued).ids.push_front(id);
    }

    /// The next one of a kind.
    pub(super) fn pop_of(&mut self, queued: Queued) -> Option<ConversationId> {
        self.window(queued).ids.pop_front()
    }

    /// One whose time has come; and whether that is only because the clock went back.
    pub(super) fn pop_due(&mut self, now: Timestamp) -> Option<(ConversationId, bool)> {
        let (at, _) = self.timers.first()?;
        let early = *at > now;
        if early && self.early == 0 {
            return None;
        }
        let taken = self.timers.pop_first();
        let last = self.timers.is_empty() && self.all_timers;
        self.early = if last { 0 } else { self.early.saturating_sub(1) };
        taken.map(|(_, id)| (id, early))
    }

    /// When the next time comes.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        let first = self.timers.first().map(|(at, _)| *at);
        if self.early > 0 { first.map(|_| Timestamp::default()) } else { first }
    }

    const fn of(&self, queued: Queued) -> &Window {
        match queued {
            Queued::Ready(Work::New) => &self.new,
            Queued::Ready(Work::Due) => &self.due,
            Queued::Ready(Work::Operation) => &self.operation,
            Queued::Parked => &self.parked,
        }
    }

    const fn window(&mut self, queued: Queued) -> &mut Window {
        match queued {
            Queued::Ready(Work::New) => &mut self.new,
            Queued::Ready(Work::Due) => &mut self.due,
            Queued::Ready(Work::Operation) => &mut self.operation,
            Queued::Parked => &mut self.parked,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(kinds: &[Queued], of_each: usize) -> Backlog {
        let mut backlog = Backlog::default();
        for queued in kinds {
            backlog.window(*queued).complete = true;
            for number in 0..of_each {
                backlog.push(*queued, ConversationId::new(format!("main:{number}")).unwrap());
            }
        }
        backlog
    }

    fn given(backlog: &mut Backlog, places: usize) -> Vec<Queued> {
        (0..places).map_while(|_| backlog.pop()).map(|(queued, _)| queued).collect()
    }

    fn count(given: &[Queued], of: Queued) -> usize {
        given.iter().filter(|queued| **queued == of).count()
    }

    #[test]
    fn what_an_operation_retries_gets_one_place_of_eight_while_everything_waits() {
        let mut backlog = with(&INSTEAD, 100);
        let given = given(&mut backlog, 80);
        let shares = INSTEAD.map(|queued| count(&given, queued));
        assert_eq!(shares, [40, 20, 10, 10]);
    }

    #[test]
    fn who_waits_alone_gets_every_place_and_new_traffic_those_that_nobody_needs() {
        let operation = Queued::Ready(Work::Operation);
        assert_eq!(given(&mut with(&[operation], 100), 50), vec![operation; 50]);
        let new = Queued::Ready(Work::New);
        let given = given(&mut with(&[new, operation], 100), 80);
        assert_eq!((count(&given, new), count(&given, operation)), (70, 10));
    }
}

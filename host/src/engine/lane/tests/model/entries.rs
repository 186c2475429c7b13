//! The model of a sync error, and why there is one.

use crate::domain::{Class, Ending, Refusal, State, SyncErrorId, Timestamp};
use crate::engine::lane::tests::bench::{CONTACTS, dead, outage};

pub(super) const ERASED: &str = "(erased)";

/// Why something did not get through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Why {
    Queue,
    Rule,
    Lock,
    Contact,
    Outage,
    Dead,
}

impl Why {
    pub(super) const ALL: [Self; 6] = [Self::Queue, Self::Rule, Self::Lock, Self::Contact, Self::Outage, Self::Dead];
    pub(super) const OF_RECORDS: [Self; 4] = [Self::Queue, Self::Rule, Self::Lock, Self::Contact];

    pub(super) fn refusal(self) -> Refusal {
        match self {
            Self::Queue => Refusal::new(Class::Config, "QUEUE_NOT_FOUND", "no such queue"),
            Self::Rule => Refusal::new(Class::Record, "FIELD_CUSTOM_VALIDATION_EXCEPTION", "a rule"),
            Self::Lock => Refusal::new(Class::Transient, "UNABLE_TO_LOCK_ROW", "a lock"),
            Self::Contact => Refusal {
                records: CONTACTS.map(str::to_owned).to_vec(),
                ..Refusal::new(Class::Contact, "CONTACT_AMBIGUOUS", "several")
            },
            Self::Outage => outage(0),
            Self::Dead => dead(),
        }
    }

    /// Whether it passes by itself.
    pub(super) const fn passes(self) -> bool {
        matches!(self, Self::Lock | Self::Outage)
    }
}

/// A time that the model knows, or between which two it is: waits are spread by chance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct When(pub(super) Timestamp, pub(super) Timestamp);

/// A sync error.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) id: SyncErrorId,
    pub(super) why: Why,
    pub(super) state: State,
    pub(super) attempts: u32,
    pub(super) since_retry: u32,
    pub(super) first_seen: Timestamp,
    pub(super) last_seen: Timestamp,
    pub(super) next: Option<When>,
    pub(super) touched: bool,
    pub(super) reason: Option<String>,
    /// The operation that ignored it, if nobody has changed it since.
    pub(super) ignored_by: Option<u64>,
    pub(super) ending: Option<Ending>,
    pub(super) person: Option<String>,
    pub(super) affected: Vec<u64>,
    pub(super) erased: bool,
    /// When it went into which state, and whether a person did that.
    pub(super) moments: Vec<(Timestamp, State, bool)>,
}

impl Entry {
    pub(super) fn erase(&mut self) {
        (self.erased, self.person) = (true, None);
        self.reason = self.reason.take().map(|_| ERASED.to_owned());
    }

    pub(super) fn becomes(&mut self, state: State, by_person: bool, now: Timestamp) {
        let is_same = self.state == state && !self.moments.is_empty();
        self.state = state;
        if !is_same || by_person {
            self.moments.push((now, state, by_person));
        }
    }

    pub(super) fn failed(&mut self, affected: Vec<u64>, now: Timestamp) {
        (self.attempts, self.since_retry, self.last_seen) = (self.attempts + 1, self.since_retry + 1, now);
        let known = self.affected.clone();
        self.affected.extend(affected.into_iter().filter(|message| !known.contains(message)));
    }
}

impl Entry {
    pub(super) fn new(id: SyncErrorId, why: Why, now: Timestamp) -> Self {
        Self {
            id,
            why,
            state: State::Pending,
            attempts: 0,
            since_retry: 0,
            first_seen: now,
            last_seen: now,
            next: None,
            touched: false,
            reason: None,
            ignored_by: None,
            ending: None,
            person: None,
            affected: Vec::new(),
            erased: false,
            moments: Vec::new(),
        }
    }
}

//! Which records leave in one call: up to 200 of one object, no two calls at once that touch one parent, and fewer after a
//! lock.

use std::collections::{HashMap, HashSet, VecDeque};

use serde_json::{Map, Value};
use tokio::sync::oneshot;

use crate::domain::{RecordId, Refusal};
use crate::telemetry::Here;

/// How many records one call may write: Salesforce's bound.
pub const RECORDS: usize = 200;
/// How often a few records that become more wait for another moment.
const MOMENTS: u8 = 10;

/// How many records are remembered as locked; those beyond leave with as many as any other.
const REMEMBERED: usize = 10_000;

/// What an upsert did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upserted {
    /// The record.
    pub record: RecordId,
    /// Whether it is new.
    pub created: bool,
}

/// The objects that are written many at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Object {
    Case,
    Conversation,
}

/// Records that may leave in one call: those of an object that were locked leave apart from its others, which they would
/// hold up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BatchKey {
    object: Object,
    locked: bool,
}

impl BatchKey {
    const ALL: [Self; 4] = [
        Self { object: Object::Case, locked: false },
        Self { object: Object::Conversation, locked: false },
        Self { object: Object::Case, locked: true },
        Self { object: Object::Conversation, locked: true },
    ];

    fn place(self) -> usize {
        self.object as usize + if self.locked { 2 } else { 0 }
    }
}

/// A record that is to be written.
pub(super) struct PendingWrite {
    /// Its external id.
    pub(super) id: String,
    /// Its fields, without the external id.
    pub(super) fields: Map<String, Value>,
    /// Records that Salesforce locks while it writes this one.
    pub(super) parents: Vec<RecordId>,
    /// Whether it was sent before, and refused because another write of it had been faster.
    pub(super) again: bool,
    /// The attempt that writes it.
    pub(super) attempt: Here,
    /// Takes the answer about this record.
    pub(super) reply: oneshot::Sender<Result<Upserted, Refusal>>,
}

/// Records that leave in one call. Their parents stay taken until [`Batcher::returned`].
pub(super) struct UpsertBatch {
    pub(super) object: Object,
    pub(super) entries: Vec<PendingWrite>,
    key: BatchKey,
    parents: HashSet<RecordId>,
}

impl UpsertBatch {
    /// What has to be told when the call is over.
    pub(super) fn over(&self) -> (BatchKey, HashSet<RecordId>) {
        (self.key, self.parents.clone())
    }
}

/// What to do next.
pub(super) enum Next {
    Send(UpsertBatch),
    /// A few records wait, and no call is on its way after which more would have come: look again shortly.
    Linger(BatchKey),
    Nothing,
}

/// Records that wait for a call, and the calls that are on their way.
#[derive(Default)]
pub(super) struct Batcher {
    /// How many calls may be on their way, and how many are.
    most: usize,
    calls: usize,
    /// Parents of the records that are on their way.
    taken: HashSet<RecordId>,
    waiting: [Waiting; 4],
    /// The key that is looked at first: each in turn.
    first: usize,
    /// Of each object, records that were locked when they were sent last: with how many, themselves included, they may
    /// leave next.
    locked: [HashMap<String, usize>; 2],
}

/// Records of one key that wait for a call.
#[derive(Default)]
struct Waiting {
    records: VecDeque<PendingWrite>,
    /// How many calls with such records are on their way.
    calls: usize,
    /// Whether a timer is set to look again shortly.
    lingering: bool,
    /// How many waited at the last look, and how many looks there were.
    seen: (usize, u8),
}

impl Waiting {
    /// Whether another timer is needed to look again shortly.
    fn lingers(&mut self, lingered: bool) -> bool {
        let (seen, moments) = self.seen;
        let begins = !lingered && !self.lingering;
        let goes_on = lingered && self.records.len() > seen && moments < MOMENTS;
        if begins || goes_on {
            self.seen = (self.records.len(), if begins { 0 } else { moments + 1 });
            self.lingering = true;
        }
        begins || goes_on
    }
}

impl Batcher {
    pub(super) fn new(most: usize) -> Self {
        Self { most: most.max(1), ..Self::default() }
    }

    /// From now on so many calls may be on their way.
    pub(super) fn set_most(&mut self, most: usize) {
        self.most = most.max(1);
    }

    pub(super) fn add(&mut self, object: Object, entry: PendingWrite) {
        let locked = self.locked[object as usize].contains_key(&entry.id);
        self.waiting[BatchKey { object, locked }.place()].records.push_back(entry);
    }

    /// A full call leaves at once. What does not fill one waits for the call before it, or, where there is none, until no
    /// more has come for a moment: under load calls are full, and without load nobody waits long.
    pub(super) fn next(&mut self, lingered: Option<BatchKey>) -> Next {
        if let Some(key) = lingered {
            self.waiting[key.place()].lingering = false;
        }
        if self.calls >= self.most {
            return Next::Nothing;
        }
        // The one that has waited comes first: its wait would be lost with another's turn.
        let first = lingered.map_or(self.first, BatchKey::place);
        for place in (first..first + BatchKey::ALL.len()).map(|place| place % BatchKey::ALL.len()) {
            let (key, waiting) = (BatchKey::ALL[place], &mut self.waiting[place]);
            let full = waiting.records.len() >= RECORDS;
            if waiting.records.is_empty() || (waiting.calls > 0 && !full) {
                continue;
            }
            // More records are of no use to those that wait for a parent.
            if !full && !waiting.records.iter().any(|entry| is_free(entry, &self.taken)) {
                continue;
            }
            if !full {
                if waiting.lingers(lingered == Some(key)) {
                    return Next::Linger(key);
                }
                if waiting.lingering {
                    continue;
                }
            }
            if let Some(batch) = self.batch(key) {
                self.first = place + 1;
                return Next::Send(batch);
            }
        }
        Next::Nothing
    }

    /// The oldest records that may leave now; of those with one external id, one.
    fn batch(&mut self, key: BatchKey) -> Option<UpsertBatch> {
        let (waiting, locked) = (&mut self.waiting[key.place()], &self.locked[key.object as usize]);
        let (mut entries, mut left) = (Vec::new(), VecDeque::new());
        let (mut ids, mut parents, mut most) = (HashSet::new(), HashSet::new(), RECORDS);
        while let Some(entry) = waiting.records.pop_front() {
            let free = is_free(&entry, &self.taken);
            let fits = most.min(locked.get(&entry.id).copied().unwrap_or(RECORDS));
            if entries.len() < fits && free && !ids.contains(&entry.id) {
                most = fits;
                ids.insert(entry.id.clone());
                parents.extend(entry.parents.iter().cloned());
                entries.push(entry);
            } else {
                left.push_back(entry);
            }
        }
        waiting.records = left;
        if entries.is_empty() {
            return None;
        }
        waiting.calls += 1;
        self.calls += 1;
        self.taken.extend(parents.iter().cloned());
        Some(UpsertBatch { object: key.object, entries, key, parents })
    }

    /// A record was locked when it was sent in a call with so many: the next one that takes it has half of them at most.
    /// The more records a call has, the longer it holds what others want, and the more of them it wants itself.
    pub(super) fn locked(&mut self, object: Object, id: &str, records: usize) {
        let locked = &mut self.locked[object as usize];
        if locked.len() < REMEMBERED || locked.contains_key(id) {
            locked.insert(id.to_owned(), (records / 2).max(1));
        }
    }

    /// A record had another answer than that it was locked.
    pub(super) fn unlocked(&mut self, object: Object, id: &str) {
        self.locked[object as usize].remove(id);
    }

    /// A call is over, whatever came of it.
    pub(super) fn returned(&mut self, (key, parents): (BatchKey, HashSet<RecordId>)) {
        self.calls -= 1;
        self.waiting[key.place()].calls -= 1;
        for parent in parents {
            self.taken.remove(&parent);
        }
    }
}

/// Whether no call on its way touches a parent of it.
fn is_free(entry: &PendingWrite, taken: &HashSet<RecordId>) -> bool {
    entry.parents.iter().all(|parent| !taken.contains(parent))
}

#[cfg(test)]
mod tests;

//! Which records leave together: up to 200 of one object in a call, no two calls at once that touch one parent, and fewer
//! after a lock.

use std::collections::{HashMap, HashSet, VecDeque};

use serde_json::{Map, Value};
use tokio::sync::oneshot;

use crate::domain::{RecordId, Refusal};
use crate::salesforce::write::records::Upserted;

/// Records of one call: Salesforce's bound.
pub const RECORDS: usize = 200;
/// So often a few records that become more wait for another moment.
const MOMENTS: u8 = 10;

/// Records that are remembered as locked; what is beyond leaves with as many as any other.
const REMEMBERED: usize = 10_000;

/// The objects that are written many at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Object {
    Case,
    Conversation,
}

/// Records that wait for each other's company: those of an object, apart from those of it that were locked, so that these do
/// not hold up the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line {
    object: Object,
    locked: bool,
}

impl Line {
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
pub(crate) struct Entry {
    /// Its external id.
    pub(crate) id: String,
    /// Its fields, without the external id.
    pub(crate) fields: Map<String, Value>,
    /// Records that Salesforce locks while it writes this one.
    pub(crate) parents: Vec<RecordId>,
    /// Whether it was sent before, and refused because another write of it had been faster.
    pub(crate) again: bool,
    /// Who waits for it.
    pub(crate) reply: oneshot::Sender<Result<Upserted, Refusal>>,
}

/// Records that leave in one call. Its parents stay taken until [`Gathering::returned`].
pub(crate) struct Batch {
    pub(crate) object: Object,
    pub(crate) entries: Vec<Entry>,
    line: Line,
    parents: HashSet<RecordId>,
}

impl Batch {
    /// What has to be told when the call is over.
    pub(crate) fn over(&self) -> (Line, HashSet<RecordId>) {
        (self.line, self.parents.clone())
    }
}

/// What to do next.
pub(crate) enum Next {
    Send(Batch),
    /// A few records wait, and no call is on its way after which more would have come: look again shortly.
    Linger(Line),
    Nothing,
}

/// Records that wait for a call.
pub(crate) struct Gathering {
    /// How many calls may be on their way.
    most: usize,
    calls: usize,
    /// Parents of the records that are on their way.
    taken: HashSet<RecordId>,
    queues: [Queue; 4],
    /// The queue that is looked at first: each in turn.
    first: usize,
    /// Of each object, records that were locked when they were sent last: with how many, themselves included, they may
    /// leave next.
    locked: [HashMap<String, usize>; 2],
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Entry>,
    calls: usize,
    /// Whether somebody looks again shortly.
    lingering: bool,
    /// How many waited when somebody looked last, and how often somebody has looked.
    seen: (usize, u8),
}

impl Queue {
    /// Whether somebody has to look again shortly, who does not do so already.
    fn lingers(&mut self, lingered: bool) -> bool {
        let (seen, moments) = self.seen;
        let begins = !lingered && !self.lingering;
        let goes_on = lingered && self.waiting.len() > seen && moments < MOMENTS;
        if begins || goes_on {
            self.seen = (self.waiting.len(), if begins { 0 } else { moments + 1 });
            self.lingering = true;
        }
        begins || goes_on
    }
}

impl Gathering {
    pub(crate) fn new(most: usize) -> Self {
        let (calls, taken, queues, first, locked) = Default::default();
        Self { most: most.max(1), calls, taken, queues, first, locked }
    }

    pub(crate) fn add(&mut self, object: Object, entry: Entry) {
        let locked = self.locked[object as usize].contains_key(&entry.id);
        self.queues[Line { object, locked }.place()].waiting.push_back(entry);
    }

    /// A full call leaves at once. What does not fill one waits for the call before it, or, where there is none, until no
    /// more has come for a moment: under load calls are full, and without load nobody waits long.
    pub(crate) fn next(&mut self, lingered: Option<Line>) -> Next {
        if let Some(line) = lingered {
            self.queues[line.place()].lingering = false;
        }
        if self.calls >= self.most {
            return Next::Nothing;
        }
        // The one that has waited comes first: its wait would be lost with another's turn.
        let first = lingered.map_or(self.first, Line::place);
        for place in (first..first + Line::ALL.len()).map(|place| place % Line::ALL.len()) {
            let (line, queue) = (Line::ALL[place], &mut self.queues[place]);
            let full = queue.waiting.len() >= RECORDS;
            if queue.waiting.is_empty() || (queue.calls > 0 && !full) {
                continue;
            }
            // Waiting for company is of no use to what waits for a parent.
            if !full && !queue.waiting.iter().any(|entry| is_free(entry, &self.taken)) {
                continue;
            }
            if !full {
                if queue.lingers(lingered == Some(line)) {
                    return Next::Linger(line);
                }
                if queue.lingering {
                    continue;
                }
            }
            if let Some(batch) = self.batch(line) {
                self.first = place + 1;
                return Next::Send(batch);
            }
        }
        Next::Nothing
    }

    /// The oldest records that may leave now; of those with one external id, one.
    fn batch(&mut self, line: Line) -> Option<Batch> {
        let (queue, locked) = (&mut self.queues[line.place()], &self.locked[line.object as usize]);
        let (mut entries, mut left) = (Vec::new(), VecDeque::new());
        let (mut ids, mut parents, mut most) = (HashSet::new(), HashSet::new(), RECORDS);
        while let Some(entry) = queue.waiting.pop_front() {
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
        queue.waiting = left;
        if entries.is_empty() {
            return None;
        }
        queue.calls += 1;
        self.calls += 1;
        self.taken.extend(parents.iter().cloned());
        Some(Batch { object: line.object, entries, line, parents })
    }

    /// A record was locked when it was sent in a call with so many: the next one that takes it has half of them at most.
    /// The more records a call has, the longer it holds what others want, and the more of them it wants itself.
    pub(crate) fn locked(&mut self, object: Object, id: &str, records: usize) {
        let locked = &mut self.locked[object as usize];
        if locked.len() < REMEMBERED || locked.contains_key(id) {
            locked.insert(id.to_owned(), (records / 2).max(1));
        }
    }

    /// A record had another answer than that it was locked.
    pub(crate) fn unlocked(&mut self, object: Object, id: &str) {
        self.locked[object as usize].remove(id);
    }

    /// A call is over, whatever came of it.
    pub(crate) fn returned(&mut self, (line, parents): (Line, HashSet<RecordId>)) {
        self.calls -= 1;
        self.queues[line.place()].calls -= 1;
        for parent in parents {
            self.taken.remove(&parent);
        }
    }
}

/// Whether no call on its way touches a parent of it.
fn is_free(entry: &Entry, taken: &HashSet<RecordId>) -> bool {
    entry.parents.iter().all(|parent| !taken.contains(parent))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entry(id: u32, parent: Option<u8>) -> Entry {
        let parents = parent.map(|parent| RecordId::new(format!("003{parent:012}")).unwrap()).into_iter().collect();
        let (reply, _) = oneshot::channel();
        Entry { id: id.to_string(), fields: Map::new(), parents, again: false, reply }
    }

    /// What leaves next, when every moment of waiting is over at once.
    fn send(gathering: &mut Gathering) -> Option<Batch> {
        let mut lingered = None;
        loop {
            match gathering.next(lingered.take()) {
                Next::Send(batch) => return Some(batch),
                Next::Linger(object) => lingered = Some(object),
                Next::Nothing => return None,
            }
        }
    }

    #[test]
    fn a_full_call_leaves_at_once_and_the_rest_waits_for_it() {
        let mut gathering = Gathering::new(8);
        (0..450).for_each(|id| gathering.add(Object::Conversation, entry(id, None)));
        let first = send(&mut gathering).unwrap();
        assert_eq!(first.entries.len(), RECORDS);
        assert_eq!(send(&mut gathering).unwrap().entries.len(), RECORDS);
        assert!(matches!(gathering.next(None), Next::Nothing), "fifty wait for one of the calls");
        gathering.returned(first.over());
        assert!(send(&mut gathering).is_none(), "the other is on its way still");
    }

    #[test]
    fn the_first_of_a_few_waits_for_a_moment_only() {
        let mut gathering = Gathering::new(8);
        gathering.add(Object::Case, entry(1, None));
        let Next::Linger(line) = gathering.next(None) else { panic!("it does not wait") };
        gathering.add(Object::Case, entry(2, None));
        assert!(matches!(gathering.next(None), Next::Nothing), "somebody looks again already");
        assert!(matches!(gathering.next(Some(line)), Next::Linger(_)), "more may come");
        let Next::Send(batch) = gathering.next(Some(line)) else { panic!("nothing is sent") };
        assert_eq!(batch.entries.len(), 2);
    }

    #[test]
    fn what_was_locked_leaves_in_half_as_large_a_call_each_time_until_it_leaves_alone() {
        let (mut gathering, mut sizes) = (Gathering::new(1), Vec::new());
        for _ in 0..9 {
            gathering.add(Object::Case, entry(0, None));
            (1..200).for_each(|id| gathering.add(Object::Case, entry(id, None)));
            let first = send(&mut gathering).unwrap();
            sizes.push(first.entries.len());
            gathering.returned(first.over());
            while let Some(rest) = send(&mut gathering) {
                gathering.returned(rest.over());
            }
            (0..200).for_each(|id| gathering.locked(Object::Case, &id.to_string(), first.entries.len()));
        }
        assert_eq!(sizes, [200, 100, 50, 25, 12, 6, 3, 1, 1]);
        (0..200).for_each(|id| gathering.unlocked(Object::Case, &id.to_string()));
        (0..200).for_each(|id| gathering.add(Object::Case, entry(id, None)));
        assert_eq!(send(&mut gathering).unwrap().entries.len(), 200, "it is forgotten");
    }

    #[test]
    fn what_was_locked_does_not_hold_up_the_others() {
        let mut gathering = Gathering::new(1);
        (0..3).for_each(|id| gathering.locked(Object::Conversation, &id.to_string(), 2));
        (0..8).for_each(|id| gathering.add(Object::Conversation, entry(id, None)));
        let mut sizes = Vec::new();
        while let Some(batch) = send(&mut gathering) {
            sizes.push(batch.entries.len());
            gathering.returned(batch.over());
        }
        assert_eq!(sizes, [5, 1, 1, 1]);
    }

    proptest! {
        #[test]
        fn every_record_leaves_once_and_calls_share_no_parent(
            records in prop::collection::vec((0..40_u32, prop::option::of(0..6_u8), any::<bool>()), 1..900),
            most in 1..5_usize,
            locked in prop::collection::hash_map(0..40_u32, 1..RECORDS, 0..10),
            returns in prop::collection::vec(any::<prop::sample::Index>(), 1..50),
        ) {
            let (mut gathering, mut on_the_way) = (Gathering::new(most), Vec::<Batch>::new());
            for (id, records) in &locked {
                for object in [Object::Case, Object::Conversation] {
                    gathering.locked(object, &id.to_string(), *records);
                }
            }
            let (mut left, mut returns) = (records.len(), returns.into_iter().cycle());
            for (id, parent, case) in records {
                let object = if case { Object::Case } else { Object::Conversation };
                gathering.add(object, entry(id, parent));
            }
            while left > 0 {
                while let Some(batch) = send(&mut gathering) {
                    let ids: HashSet<_> = batch.entries.iter().map(|entry| &entry.id).collect();
                    prop_assert!(ids.len() == batch.entries.len() && ids.len() <= RECORDS);
                    let bounds = locked.iter().filter(|(id, _)| ids.contains(&id.to_string()));
                    prop_assert!(bounds.into_iter().all(|(_, records)| ids.len() <= (records / 2).max(1)));
                    for other in &on_the_way {
                        prop_assert!(other.parents.is_disjoint(&batch.parents));
                    }
                    on_the_way.push(batch);
                    prop_assert!(on_the_way.len() <= most);
                }
                prop_assert!(!on_the_way.is_empty(), "{left} records wait for nothing");
                let back = on_the_way.swap_remove(returns.next().unwrap().index(on_the_way.len()));
                left -= back.entries.len();
                gathering.returned(back.over());
            }
        }
    }
}

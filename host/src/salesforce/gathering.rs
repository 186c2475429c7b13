//! Which records leave together: up to 200 of one object in a call, and no two calls at once that touch one parent.

use std::collections::{HashSet, VecDeque};

use serde_json::{Map, Value};
use tokio::sync::oneshot;

use super::records::Upserted;
use crate::domain::{RecordId, Refusal};

/// Records of one call: Salesforce's bound.
pub const RECORDS: usize = 200;
/// So often a few records that become more wait for another moment.
const MOMENTS: u8 = 10;

/// The objects that are written many at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Object {
    Case,
    Conversation,
}

impl Object {
    pub(super) const ALL: [Self; 2] = [Self::Case, Self::Conversation];
}

/// A record that is to be written.
pub(super) struct Entry {
    /// Its external id.
    pub(super) id: String,
    /// Its fields, without the external id.
    pub(super) fields: Map<String, Value>,
    /// Records that Salesforce locks while it writes this one.
    pub(super) parents: Vec<RecordId>,
    /// Whether it was sent before, and refused because another write of it had been faster.
    pub(super) again: bool,
    /// Who waits for it.
    pub(super) reply: oneshot::Sender<Result<Upserted, Refusal>>,
}

/// Records that leave in one call. Its parents stay taken until [`Gathering::returned`].
pub(super) struct Batch {
    pub(super) object: Object,
    pub(super) entries: Vec<Entry>,
    parents: HashSet<RecordId>,
}

impl Batch {
    /// What has to be told when the call is over.
    pub(super) fn over(&self) -> (Object, HashSet<RecordId>) {
        (self.object, self.parents.clone())
    }
}

/// What to do next.
pub(super) enum Next {
    Send(Batch),
    /// A few records wait, and no call is on its way after which more would have come: look again shortly.
    Linger(Object),
    Nothing,
}

/// Records that wait for a call.
pub(super) struct Gathering {
    /// How many calls may be on their way.
    most: usize,
    calls: usize,
    /// Parents of the records that are on their way.
    taken: HashSet<RecordId>,
    queues: [Queue; 2],
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
    pub(super) fn new(most: usize) -> Self {
        Self { most: most.max(1), calls: 0, taken: HashSet::new(), queues: Default::default() }
    }

    pub(super) fn add(&mut self, object: Object, entry: Entry) {
        self.queues[object as usize].waiting.push_back(entry);
    }

    /// A full call leaves at once. What does not fill one waits for the call before it, or, where there is none, until no
    /// more has come for a moment: under load calls are full, and without load nobody waits long.
    pub(super) fn next(&mut self, lingered: Option<Object>) -> Next {
        if let Some(object) = lingered {
            self.queues[object as usize].lingering = false;
        }
        if self.calls >= self.most {
            return Next::Nothing;
        }
        for object in Object::ALL {
            let queue = &self.queues[object as usize];
            let full = queue.waiting.len() >= RECORDS;
            if queue.waiting.is_empty() || (queue.calls > 0 && !full) {
                continue;
            }
            if !full {
                let queue = &mut self.queues[object as usize];
                if queue.lingers(lingered == Some(object)) {
                    return Next::Linger(object);
                }
                if queue.lingering {
                    continue;
                }
            }
            if let Some(batch) = self.batch(object) {
                return Next::Send(batch);
            }
        }
        Next::Nothing
    }

    /// The oldest records that may leave now; of those with one external id, one.
    fn batch(&mut self, object: Object) -> Option<Batch> {
        let queue = &mut self.queues[object as usize];
        let (mut entries, mut left) = (Vec::new(), VecDeque::new());
        let (mut ids, mut parents) = (HashSet::new(), HashSet::new());
        while let Some(entry) = queue.waiting.pop_front() {
            let free = entry.parents.iter().all(|parent| !self.taken.contains(parent));
            if entries.len() < RECORDS && free && !ids.contains(&entry.id) {
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
        Some(Batch { object, entries, parents })
    }

    /// A call is over, whatever came of it.
    pub(super) fn returned(&mut self, (object, parents): (Object, HashSet<RecordId>)) {
        self.calls -= 1;
        self.queues[object as usize].calls -= 1;
        for parent in parents {
            self.taken.remove(&parent);
        }
    }
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
        assert!(matches!(gathering.next(None), Next::Linger(Object::Case)));
        gathering.add(Object::Case, entry(2, None));
        assert!(matches!(gathering.next(None), Next::Nothing), "somebody looks again already");
        assert!(matches!(gathering.next(Some(Object::Case)), Next::Linger(Object::Case)), "more may come");
        let Next::Send(batch) = gathering.next(Some(Object::Case)) else { panic!("nothing is sent") };
        assert_eq!(batch.entries.len(), 2);
    }

    proptest! {
        #[test]
        fn every_record_leaves_once_and_calls_share_no_parent(
            records in prop::collection::vec((0..40_u32, prop::option::of(0..6_u8), any::<bool>()), 1..900),
            most in 1..5_usize,
            returns in prop::collection::vec(any::<prop::sample::Index>(), 1..50),
        ) {
            let (mut gathering, mut on_the_way) = (Gathering::new(most), Vec::<Batch>::new());
            let (mut left, mut returns) = (records.len(), returns.into_iter().cycle());
            for (id, parent, case) in records {
                let object = if case { Object::Case } else { Object::Conversation };
                gathering.add(object, entry(id, parent));
            }
            while left > 0 {
                while let Some(batch) = send(&mut gathering) {
                    let ids: HashSet<_> = batch.entries.iter().map(|entry| &entry.id).collect();
                    prop_assert!(ids.len() == batch.entries.len() && ids.len() <= RECORDS);
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

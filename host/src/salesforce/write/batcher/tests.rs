//! Which records leave together, when, and apart from which others; every one of them once.

use proptest::prelude::*;

use super::*;

fn entry(id: u32, parent: Option<u8>) -> PendingWrite {
    let parents = parent.map(|parent| RecordId::new(format!("003{parent:012}")).unwrap()).into_iter().collect();
    let (reply, _) = oneshot::channel();
    PendingWrite { id: id.to_string(), fields: Map::new(), parents, again: false, attempt: Here::default(), reply }
}

/// What leaves next, when every moment of waiting is over at once.
fn send(batcher: &mut Batcher) -> Option<UpsertBatch> {
    let mut lingered = None;
    loop {
        match batcher.next(lingered.take()) {
            Next::Send(batch) => return Some(batch),
            Next::Linger(object) => lingered = Some(object),
            Next::Nothing => return None,
        }
    }
}

#[test]
fn a_full_call_leaves_at_once_and_the_rest_waits_for_it() {
    let mut batcher = Batcher::new(8);
    (0..450).for_each(|id| batcher.add(Object::Conversation, entry(id, None)));
    let first = send(&mut batcher).unwrap();
    assert_eq!(first.entries.len(), RECORDS);
    assert_eq!(send(&mut batcher).unwrap().entries.len(), RECORDS);
    assert!(matches!(batcher.next(None), Next::Nothing), "fifty wait for one of the calls");
    batcher.returned(first.over());
    assert!(send(&mut batcher).is_none(), "the other is on its way still");
}

#[test]
fn the_first_of_a_few_waits_for_a_moment_only() {
    let mut batcher = Batcher::new(8);
    batcher.add(Object::Case, entry(1, None));
    let Next::Linger(key) = batcher.next(None) else { panic!("it does not wait") };
    batcher.add(Object::Case, entry(2, None));
    assert!(matches!(batcher.next(None), Next::Nothing), "a timer is set already");
    assert!(matches!(batcher.next(Some(key)), Next::Linger(_)), "more may come");
    let Next::Send(batch) = batcher.next(Some(key)) else { panic!("nothing is sent") };
    assert_eq!(batch.entries.len(), 2);
}

#[test]
fn what_was_locked_leaves_in_half_as_large_a_call_each_time_until_it_leaves_alone() {
    let (mut batcher, mut sizes) = (Batcher::new(1), Vec::new());
    for _ in 0..9 {
        batcher.add(Object::Case, entry(0, None));
        (1..200).for_each(|id| batcher.add(Object::Case, entry(id, None)));
        let first = send(&mut batcher).unwrap();
        sizes.push(first.entries.len());
        batcher.returned(first.over());
        while let Some(rest) = send(&mut batcher) {
            batcher.returned(rest.over());
        }
        (0..200).for_each(|id| batcher.locked(Object::Case, &id.to_string(), first.entries.len()));
    }
    assert_eq!(sizes, [200, 100, 50, 25, 12, 6, 3, 1, 1]);
    (0..200).for_each(|id| batcher.unlocked(Object::Case, &id.to_string()));
    (0..200).for_each(|id| batcher.add(Object::Case, entry(id, None)));
    assert_eq!(send(&mut batcher).unwrap().entries.len(), 200, "it is forgotten");
}

#[test]
fn what_was_locked_does_not_hold_up_the_others() {
    let mut batcher = Batcher::new(1);
    (0..3).for_each(|id| batcher.locked(Object::Conversation, &id.to_string(), 2));
    (0..8).for_each(|id| batcher.add(Object::Conversation, entry(id, None)));
    let mut sizes = Vec::new();
    while let Some(batch) = send(&mut batcher) {
        sizes.push(batch.entries.len());
        batcher.returned(batch.over());
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
        let (mut batcher, mut on_the_way) = (Batcher::new(most), Vec::<UpsertBatch>::new());
        for (id, records) in &locked {
            for object in [Object::Case, Object::Conversation] {
                batcher.locked(object, &id.to_string(), *records);
            }
        }
        let (mut left, mut returns) = (records.len(), returns.into_iter().cycle());
        for (id, parent, case) in records {
            let object = if case { Object::Case } else { Object::Conversation };
            batcher.add(object, entry(id, parent));
        }
        while left > 0 {
            while let Some(batch) = send(&mut batcher) {
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
            batcher.returned(back.over());
        }
    }
}

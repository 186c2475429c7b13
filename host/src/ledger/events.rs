//! Events: what clients are told of, in the order of the commits over all organizations. Each is in the commit of what it tells.

use tokio::sync::watch::Receiver;

use super::{Ledger, record};
use crate::domain::HostEvent;
use crate::store::{Batch, Error, Range, ring};

/// A part of the events.
#[derive(Debug, Default)]
pub struct EventPage {
    /// In their order, each with its number. One that cannot be understood is left out.
    pub events: Vec<(u64, HostEvent)>,
    /// The number up to which these are all.
    pub to: u64,
}

/// Appends events to a commit.
pub(super) fn append<'a>(batch: &mut Batch, events: impl IntoIterator<Item = &'a HostEvent>) {
    events.into_iter().for_each(|event| batch.append(record::encode(event)));
}

impl Ledger {
    /// The name of the sequence that numbers of events belong to: 16 hexadecimal digits. `anew` gives another one, where commits of
    /// this store are lost.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub async fn events_name(&self, anew: bool) -> Result<String, Error> {
        let known = self.store.get_many(vec![ring::NAME.into()]).await?.pop().flatten();
        if let Some(known) = known.filter(|_| !anew) {
            return Ok(String::from_utf8_lossy(&known).into_owned());
        }
        let name = format!("{:016x}", fastrand::u64(..));
        let mut batch = Batch::default();
        batch.put(ring::NAME, name.clone());
        self.store.commit(batch).await?;
        Ok(name)
    }

    /// Tells the number of the newest event that would survive a power cut.
    #[must_use]
    pub fn newest_event(&self) -> Receiver<u64> {
        self.store.appended()
    }

    /// The events that follow a number, at most so many; `None` where the next one is not kept any more.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn events(&self, after: u64, most: usize) -> Result<Option<EventPage>, Error> {
        let newest = *self.store.appended().borrow();
        if after >= newest {
            return Ok(Some(EventPage { to: after, ..EventPage::default() }));
        }
        let pairs = self.store.range(Range::of(ring::RING, most).after(Some(ring::key(after)))).await?;
        let mut page = EventPage { to: after, ..EventPage::default() };
        for (name, value) in pairs {
            // The oldest ones may go while this reads.
            if page.to >= newest || ring::number(&name) != Some(page.to + 1) {
                break;
            }
            page.to += 1;
            match record::decode(&name, &value) {
                Ok(event) => page.events.push((page.to, event)),
                Err(error) => tracing::error!(%error, "an event is left out"),
            }
        }
        Ok(Some(page).filter(|page| page.to > after))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::{EventType, OrgId, Timestamp};
    use crate::ledger::{LaneCommit, LaneState};
    use crate::store::{Fault, FaultyStore, MemoryStore, Point, Store};

    fn ledger() -> (Ledger, Arc<FaultyStore>) {
        let store = Arc::new(FaultyStore::new(Arc::new(MemoryStore::default())));
        (Ledger::new(store.clone()), store)
    }

    fn event(at: u64) -> HostEvent {
        HostEvent::new(EventType::GroupNew, Timestamp::from_millis(at))
    }

    /// A turn that tells of so many events, as the lane's so many-th to so many-th.
    fn turn(events: std::ops::Range<u64>) -> LaneCommit {
        let state = Some(LaneState { events: events.end, ..LaneState::default() });
        LaneCommit { events: events.map(event).collect(), state, ..LaneCommit::default() }
    }

    async fn kept(ledger: &Ledger) -> Vec<u64> {
        let page = ledger.events(0, 100).await.unwrap().unwrap();
        page.events.iter().map(|(_, event)| event.at.as_millis()).collect()
    }

    #[tokio::test]
    async fn a_commit_that_may_be_kept_and_is_made_again_tells_its_events_once() {
        for point in [Point::BeforeCommit, Point::AfterCommit] {
            let (ledger, store) = ledger();
            let writer = ledger.lane_writer(&OrgId::new("acme").unwrap());
            writer.commit(&turn(0..2)).await.unwrap();
            store.plan([Fault::at(point).times(2)]);
            for _ in 0..2 {
                writer.commit(&turn(2..4)).await.unwrap_err();
            }
            writer.commit(&turn(2..4)).await.unwrap();
            writer.commit(&turn(4..5)).await.unwrap();
            assert_eq!(kept(&ledger).await, [0, 1, 2, 3, 4], "{point:?}");
        }
    }

    #[tokio::test]
    async fn who_is_behind_the_ring_is_told_and_what_cannot_be_understood_is_left_out() {
        let (ledger, store) = ledger();
        let mut batch = Batch::default();
        append(&mut batch, &[event(1), event(2)]);
        batch.append(b"{\"9\":{\"of\":\"a later release\"}}".to_vec());
        append(&mut batch, &[event(4)]);
        store.commit(batch).await.unwrap();
        let page = ledger.events(1, 2).await.unwrap().unwrap();
        assert_eq!((page.to, page.events), (3, vec![(2, event(2))]));
        let end = ledger.events(4, 2).await.unwrap().unwrap();
        assert_eq!((end.to, end.events), (4, vec![]));
        let mut batch = Batch::default();
        (0..ring::KEPT).for_each(|_| append(&mut batch, &[event(5)]));
        store.commit(batch).await.unwrap();
        assert!(ledger.events(3, 2).await.unwrap().is_none());
        assert_eq!(ledger.events(4, 2).await.unwrap().unwrap().to, 6);
    }

    #[tokio::test]
    async fn the_name_stays_until_commits_are_lost() {
        let (ledger, _) = ledger();
        let name = ledger.events_name(false).await.unwrap();
        assert_eq!((name.len(), ledger.events_name(false).await.unwrap()), (16, name.clone()));
        assert_ne!(ledger.events_name(true).await.unwrap(), name);
    }
}

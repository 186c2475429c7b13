//! Merges parts of indexes that lie in the order of time into one list, read a little at a time.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::domain::{OrgId, State, SyncErrorId, Timestamp};
use crate::ledger::key;
use crate::store::{Error, Order, Range, Store};

/// Keys that are read of one stream at a time: at least, and at most.
const FEWEST: usize = 4;
const MOST: usize = 500;

/// Where a sync error stands in the lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) at: Timestamp,
    pub(super) id: SyncErrorId,
    pub(super) org: OrgId,
    pub(super) state: State,
    /// Its summary as bytes, where it was read together with its place.
    pub(super) summary: Option<Vec<u8>>,
}

impl Place {
    /// The key of its summary.
    pub(super) fn key(&self) -> String {
        format!("{}{}/{}", key::error_list(&self.org, self.state), key::time(self.at), self.id)
    }
}

/// A part of what is merged.
#[derive(Debug, Clone)]
pub(super) enum Stream {
    /// The list of an organization in one state, with the summaries; how many it has tells which share of a page it is.
    List { org: OrgId, state: State, count: u64 },
    /// Keys with this prefix that go on with a time and an id, and how many they are.
    Index { org: OrgId, state: State, prefix: String, count: u64 },
    /// What was found already, in any order.
    Found(Vec<Place>),
}

impl Stream {
    /// The keys that it consists of, where they are still to be read.
    fn prefix(&self) -> Option<String> {
        match self {
            Self::List { org, state, .. } => Some(key::error_list(org, *state)),
            Self::Index { prefix, .. } => Some(prefix.clone()),
            Self::Found(_) => None,
        }
    }

    /// How many it has, as far as counts tell.
    pub(super) const fn count(&self) -> u64 {
        match self {
            Self::List { count, .. } | Self::Index { count, .. } => *count,
            Self::Found(_) => 0,
        }
    }
}

/// A stream as far as it is read.
struct Reading {
    stream: Stream,
    places: VecDeque<Place>,
    /// The key after which it goes on.
    after: Option<Vec<u8>>,
    /// How many keys are read next; 0 at its end.
    chunk: usize,
}

/// What comes first of each stream, in the order of the list.
type Heads = BTreeMap<(Timestamp, SyncErrorId, usize), Place>;

/// Streams that are merged.
pub(super) struct Merging<'a> {
    store: &'a Arc<dyn Store>,
    order: Order,
    readings: Vec<Reading>,
    heads: Heads,
    /// Streams whose next place is not known.
    dry: Vec<usize>,
    last: Option<(Timestamp, SyncErrorId)>,
}

impl<'a> Merging<'a> {
    /// Begins behind a place of the list, in its order; so many are `wanted` at first. Of each stream is read at once what it
    /// is likely to have of them: each stream that runs dry costs one more way to the disk.
    pub(super) fn new(
        store: &'a Arc<dyn Store>,
        streams: Vec<Stream>,
        order: Order,
        from: Option<(Timestamp, SyncErrorId)>,
        wanted: usize,
    ) -> Self {
        let all = streams.iter().map(Stream::count).sum::<u64>().max(1);
        let share = |stream: &Stream| (wanted + wanted / 4) as u64 * stream.count() / all;
        let behind = |place: &Place| {
            from.as_ref().is_none_or(|(at, id)| match order {
                Order::Forward => (place.at, &place.id) > (*at, id),
                Order::Backward => (place.at, &place.id) < (*at, id),
            })
        };
        let reading = |mut stream: Stream| {
            let own = usize::try_from(share(&stream)).unwrap_or(MOST);
            let (mut places, mut after, mut chunk) = (VecDeque::new(), None, (FEWEST + own).min(MOST));
            if let Stream::Found(found) = &mut stream {
                found.sort_by(|one, other| (one.at, &one.id).cmp(&(other.at, &other.id)));
                places.extend(std::mem::take(found).into_iter().filter(behind));
                if order == Order::Backward {
                    places.make_contiguous().reverse();
                }
                chunk = 0;
            } else if let (Some(prefix), Some((at, id))) = (stream.prefix(), &from) {
                after = Some(format!("{prefix}{}/{id}", key::time(*at)).into_bytes());
            }
            Reading { stream, places, after, chunk }
        };
        let readings: Vec<_> = streams.into_iter().map(reading).collect();
        let dry = (0..readings.len()).collect();
        Self { store, order, readings, heads: Heads::new(), dry, last: None }
    }

    /// The next places of the list, each once; none at its end.
    pub(super) async fn take(&mut self, wanted: usize) -> Result<Vec<Place>, Error> {
        let mut taken = Vec::new();
        while taken.len() < wanted {
            self.fill().await?;
            let next = match self.order {
                Order::Forward => self.heads.pop_first(),
                Order::Backward => self.heads.pop_last(),
            };
            let Some(((at, id, stream), place)) = next else { break };
            self.head(stream);
            // What a search found may stand in an index too.
            if self.last.as_ref() != Some(&(at, id.clone())) {
                taken.push(place);
                self.last = Some((at, id));
            }
        }
        Ok(taken)
    }

    /// The next place of a stream takes part in the merge.
    fn head(&mut self, stream: usize) {
        let reading = &mut self.readings[stream];
        match reading.places.pop_front() {
            Some(place) => drop(self.heads.insert((place.at, place.id.clone(), stream), place)),
            None => self.dry.push(stream),
        }
    }

    /// Reads on where nothing of a stream is left, all such streams at once.
    async fn fill(&mut self) -> Result<(), Error> {
        let dry = std::mem::take(&mut self.dry);
        let (mut asked, mut ranges) = (Vec::new(), Vec::new());
        for stream in dry {
            let reading = &mut self.readings[stream];
            if !reading.places.is_empty() {
                self.head(stream);
                continue;
            }
            if let (Some(prefix), true) = (reading.stream.prefix(), reading.chunk > 0) {
                let keys_only = !matches!(reading.stream, Stream::List { .. });
                let range = Range::of(prefix, reading.chunk).after(reading.after.take());
                ranges.push(Range { order: self.order, keys_only, ..range });
                asked.push(stream);
            }
        }
        if ranges.is_empty() {
            return Ok(());
        }
        for (stream, pairs) in asked.into_iter().zip(self.store.ranges(ranges).await?) {
            let reading = &mut self.readings[stream];
            let (Stream::List { org, state, .. } | Stream::Index { org, state, .. }) = &reading.stream else {
                continue;
            };
            let is_list = matches!(reading.stream, Stream::List { .. });
            reading.chunk = if pairs.len() < reading.chunk { 0 } else { (reading.chunk * 2).min(MOST) };
            reading.after = pairs.last().map(|(name, _)| name.clone());
            for (name, value) in pairs {
                let (at, id) = (key::time_part(&name, 1)?, key::part(&name, 0)?);
                let summary = is_list.then_some(value);
                reading.places.push_back(Place { at, id, org: org.clone(), state: *state, summary });
            }
            if !reading.places.is_empty() {
                self.head(stream);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MemoryStore;

    #[test]
    fn of_each_stream_is_read_at_once_what_it_is_likely_to_have_of_a_page() {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
        let list = |org: &str, count| Stream::List { org: OrgId::new(org).unwrap(), state: State::Pending, count };
        let chunks = |streams, wanted| {
            let merging = Merging::new(&store, streams, Order::Backward, None, wanted);
            merging.readings.iter().map(|reading| reading.chunk).collect::<Vec<_>>()
        };
        assert_eq!(chunks(vec![list("acme", 900_000), list("emea", 100_000), list("gulf", 0)], 80), [94, 14, 4]);
        assert_eq!(chunks(vec![list("acme", 0), Stream::Found(Vec::new())], 80), [4, 0]);
        assert_eq!(chunks(vec![list("acme", u64::from(u32::MAX))], 500), [MOST]);
    }
}

//! Merges parts of indexes that lie in the order of time into one list, read a little at a time.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::domain::{OrgId, State, SyncErrorId, Timestamp};
use crate::ledger::key;
use crate::store::{Error, Order, Range, Store};

/// Keys that are read of one stream at a time: at first, and at most.
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
    /// The list of an organization in one state, with the summaries.
    List { org: OrgId, state: State },
    /// Keys with this prefix that go on with a time and an id.
    Index { org: OrgId, state: State, prefix: String },
    /// What was found already, in any order.
    Found(Vec<Place>),
}

impl Stream {
    /// The keys that it consists of, where they are still to be read.
    fn prefix(&self) -> Option<String> {
        match self {
            Self::List { org, state } => Some(key::error_list(org, *state)),
            Self::Index { prefix, .. } => Some(prefix.clone()),
            Self::Found(_) => None,
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
    /// Begins behind a place of the list, in its order; a page of `limit` is asked for.
    pub(super) fn new(
        store: &'a Arc<dyn Store>,
        streams: Vec<Stream>,
        order: Order,
        from: Option<(Timestamp, SyncErrorId)>,
        limit: usize,
    ) -> Self {
        let chunk = (limit * 2 / streams.len().max(1)).clamp(FEWEST, MOST);
        let behind = |place: &Place| {
            from.as_ref().is_none_or(|(at, id)| match order {
                Order::Forward => (place.at, &place.id) > (*at, id),
                Order::Backward => (place.at, &place.id) < (*at, id),
            })
        };
        let reading = |mut stream: Stream| {
            let (mut places, mut after, mut own) = (VecDeque::new(), None, chunk);
            if let Stream::Found(found) = &mut stream {
                found.sort_by(|one, other| (one.at, &one.id).cmp(&(other.at, &other.id)));
                places.extend(std::mem::take(found).into_iter().filter(behind));
                if order == Order::Backward {
                    places.make_contiguous().reverse();
                }
                own = 0;
            } else if let (Some(prefix), Some((at, id))) = (stream.prefix(), &from) {
                after = Some(format!("{prefix}{}/{id}", key::time(*at)).into_bytes());
            }
            Reading { stream, places, after, chunk: own }
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
            let (Stream::List { org, state } | Stream::Index { org, state, .. }) = &reading.stream else { continue };
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

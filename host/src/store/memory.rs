//! A store without a disk, for tests and as a second pair of eyes on the promises.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::RwLock;

use tokio::sync::watch::Receiver;

use super::gate::Gate;
use super::{Batch, Changes, Error, Fence, Order, PAGE_BYTES, Pair, Range, Reading, Store, Watch};

/// Keeps everything in memory; "durable" means until it is dropped.
#[derive(Debug, Default)]
pub struct MemoryStore {
    map: RwLock<BTreeMap<Vec<u8>, Vec<u8>>>,
    gate: Gate,
}

impl MemoryStore {
    fn page(&self, range: &Range, most: usize) -> Result<Vec<Pair>, Error> {
        let Some(bounds) = range.bounds() else { return Ok(Vec::new()) };
        let map = self.map.read().map_err(|_| Error::Closed)?;
        let pairs = map.range(bounds);
        match range.order {
            Order::Forward => range.page(most, pairs.map(Ok)),
            Order::Backward => range.page(most, pairs.rev().map(Ok)),
        }
    }

    fn write(&self, batch: Batch) -> Result<(), Error> {
        batch.check()?;
        let mut held = self.gate.hold();
        held.check(batch.fence.as_ref())?;
        let noted = held.noted();
        let keys: Vec<_> = noted.iter().flat_map(|_| batch.keys().cloned()).collect();
        let mut map = self.map.write().map_err(|_| Error::Closed)?;
        for (key, value) in batch.operations.into_iter().chain(held.append(batch.appended)) {
            match value {
                Some(value) => map.insert(key, value),
                None => map.remove(&key),
            };
        }
        if let Some(noted) = noted {
            noted.add(keys);
        }
        self.gate.is_durable(held.last());
        Ok(())
    }
}

impl Store for MemoryStore {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.map.read().map_err(|_| Error::Closed)?.get(key).cloned())
    }

    fn scan(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Result<Vec<Pair>, Error> {
        self.page(&Range::of(prefix, limit).after(after.map(<[u8]>::to_vec)), usize::MAX)
    }

    fn get_many(&self, keys: Vec<Vec<u8>>) -> Reading<'_, Vec<Option<Vec<u8>>>> {
        Box::pin(async move { keys.iter().map(|key| self.get(key)).collect() })
    }

    fn range(&self, range: Range) -> Reading<'_, Vec<Pair>> {
        Box::pin(async move { self.page(&range, PAGE_BYTES) })
    }

    fn ranges(&self, ranges: Vec<Range>) -> Reading<'_, Vec<Vec<Pair>>> {
        Box::pin(async move { ranges.iter().map(|range| self.page(range, PAGE_BYTES)).collect() })
    }

    fn commit(&self, batch: Batch) -> Pin<Box<dyn Future<Output = Result<(), Error>> + Send + '_>> {
        Box::pin(async move { self.write(batch) })
    }

    fn acquire(&self, holder: &str) -> Fence {
        self.gate.acquire(holder)
    }

    fn appended(&self) -> Receiver<u64> {
        self.gate.appended()
    }

    fn watch(&self) -> Result<Watch, Error> {
        self.gate.watch()
    }

    fn changed<'a>(&'a self, watch: &'a Watch, most: usize) -> Reading<'a, Changes> {
        Box::pin(async move { watch.take(|| self.gate.hold(), most, |key| self.get(key)) })
    }

    fn healthy(&self) -> bool {
        true
    }
}

//! A store without a disk, for tests and as a second pair of eyes on the promises.

use std::collections::BTreeMap;
use std::future::Future;
use std::ops::Bound;
use std::pin::Pin;
use std::sync::RwLock;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Batch, Error, Pair, Store};

/// Keeps everything in memory; "durable" means until it is dropped.
#[derive(Debug, Default)]
pub struct MemoryStore {
    map: RwLock<BTreeMap<Vec<u8>, Vec<u8>>>,
    /// While set, every commit fails as if the disk were full.
    full: AtomicBool,
}

impl MemoryStore {
    /// Makes every commit fail from now on, or succeed again: a disk that is full, for tests.
    pub fn set_full(&self, full: bool) {
        self.full.store(full, Ordering::SeqCst);
    }

    fn write(&self, batch: Batch) -> Result<(), Error> {
        batch.check()?;
        if !self.healthy() {
            return Err(Error::Failed("no space left".to_owned()));
        }
        let mut map = self.map.write().map_err(|_| Error::Closed)?;
        for (key, value) in batch.operations {
            match value {
                Some(value) => map.insert(key, value),
                None => map.remove(&key),
            };
        }
        Ok(())
    }
}

impl Store for MemoryStore {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.map.read().map_err(|_| Error::Closed)?.get(key).cloned())
    }

    fn scan(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Result<Vec<Pair>, Error> {
        let start = match after {
            Some(after) if after >= prefix => Bound::Excluded(after.to_vec()),
            _ => Bound::Included(prefix.to_vec()),
        };
        let map = self.map.read().map_err(|_| Error::Closed)?;
        let pairs = map.range((start, Bound::Unbounded)).take_while(|(key, _)| key.starts_with(prefix));
        Ok(pairs.take(limit).map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    fn commit(&self, batch: Batch) -> Pin<Box<dyn Future<Output = Result<(), Error>> + Send + '_>> {
        Box::pin(async move { self.write(batch) })
    }

    fn healthy(&self) -> bool {
        !self.full.load(Ordering::SeqCst)
    }
}

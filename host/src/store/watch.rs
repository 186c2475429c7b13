//! The keys that are written while a store is backed up, up to a bound.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Change, Error};

/// No more keys are noted,
const MOST_KEYS: usize = 100_000;
/// and no more bytes of them.
const MOST_BYTES: usize = 16 * 1024 * 1024;
/// Values that are read at one moment have no more bytes.
const AT_ONCE: usize = 8 * 1024 * 1024;

/// Notes the keys that are written, until it is dropped.
#[derive(Debug, Clone, Default)]
pub struct Watch(pub(super) Arc<Noted>);

/// Changed keys with their values.
#[derive(Debug)]
pub struct Changes {
    /// Each key once, in order.
    pub changes: Vec<Change>,
    /// Whether these are all that were noted: then the values are those of one moment between two commits.
    pub all: bool,
}

#[derive(Debug, Default)]
pub(super) struct Noted(Mutex<Keys>);

#[derive(Debug, Default)]
struct Keys {
    keys: BTreeSet<Vec<u8>>,
    bytes: usize,
    outrun: bool,
}

impl Noted {
    fn keys(&self) -> MutexGuard<'_, Keys> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, keys: impl IntoIterator<Item = Vec<u8>>) {
        let mut noted = self.keys();
        for key in keys {
            let bytes = key.len();
            if !noted.outrun && noted.keys.insert(key) {
                noted.bytes += bytes;
            }
        }
        if noted.keys.len() > MOST_KEYS || noted.bytes > MOST_BYTES {
            *noted = Keys { outrun: true, ..Keys::default() };
        }
    }

    /// Takes the smallest key.
    fn next(&self) -> Result<Option<Vec<u8>>, Error> {
        let mut noted = self.keys();
        if noted.outrun {
            return Err(Error::Outrun);
        }
        let key = noted.keys.pop_first();
        noted.bytes -= key.as_ref().map_or(0, Vec::len);
        Ok(key)
    }
}

impl Watch {
    /// Forgets noted keys above this one: whoever reads upwards comes to them later.
    pub(super) fn forget_above(&self, key: &[u8]) {
        let mut noted = self.0.keys();
        let mut above = noted.keys.split_off(key);
        noted.keys.extend(above.take(key));
        noted.bytes = noted.keys.iter().map(Vec::len).sum();
    }

    /// Takes up to `most` keys and reads their values. Only where these may be all, commits wait meanwhile, for as long
    /// as what `hold` gives: what changes after it was read is noted again.
    pub(super) fn take<H>(
        &self,
        hold: impl FnOnce() -> H,
        most: usize,
        read: impl Fn(&[u8]) -> Result<Option<Vec<u8>>, Error>,
    ) -> Result<Changes, Error> {
        let few = self.0.keys().keys.len() <= most;
        let held = few.then(hold);
        let (mut changes, mut bytes) = (Vec::new(), 0);
        while changes.len() < most
            && bytes < AT_ONCE
            && let Some(key) = self.0.next()?
        {
            let value = read(&key)?;
            bytes += value.as_ref().map_or(0, Vec::len);
            changes.push((key, value));
        }
        Ok(Changes { changes, all: held.is_some() && self.0.keys().keys.is_empty() })
    }
}

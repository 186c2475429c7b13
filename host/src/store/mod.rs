//! Where everything is kept: ordered keys and small values, durable when a commit is acknowledged.

mod inbox;
mod keys;
mod memory;
#[cfg(test)]
mod promises;
mod records;
mod sled;
mod tokens;
mod transfer;
mod upkeep;

use std::future::Future;
use std::pin::Pin;

pub use self::inbox::Inbox;
pub use self::keys::{Keys, NotAKey};
pub use self::memory::MemoryStore;
pub use self::records::{ErrorFilter, Page, Records, Told, Write};
pub use self::sled::SledStore;
pub use self::transfer::{export, import};

/// The largest value that a store takes, in bytes: larger ones would go where sled never syncs them.
pub const LARGEST_VALUE: usize = 2 * 1024 * 1024 - 4096;

/// A key and its value.
pub type Pair = (Vec<u8>, Vec<u8>);

/// An ordered map from keys to values. Its promises are the suite in `promises.rs`, run against every implementation.
pub trait Store: Send + Sync + 'static {
    /// The value of a key.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error>;

    /// Up to `limit` pairs whose keys begin with `prefix` and are greater than `after`, in the order of the keys.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn scan(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Result<Vec<Pair>, Error>;

    /// Writes all of a batch or nothing of it. When it answers `Ok`, the batch survives a power cut.
    fn commit(&self, batch: Batch) -> Pin<Box<dyn Future<Output = Result<(), Error>> + Send + '_>>;

    /// Whether the last write succeeded; while it is `false`, the host is not ready.
    fn healthy(&self) -> bool;
}

/// Writes that belong together; a later one to the same key wins.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    operations: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

impl Batch {
    /// Sets a key.
    pub fn put(&mut self, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) {
        self.operations.push((key.into(), Some(value.into())));
    }

    /// Removes a key.
    pub fn delete(&mut self, key: impl Into<Vec<u8>>) {
        self.operations.push((key.into(), None));
    }

    /// How many writes it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.operations.len()
    }

    /// Whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }

    fn check(&self) -> Result<(), Error> {
        let too_large =
            self.operations.iter().find(|(_, value)| value.as_ref().is_some_and(|v| v.len() > LARGEST_VALUE));
        match too_large {
            Some((key, value)) => Err(Error::TooLarge {
                key: String::from_utf8_lossy(key).into_owned(),
                bytes: value.as_ref().map_or(0, Vec::len),
            }),
            None => Ok(()),
        }
    }
}

/// What can go wrong with a store, by what the caller can do.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// Another process has it: stop that one first.
    #[error("the store at {path} is in use by another process")]
    InUse {
        /// Its folder.
        path: String,
    },
    /// It cannot be read or written: look at the disk.
    #[error("the store failed: {0}")]
    Failed(String),
    /// A record is larger than any can be: refuse what it was made of.
    #[error("a record of {bytes} bytes is too large ({key})")]
    TooLarge {
        /// Its key.
        key: String,
        /// Its size.
        bytes: usize,
    },
    /// A record cannot be understood: it was written by a newer version, or is damaged.
    #[error("the record {key} cannot be understood: {reason}")]
    Unreadable {
        /// Its key.
        key: String,
        /// Why.
        reason: String,
    },
    /// There is no key to seal a secret with: configure one.
    #[error("there is no key to seal tokens with: `secrets.keys` has to name one")]
    NoKey,
    /// A secret was sealed with a key that the host does not have: configure that one too.
    #[error("{place} was sealed with key {key}, which is none of `secrets.keys`: put that key back as the last one")]
    WrongKey {
        /// What was sealed.
        place: String,
        /// The key's id.
        key: String,
    },
    /// The host is stopping.
    #[error("the store is closed")]
    Closed,
}

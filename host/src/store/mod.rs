//! Where everything is kept: ordered keys and small values, durable when a commit is acknowledged.

mod backup;
mod batch;
#[cfg(test)]
mod conformance;
mod faulty;
pub mod format;
mod gate;
mod memory;
mod range;
pub mod ring;
mod sled;
mod tokens;
mod transfer;
mod watch;

use std::future::Future;
use std::pin::Pin;

use tokio::sync::watch::Receiver;

pub use self::backup::{Piece, backup};
pub use self::batch::Batch;
pub use self::faulty::{Fault, FaultyStore, Point};
pub use self::gate::Fence;
pub use self::memory::MemoryStore;
pub use self::range::{Order, PAGE_BYTES, Range};
pub use self::sled::{Opening, SledStore};
pub use self::tokens::{TOKENS, is_in_the_clear};
pub use self::transfer::{AsTheyAre, Checked, Convert, check_export, export, import};
pub use self::watch::{Changes, Watch};

/// The largest value that a store takes, in bytes: larger ones would go where sled never syncs them.
pub const LARGEST_VALUE: usize = 2 * 1024 * 1024 - 4096;

/// A key and its value.
pub type Pair = (Vec<u8>, Vec<u8>);

/// A key, and its value where it was not removed.
pub type Change = (Vec<u8>, Option<Vec<u8>>);

/// What a read answers later, so that it can be done off the asynchronous threads.
pub type Reading<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

/// An ordered map from keys to values. Its promises are the suite in `conformance.rs`, run against every implementation.
pub trait Store: Send + Sync + 'static {
    /// The value of a key.
    ///
    /// # Errors
    /// When the store cannot be read; so for all reads below.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error>;

    /// Up to `limit` pairs whose keys begin with `prefix` and are greater than `after`, in the order of the keys.
    fn scan(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Result<Vec<Pair>, Error>;

    /// The values of these keys, in the order in which they were asked for; one way to the disk for all of them.
    fn get_many(&self, keys: Vec<Vec<u8>>) -> Reading<'_, Vec<Option<Vec<u8>>>>;

    /// A page of pairs. It ends after `limit` pairs or [`PAGE_BYTES`] of values, and holds one pair at least where
    /// there is one: only an empty page is the end of a range.
    fn range(&self, range: Range) -> Reading<'_, Vec<Pair>>;

    /// A page of each of these ranges, in the order in which they were asked for; one way to the disk for all of them.
    fn ranges(&self, ranges: Vec<Range>) -> Reading<'_, Vec<Vec<Pair>>>;

    /// Writes all of a batch or nothing of it. When it answers `Ok`, the batch survives a power cut.
    ///
    /// # Errors
    /// [`Error::TooLarge`] and [`Error::Fenced`] when this batch can never be written, without harm to others;
    /// anything else when it is not known whether it is kept.
    fn commit(&self, batch: Batch) -> Pin<Box<dyn Future<Output = Result<(), Error>> + Send + '_>>;

    /// Gives the next fence of a holder, upon which every older one of it is stale. What they have written before can
    /// be read as soon as this has answered; it may wait for a write that is being applied, not for the disk.
    fn acquire(&self, holder: &str) -> Fence;

    /// Tells the number of the newest value that was appended and is durable; 0 where there never was one.
    fn appended(&self) -> Receiver<u64>;

    /// Begins to note which keys are written, until the watch is dropped. There is one at a time.
    ///
    /// # Errors
    /// [`Error::Busy`] when there is one already.
    fn watch(&self) -> Result<Watch, Error>;

    /// Takes up to `most` of the keys that were noted, with their values. Where these are all, the values are those of one
    /// moment between two commits, which wait for that moment.
    ///
    /// # Errors
    /// [`Error::Outrun`] when more keys were written than are noted.
    fn changed<'a>(&'a self, watch: &'a Watch, most: usize) -> Reading<'a, Changes>;

    /// Whether the last write succeeded; while it is `false`, the host is not ready.
    fn healthy(&self) -> bool;
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
    /// There is none: look at the path.
    #[error("there is no store at {path}")]
    Missing {
        /// Where there should be one.
        path: String,
    },
    /// Commits that were acknowledged are not there any more: restore a backup, or go on without them.
    #[error(
        "the store at {path} has lost what was acknowledged: commit {acknowledged} was, {recovered} is the last one that \
         is found. Copy the folder if you want it looked at. Then import a backup into a new one, or go on without what \
         is gone: `switchyard serve --accept-loss`"
    )]
    Lost {
        /// Its folder.
        path: String,
        /// The number of the last commit that somebody was told is kept.
        acknowledged: u64,
        /// The number of the last commit that is there.
        recovered: u64,
    },
    /// Its log is damaged before its end, and nobody can tell which records were there: restore a backup, or go on without them.
    #[error(
        "the log of the store at {path} is damaged at byte {at}, and records that stood there are lost. Copy the folder if \
         you want it looked at. Then import a backup into a new one, or go on without what is gone: \
         `switchyard serve --accept-loss`"
    )]
    Damaged {
        /// Its folder.
        path: String,
        /// The first byte of its file `db` that is damaged.
        at: u64,
    },
    /// A newer release wrote it: start that one.
    #[error("{what} is of format {found}, and this release knows none above {known}: start the release that wrote it")]
    Newer {
        /// What was found.
        what: String,
        /// Its format.
        found: u64,
        /// The highest format that this release reads.
        known: u64,
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
    /// Somebody else has taken over from this writer: stop writing.
    #[error("{holder} is held by somebody newer: nothing was written")]
    Fenced {
        /// What is held.
        holder: String,
    },
    /// It is being backed up: wait until that has ended.
    #[error("the store is being backed up already")]
    Busy,
    /// More is written than a backup can read meanwhile: try again later, or read faster.
    #[error("more was written to the store than the backup could read meanwhile")]
    Outrun,
    /// It has records already: take an empty one.
    #[error("the store is not empty")]
    NotEmpty,
    /// It has a part of an import: throw it away and import again.
    #[error("an import into this store was broken off: remove its folder and import again")]
    HalfImported,
    /// An export has not all its lines, or not as they were written: take another one.
    #[error("the export is not whole: {0}")]
    NotWhole(String),
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

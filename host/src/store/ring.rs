//! The ring: values that are appended get numbers that grow in the order of the commits, and the newest so many are kept.
//!
//! Who has read up to a number finds everything that follows behind it: commits of different writers are numbered where they are
//! applied, one after another. What tells of the records of this store is of no use in another one: exports leave it out.

use super::Change;

/// What the keys of the ring begin with; the number follows, in 20 digits.
pub const RING: &str = "event/";
/// The key of its name. Another store, and one that has lost commits, has another name: there, a number means something else.
pub const NAME: &str = "meta/events";
/// So many values are kept.
pub const KEPT: u64 = 100_000;

/// The key of a value.
#[must_use]
pub fn key(number: u64) -> Vec<u8> {
    format!("{RING}{number:020}").into_bytes()
}

/// The number in a key of the ring; `None` for any other key.
#[must_use]
pub fn number(key: &[u8]) -> Option<u64> {
    str::from_utf8(key.strip_prefix(RING.as_bytes())?).ok()?.parse().ok()
}

/// Whether a key is one of the ring.
pub(super) fn holds(key: &[u8]) -> bool {
    key.starts_with(RING.as_bytes())
}

/// The writes that append a value with this number: it comes, and the oldest one goes.
pub(super) fn append(number: u64, value: Vec<u8>) -> impl Iterator<Item = Change> {
    let oldest = number.checked_sub(KEPT).filter(|oldest| *oldest > 0);
    std::iter::once((key(number), Some(value))).chain(oldest.map(|oldest| (key(oldest), None)))
}

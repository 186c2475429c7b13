//! Writes that are kept together or not at all.

use super::ring::RING;
use super::{Change, Error, Fence, LARGEST_VALUE, Pair};

/// Writes that belong together; a later one to the same key wins.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    pub(super) operations: Vec<Change>,
    /// Values that get numbers when they are written.
    pub(super) appended: Vec<Vec<u8>>,
    pub(super) fence: Option<Fence>,
    bytes: usize,
}

impl Batch {
    /// Sets a key.
    pub fn put(&mut self, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) {
        self.push(key.into(), Some(value.into()));
    }

    /// Removes a key.
    pub fn delete(&mut self, key: impl Into<Vec<u8>>) {
        self.push(key.into(), None);
    }

    fn push(&mut self, key: Vec<u8>, value: Option<Vec<u8>>) {
        self.bytes += key.len() + value.as_ref().map_or(0, Vec::len);
        self.operations.push((key, value));
    }

    /// Appends a value to the [ring](super::ring), under the next number.
    pub fn append(&mut self, value: Vec<u8>) {
        self.bytes += value.len();
        self.appended.push(value);
    }

    /// The same writes, made only while this fence is the newest of its holder.
    #[must_use]
    pub fn fenced(self, fence: Fence) -> Self {
        Self { fence: Some(fence), ..self }
    }

    /// How many writes it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.operations.len() + 2 * self.appended.len()
    }

    /// The bytes of its keys and values.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty() && self.appended.is_empty()
    }

    /// What it sets, for a store that is empty: there is nothing to remove from it. What it appends has no number, and is left out.
    #[must_use]
    pub fn into_pairs(self) -> Vec<Pair> {
        self.operations.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &Vec<u8>> {
        self.operations.iter().map(|(key, _)| key)
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        let too_large =
            self.operations.iter().find(|(_, value)| value.as_ref().is_some_and(|v| v.len() > LARGEST_VALUE));
        match too_large {
            Some((key, value)) => Err(Error::TooLarge {
                key: String::from_utf8_lossy(key).into_owned(),
                bytes: value.as_ref().map_or(0, Vec::len),
            }),
            None => match self.appended.iter().map(Vec::len).find(|bytes| *bytes > LARGEST_VALUE) {
                Some(bytes) => Err(Error::TooLarge { key: RING.to_owned(), bytes }),
                None => Ok(()),
            },
        }
    }
}

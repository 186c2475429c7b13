//! Which pairs a read covers, in which order, and where a page of them ends.

use std::ops::Bound;

use super::{Error, Pair};

/// A page of a range ends after so many bytes of values, and holds one pair at least.
pub const PAGE_BYTES: usize = 8 * 1024 * 1024;

/// From which key to which.
type Bounds = (Bound<Vec<u8>>, Bound<Vec<u8>>);

/// In which order pairs are read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    /// Upwards by key.
    #[default]
    Forward,
    /// Downwards by key.
    Backward,
}

/// Which pairs are read, and in which order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Range {
    /// Their keys begin with this.
    pub prefix: Vec<u8>,
    /// Only keys behind this one in the order of reading, itself excluded: greater ones forward, smaller ones backward.
    pub after: Option<Vec<u8>>,
    /// At most so many pairs.
    pub limit: usize,
    /// In which order.
    pub order: Order,
    /// Values come back empty.
    pub keys_only: bool,
}

impl Range {
    /// The first `limit` pairs whose keys begin with `prefix`, upwards.
    #[must_use]
    pub fn of(prefix: impl Into<Vec<u8>>, limit: usize) -> Self {
        Self { prefix: prefix.into(), limit, ..Self::default() }
    }

    /// Only what comes after this key: the last one of the page before.
    #[must_use]
    pub fn after(self, after: Option<Vec<u8>>) -> Self {
        Self { after, ..self }
    }

    /// Downwards.
    #[must_use]
    pub fn backward(self) -> Self {
        Self { order: Order::Backward, ..self }
    }

    /// Without the values.
    #[must_use]
    pub fn keys_only(self) -> Self {
        Self { keys_only: true, ..self }
    }

    /// The keys it covers, without its limit; `None` where no key can be.
    pub(super) fn bounds(&self) -> Option<Bounds> {
        let (first, end) = (self.prefix.as_slice(), end_of(&self.prefix));
        let beyond = |key: &[u8]| end.as_deref().is_some_and(|end| key >= end);
        let low = Bound::Included(first.to_vec());
        let high = end.clone().map_or(Bound::Unbounded, Bound::Excluded);
        match (self.order, self.after.as_deref()) {
            (Order::Forward, Some(after)) if beyond(after) => None,
            (Order::Forward, Some(after)) if after >= first => Some((Bound::Excluded(after.to_vec()), high)),
            (Order::Backward, Some(after)) if after <= first => None,
            (Order::Backward, Some(after)) if !beyond(after) => Some((low, Bound::Excluded(after.to_vec()))),
            _ => Some((low, high)),
        }
    }

    /// Takes a page of up to so many bytes of values from the pairs within its bounds, which come in its order.
    pub(super) fn page<K, V>(
        &self,
        most: usize,
        pairs: impl Iterator<Item = Result<(K, V), Error>>,
    ) -> Result<Vec<Pair>, Error>
    where
        K: AsRef<[u8]>,
        V: AsRef<[u8]>,
    {
        let (mut page, mut bytes) = (Vec::new(), 0);
        for pair in pairs.take(self.limit) {
            let (key, value) = pair?;
            let value = if self.keys_only { Vec::new() } else { value.as_ref().to_vec() };
            bytes += value.len();
            if bytes > most && !page.is_empty() {
                break;
            }
            page.push((key.as_ref().to_vec(), value));
        }
        Ok(page)
    }
}

/// The smallest key that is greater than every key with this prefix; `None` where there is none.
fn end_of(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte < u8::MAX)?;
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    Some(end)
}

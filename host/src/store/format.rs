//! Which format the records of a store have: a marker in it, looked at before any record is read.

use serde::{Deserialize, Serialize};

use super::{Batch, Error, Range, Store};

/// The format that this release writes. A store without a marker has format 1.
pub const FORMAT: u64 = 2;
/// The key of the marker.
pub(super) const MARKER: &str = "meta/format";

#[derive(Debug, Serialize, Deserialize)]
struct Marker {
    format: u64,
    /// While it is true, the store has a part of what is imported.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    importing: bool,
}

/// Answers the format of a store's records, and marks a store that has none yet with [`FORMAT`].
///
/// # Errors
/// [`Error::Newer`] when it is above [`FORMAT`], [`Error::HalfImported`] when an import was broken off, or when the store
/// cannot be read or written.
pub async fn check(store: &dyn Store) -> Result<u64, Error> {
    match read(store).await? {
        Some(format) => Ok(format),
        None => {
            let mut batch = Batch::default();
            mark(&mut batch, FORMAT, false);
            store.commit(batch).await?;
            Ok(FORMAT)
        }
    }
}

/// The format of a store's records; `None` where there are none and no marker.
pub(super) async fn read(store: &dyn Store) -> Result<Option<u64>, Error> {
    let values = store.get_many(vec![MARKER.into()]).await?;
    let Some(value) = values.first().and_then(Option::as_ref) else {
        // What the store notes for itself is no record.
        let keys = store.range(Range::of("", 2).keys_only()).await?;
        return Ok(keys.iter().any(|(key, _)| !key.starts_with(b"meta/")).then_some(1));
    };
    let marker: Marker = serde_json::from_slice(value)
        .map_err(|error| Error::Unreadable { key: MARKER.to_owned(), reason: error.to_string() })?;
    known("the store", marker.format)?;
    if marker.importing { Err(Error::HalfImported) } else { Ok(Some(marker.format)) }
}

/// Refuses what a newer release wrote.
pub(super) fn known(what: &str, format: u64) -> Result<(), Error> {
    if format > FORMAT {
        return Err(Error::Newer { what: what.to_owned(), found: format, known: FORMAT });
    }
    Ok(())
}

/// Writes the marker.
pub(super) fn mark(batch: &mut Batch, format: u64, importing: bool) {
    // Made of a number and a truth value: there is always JSON for it.
    batch.put(MARKER, serde_json::to_vec(&Marker { format, importing }).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MemoryStore;

    async fn with(pairs: &[(&str, &str)]) -> MemoryStore {
        let (store, mut batch) = (MemoryStore::default(), Batch::default());
        pairs.iter().for_each(|(key, value)| batch.put(*key, *value));
        store.commit(batch).await.unwrap();
        store
    }

    #[tokio::test]
    async fn a_new_store_is_marked_and_one_with_records_alone_is_of_the_first_format() {
        let new = with(&[]).await;
        assert_eq!((check(&new).await.unwrap(), check(&new).await.unwrap()), (2, 2));
        assert_eq!(new.get(b"meta/format").unwrap().as_deref(), Some(&br#"{"format":2}"#[..]));
        let old = with(&[("counts/acme", "{}")]).await;
        assert_eq!((check(&old).await.unwrap(), check(&old).await.unwrap()), (1, 1));
    }

    #[tokio::test]
    async fn a_newer_store_and_a_half_imported_one_are_refused() {
        let newer = with(&[("meta/format", r#"{"format":7}"#), ("a", "1")]).await;
        let error = check(&newer).await.unwrap_err();
        assert!(error.to_string().contains('7') && error.to_string().contains('2'), "{error}");
        assert!(matches!(error, Error::Newer { found: 7, known: 2, .. }), "{error}");
        let half = with(&[("meta/format", r#"{"format":2,"importing":true}"#)]).await;
        assert!(matches!(check(&half).await, Err(Error::HalfImported)));
        let damaged = with(&[("meta/format", "2?")]).await;
        assert!(matches!(check(&damaged).await, Err(Error::Unreadable { .. })));
    }
}

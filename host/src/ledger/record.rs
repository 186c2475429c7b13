//! How a record is written: as JSON, in an envelope that names the format of the store.

use serde::{Deserialize, Serialize};
use tokio::runtime::{Handle, RuntimeFlavor};

use super::unreadable;
use crate::store::Error;

/// The envelope of a record of format 2.
#[derive(Serialize, Deserialize)]
enum Envelope<T> {
    #[serde(rename = "2")]
    V2(T),
}

/// With JSON of more bytes than this, other tasks are given another thread meanwhile; with less, that costs more than it saves.
const LONG: usize = 64 * 1024;

/// Encodes or decodes records of about so many bytes; where that takes long, this thread's other tasks go on elsewhere.
pub(super) fn off_thread<T>(bytes: usize, work: impl FnOnce() -> T) -> T {
    let threads = || Handle::try_current().map(|handle| handle.runtime_flavor());
    if bytes > LONG && matches!(threads(), Ok(RuntimeFlavor::MultiThread)) {
        return tokio::task::block_in_place(work);
    }
    work()
}

/// The bytes of values that were read.
pub(super) fn bytes_of<'a>(values: impl IntoIterator<Item = &'a Vec<u8>>) -> usize {
    values.into_iter().map(Vec::len).sum()
}

/// The bytes of a record. Records are made of strings, numbers, lists and maps with text keys: there is always JSON for them.
pub(super) fn encode<T: Serialize>(record: &T) -> Vec<u8> {
    serde_json::to_vec(&Envelope::V2(record)).unwrap_or_default()
}

/// # Errors
/// When it is of another format, or damaged.
pub(super) fn decode<'a, T: Deserialize<'a>>(key: &[u8], value: &'a [u8]) -> Result<T, Error> {
    match serde_json::from_slice(value) {
        Ok(Envelope::V2(record)) => Ok(record),
        Err(error) => Err(unreadable(&String::from_utf8_lossy(key), &error.to_string())),
    }
}

//! Writing records, many in few calls.

pub(crate) mod batch_upsert;
pub(crate) mod batcher;
pub(crate) mod records;

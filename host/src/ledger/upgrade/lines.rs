//! Imports the lines of an export of format 1, which has neither a header nor a last line.

use std::io::BufRead;

use serde::Deserialize;

use super::{Upgrade, Upgraded};
use crate::domain::Timestamp;
use crate::ledger::unreadable;
use crate::store::{Batch, Error, Pair, Store};

/// Pairs that are written at a time,
const CHUNK: usize = 500;
/// and bytes of them.
const CHUNK_BYTES: usize = 4 * 1024 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    key: String,
    value: String,
}

/// Reads an export of format 1 into an empty store.
///
/// # Errors
/// Names the line that cannot be understood, or says why the store cannot be written.
pub async fn convert(lines: impl BufRead, into: &dyn Store, now: Timestamp) -> Result<Upgraded, Error> {
    let (mut upgrade, mut batch) = (Upgrade::new(now), Batch::default());
    for (line, number) in lines.lines().zip(1_u64..) {
        let line = line.map_err(|error| Error::Failed(error.to_string()))?;
        let on = |key: &str, reason: &str| unreadable(&format!("{key} on line {number}"), reason);
        let Line { key, value } = serde_json::from_str(&line).map_err(|error| on("", &error.to_string()))?;
        let pairs = upgrade.pair((key.into_bytes(), value.into_bytes())).map_err(|error| match error {
            Error::Unreadable { key, reason } => on(&key, &reason),
            other => other,
        })?;
        write(into, &mut batch, pairs).await?;
    }
    let pairs = upgrade.end()?;
    write(into, &mut batch, pairs).await?;
    if !batch.is_empty() {
        into.commit(batch).await?;
    }
    Ok(upgrade.upgraded().clone())
}

async fn write(into: &dyn Store, batch: &mut Batch, pairs: Vec<Pair>) -> Result<(), Error> {
    for (key, value) in pairs {
        if batch.len() >= CHUNK || batch.bytes() + value.len() > CHUNK_BYTES {
            into.commit(std::mem::take(batch)).await?;
        }
        batch.put(key, value);
    }
    Ok(())
}

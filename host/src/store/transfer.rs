//! Moves the content of one store into another: a line of JSON for each pair, so that any tool can read it.

use std::io::{BufRead, Write};

use serde::{Deserialize, Serialize};

use super::{Batch, Error, Store};

/// Pairs that are read or written at a time.
const CHUNK: usize = 500;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    key: String,
    /// The value where it is text (all records of this host are JSON).
    value: String,
}

/// Writes every pair of a store as a line of JSON; answers how many. What `leave_out` says of a key and its value leaves no store.
///
/// # Errors
/// When the store cannot be read or the lines cannot be written.
pub fn export(store: &dyn Store, mut to: impl Write, leave_out: impl Fn(&[u8], &[u8]) -> bool) -> Result<u64, Error> {
    let (mut count, mut after) = (0, None::<Vec<u8>>);
    loop {
        let pairs = store.scan(b"", after.as_deref(), CHUNK)?;
        let Some((last, _)) = pairs.last() else { break };
        after = Some(last.clone());
        for (key, value) in pairs.into_iter().filter(|(key, value)| !leave_out(key, value)) {
            let line = Line { key: text(&key, &key)?, value: text(&key, &value)? };
            serde_json::to_writer(&mut to, &line).map_err(|error| Error::Failed(error.to_string()))?;
            to.write_all(b"\n").map_err(|error| Error::Failed(error.to_string()))?;
            count += 1;
        }
    }
    to.flush().map_err(|error| Error::Failed(error.to_string()))?;
    Ok(count)
}

/// Reads what `export` wrote into a store; answers how many pairs. The store should be empty.
///
/// # Errors
/// Names the line that cannot be understood, or says why the store cannot be written.
pub async fn import(store: &dyn Store, from: impl BufRead) -> Result<u64, Error> {
    let (mut count, mut batch) = (0, Batch::default());
    for (number, line) in from.lines().enumerate() {
        let line = line.map_err(|error| Error::Failed(error.to_string()))?;
        let line: Line = serde_json::from_str(&line)
            .map_err(|error| Error::Unreadable { key: format!("on line {}", number + 1), reason: error.to_string() })?;
        batch.put(line.key, line.value);
        count += 1;
        if batch.len() >= CHUNK {
            store.commit(std::mem::take(&mut batch)).await?;
        }
    }
    if !batch.is_empty() {
        store.commit(batch).await?;
    }
    Ok(count)
}

fn text(key: &[u8], bytes: &[u8]) -> Result<String, Error> {
    let unreadable =
        || Error::Unreadable { key: String::from_utf8_lossy(key).into_owned(), reason: "not text".to_owned() };
    String::from_utf8(bytes.to_vec()).map_err(|_| unreadable())
}

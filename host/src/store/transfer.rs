//! Moves the content of one store into another, by lines of JSON that any tool can read.

mod lines;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::io::{BufRead, Seek, SeekFrom, Write};

pub(super) use self::lines::Writer;
use self::lines::{Reader, failed};
use super::{Batch, Error, Pair, Range, Store, format, ring};

/// Pairs that are read or written at a time,
const CHUNK: usize = 500;
/// and bytes of them.
const CHUNK_BYTES: usize = 4 * 1024 * 1024;

/// Turns the pairs of an older format into those of a newer one.
pub trait Convert: Send {
    /// The format of what it makes.
    fn format(&self) -> u64;

    /// What becomes of a pair. Each key comes once; keys of a backup are not in order.
    ///
    /// # Errors
    /// When nothing can be made of it: then the whole export is refused.
    fn pair(&mut self, pair: Pair) -> Result<Vec<Pair>, Error>;

    /// What is still to be written after the last pair.
    ///
    /// # Errors
    /// As `pair`.
    fn end(&mut self) -> Result<Vec<Pair>, Error>;
}

/// Takes pairs as they are.
#[derive(Debug, Clone, Copy)]
pub struct AsTheyAre {
    /// The format that they have.
    pub format: u64,
}

impl Convert for AsTheyAre {
    fn format(&self) -> u64 {
        self.format
    }

    fn pair(&mut self, pair: Pair) -> Result<Vec<Pair>, Error> {
        Ok(vec![pair])
    }

    fn end(&mut self) -> Result<Vec<Pair>, Error> {
        Ok(Vec::new())
    }
}

/// An export that was read to its end and can be imported.
#[derive(Debug)]
pub struct Checked {
    /// The format of its records.
    pub format: u64,
    /// How many records it has.
    pub records: u64,
    headerless: bool,
    /// Keys that do not come in order, as in the second part of a backup, with the last line about each.
    later: HashMap<Vec<u8>, u64>,
}

/// Writes every pair of a store; answers how many. A token that is not sealed yet is left out.
///
/// # Errors
/// When the store cannot be read or the lines cannot be written.
pub async fn export(store: &dyn Store, to: impl Write) -> Result<u64, Error> {
    let format = format::read(store).await?.unwrap_or(format::FORMAT);
    let (mut lines, mut after) = (Writer::new(to, format)?, None);
    loop {
        let pairs = store.range(Range::of("", CHUNK).after(after)).await?;
        let Some((last, _)) = pairs.last() else { break };
        after = Some(last.clone());
        for (key, value) in pairs {
            lines.change((key, Some(value)))?;
        }
    }
    let exported = lines.changes;
    lines.end()?;
    Ok(exported)
}

/// Reads an export to its end and writes nothing. `headerless` takes one of an earlier release, which cannot be known to be
/// whole; `convert` is given the format of the records.
///
/// # Errors
/// [`Error::NotWhole`] when a part is missing or was changed, [`Error::Unreadable`] with the line that cannot be understood,
/// [`Error::TooLarge`] when a record cannot be kept, [`Error::Newer`] when a newer release wrote it.
pub fn check_export(
    from: &mut (impl BufRead + Seek),
    headerless: bool,
    convert: impl Fn(u64) -> Box<dyn Convert>,
) -> Result<Checked, Error> {
    let mut checked = Checked { format: 0, records: 0, headerless, later: HashMap::new() };
    let mut lines = begin(from, headerless)?;
    let mut highest: Option<Vec<u8>> = None;
    while let Some((key, value)) = lines.next()? {
        let in_order = value.is_some() && highest.as_ref().is_none_or(|highest| *highest < key);
        if in_order && checked.later.is_empty() {
            highest = Some(key);
        } else {
            checked.later.insert(key, lines.line);
        }
    }
    checked.format = lines.format;
    let mut convert = convert(checked.format);
    let size = |pairs: Vec<Pair>| {
        let mut batch = Batch::default();
        pairs.into_iter().for_each(|(key, value)| batch.put(key, value));
        batch.check()
    };
    let mut lines = begin(from, headerless)?;
    while let Some(pair) = checked.next(&mut lines)? {
        checked.records += 1;
        size(convert.pair(pair)?)?;
    }
    size(convert.end()?)?;
    Ok(checked)
}

/// Writes a checked export into an empty store; answers how many pairs. `progress` is told how many records are written.
///
/// # Errors
/// [`Error::NotEmpty`] when there are records in the store, or when it cannot be written: then it has to be thrown away,
/// and [`format::check`] refuses it.
pub async fn import(
    store: &dyn Store,
    from: &mut (impl BufRead + Seek),
    checked: &Checked,
    convert: impl Fn(u64) -> Box<dyn Convert>,
    mut progress: impl FnMut(u64),
) -> Result<u64, Error> {
    let there = store.range(Range::of("", 2).keys_only()).await?;
    if there.iter().any(|(key, _)| key != format::MARKER.as_bytes()) {
        return Err(Error::NotEmpty);
    }
    let mut convert = convert(checked.format);
    let (mut batch, mut read, mut written) = (Batch::default(), 0, 0);
    format::mark(&mut batch, convert.format(), true);
    let mut lines = begin(from, checked.headerless)?;
    loop {
        let pair = checked.next(&mut lines)?;
        let ended = pair.is_none();
        let pairs = match pair {
            Some(pair) => convert.pair(pair)?,
            None => convert.end()?,
        };
        read += u64::from(!ended);
        for (key, value) in pairs.into_iter().filter(|(key, _)| !ring::holds(key) && key != ring::NAME.as_bytes()) {
            if batch.len() >= CHUNK || batch.bytes() + value.len() >= CHUNK_BYTES {
                store.commit(std::mem::take(&mut batch)).await?;
                progress(read);
            }
            batch.put(key, value);
            written += 1;
        }
        if ended {
            break;
        }
    }
    match convert.format() {
        1 => batch.delete(format::MARKER),
        format => format::mark(&mut batch, format, false),
    }
    store.commit(batch).await?;
    Ok(written)
}

fn begin<R: BufRead + Seek>(from: &mut R, headerless: bool) -> Result<Reader<&mut R>, Error> {
    from.seek(SeekFrom::Start(0)).map_err(failed)?;
    Reader::new(from, headerless)
}

impl Checked {
    /// The next pair that is right until the end: the last one of its key, and not deleted.
    fn next(&self, lines: &mut Reader<impl BufRead>) -> Result<Option<Pair>, Error> {
        while let Some((key, value)) = lines.next()? {
            if let Some(value) = value
                && self.later.get(&key).is_none_or(|last| *last == lines.line)
            {
                return Ok(Some((key, value)));
            }
        }
        Ok(None)
    }
}

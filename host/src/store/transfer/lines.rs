//! The lines of an export: a header, a line of JSON for each write, and a last line that says that all are there.
//!
//! ```text
//! {"switchyard_export":1,"format":2}             the layout of the lines, the format of the records
//! {"key":"counts/acme","value":"{...}"}          in the order of the keys; `hex` instead of `value` where it is no text
//! {"key":"counts/acme","value":"{...}"}          a backup goes on with what changed meanwhile,
//! {"key":"inbox/acme/7","deleted":true}          where the last line about a key is right
//! {"lines":4,"sha256":"..."}                     how many lines came before, and the SHA-256 of their bytes
//! ```

use std::io::{BufRead, Write};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::store::tokens::is_in_the_clear;
use crate::store::{Change, Error, format, ring};

/// The layout of the lines.
const LAYOUT: u64 = 1;
/// No line is longer: the largest value, each byte of it as an escape, with the largest key.
const LONGEST_LINE: u64 = 16 * 1024 * 1024;

#[derive(Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Line {
    Header { switchyard_export: u64, format: u64 },
    Text { key: String, value: String },
    Bytes { key: String, hex: String },
    Deleted { key: String, deleted: bool },
    End { lines: u64, sha256: String },
}

/// Writes an export line by line.
pub(in crate::store) struct Writer<W> {
    to: W,
    lines: u64,
    digest: Sha256,
    /// Lines about records.
    pub(super) changes: u64,
}

impl<W: Write> Writer<W> {
    /// Begins with the header.
    pub(in crate::store) fn new(to: W, format: u64) -> Result<Self, Error> {
        let mut writer = Self { to, lines: 0, digest: Sha256::new(), changes: 0 };
        writer.write(&Line::Header { switchyard_export: LAYOUT, format })?;
        Ok(writer)
    }

    /// Writes a change. The marker of the format stands in the header; the ring, and a token that is not sealed, leave no store.
    pub(in crate::store) fn change(&mut self, (key, value): Change) -> Result<(), Error> {
        let stays = key == format::MARKER.as_bytes() || ring::holds(&key) || key == ring::NAME.as_bytes();
        if stays || value.as_ref().is_some_and(|value| is_in_the_clear(&key, value)) {
            return Ok(());
        }
        let key = String::from_utf8(key).map_err(|error| Error::Unreadable {
            key: String::from_utf8_lossy(error.as_bytes()).into_owned(),
            reason: "its key is no text".to_owned(),
        })?;
        let line = match value.map(String::from_utf8) {
            Some(Ok(value)) => Line::Text { key, value },
            Some(Err(error)) => Line::Bytes { key, hex: hex::encode(error.as_bytes()) },
            None => Line::Deleted { key, deleted: true },
        };
        self.changes += 1;
        self.write(&line)
    }

    /// Writes the last line; answers what was written to.
    pub(in crate::store) fn end(mut self) -> Result<W, Error> {
        let sha256 = hex::encode(self.digest.clone().finalize());
        self.write(&Line::End { lines: self.lines, sha256 })?;
        self.to.flush().map_err(failed)?;
        Ok(self.to)
    }

    /// What was written to.
    pub(in crate::store) fn inner(&mut self) -> &mut W {
        &mut self.to
    }

    fn write(&mut self, line: &Line) -> Result<(), Error> {
        let mut bytes = serde_json::to_vec(line).map_err(|error| Error::Failed(error.to_string()))?;
        bytes.push(b'\n');
        self.lines += 1;
        self.digest.update(&bytes);
        self.to.write_all(&bytes).map_err(failed)
    }
}

/// Reads an export line by line, and knows at its end whether it was whole.
pub(super) struct Reader<R> {
    from: R,
    /// The number of the line that was read last.
    pub(super) line: u64,
    digest: Sha256,
    /// The format of the records.
    pub(super) format: u64,
    headerless: bool,
    ended: bool,
}

impl<R: BufRead> Reader<R> {
    /// Reads the header. One that is `headerless` has none and no last line: earlier releases wrote them so.
    pub(super) fn new(from: R, headerless: bool) -> Result<Self, Error> {
        let mut reader = Self { from, line: 0, digest: Sha256::new(), format: 1, headerless, ended: false };
        if headerless {
            return Ok(reader);
        }
        match reader.read()? {
            Some(Line::Header { switchyard_export, format }) => {
                if switchyard_export > LAYOUT {
                    let what = "the layout of the export".to_owned();
                    return Err(Error::Newer { what, found: switchyard_export, known: LAYOUT });
                }
                format::known("the export", format)?;
                reader.format = format;
                Ok(reader)
            }
            Some(_) => {
                Err(Error::NotWhole("it has no header, as those of earlier releases (`--headerless`)".to_owned()))
            }
            None => Err(Error::NotWhole("it is empty".to_owned())),
        }
    }

    /// The next change; `None` at the end, if everything was there.
    pub(super) fn next(&mut self) -> Result<Option<Change>, Error> {
        if self.ended {
            return Ok(None);
        }
        let (before, lines) = (self.digest.clone(), self.line);
        let unknown = |line| Err(unreadable(line, "there is no line like this at this place"));
        match self.read()? {
            Some(Line::Text { key, value }) => Ok(Some((key.into_bytes(), Some(value.into_bytes())))),
            Some(Line::Bytes { key, hex }) => {
                let value = hex::decode(hex).map_err(|error| unreadable(self.line, &error.to_string()))?;
                Ok(Some((key.into_bytes(), Some(value))))
            }
            Some(Line::Deleted { key, deleted: true }) if !self.headerless => Ok(Some((key.into_bytes(), None))),
            Some(Line::End { lines: expected, sha256 }) if !self.headerless => {
                if expected != lines {
                    return Err(Error::NotWhole(format!("it says that it has {expected} lines, and has {lines}")));
                }
                if sha256 != hex::encode(before.finalize()) {
                    return Err(Error::NotWhole("a line was changed since it was written".to_owned()));
                }
                if self.read()?.is_some() {
                    return unknown(self.line);
                }
                self.ended = true;
                Ok(None)
            }
            Some(_) => unknown(self.line),
            None if self.headerless => Ok(None),
            None => Err(Error::NotWhole(format!("it breaks off after line {lines}"))),
        }
    }

    fn read(&mut self) -> Result<Option<Line>, Error> {
        let mut bytes = Vec::new();
        std::io::Read::take(&mut self.from, LONGEST_LINE).read_until(b'\n', &mut bytes).map_err(failed)?;
        if bytes.is_empty() {
            return Ok(None);
        }
        self.line += 1;
        self.digest.update(&bytes);
        if bytes.last() != Some(&b'\n') && !self.headerless {
            return Err(Error::NotWhole(format!("it breaks off in line {}", self.line)));
        }
        serde_json::from_slice(&bytes).map(Some).map_err(|_| unreadable(self.line, "it is no line of an export"))
    }
}

fn unreadable(line: u64, reason: &str) -> Error {
    Error::Unreadable { key: format!("on line {line}"), reason: reason.to_owned() }
}

pub(super) fn failed(error: std::io::Error) -> Error {
    Error::Failed(error.to_string())
}

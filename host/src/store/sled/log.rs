//! Reads the log of a database before sled does. sled takes damage for the end of the log, or skips the rest of a segment,
//! says nothing, and overwrites what it left out.
//!
//! The log of sled 0.34 is a file of segments. A segment begins with a header (checksum, number of its first byte in the
//! order of writing, number up to which everything was stable then) and is filled with messages (checksum, kind, length,
//! number of the segment, page, content). A full segment ends with a message of kind 2, or too little space for a message.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use super::SEGMENT_BYTES;
use super::committed::decode;

const SEGMENT: u64 = SEGMENT_BYTES as u64;
/// Bytes of a segment's header.
const HEADER: usize = 20;
/// A message never begins with less space than this before the end of its segment.
const LEAST_SPACE: usize = 32;
/// Kinds of messages; 0 is what nothing was written to.
const KINDS: std::ops::RangeInclusive<u8> = 1..=11;
/// The kind of the message that ends a segment.
const CAP: u8 = 2;
/// The page that has the number of the last commit is smaller than this.
const SMALL: usize = 128;

/// What the log says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Findings {
    /// The highest number of a commit before the end.
    pub(super) last: Option<u64>,
    /// The first byte that is damaged in what was stable.
    pub(super) damage: Option<u64>,
}

/// A segment that has a header.
struct Segment {
    /// Its place in the order of writing, in bytes.
    order: u64,
    /// Up to where everything was stable when it was begun.
    stable: u64,
    /// Where it is in the file.
    at: u64,
}

/// Reads what sled is going to replay: everything since its newest snapshot.
pub(super) fn read(folder: &Path) -> io::Result<Findings> {
    let log = match File::open(folder.join("db")) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Findings::default()),
        log => log?,
    };
    let from = snapshot(folder)? / SEGMENT * SEGMENT;
    let mut findings = Findings::default();
    let mut segments = segments(&log, &mut findings)?;
    segments.retain(|segment| segment.order >= from);
    segments.sort_by_key(|segment| segment.order);
    let tail = segments.iter().map(|segment| segment.stable).max().unwrap_or(0).max(from) / SEGMENT * SEGMENT;
    let mut expected = tail;
    for segment in segments {
        let in_tail = segment.order >= tail;
        // What was not stable yet may be torn; all behind the first gap is nothing.
        if in_tail && segment.order != expected {
            break;
        }
        let bytes = load(&log, segment.at)?;
        let broken = walk(&bytes, segment.order / SEGMENT, &mut findings.last);
        match broken {
            Some(_) if in_tail => break,
            Some(offset) => findings.damage = findings.damage.or(Some(segment.at + offset as u64)),
            None if in_tail => expected += SEGMENT,
            None => {}
        }
    }
    Ok(findings)
}

/// Up to where the newest snapshot reaches: its file is named by it.
fn snapshot(folder: &Path) -> io::Result<u64> {
    let mut newest = 0;
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|name| u64::from_str_radix(name.strip_prefix("snap.")?, 16).ok());
        newest = newest.max(number.unwrap_or(0));
    }
    Ok(newest)
}

/// All segments that were begun; a header that cannot be read is damage.
fn segments(log: &File, findings: &mut Findings) -> io::Result<Vec<Segment>> {
    let bytes = log.metadata()?.len();
    let mut segments = Vec::new();
    for at in (0..bytes).step_by(SEGMENT_BYTES).filter(|at| bytes - at >= HEADER as u64) {
        let mut header = [0; HEADER];
        log.read_exact_at(&mut header, at)?;
        let field = |from: usize| header[from..from + 8].try_into().map(i64::from_le_bytes).unwrap_or_default();
        let number = |from: usize| u64::try_from(field(from) ^ i64::MAX).ok();
        // A segment begun before anything was stable says -1.
        let (order, stable) = (number(4), number(12).unwrap_or(0));
        match order {
            Some(order) if header[..4] == (!crc32fast::hash(&header[4..])).to_le_bytes() => {
                segments.push(Segment { order, stable, at });
            }
            // sled fills what it does not use with zeros.
            _ if header == [0; HEADER] && load(log, at)?.iter().all(|byte| *byte == 0) => {}
            _ => findings.damage = findings.damage.or(Some(at)),
        }
    }
    Ok(segments)
}

fn load(log: &File, at: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; SEGMENT_BYTES];
    let mut read = 0;
    while read < bytes.len() {
        match log.read_at(&mut bytes[read..], at + read as u64) {
            Ok(0) => break,
            Ok(more) => read += more,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(read);
    Ok(bytes)
}

/// Goes from message to message and keeps the highest number of a commit; answers where a message is damaged or missing.
fn walk(segment: &[u8], number: u64, last: &mut Option<u64>) -> Option<usize> {
    let mut at = HEADER;
    while at + LEAST_SPACE <= SEGMENT_BYTES {
        let Some((kind, content, next)) = message(segment, at, number) else { return Some(at) };
        if kind == CAP {
            break;
        }
        if content.len() <= SMALL {
            *last = (0..content.len()).filter_map(|from| decode(&content[from..])).max().max(*last);
        }
        at = next;
    }
    None
}

/// The kind and the content of the message at `at`, and where the next one begins; `None` where there is no whole one.
fn message(segment: &[u8], at: usize, number: u64) -> Option<(u8, &[u8], usize)> {
    let checksum = segment.get(at..at + 4)?;
    let kind = *segment.get(at + 4)?;
    let mut next = at + 5;
    let length = usize::try_from(varint(segment, &mut next)?).ok()?;
    let of_segment = varint(segment, &mut next)?;
    varint(segment, &mut next)?;
    let content = segment.get(next..next.checked_add(length)?)?;
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(content);
    hasher.update(&segment[at + 4..next]);
    let whole = KINDS.contains(&kind) && of_segment == number && checksum == (!hasher.finalize()).to_le_bytes();
    whole.then_some((kind, content, next + length))
}

/// A number of one to nine bytes.
fn varint(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let first = *bytes.get(*at)?;
    let more = match first {
        0..=240 => 0,
        241..=248 => 1,
        249 => 2,
        _ => usize::from(first) - 247,
    };
    let rest = bytes.get(*at + 1..*at + 1 + more)?;
    *at += 1 + more;
    Some(match (first, rest) {
        (241..=248, [low]) => 240 + 256 * (u64::from(first) - 241) + u64::from(*low),
        (249, [high, low]) => 2288 + 256 * u64::from(*high) + u64::from(*low),
        (0..=240, _) => u64::from(first),
        _ => rest.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)),
    })
}

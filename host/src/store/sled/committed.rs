//! The number of the commit that was acknowledged last, kept outside the database, so that a loss is noticed.
//!
//! The file has two slots, written in turn: a write that is torn leaves the other one. A slot is a line of text, `LAYOUT
//! NUMBER CHECKSUM`. It is written after the commit is durable and before it is acknowledged: the file never claims more
//! than the disk has, and, as long as the system runs, never less than somebody was told. The file itself is made durable
//! within a tenth of a second: to wait for that before each acknowledgement would take half as long again under load, and
//! twice as long for a single commit. So after a power cut it may claim less, by that tenth of a second.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::super::Error;

/// The layout of the file that this release writes.
const LAYOUT: u64 = 1;
/// Bytes from one slot to the other: no disk writes both in one go.
const SLOT: u64 = 4096;
/// What the number begins with where it stands in the database, so that it is found in a damaged log as well.
const MARK: [u8; 8] = *b"\xf5commit\n";

/// A claim is durable this long after it was made, and what a sync takes.
const SYNC_AFTER: Duration = Duration::from_millis(100);

/// The open file, and the thread that makes it durable.
pub(super) struct Committed {
    shared: Arc<Shared>,
    syncing: Option<JoinHandle<()>>,
}

struct Shared {
    file: File,
    /// Whether a claim may not be durable yet.
    dirty: AtomicBool,
    stopping: AtomicBool,
}

fn path(folder: &Path) -> PathBuf {
    folder.join("committed")
}

fn line(number: u64) -> String {
    let claim = format!("{LAYOUT} {number}");
    format!("{claim} {:08x}\n", crc32fast::hash(claim.as_bytes()))
}

/// The layout and the number of a slot; `None` where its checksum is wrong.
fn slot(text: &[u8]) -> Option<(u64, u64)> {
    let text = str::from_utf8(text).ok()?.lines().next()?;
    let (claim, checksum) = text.rsplit_once(' ')?;
    if u32::from_str_radix(checksum, 16).ok()? != crc32fast::hash(claim.as_bytes()) {
        return None;
    }
    let mut words = claim.split(' ');
    let layout = words.next()?.parse().ok()?;
    Some((layout, words.next().and_then(|number| number.parse().ok()).unwrap_or(0)))
}

impl Committed {
    /// What the file of a store claims; `None` where there is none, as in a store of an older release.
    ///
    /// # Errors
    /// [`Error::Newer`] when a newer release wrote it, [`Error::Unreadable`] when neither slot is whole.
    pub(super) fn read(folder: &Path) -> Result<Option<u64>, Error> {
        let mut bytes = Vec::new();
        match File::open(path(folder)).and_then(|mut file| file.read_to_end(&mut bytes)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::Failed(format!("{}: {error}", path(folder).display()))),
            Ok(0) => return Ok(None),
            Ok(_) => {}
        }
        let half = bytes.len().min(usize::try_from(SLOT).unwrap_or(usize::MAX));
        let (first, second) = bytes.split_at(half);
        let claims = [slot(first), slot(second)].into_iter().flatten();
        let (layout, number) = claims.max().ok_or_else(|| Error::Unreadable {
            key: path(folder).display().to_string(),
            reason: "it does not say what was acknowledged last".to_owned(),
        })?;
        if layout > LAYOUT {
            let what = path(folder).display().to_string();
            return Err(Error::Newer { what, found: layout, known: LAYOUT });
        }
        Ok(Some(number))
    }

    /// Opens the file of a store, or makes it, and claims `number` in both slots.
    pub(super) fn open(folder: &Path, number: u64) -> io::Result<Self> {
        let file = File::options().write(true).create(true).truncate(false).mode(0o600).open(path(folder))?;
        file.write_all_at(line(number).as_bytes(), 0)?;
        file.write_all_at(line(number).as_bytes(), SLOT)?;
        file.sync_all()?;
        let shared = Arc::new(Shared { file, dirty: AtomicBool::new(false), stopping: AtomicBool::new(false) });
        let thread = {
            let shared = Arc::clone(&shared);
            std::thread::Builder::new().name("store-claims".to_owned()).spawn(move || shared.sync())?
        };
        Ok(Self { shared, syncing: Some(thread) })
    }

    /// Claims that this commit is durable. When it answers `Ok`, the claim survives a kill; soon after, a power cut.
    pub(super) fn keep(&self, number: u64) -> io::Result<()> {
        self.shared.file.write_all_at(line(number).as_bytes(), number % 2 * SLOT)?;
        if !self.shared.dirty.swap(true, Ordering::SeqCst)
            && let Some(thread) = &self.syncing
        {
            thread.thread().unpark();
        }
        Ok(())
    }
}

impl Shared {
    fn sync(&self) {
        while !self.stopping.load(Ordering::SeqCst) {
            if !self.dirty.load(Ordering::SeqCst) {
                std::thread::park();
                continue;
            }
            std::thread::park_timeout(SYNC_AFTER);
            self.dirty.store(false, Ordering::SeqCst);
            if let Err(error) = self.file.sync_data() {
                tracing::error!(%error, "what was acknowledged last is not durable; the commits themselves are");
            }
        }
    }
}

impl Drop for Committed {
    /// What was claimed is durable afterwards.
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        if let Some(thread) = self.syncing.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
        let _ = self.shared.file.sync_data();
    }
}

/// The number as it stands in the database.
pub(super) fn encode(number: u64) -> Vec<u8> {
    let mut bytes = [MARK, number.to_le_bytes()].concat();
    bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
    bytes
}

/// The number that stands at the beginning of `bytes`.
pub(super) fn decode(bytes: &[u8]) -> Option<u64> {
    let (claim, checksum) = bytes.get(..20)?.split_at(16);
    let number = claim.strip_prefix(&MARK)?;
    (checksum == crc32fast::hash(claim).to_le_bytes()).then(|| number.try_into().map(u64::from_le_bytes).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_or_damaged_slot_leaves_the_claim_of_the_other() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Committed::read(folder.path()).unwrap(), None);
        let committed = Committed::open(folder.path(), 7).unwrap();
        assert_eq!(Committed::read(folder.path()).unwrap(), Some(7));
        committed.keep(8).unwrap();
        committed.keep(1_000_000).unwrap();
        committed.keep(1_000_001).unwrap();
        assert_eq!(Committed::read(folder.path()).unwrap(), Some(1_000_001));
        let bytes = std::fs::read(path(folder.path())).unwrap();
        for at in 0..line(1_000_001).len() - 1 {
            let mut damaged = bytes.clone();
            damaged[4096 + at] ^= 1;
            std::fs::write(path(folder.path()), &damaged).unwrap();
            assert_eq!(Committed::read(folder.path()).unwrap(), Some(1_000_000), "byte {at}");
        }
        std::fs::write(path(folder.path()), "1 2 3\n").unwrap();
        assert!(matches!(Committed::read(folder.path()), Err(Error::Unreadable { .. })));
    }

    #[test]
    fn a_file_of_a_newer_release_is_refused_with_both_layouts_named() {
        let folder = tempfile::tempdir().unwrap();
        let claim = "2 tomorrow's words";
        let text = format!("{claim} {:08x}\n", crc32fast::hash(claim.as_bytes()));
        std::fs::write(path(folder.path()), text).unwrap();
        let error = Committed::read(folder.path()).unwrap_err();
        assert!(matches!(error, Error::Newer { found: 2, known: 1, .. }), "{error}");
    }

    #[test]
    fn a_number_in_the_database_is_told_from_other_bytes() {
        assert_eq!(decode(&encode(u64::MAX)), Some(u64::MAX));
        let mut other = encode(5);
        other[9] ^= 1;
        assert_eq!((decode(&other), decode(&encode(5)[..19])), (None, None));
    }
}

//! One opened database: what is checked before anybody reads it, and how a batch is made durable in it.

use std::fs::{DirBuilder, File, Permissions, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::Duration;

use super::super::Error;
use super::committed::{Committed, decode, encode};
use super::{CACHE_BYTES, Opening, SEGMENT_BYTES, log};

/// The key of the last commit's number, alone in a tree of its own: it is rewritten with each batch, and a page of it is small.
const NUMBER: &str = "last";

/// The bytes for which there has to be space before a database is opened anew.
const SPACE: usize = 1024 * 1024;
/// What is written to find out.
const SPACE_FILE: &str = "space";

/// How often is looked whether a database is free that somebody has: for two seconds. sled's threads have a log that was just written
/// until they are done with it, after the last of its owners has let go; and a process that ends lets go when all of it has gone.
const LOOKS: u32 = 400;
/// The pause between two looks at it.
const PAUSE: Duration = Duration::from_millis(5);

/// A database whose log can be synced.
pub(super) struct Database {
    pub(super) db: ::sled::Db,
    numbers: ::sled::Tree,
    /// sled's own `flush` does not survive a power cut; this does.
    log: File,
    committed: Committed,
    /// The number of the last commit.
    last: u64,
}

impl Database {
    /// Opens the database in `folder`, or makes one.
    pub(super) fn open(folder: &Path, opening: Opening) -> Result<Self, Error> {
        let failed = |error: std::io::Error| Error::Failed(format!("{}: {error}", folder.display()));
        let found = folder.join("db").is_file();
        if !found && opening.must_exist {
            return Err(Error::Missing { path: folder.display().to_string() });
        }
        let ours = found || std::fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none());
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
        if ours {
            keep_private(folder, 0o700);
        }
        let acknowledged = when_free(|| check(folder, opening))?;
        let db = when_free(|| replay(folder))?;
        let log = File::options().read(true).write(true).open(folder.join("db")).map_err(failed)?;
        make_files_private(folder).map_err(failed)?;
        let numbers = db.open_tree("committed").map_err(super::failed)?;
        let last = numbers.get(NUMBER).map_err(super::failed)?.and_then(|value| decode(&value)).unwrap_or(0);
        if let Some(acknowledged) = acknowledged.filter(|acknowledged| last < *acknowledged) {
            refuse_loss(
                folder,
                opening,
                Error::Lost { path: folder.display().to_string(), acknowledged, recovered: last },
            )?;
        }
        // What is claimed from here on has to be on the disk before.
        log.sync_data().map_err(failed)?;
        let committed = Committed::open(folder, last).map_err(failed)?;
        // The names of new files have to survive as well.
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
        Ok(Self { db, numbers, log, committed, last })
    }

    /// Writes a batch, so that it can be read; it is not durable yet.
    pub(super) fn apply(&mut self, batch: ::sled::Batch) -> Result<(), Error> {
        self.db.apply_batch(batch).map_err(super::failed)?;
        // Behind the batch in the log: where the number is found, the batch is as well.
        self.numbers.insert(NUMBER, encode(self.last + 1)).map_err(super::failed)?;
        self.last += 1;
        Ok(())
    }

    /// Makes durable what was applied, and claims so.
    pub(super) fn sync(&self) -> Result<(), Error> {
        self.db.flush().map_err(super::failed)?;
        self.log
            .sync_data()
            .and_then(|()| self.committed.keep(self.last))
            .map_err(|error| Error::Failed(error.to_string()))
    }
}

/// Tries again while somebody has the database, as often as patience allows.
fn when_free<T>(attempt: impl Fn() -> Result<T, Error>) -> Result<T, Error> {
    for _ in 0..LOOKS {
        match attempt() {
            Err(Error::InUse { .. }) => std::thread::sleep(PAUSE),
            outcome => return outcome,
        }
    }
    attempt()
}

/// Looks at a database before sled opens it, and changes nothing; answers the number of the last acknowledged commit.
fn check(folder: &Path, opening: Opening) -> Result<Option<u64>, Error> {
    let failed = |error: std::io::Error| Error::Failed(format!("{}: {error}", folder.display()));
    let path = || folder.display().to_string();
    let file = match File::options().read(true).write(true).open(folder.join("db")) {
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        file => Some(file.map_err(failed)?),
    };
    // Held as long as this looks: the log of a running host is not at rest.
    if let Some(file) = &file {
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => Error::InUse { path: path() },
            TryLockError::Error(error) => failed(error),
        })?;
    }
    let acknowledged = match Committed::read(folder) {
        Err(error @ Error::Unreadable { .. }) => refuse_loss(folder, opening, error).map(|()| None)?,
        acknowledged => acknowledged?,
    };
    if file.is_some() && acknowledged.is_none() {
        tracing::info!(path = path(), "the store does not say what was acknowledged last; it does from now on");
    }
    let findings = log::read(folder).map_err(failed)?;
    if let Some(at) = findings.damage {
        refuse_loss(folder, opening, Error::Damaged { path: path(), at })?;
    }
    // Where no number is found, the database says when it is open; where there is no log, there is nothing.
    let recovered = if file.is_none() { Some(0) } else { findings.last };
    if let (Some(acknowledged), Some(recovered)) = (acknowledged, recovered)
        && recovered < acknowledged
    {
        refuse_loss(folder, opening, Error::Lost { path: path(), acknowledged, recovered })?;
    }
    // What a kill left. sled would take a snapshot that was broken off for a damaged one, and refuse the whole database;
    // and a snapshot of a log that is gone for what the new log holds.
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name == SPACE_FILE || name.ends_with(".generating") || (file.is_none() && name.starts_with("snap.")) {
            std::fs::remove_file(entry.path()).map_err(failed)?;
        }
    }
    Ok(acknowledged)
}

/// After a sync that failed the system holds as written what the disk does not have: what it holds is dropped, so that the
/// log is read from the disk.
pub(super) fn forget_unwritten(folder: &Path) {
    #[cfg(target_os = "linux")]
    if let Err(error) = File::open(folder.join("db"))
        .and_then(|log| Ok(rustix::fs::fadvise(log, 0, None, rustix::fs::Advice::DontNeed)?))
    {
        tracing::debug!(%error, "the log may be read from memory");
    }
}

/// Whether the disk has space for a snapshot and some commits. To open the database would tell as well, but reads all of
/// its log.
pub(super) fn takes_writes(folder: &Path) -> Result<(), Error> {
    let path = folder.join(SPACE_FILE);
    let tried = std::fs::write(&path, vec![0; SPACE]).and_then(|()| File::open(&path)?.sync_all());
    tried.and_then(|()| std::fs::remove_file(&path)).map_err(|error| {
        // What could be written of it is in the way of what is needed.
        let _ = std::fs::remove_file(&path);
        Error::Failed(format!("{}: {error}", folder.display()))
    })
}

/// Refuses to go on, or says what is gone and does.
fn refuse_loss(folder: &Path, opening: Opening, error: Error) -> Result<(), Error> {
    if !opening.accept_loss {
        return Err(error);
    }
    tracing::error!(path = %folder.display(), %error, "records are lost; the store is used all the same, as was asked for");
    Ok(())
}

/// Lets sled replay its log. What it cannot make sense of may make it panic.
fn replay(folder: &Path) -> Result<::sled::Db, Error> {
    let open = || {
        ::sled::Config::new()
            .path(folder)
            .cache_capacity(CACHE_BYTES)
            .segment_size(SEGMENT_BYTES)
            .flush_every_ms(None)
            .open()
    };
    match catch_unwind(AssertUnwindSafe(open)) {
        Ok(Ok(db)) => Ok(db),
        Ok(Err(error)) if error.to_string().contains("could not acquire lock") => {
            Err(Error::InUse { path: folder.display().to_string() })
        }
        Ok(Err(error)) => Err(super::failed(error)),
        Err(_) => Err(Error::Failed(format!(
            "the database at {} is damaged and cannot be read: import a backup into a new one",
            folder.display()
        ))),
    }
}

/// Takes everybody else's access; where the file belongs to somebody else, it stays as it is.
fn keep_private(path: &Path, mode: u32) {
    let open = std::fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o077 != 0);
    if open && let Err(error) = std::fs::set_permissions(path, Permissions::from_mode(mode)) {
        tracing::warn!(path = %path.display(), %error, "others may be able to read the store");
    }
}

fn make_files_private(folder: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        match name.to_str() {
            Some("db" | "conf" | "committed") => keep_private(&entry.path(), 0o600),
            Some(snapshot) if snapshot.starts_with("snap.") => keep_private(&entry.path(), 0o600),
            Some("blobs") => keep_private(&entry.path(), 0o700),
            _ => {}
        }
    }
    Ok(())
}

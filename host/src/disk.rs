//! Files on disk that are whole or not there at all, whatever happens meanwhile.

use std::fs::File;
use std::io;
use std::path::Path;

/// Puts a file in place of any of the same name. That its name survives a power cut is for [`sync_names`].
///
/// # Errors
/// When it cannot be written; then the one before is still there.
pub(crate) fn replace(folder: &Path, name: &str, content: &[u8]) -> io::Result<()> {
    let draft = folder.join(format!(".{name}.draft"));
    std::fs::write(&draft, content)?;
    File::open(&draft)?.sync_all()?;
    std::fs::rename(draft, folder.join(name))
}

/// Makes the names in a folder survive a power cut.
///
/// # Errors
/// When the folder cannot be opened or synced.
pub(crate) fn sync_names(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

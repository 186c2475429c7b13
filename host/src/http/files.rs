//! Files that are handed in: whole or not there at all, whatever happens meanwhile.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::{Mutex, OwnedMutexGuard};

/// A folder that the host writes and people edit. Whoever puts in force what it holds, or keeps in it what is in force,
/// has it alone meanwhile: a file that was just replaced must not come into force after the one that replaced it.
#[derive(Clone)]
pub struct Folder(Arc<Mutex<PathBuf>>);

impl Folder {
    /// The folder at `path`; it need not be there yet.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self(Arc::new(Mutex::new(path)))
    }

    /// Its path, once nobody else goes by it.
    pub async fn alone(&self) -> OwnedMutexGuard<PathBuf> {
        Arc::clone(&self.0).lock_owned().await
    }
}

/// Puts a file in place of any of the same name.
pub(super) fn replace(folder: &Path, name: &str, content: &[u8]) -> io::Result<()> {
    let draft = folder.join(format!(".{name}.draft"));
    std::fs::write(&draft, content)?;
    File::open(&draft)?.sync_all()?;
    std::fs::rename(draft, folder.join(name))
}

/// Makes the names in a folder survive a power cut.
pub(super) fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

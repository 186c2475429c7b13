//! The folders into which files are handed in, each used by one at a time.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{Mutex, OwnedMutexGuard};

pub(super) use crate::disk::{replace, sync_names as sync};

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

//! The folders of policies and plugins: what lies in them, read within bounds of time and size, and written as a whole.

mod listing;
mod policy_files;
mod put;
mod regular;
mod text;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, OwnedMutexGuard, Semaphore};

pub(crate) use listing::list;
pub(crate) use policy_files::{Digest, Reading, Texts, delete, digest, in_others, others, read, scripts_beside};
pub(crate) use put::{Draft, finish, forget, sweep};
pub(crate) use regular::{Unread, read_regular};
pub(crate) use text::read_text;

/// How long a disk may take for one piece of work: one that hangs (a network's, say) holds up nothing else.
const PATIENCE: Duration = Duration::from_secs(30);

/// A folder that the host writes and people edit; clones are the same one.
#[derive(Clone)]
pub struct Folder {
    path: Arc<Path>,
    /// Whoever puts in force what the folder holds, or keeps in it what is in force, has it alone meanwhile: a file that was
    /// just replaced must not come into force after the one that replaced it.
    alone: Arc<Mutex<()>>,
    /// One piece of work at a time: where the disk hangs, no more threads hang than one.
    disk: Arc<Semaphore>,
    patience: Duration,
}

impl Folder {
    /// The folder at `path`; it need not be there yet.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { path: path.into(), alone: Arc::default(), disk: Arc::new(Semaphore::new(1)), patience: PATIENCE }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder, once nobody else goes by it.
    pub(crate) async fn alone(&self) -> Alone {
        Alone { folder: self.clone(), _guard: Arc::clone(&self.alone).lock_owned().await }
    }

    /// Does what needs the disk on a thread of its own, and waits for that no longer than half a minute.
    ///
    /// # Errors
    /// Those of the work, and when it takes too long.
    pub(crate) async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let (path, disk) = (Arc::clone(&self.path), Arc::clone(&self.disk));
        let working = async move {
            let place = disk.acquire_owned().await.map_err(io::Error::other)?;
            let done = tokio::task::spawn_blocking(move || {
                let done = work(&path);
                drop(place);
                done
            });
            done.await.unwrap_or_else(|error| Err(io::Error::other(error)))
        };
        let too_late = || io::Error::new(io::ErrorKind::TimedOut, "the disk did not answer within half a minute");
        tokio::time::timeout(self.patience, working).await.unwrap_or_else(|_| Err(too_late()))
    }
}

/// A folder that nobody else goes by meanwhile.
pub(crate) struct Alone {
    folder: Folder,
    _guard: OwnedMutexGuard<()>,
}

impl std::ops::Deref for Alone {
    type Target = Folder;
    fn deref(&self) -> &Folder {
        &self.folder
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn a_disk_that_hangs_is_waited_for_within_a_bound_and_holds_no_more_than_one_thread() {
        let folder = Folder { patience: Duration::from_millis(20), ..Folder::new("anywhere".into()) };
        let (go_on, hangs) = mpsc::channel::<()>();
        let begun = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&begun);
        let hung = folder.work(move |_| {
            counted.fetch_add(1, Ordering::SeqCst);
            hangs.recv().map_err(io::Error::other)
        });
        assert_eq!(hung.await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        for _ in 0..3 {
            let counted = Arc::clone(&begun);
            let next = folder.work(move |_| Ok(counted.fetch_add(1, Ordering::SeqCst)));
            assert_eq!(next.await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        }
        assert_eq!(begun.load(Ordering::SeqCst), 1, "none is begun beside the one that hangs");
        go_on.send(()).unwrap();
        let patient = Folder { patience: PATIENCE, ..folder };
        assert_eq!(patient.work(|path| Ok(path.to_owned())).await.unwrap(), Path::new("anywhere"));
    }
}

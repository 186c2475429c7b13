//! Folders of files that people edit: they are looked at as soon as anything happens in or to them, and once a minute anyway.

mod events;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::task::JoinHandle;

pub(super) use self::events::Events;
use self::events::QUIET;
use crate::clock::Clock;
use crate::folders::{Alone, Folder};

/// How long that is waited for, where something happens all the time.
const MOST_QUIET: Duration = Duration::from_secs(2);
/// How often a folder is looked at where nothing tells of changes: some file systems never do.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// Who looks at a folder, and puts in force what is there.
pub(super) trait Look: Send + 'static {
    /// Looks at the whole folder. Files that are being written, as `events` knows, are left for the next look; `unwatched` says
    /// why changes are seen once a minute only, where that is so.
    fn look(&mut self, folder: &Alone, events: &Events, unwatched: Option<String>) -> impl Future<Output = ()> + Send;
}

/// Watches a folder until it is dropped.
pub(super) struct Watcher(JoinHandle<()>);

impl Drop for Watcher {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Watcher {
    /// Begins to watch a folder, which need not be there yet, and looks at it at once: what was changed since it was looked at
    /// before is seen.
    pub(super) async fn start(folder: Folder, clock: Clock, mut look: impl Look) -> Self {
        let events = Arc::new(Events::default());
        let mut watch = None;
        let mut renewed = renew(&mut watch, &folder, &events).await;
        Self(tokio::spawn(async move {
            let mut minute = Box::pin(next_look(&clock));
            loop {
                let unwatched = renewed.err().map(|error| error.to_string());
                look.look(&folder.alone().await, &events, unwatched).await;
                tokio::select! {
                    () = events.more() => {
                        let quiet = async { while tokio::time::timeout(QUIET, events.more()).await.is_ok() {} };
                        let _ = tokio::time::timeout(MOST_QUIET, quiet).await;
                    }
                    () = &mut minute => {
                        minute = Box::pin(next_look(&clock));
                        events.a_minute_passed();
                    }
                }
                renewed = renew(&mut watch, &folder, &events).await;
            }
        }))
    }
}

async fn next_look(clock: &Clock) {
    clock.sleep_until(clock.now().after(LOOK_EVERY)).await;
}

/// A watched folder, and which one it was when that began: another may be there now by the same name.
struct Watched {
    _watcher: RecommendedWatcher,
    identity: Identity,
}

#[derive(PartialEq)]
struct Identity(PathBuf, u64, u64);

/// Watches whatever is at the folder's path by now. Begins anew where that is another folder than before, or may be.
async fn renew(watch: &mut Option<Watched>, folder: &Folder, events: &Arc<Events>) -> io::Result<()> {
    let replaced = events.take_replaced();
    let known = watch.take().filter(|_| !replaced);
    let events = Arc::clone(events);
    let renewed = folder.work(move |folder| {
        let identity = match identity(folder) {
            // It is found when it is made: its name is watched, or else by a look.
            Err(error) if error.kind() == io::ErrorKind::NotFound => match parent(folder).canonicalize() {
                Ok(above) => Identity(above, 0, 0),
                Err(_) => return Ok(None),
            },
            identity => identity?,
        };
        match known.filter(|known| known.identity == identity) {
            Some(known) => Ok(Some(known)),
            None => watching(folder, &events).map(|_watcher| Some(Watched { _watcher, identity })),
        }
    });
    *watch = renewed.await?;
    Ok(())
}

/// Watches a folder and its name in the folder above.
fn watching(folder: &Path, events: &Arc<Events>) -> io::Result<RecommendedWatcher> {
    let (events, of) = (Arc::clone(events), folder.to_owned());
    let mut watcher = notify::recommended_watcher(move |event| events.note(&of, event)).map_err(io::Error::other)?;
    // Where the folder above cannot be watched, a look finds what is done to this one's name.
    let above = watcher.watch(parent(folder), RecursiveMode::NonRecursive);
    match watcher.watch(folder, RecursiveMode::NonRecursive) {
        Err(_) if !folder.exists() => above.map_err(io::Error::other)?,
        watched => watched.map_err(io::Error::other)?,
    }
    Ok(watcher)
}

fn parent(folder: &Path) -> &Path {
    folder.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new("."))
}

fn identity(folder: &Path) -> io::Result<Identity> {
    let path = folder.canonicalize()?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let about = std::fs::metadata(&path)?;
        Ok(Identity(path, about.dev(), about.ino()))
    }
    #[cfg(not(unix))]
    Ok(Identity(path, 0, 0))
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;
    use crate::clock::ManualClock;
    use crate::domain::Timestamp;

    /// Tells what is in `a.toml` at each look.
    struct Looks(mpsc::UnboundedSender<(String, bool)>);

    impl Look for Looks {
        async fn look(&mut self, folder: &Alone, events: &Events, unwatched: Option<String>) {
            assert_eq!(unwatched, None);
            let file = folder.path().join("a.toml");
            let text = std::fs::read_to_string(&file).unwrap_or_default();
            let _ = self.0.send((text, events.being_written(&file)));
        }
    }

    /// Looks until the text is this one; answers whether it was being written.
    async fn until(looks: &mut mpsc::UnboundedReceiver<(String, bool)>, wanted: &str) -> bool {
        let looking = async {
            loop {
                let (text, being_written) = looks.recv().await.unwrap();
                if text == wanted {
                    return being_written;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(30), looking).await.unwrap_or_else(|_| panic!("never {wanted}"))
    }

    #[tokio::test]
    async fn a_folder_is_looked_at_as_soon_as_it_is_watched_and_when_it_is_made() {
        let above = tempfile::tempdir().unwrap();
        let path = above.path().join("policies");
        let (told, mut looks) = mpsc::unbounded_channel();
        let clock = Clock::Manual(ManualClock::new(Timestamp::from_millis(1)));
        let _watcher = Watcher::start(Folder::new(path.clone()), clock, Looks(told)).await;
        assert!(!until(&mut looks, "").await);
        std::fs::create_dir(&path).unwrap();
        std::fs::write(path.join("a.toml"), "made").unwrap();
        until(&mut looks, "made").await;
        std::fs::write(path.join("a.toml"), "edited").unwrap();
        until(&mut looks, "edited").await;
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_file_is_being_written_until_it_is_closed_or_two_minutes_have_passed() {
        use std::io::Write;
        let folder = tempfile::tempdir().unwrap();
        let (told, mut looks) = mpsc::unbounded_channel();
        let manual = ManualClock::new(Timestamp::from_millis(1));
        let _watcher =
            Watcher::start(Folder::new(folder.path().to_owned()), Clock::Manual(manual.clone()), Looks(told)).await;
        until(&mut looks, "").await;
        let mut file = std::fs::File::create(folder.path().join("a.toml")).unwrap();
        file.write_all(b"half").unwrap();
        assert!(until(&mut looks, "half").await);
        file.write_all(b" and half").unwrap();
        drop(file);
        while until(&mut looks, "half and half").await {}
        let mut held = std::fs::File::create(folder.path().join("a.toml")).unwrap();
        held.write_all(b"held").unwrap();
        let mut being_written = until(&mut looks, "held").await;
        assert!(being_written);
        while being_written {
            manual.advance(LOOK_EVERY);
            being_written = until(&mut looks, "held").await;
        }
    }
}

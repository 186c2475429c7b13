//! What happens in and to a folder, as the operating system tells it: that something did, and which files are being written.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use notify::event::{AccessKind, AccessMode, CreateKind, ModifyKind};
use notify::{Event, EventKind};
use tokio::sync::Notify;

/// How long nothing may have happened to any file before the folder is looked at: an editor writes in several steps.
pub(super) const QUIET: Duration = Duration::from_millis(30);
/// Files that somebody would read half of.
const EXTENSIONS: [&str; 4] = ["toml", "rhai", "wasm", "minisig"];
/// A writer that has its file open for longer is not waited for any more, in minutes.
const MOST_MINUTES: u8 = 2;

/// What happened and was not looked at yet.
#[derive(Default)]
pub(in crate::app) struct Events {
    /// Files that were written and not closed yet, with the minutes since.
    being_written: Mutex<BTreeMap<PathBuf, u8>>,
    /// Whether another folder may be in this one's place.
    replaced: AtomicBool,
    more: Notify,
}

impl Events {
    /// Returns when something happened since the last time.
    pub(super) async fn more(&self) {
        self.more.notified().await;
    }

    /// Whether a file is being written.
    pub(in crate::app) fn being_written(&self, file: &Path) -> bool {
        self.files().contains_key(file)
    }

    /// Returns when whatever was done to a file until now is known here: it is told a moment later.
    pub(in crate::app) async fn caught_up(&self) {
        tokio::time::sleep(QUIET).await;
    }

    /// A writer that pauses for long is not waited for.
    pub(super) fn a_minute_passed(&self) {
        self.files().retain(|_, minutes| {
            *minutes += 1;
            *minutes < MOST_MINUTES
        });
    }

    /// Whether the folder may be another one since the last time.
    pub(super) fn take_replaced(&self) -> bool {
        self.replaced.swap(false, Ordering::Relaxed)
    }

    /// Takes note of what happened in or to `folder`.
    pub(super) fn note(&self, folder: &Path, event: notify::Result<Event>) {
        let Ok(event) = event else {
            // Whatever was lost by that, a look at everything finds it.
            self.replaced.store(true, Ordering::Relaxed);
            return self.more.notify_one();
        };
        let closed = event.kind == EventKind::Access(AccessKind::Close(AccessMode::Write));
        if event.kind.is_access() && !closed {
            return;
        }
        // An overflow has no path.
        let mut ours = event.paths.is_empty() || event.need_rescan();
        for path in &event.paths {
            if path == folder || path.file_name() == folder.file_name() {
                self.replaced.store(true, Ordering::Relaxed);
                ours = true;
            } else if path.parent() == Some(folder) {
                self.note_file(path, event.kind, closed);
                ours = true;
            }
        }
        if ours {
            self.more.notify_one();
        }
    }

    fn note_file(&self, path: &Path, kind: EventKind, closed: bool) {
        // Other systems do not tell when a file is closed.
        let known =
            cfg!(target_os = "linux") && path.extension().is_some_and(|own| EXTENSIONS.iter().any(|it| own == *it));
        let empty = || std::fs::metadata(path).is_ok_and(|about| about.len() == 0);
        match kind {
            _ if closed => drop(self.files().remove(path)),
            EventKind::Modify(ModifyKind::Data(_)) if known => drop(self.files().entry(path.to_owned()).or_default()),
            // One that is linked has its content from the beginning.
            EventKind::Create(CreateKind::File) if known && empty() => {
                self.files().entry(path.to_owned()).or_default();
            }
            EventKind::Modify(ModifyKind::Name(_)) | EventKind::Remove(_) => drop(self.files().remove(path)),
            _ => {}
        }
    }

    fn files(&self) -> MutexGuard<'_, BTreeMap<PathBuf, u8>> {
        self.being_written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use notify::event::{DataChange, Flag, RemoveKind, RenameMode};

    use super::*;

    #[test]
    fn whatever_happens_in_or_to_the_folder_is_an_occasion_to_look_and_reading_is_none() {
        let folder = Path::new("/etc/switchyard/policies");
        let modified = EventKind::Modify(ModifyKind::Data(DataChange::Any));
        let at = |kind: EventKind, path: &str| Ok(Event::new(kind).add_path(path.into()));
        let from = EventKind::Modify(ModifyKind::Name(RenameMode::From));
        let read = EventKind::Access(AccessKind::Open(AccessMode::Any));
        let inside = "/etc/switchyard/policies/acme.toml";
        let all = [
            (at(modified, inside), true, false),
            (at(modified, "/etc/switchyard/policies/..data"), true, false),
            (at(from, "/etc/switchyard/policies"), true, true),
            (at(EventKind::Remove(RemoveKind::Folder), "/etc/switchyard/policies"), true, true),
            (Ok(Event::new(EventKind::Other).set_flag(Flag::Rescan)), true, false),
            (Err(notify::Error::generic("the queue is full")), true, true),
            (at(read, inside), false, false),
            (at(modified, "/etc/switchyard/switchyard.toml"), false, false),
        ];
        for (event, looks, replaced) in all {
            let (events, shown) = (Events::default(), format!("{event:?}"));
            events.note(folder, event);
            assert_eq!(events.more().now_or_never().is_some(), looks, "{shown}");
            assert_eq!(events.take_replaced(), replaced, "{shown}");
        }
    }
}

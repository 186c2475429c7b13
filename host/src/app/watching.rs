//! Watches a folder until dropped, and tells which files were edited once nothing has happened for a moment.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::{OwnedMutexGuard, mpsc};
use tokio::task::JoinHandle;

use crate::http::Folder;

/// An editor writes a file in several steps; so long nothing may have happened before it is read.
const QUIET: Duration = Duration::from_millis(30);

pub(super) struct Watcher {
    _watching: RecommendedWatcher,
    task: JoinHandle<()>,
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Watcher {
    /// Begins to watch; `None` where there is no folder.
    ///
    /// Whoever is told has the folder alone until it is through with it.
    pub(super) async fn start<F>(
        folder: &Folder,
        edited: impl Fn(OwnedMutexGuard<PathBuf>, BTreeSet<PathBuf>) -> F + Send + 'static,
    ) -> anyhow::Result<Option<Self>>
    where
        F: Future<Output = ()> + Send,
    {
        let path = folder.alone().await.clone();
        if !path.is_dir() {
            return Ok(None);
        }
        let (seen, mut edits) = mpsc::unbounded_channel();
        let mut watching = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let Ok(event) = event else { return };
            if !event.kind.is_access() {
                for path in event.paths {
                    // Nobody listens any more: the host is stopping.
                    let _ = seen.send(path);
                }
            }
        })?;
        watching.watch(&path, RecursiveMode::NonRecursive).with_context(|| path.display().to_string())?;
        let folder = folder.clone();
        let task = tokio::spawn(async move {
            while let Some(first) = edits.recv().await {
                let mut paths = BTreeSet::from([first]);
                while let Ok(Some(next)) = tokio::time::timeout(QUIET, edits.recv()).await {
                    paths.insert(next);
                }
                let alone = folder.alone().await;
                edited(alone, paths).await;
            }
        });
        Ok(Some(Self { _watching: watching, task }))
    }
}

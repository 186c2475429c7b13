//! Folders of files that people edit: what is in one, and which files were edited once nothing has happened for a moment.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::{OwnedMutexGuard, mpsc};
use tokio::task::JoinHandle;

use crate::http::Folder;

/// How long nothing may have happened to any file before one is read: an editor writes in several steps.
const QUIET: Duration = Duration::from_millis(30);

/// Files of a folder by stem, in order; a folder that is not there has none.
pub(super) fn files(folder: &Path, extension: &str) -> anyhow::Result<Vec<(String, PathBuf)>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).with_context(|| folder.display().to_string()),
    };
    let mut files = BTreeMap::new();
    for entry in entries {
        let path = entry?.path();
        let stem = path.file_stem().and_then(|stem| stem.to_str()).filter(|stem| !stem.starts_with('.'));
        if let (Some(stem), true) = (stem, path.extension().is_some_and(|own| own == extension)) {
            files.insert(stem.to_owned(), path.clone());
        }
    }
    Ok(files.into_iter().collect())
}

/// Watches a folder until it is dropped.
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
    /// `edited` has the folder alone until it returns.
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

//! Folders of files that people edit: what is in one, and which files were edited once nothing has happened for a moment.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::{Notify, OwnedMutexGuard};
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

/// The files that were edited and not told yet, each once: there are no more of them than files.
#[derive(Default)]
struct Edits {
    paths: Mutex<BTreeSet<PathBuf>>,
    more: Notify,
}

impl Edits {
    fn add(&self, paths: Vec<PathBuf>) {
        self.paths.lock().unwrap_or_else(PoisonError::into_inner).extend(paths);
        self.more.notify_one();
    }

    fn take(&self) -> BTreeSet<PathBuf> {
        std::mem::take(&mut *self.paths.lock().unwrap_or_else(PoisonError::into_inner))
    }
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
        let edits = Arc::new(Edits::default());
        let noted = Arc::clone(&edits);
        let mut watching = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let Ok(event) = event else { return };
            if !event.kind.is_access() {
                noted.add(event.paths);
            }
        })?;
        watching.watch(&path, RecursiveMode::NonRecursive).with_context(|| path.display().to_string())?;
        let folder = folder.clone();
        let task = tokio::spawn(async move {
            loop {
                edits.more.notified().await;
                while tokio::time::timeout(QUIET, edits.more.notified()).await.is_ok() {}
                let alone = folder.alone().await;
                edited(alone, edits.take()).await;
            }
        });
        Ok(Some(Self { _watching: watching, task }))
    }
}

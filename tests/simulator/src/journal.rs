//! Keeps what a server must still know after it was killed: one JSON line for every change.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::sync::Mutex;

use serde_json::Value;

/// An open journal. Lines reach the kernel before `append` returns; there is no fsync, because only the process may die.
#[derive(Debug)]
pub(crate) struct Journal {
    file: Mutex<File>,
}

impl Journal {
    /// Gives every whole line of the file to `replay`, then opens it for appending. A torn last line is cut off.
    pub(crate) fn open(path: &Path, mut replay: impl FnMut(Value)) -> std::io::Result<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let file = OpenOptions::new().create(true).append(true).read(true).open(path)?;
        let mut reader = BufReader::new(&file);
        let mut whole_bytes = 0;
        let mut line = String::new();
        while reader.read_line(&mut line).is_ok_and(|read| read > 0) {
            let Some(value) = line.strip_suffix('\n').and_then(|text| serde_json::from_str(text).ok()) else {
                break;
            };
            whole_bytes += line.len() as u64;
            replay(value);
            line.clear();
        }
        drop(reader);
        file.set_len(whole_bytes)?;
        Ok(Self { file: Mutex::new(file) })
    }

    /// Appends lines that belong together.
    pub(crate) fn append(&self, lines: &[Value]) {
        let mut text = String::new();
        for line in lines {
            text.push_str(&line.to_string());
            text.push('\n');
        }
        let mut file = lock(&self.file);
        if let Err(error) = file.write_all(text.as_bytes()) {
            tracing::error!(%error, "the journal could not be written");
        }
    }
}

/// The guard, whether or not another thread panicked while it held it.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

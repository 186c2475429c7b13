//! What a plugin writes, by the log or to standard output: kept up to a bound.

use std::sync::{Arc, Mutex};

use wasmtime_wasi::cli;
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

use super::bindings::switchyard::policy::log::Level;
use crate::policy::locks::lock;

/// Lines for the operator, until a bound in bytes is used up.
#[derive(Debug, Default)]
pub(super) struct GuestLog {
    lines: Vec<String>,
    /// A line of standard output that has not ended yet.
    open: String,
    bytes_left: usize,
    cut: bool,
}

impl GuestLog {
    /// Keeps so many bytes.
    pub(super) fn new(bytes: usize) -> Self {
        Self { bytes_left: bytes, ..Self::default() }
    }

    pub(super) fn write(&mut self, level: Level, message: &str) {
        let level = match level {
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Warn => "warn",
        };
        self.add(format!("{level}: {message}"));
    }

    fn print(&mut self, bytes: &[u8]) {
        // No more than what can be kept is looked at: nothing breaks off the host when it works through a mebibyte.
        let bytes = &bytes[..bytes.len().min(self.bytes_left + 1)];
        if self.cut {
            return;
        }
        self.open.push_str(&String::from_utf8_lossy(bytes));
        while let Some(end) = self.open.find('\n') {
            let line = self.open.drain(..=end).as_str().trim_end().to_owned();
            self.add(line);
        }
        if self.open.len() > self.bytes_left {
            let line = std::mem::take(&mut self.open);
            self.add(line);
        }
    }

    fn add(&mut self, mut line: String) {
        if self.cut {
            return;
        }
        if line.len() >= self.bytes_left {
            let end = (0..=self.bytes_left).rev().find(|at| line.is_char_boundary(*at)).unwrap_or(0);
            line.truncate(end);
            line.push_str(" (cut off)");
            self.bytes_left = 0;
            self.cut = true;
        } else {
            // An empty line costs something too, or there could be any number of them.
            self.bytes_left -= line.len() + 1;
        }
        self.lines.push(line);
    }

    pub(super) fn finish(mut self) -> Vec<String> {
        if !self.open.is_empty() {
            let line = std::mem::take(&mut self.open);
            self.add(line);
        }
        self.lines
    }
}

/// Standard output and standard error: lines of the log.
pub(super) struct Output(pub(super) Arc<Mutex<GuestLog>>);

impl cli::IsTerminal for Output {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl cli::StdoutStream for Output {
    // Only other versions of WASI than the one that is linked ask for this.
    fn async_stream(&self) -> Box<dyn tokio::io::AsyncWrite + Send + Sync> {
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(Self(self.0.clone()))
    }
}

#[wasmtime_wasi::async_trait]
impl OutputStream for Output {
    fn write(&mut self, bytes: bytes::Bytes) -> StreamResult<()> {
        lock(&self.0).print(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(64 << 10)
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Output {
    async fn ready(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::GuestLog;

    #[test]
    fn a_log_whose_bound_is_used_up_exactly_takes_no_more_empty_lines() {
        let mut log = GuestLog::new(4);
        log.print(b"abc\n");
        for _ in 0..1_000 {
            log.print(b"\n");
        }
        assert_eq!(log.finish(), ["abc", " (cut off)"]);
    }

    #[test]
    fn a_mebibyte_of_empty_lines_is_no_more_work_than_the_few_that_are_kept() {
        let mut log = GuestLog::new(100);
        log.print(&vec![b'\n'; 1 << 20]);
        assert!(log.open.capacity() < 1_000, "{}", log.open.capacity());
        assert_eq!(log.finish().len(), 100 + 1, "and the line that says that it was cut off");
    }
}

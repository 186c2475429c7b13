//! What commands print: a reader that leaves ends it in silence, and what else goes wrong with an output ends in an error.

use std::fmt::Arguments;
use std::io::{self, ErrorKind, Write, stderr, stdout};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

/// Whether nobody reads the standard output any more.
static CLOSED: AtomicBool = AtomicBool::new(false);
/// Why the standard output could not be written.
static FAILED: OnceLock<io::Error> = OnceLock::new();

/// Prints a line for whoever asked.
macro_rules! say {
    () => { $crate::cli::out::line(format_args!("")) };
    ($($words:tt)*) => { $crate::cli::out::line(format_args!($($words)*)) };
}

/// Prints a line beside the answer, on the standard error.
macro_rules! tell {
    ($($words:tt)*) => { $crate::cli::out::aside(format_args!($($words)*)) };
}

pub(super) use {say, tell};

/// Prints a line; `say!` is shorter.
pub(super) fn line(words: Arguments<'_>) {
    put(format_args!("{words}\n"));
}

/// Prints a text that has its line ends.
pub(super) fn text(text: &str) {
    put(format_args!("{text}"));
}

/// Says how many of something were done: as the answer, where that is to be JSON, else beside it.
pub(super) fn count(count: u64, things: &str, done: &str, as_json: bool) {
    match as_json {
        true => say!("{}", json!({ things: count })),
        false => tell!("{count} {things} {done}"),
    }
}

fn put(words: Arguments<'_>) {
    if is_open() {
        // Why it failed is kept, and told at the end.
        let _ = Output.write_fmt(words);
    }
}

/// Prints a line on the standard error; `tell!` is shorter. Who closed that does not want to hear of it.
pub(super) fn aside(words: Arguments<'_>) {
    let _ = writeln!(stderr(), "{words}");
}

/// Whether what is printed can still reach somebody. What only prints ends where it cannot; what changes something goes on.
pub(super) fn is_open() -> bool {
    !CLOSED.load(Ordering::Relaxed) && FAILED.get().is_none()
}

/// Writes what is left, and answers why the standard output could not be written, where it could not.
pub(super) fn end() -> Option<&'static io::Error> {
    let _ = Output.flush();
    FAILED.get()
}

/// The standard output, for those who write bytes.
pub(super) struct Output;

impl Output {
    fn looked_at<T>(result: io::Result<T>) -> io::Result<T> {
        if let Err(error) = &result {
            match error.kind() {
                ErrorKind::BrokenPipe => CLOSED.store(true, Ordering::Relaxed),
                ErrorKind::Interrupted => {}
                kind => drop(FAILED.set(error.raw_os_error().map_or(kind.into(), io::Error::from_raw_os_error))),
            }
        }
        result
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Self::looked_at(stdout().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Self::looked_at(stdout().flush())
    }

    fn write_fmt(&mut self, words: Arguments<'_>) -> io::Result<()> {
        Self::looked_at(stdout().lock().write_fmt(words))
    }
}

/// Returns when nobody reads the standard output any more, also while nothing is printed.
pub(super) async fn left() {
    #[cfg(target_os = "linux")]
    {
        use std::os::fd::AsFd;
        use tokio::io::Interest;
        use tokio::net::unix::pipe::Sender;
        // Nothing is written to it: it only tells what happens at the other end. A file has none, and is refused here.
        let copy = stdout().as_fd().try_clone_to_owned();
        if let Ok(other_end) = copy.and_then(Sender::from_owned_fd_unchecked)
            && other_end.ready(Interest::ERROR).await.is_ok()
        {
            CLOSED.store(true, Ordering::Relaxed);
            return;
        }
    }
    std::future::pending().await
}

//! How far something is: a bar on a terminal; elsewhere a line now and then on the standard error.

use std::io::{self, IsTerminal, Write, stderr, stdout};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::out::tell;
use crate::clock::Stopwatch;

/// What is over sooner says nothing of how far it is.
const LONG: Duration = Duration::from_secs(1);
/// Without a terminal, one line in so much time.
const TELL_EVERY: Duration = Duration::from_secs(5);
/// A bar with the words beside it, and what stands there where nobody knows how much there is.
const BAR: &str = "[{bar:30}] {percent:>3}%  {msg}";
const SPINNER: &str = "{spinner} {msg}";
/// Steps of a bar.
const WHOLE: u64 = 1_000;

/// Tells how far something is that takes longer than a moment. It leaves nothing on the terminal.
pub(super) struct Progress {
    began: Stopwatch,
    told: Stopwatch,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Something begins.
    pub(super) fn start() -> Self {
        Self { began: Stopwatch::start(), told: Stopwatch::start(), bar: None }
    }

    /// It is so far: a share from 0 to 1 where that is known, and words.
    pub(super) fn at(&mut self, share: Option<f64>, words: impl FnOnce() -> String) {
        if self.began.elapsed() < LONG {
            return;
        }
        if stderr().is_terminal() {
            let bar = self.bar.get_or_insert_with(|| ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()));
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a thousand")]
            let step = share.map(|share| (share.clamp(0.0, 1.0) * 1e3) as u64);
            if bar.length().is_some() != step.is_some() || bar.position() == 0 {
                let style = ProgressStyle::with_template(if step.is_some() { BAR } else { SPINNER });
                bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            }
            if let Some(step) = step {
                bar.set_length(WHOLE);
                bar.set_position(step);
            }
            bar.set_message(words());
            bar.tick();
        } else if self.told.elapsed() >= TELL_EVERY {
            self.told = Stopwatch::start();
            tell!("{}", words());
        }
    }

    /// So many of so many.
    pub(super) fn of(&mut self, done: u64, total: u64, what: &str) {
        #[expect(clippy::cast_precision_loss, reason = "a share")]
        let share = done as f64 / total.max(1) as f64;
        self.at(Some(share), || format!("{done} of {total} {what}"));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Lines that are written somewhere, counted on their way. On a terminal that shows the lines, nothing else is shown.
pub(super) struct Counted<W> {
    to: W,
    what: &'static str,
    lines: u64,
    progress: Option<Progress>,
}

impl<W: Write> Counted<W> {
    /// Lines for a file.
    pub(super) fn new(to: W, what: &'static str) -> Self {
        Self { to, what, lines: 0, progress: Some(Progress::start()) }
    }

    /// Lines for the standard output.
    pub(super) fn printed(to: W, what: &'static str) -> Self {
        Self { to, what, lines: 0, progress: (!stdout().is_terminal()).then(Progress::start) }
    }

    /// How many lines have passed.
    pub(super) const fn lines(&self) -> u64 {
        self.lines
    }
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.lines += bytes[..written].iter().map(|byte| u64::from(*byte == b'\n')).sum::<u64>();
        if let Some(progress) = &mut self.progress {
            progress.at(None, || format!("{} {}", self.lines, self.what));
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

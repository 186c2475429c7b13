//! How far something is: a bar on a terminal; elsewhere a line now and then on the standard error.

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write, stderr, stdout};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::task::JoinHandle;

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
/// A bar moves so often, also while nothing is told of how far it is.
const TICK: Duration = Duration::from_millis(100);

/// Whether something shows how far it is: what goes on within it shows nothing beside.
static SHOWN: AtomicBool = AtomicBool::new(false);

/// Tells how far something is that takes longer than a moment. It leaves nothing on the terminal.
pub(super) struct Progress {
    began: Stopwatch,
    told: Stopwatch,
    /// Hidden until `appears` has shown it, and for ever without a terminal.
    bar: ProgressBar,
    appears: Option<JoinHandle<()>>,
    is_within: bool,
}

impl Progress {
    /// Something begins; the words stand there until more is known.
    pub(super) fn start(words: impl Into<Cow<'static, str>>) -> Self {
        Self::since(Stopwatch::start(), words)
    }

    /// Something goes on that is a part of what began then.
    pub(super) fn since(began: Stopwatch, words: impl Into<Cow<'static, str>>) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden()).with_message(words);
        bar.set_style(style(SPINNER));
        let is_within = SHOWN.swap(true, Ordering::Relaxed);
        let appears = (!is_within && stderr().is_terminal()).then(|| {
            let (bar, due) = (bar.clone(), LONG.saturating_sub(began.elapsed()).max(TICK));
            // Its own task, and a thread of the bar's own: what goes on may keep this thread.
            tokio::spawn(async move {
                tokio::time::sleep(due).await;
                bar.set_draw_target(ProgressDrawTarget::stderr());
                bar.enable_steady_tick(TICK);
            })
        });
        Self { began, told: Stopwatch::start(), bar, appears, is_within }
    }

    /// It is so far: a share from 0 to 1 where that is known, and words.
    pub(super) fn at(&mut self, share: Option<f64>, words: impl FnOnce() -> String) {
        if self.began.elapsed() < LONG {
            return;
        }
        if self.appears.is_some() {
            if let Some(share) = share {
                if self.bar.length().is_none() {
                    self.bar.set_style(style(BAR));
                    self.bar.set_length(WHOLE);
                }
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a thousand")]
                self.bar.set_position((share.clamp(0.0, 1.0) * 1e3) as u64);
            }
            self.bar.set_message(words());
        } else if self.told.elapsed() >= TELL_EVERY {
            self.told = Stopwatch::start();
            tell!("{}", words());
        }
    }

    /// Says something beside.
    pub(super) fn aside(&self, words: &str) {
        self.bar.suspend(|| tell!("{words}"));
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
        if let Some(appears) = &self.appears {
            appears.abort();
        }
        self.bar.finish_and_clear();
        if !self.is_within {
            SHOWN.store(false, Ordering::Relaxed);
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
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
        Self { to, what, lines: 0, progress: Some(Progress::start(what)) }
    }

    /// Lines for the standard output.
    pub(super) fn printed(to: W, what: &'static str) -> Self {
        Self { to, what, lines: 0, progress: (!stdout().is_terminal()).then(|| Progress::start(what)) }
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

//! What one running instance has: its bounds, its log, and a world without network, files, time or chance.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rand::SeedableRng;
use rand::rngs::SmallRng;
use sha2::{Digest, Sha256};
use wasmtime::{ResourceLimiter, UpdateDeadline};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};
use wasmtime_wasi::{HostMonotonicClock, HostWallClock, ResourceTable, WasiCtx, WasiCtxView, WasiView, cli};

use super::bindings::switchyard::policy::log::{self, Level};
use super::bindings::switchyard::policy::types;
use super::bindings::v0_1::switchyard::policy::log as log_v0_1;
use crate::domain::Timestamp;

/// More than any table of a compiled language has.
const TABLE_ELEMENTS: usize = 100_000;

/// The longest name of a rule that is kept, in bytes.
const RULE_BYTES: usize = 200;

/// The clock and the chance that a plugin is given: the same ones make the same decision.
#[derive(Debug, Clone)]
pub(super) struct Given {
    /// The wall clock; it stands still.
    pub(super) now: Timestamp,
    /// What the random numbers grow from, together with `now`.
    pub(super) seed: String,
}

/// The state beside one instance.
pub(super) struct Guest {
    /// Its memory.
    pub(super) limits: Limits,
    /// Its words, shared with its standard output.
    pub(super) log: Arc<Mutex<Log>>,
    /// The rule that it said led to its answer.
    rule: Option<String>,
    /// WASI resources that it holds at present.
    pub(super) table: ResourceTable,
    /// Ticks of the engine that it ran into so far, and how many it may.
    ticks: u64,
    ticks_allowed: u64,
    given: Given,
    /// Made when it is asked for: most decisions never do.
    wasi: Option<WasiCtx>,
}

/// The instance ran into more ticks than it may.
#[derive(Debug, thiserror::Error)]
#[error("the deadline passed")]
pub(super) struct Overtime;

impl Guest {
    pub(super) fn new(given: Given, memory_bytes: usize, log_bytes: usize) -> Self {
        Self {
            limits: Limits { cap: memory_bytes, used: 0, denied: None },
            log: Arc::new(Mutex::new(Log { bytes_left: log_bytes, ..Log::default() })),
            rule: None,
            table: ResourceTable::new(),
            ticks: 0,
            ticks_allowed: 0,
            given,
            wasi: None,
        }
    }

    /// Starts its time anew.
    pub(super) fn allow_ticks(&mut self, ticks: u64) {
        self.ticks = 0;
        self.ticks_allowed = ticks;
    }

    /// The engine ticked while it ran. It counts ticks rather than reading a clock, so that a machine that stood still
    /// for a while makes nobody late; and it gives way to others only from the second one on, because the first may
    /// come at any moment, even to an instance that needs a thousandth of a tick.
    pub(super) fn tick(&mut self) -> wasmtime::Result<UpdateDeadline> {
        self.ticks += 1;
        match self.ticks {
            ticks if ticks > self.ticks_allowed => Err(Overtime.into()),
            1 => Ok(UpdateDeadline::Continue(1)),
            _ => Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now()))),
        }
    }

    /// Makes it ready for another decision: its memory stays, its clock, its chance and its log are new.
    pub(super) fn begin(&mut self, given: Given, log_bytes: usize) {
        self.given = given;
        self.wasi = None;
        self.limits.denied = None;
        *lock(&self.log) = Log { bytes_left: log_bytes, ..Log::default() };
    }

    /// What it wrote, and the rule that it named, since it began.
    pub(super) fn words(&mut self) -> (Vec<String>, Option<String>) {
        (std::mem::take(&mut *lock(&self.log)).finish(), self.rule.take())
    }
}

/// Memory over all that an instance has.
pub(super) struct Limits {
    /// In bytes.
    pub(super) cap: usize,
    /// In bytes: the most that it had, since no memory ever shrinks.
    pub(super) used: usize,
    /// What it asked for in vain, in bytes.
    pub(super) denied: Option<usize>,
}

impl ResourceLimiter for Limits {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let total = self.used.saturating_add(desired.saturating_sub(current));
        if total > self.cap {
            self.denied = Some(total);
            return Ok(false);
        }
        self.used = total;
        Ok(true)
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired <= TABLE_ELEMENTS)
    }
}

/// A plugin's words for the operator.
#[derive(Debug, Default)]
pub(super) struct Log {
    lines: Vec<String>,
    /// A line of standard output that has not ended yet.
    open: String,
    bytes_left: usize,
    cut: bool,
}

impl Log {
    fn write(&mut self, level: Level, message: &str) {
        let level = match level {
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Warn => "warn",
        };
        self.add(format!("{level}: {message}"));
    }

    fn print(&mut self, bytes: &[u8]) {
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

    fn finish(mut self) -> Vec<String> {
        if !self.open.is_empty() {
            let line = std::mem::take(&mut self.open);
            self.add(line);
        }
        self.lines
    }
}

impl log::Host for Guest {
    fn write(&mut self, level: Level, message: String) {
        lock(&self.log).write(level, &message);
    }

    fn explain(&mut self, mut rule: String) {
        rule.truncate(rule.floor_char_boundary(RULE_BYTES));
        self.rule = Some(rule);
    }
}

/// Version 0.1 has the same levels under another name.
impl log_v0_1::Host for Guest {
    fn write(&mut self, level: log_v0_1::Level, message: String) {
        let level = match level {
            log_v0_1::Level::Debug => Level::Debug,
            log_v0_1::Level::Info => Level::Info,
            log_v0_1::Level::Warn => Level::Warn,
        };
        lock(&self.log).write(level, &message);
    }
}

impl types::Host for Guest {}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let ctx = self.wasi.get_or_insert_with(|| world(&self.given, &self.log));
        WasiCtxView { ctx, table: &mut self.table }
    }
}

/// No arguments, no environment, no files, no network and nothing to read.
fn world(given: &Given, log: &Arc<Mutex<Log>>) -> WasiCtx {
    let mut hash = Sha256::new();
    hash.update(given.now.as_millis().to_be_bytes());
    hash.update(&given.seed);
    let hash: [u8; 32] = hash.finalize().into();
    let [first, second] = [0, 16].map(|at| u128::from_be_bytes(std::array::from_fn(|i| hash[at + i])));
    WasiCtx::builder()
        .stdout(Output(log.clone()))
        .stderr(Output(log.clone()))
        .wall_clock(Still(Duration::from_millis(given.now.as_millis())))
        .monotonic_clock(Counter(AtomicU64::new(0)))
        .secure_random(SmallRng::from_seed(hash))
        .insecure_random(SmallRng::from_seed(hash))
        .insecure_random_seed(first ^ second)
        .max_random_size(64 << 10)
        .allow_tcp(false)
        .allow_udp(false)
        .build()
}

/// A wall clock that stands still.
struct Still(Duration);

impl HostWallClock for Still {
    fn resolution(&self) -> Duration {
        Duration::from_millis(1)
    }

    fn now(&self) -> Duration {
        self.0
    }
}

/// A monotonic clock on which every look at it takes a microsecond.
struct Counter(AtomicU64);

impl HostMonotonicClock for Counter {
    fn resolution(&self) -> u64 {
        1_000
    }

    fn now(&self) -> u64 {
        self.0.fetch_add(1_000, Ordering::Relaxed)
    }
}

/// Standard output and standard error: lines of the log.
struct Output(Arc<Mutex<Log>>);

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

fn lock(log: &Mutex<Log>) -> std::sync::MutexGuard<'_, Log> {
    log.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod log_tests {
    use super::Log;

    #[test]
    fn a_log_whose_bound_is_used_up_exactly_takes_no_more_empty_lines() {
        let mut log = Log { bytes_left: 4, ..Log::default() };
        log.print(b"abc\n");
        for _ in 0..1_000 {
            log.print(b"\n");
        }
        assert_eq!(log.finish(), ["abc", " (cut off)"]);
    }
}

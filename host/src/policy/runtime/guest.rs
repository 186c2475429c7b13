//! What one running instance has: its bounds, its log, and a world without network, files, time or chance.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::SeedableRng;
use rand::rngs::SmallRng;
use sha2::{Digest, Sha256};
use wasmtime::component::Resource;
use wasmtime::{ResourceLimiter, UpdateDeadline};
use wasmtime_wasi::p2::bindings::clocks::monotonic_clock;
use wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};
use wasmtime_wasi::{HostWallClock, ResourceTable, WasiCtx, WasiCtxView, WasiView};

use crate::domain::Timestamp;
use crate::policy::runtime::bindings::switchyard::policy::log::{self, Level};
use crate::policy::runtime::bindings::switchyard::policy::types;
use crate::policy::runtime::bindings::v0_1::switchyard::policy::log as log_v0_1;
use crate::policy::runtime::fairness::{Pace, Share, Turns};
use crate::policy::runtime::guest_log::{Log, Output, lock};

/// More than any table of a compiled language has.
pub(crate) const TABLE_ELEMENTS: usize = 100_000;
/// What one component may have of each; compiled Python has 38 instances. The pool has places for so many of each.
pub(crate) const CORE_INSTANCES: usize = 64;
pub(crate) const MEMORIES: usize = 4;
pub(crate) const TABLES: usize = 8;

/// The longest name of a rule that is kept, in bytes.
const RULE_BYTES: usize = 200;

/// The clock and the chance that a plugin is given: the same ones make the same decision.
#[derive(Debug, Clone)]
pub(crate) struct Given {
    /// The wall clock; it stands still.
    pub(crate) now: Timestamp,
    /// What the random numbers grow from, together with `now`.
    pub(crate) seed: String,
}

/// The state beside one instance.
pub(crate) struct Guest {
    /// Its memory.
    pub(crate) limits: Limits,
    /// Its words, shared with its standard output.
    pub(crate) log: Arc<Mutex<Log>>,
    /// The rule that it said led to its answer.
    rule: Option<String>,
    /// WASI resources that it holds at present.
    pub(crate) table: ResourceTable,
    /// What it takes of the machine, and how much processor time it may.
    share: Arc<Mutex<Share>>,
    may_take: Duration,
    turns: Turns,
    /// Whether it was told that it takes long.
    is_long: bool,
    /// Who hears of its pace.
    pace: Option<Arc<Pace>>,
    given: Given,
    /// The monotonic clock, in nanoseconds.
    clock: u64,
    /// Made when it is asked for: most decisions never do.
    wasi: Option<WasiCtx>,
}

/// The instance took more processor time than it may.
#[derive(Debug, thiserror::Error)]
#[error("the deadline passed")]
pub(crate) struct Overtime;

impl Guest {
    pub(crate) fn new(given: Given, memory_bytes: usize, log_bytes: usize, turns: Turns) -> Self {
        Self {
            limits: Limits { cap: memory_bytes, used: 0, denied: None },
            log: Arc::new(Mutex::new(Log::new(log_bytes))),
            rule: None,
            table: ResourceTable::new(),
            share: Arc::default(),
            may_take: Duration::ZERO,
            turns,
            is_long: false,
            pace: None,
            given,
            clock: 0,
            wasi: None,
        }
    }

    /// Begins a run that may take so much processor time, on this thread.
    pub(crate) fn may_take(&mut self, may_take: Duration) -> Arc<Mutex<Share>> {
        (self.may_take, self.is_long) = (may_take, false);
        *lock(&self.share) = Share::begin();
        Arc::clone(&self.share)
    }

    /// From here on it tells of its pace.
    pub(crate) fn tell(&mut self, pace: &Arc<Pace>) {
        self.pace = Some(Arc::clone(pace));
    }

    /// The engine ticked while it ran. Ticks come at any moment, also to an instance that needs a thousandth of one, so
    /// it gives way to others only when it took some time; and it goes on when it is its turn.
    pub(crate) fn tick(&mut self) -> wasmtime::Result<UpdateDeadline> {
        let mut share = lock(&self.share);
        share.tick();
        if !share.is_long() {
            return Ok(UpdateDeadline::Continue(1));
        }
        if !std::mem::replace(&mut self.is_long, true)
            && let Some(pace) = &self.pace
        {
            pace.note_long();
        }
        if share.took() >= self.may_take {
            return Err(Overtime.into());
        }
        Ok(UpdateDeadline::YieldCustom(1, Box::pin(self.turns.clone().next(Arc::clone(&self.share)))))
    }

    /// It has ended: leaves its turn to the next, if it had one.
    pub(crate) fn end(&self) {
        lock(&self.share).end();
        if let Some(pace) = self.pace.as_ref().filter(|_| !self.is_long) {
            pace.note_short();
        }
    }

    /// Makes it ready for another decision: its memory stays, its clock, its chance and its log are new.
    pub(crate) fn begin(&mut self, given: Given, log_bytes: usize) {
        self.given = given;
        self.clock = 0;
        self.wasi = None;
        self.limits.denied = None;
        *lock(&self.log) = Log::new(log_bytes);
    }

    /// What it wrote, and the rule that it named, since it began.
    pub(crate) fn words(&mut self) -> (Vec<String>, Option<String>) {
        (std::mem::take(&mut *lock(&self.log)).finish(), self.rule.take())
    }
}

/// Memory over all that an instance has.
pub(crate) struct Limits {
    /// In bytes.
    pub(crate) cap: usize,
    /// In bytes: the most that it had, since no memory ever shrinks.
    pub(crate) used: usize,
    /// What it asked for in vain, in words.
    pub(crate) denied: Option<String>,
}

impl ResourceLimiter for Limits {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let total = self.used.saturating_add(desired.saturating_sub(current));
        if total > self.cap {
            self.denied = Some(format!("it asked for {total} bytes of memory and may have {}", self.cap));
            return Ok(false);
        }
        self.used = total;
        Ok(true)
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        if desired > TABLE_ELEMENTS {
            self.denied = Some(format!("it asked for a table of {desired} elements and may have {TABLE_ELEMENTS}"));
        }
        Ok(desired <= TABLE_ELEMENTS)
    }

    // The pool has these bounds too, but where none can be reserved there is no pool.
    fn instances(&self) -> usize {
        CORE_INSTANCES
    }

    fn memories(&self) -> usize {
        MEMORIES
    }

    fn tables(&self) -> usize {
        TABLES
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

/// A monotonic clock on which every look at it takes a microsecond, and waiting no time at all: it moves on at once. A real
/// timer would let in chance, and let a plugin that sleeps keep its turn.
impl monotonic_clock::Host for Guest {
    fn now(&mut self) -> wasmtime::Result<u64> {
        self.clock = self.clock.saturating_add(1_000);
        Ok(self.clock)
    }

    fn resolution(&mut self) -> wasmtime::Result<u64> {
        Ok(1_000)
    }

    fn subscribe_instant(&mut self, when: u64) -> wasmtime::Result<Resource<DynPollable>> {
        self.clock = self.clock.max(when);
        let timer = self.table.push(Over)?;
        subscribe(&mut self.table, timer)
    }

    fn subscribe_duration(&mut self, duration: u64) -> wasmtime::Result<Resource<DynPollable>> {
        self.subscribe_instant(self.clock.saturating_add(duration))
    }
}

/// A timer that has gone off.
struct Over;

#[wasmtime_wasi::async_trait]
impl Pollable for Over {
    async fn ready(&mut self) {}
}

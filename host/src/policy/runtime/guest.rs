//! What one running instance has: its bounds, its log, and WASI without network and files, with a given clock and seed.

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

use super::bindings::switchyard::policy::log::{self, Level};
use super::bindings::switchyard::policy::types;
use super::bindings::v0_1::switchyard::policy::log as log_v0_1;
use super::fairness::{CpuSlots, CpuUse, Slowness};
use super::guest_log::{GuestLog, Output};
use super::ticks::Ticks;
use crate::domain::Timestamp;
use crate::policy::locks::lock;

/// More than any table of a compiled language has.
pub(super) const TABLE_ELEMENTS: usize = 100_000;
/// What one component may have of each; compiled Python has 38 instances. The pool has places for so many of each.
pub(super) const CORE_INSTANCES: usize = 64;
pub(super) const MEMORIES: usize = 4;
pub(super) const TABLES: usize = 8;

/// The longest name of a rule that is kept, in bytes.
const RULE_BYTES: usize = 200;

/// All that a plugin is given besides the question: with the same clock and seed it decides the same.
#[derive(Debug, Clone)]
pub(crate) struct ClockAndSeed {
    /// The wall clock; it stands still.
    pub(crate) now: Timestamp,
    /// What the random numbers grow from, together with `now`.
    pub(crate) seed: String,
}

/// The state beside one instance.
pub(crate) struct Guest {
    /// Its memory.
    pub(super) limits: Limits,
    /// Its lines, shared with its standard output.
    pub(super) log: Arc<Mutex<GuestLog>>,
    /// The rule that it said led to its answer.
    rule: Option<String>,
    /// WASI resources that it holds at present.
    pub(super) table: ResourceTable,
    /// The processor time of the present run, and how much of it there may be.
    used: Arc<Mutex<CpuUse>>,
    may_take: Duration,
    slots: CpuSlots,
    /// Told while it runs.
    pub(super) ticks: Ticks,
    /// Whether the present run was noted as a long one.
    is_long: bool,
    /// The score of its plugin; `None` before a decision begins.
    slowness: Option<Arc<Slowness>>,
    clock_and_seed: ClockAndSeed,
    /// The monotonic clock, in nanoseconds.
    clock: u64,
    /// Made when it is asked for: most decisions never do.
    wasi: Option<WasiCtx>,
}

/// The instance took more processor time than it may.
#[derive(Debug, thiserror::Error)]
#[error("the deadline passed")]
pub(super) struct Overtime;

impl Guest {
    pub(super) fn new(
        clock_and_seed: ClockAndSeed,
        memory_bytes: usize,
        log_bytes: usize,
        slots: CpuSlots,
        ticks: Ticks,
    ) -> Self {
        Self {
            limits: Limits { cap: memory_bytes, used: 0, denied: None },
            log: Arc::new(Mutex::new(GuestLog::new(log_bytes))),
            rule: None,
            table: ResourceTable::new(),
            used: Arc::default(),
            may_take: Duration::ZERO,
            slots,
            ticks,
            is_long: false,
            slowness: None,
            clock_and_seed,
            clock: 0,
            wasi: None,
        }
    }

    /// Begins a run that may take so much processor time, on this thread.
    pub(super) fn may_take(&mut self, may_take: Duration) -> Arc<Mutex<CpuUse>> {
        (self.may_take, self.is_long) = (may_take, false);
        *lock(&self.used) = CpuUse::begin();
        Arc::clone(&self.used)
    }

    /// From here on each run counts for or against this plugin.
    pub(super) fn counts_for(&mut self, slowness: &Arc<Slowness>) {
        self.slowness = Some(Arc::clone(slowness));
    }

    /// The engine ticked while it ran. Ticks come at any moment, also to an instance that needs a thousandth of one, so
    /// it gives way to others only when it took some time; and it goes on when it has a slot.
    pub(super) fn tick(&mut self) -> wasmtime::Result<UpdateDeadline> {
        let mut used = lock(&self.used);
        used.tick();
        if !used.is_long() {
            return Ok(UpdateDeadline::Continue(1));
        }
        if !std::mem::replace(&mut self.is_long, true)
            && let Some(slowness) = &self.slowness
        {
            slowness.note_long();
        }
        if used.took() >= self.may_take {
            return Err(Overtime.into());
        }
        Ok(UpdateDeadline::YieldCustom(1, Box::pin(self.slots.clone().next(Arc::clone(&self.used)))))
    }

    /// The run has ended: gives its slot back, if it had one.
    pub(super) fn end(&self) {
        lock(&self.used).end();
        if let Some(slowness) = self.slowness.as_ref().filter(|_| !self.is_long) {
            slowness.note_short();
        }
    }

    /// Makes it ready for another decision: its memory stays; its clock, its random numbers and its log are new.
    pub(super) fn begin(&mut self, clock_and_seed: ClockAndSeed, log_bytes: usize) {
        self.clock_and_seed = clock_and_seed;
        self.clock = 0;
        self.wasi = None;
        self.limits.denied = None;
        *lock(&self.log) = GuestLog::new(log_bytes);
    }

    /// What it wrote, and the rule that it named, since it began.
    pub(super) fn take_log_and_rule(&mut self) -> (Vec<String>, Option<String>) {
        (std::mem::take(&mut *lock(&self.log)).finish(), self.rule.take())
    }
}

/// Memory over all that an instance has.
pub(super) struct Limits {
    /// In bytes.
    pub(super) cap: usize,
    /// In bytes: the most that it had, since no memory ever shrinks.
    pub(super) used: usize,
    /// What it asked for in vain, in words.
    pub(super) denied: Option<String>,
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
        let ctx = self.wasi.get_or_insert_with(|| wasi(&self.clock_and_seed, &self.log));
        WasiCtxView { ctx, table: &mut self.table }
    }
}

/// No arguments, no environment, no files, no network and nothing to read.
fn wasi(clock_and_seed: &ClockAndSeed, log: &Arc<Mutex<GuestLog>>) -> WasiCtx {
    let mut hash = Sha256::new();
    hash.update(clock_and_seed.now.as_millis().to_be_bytes());
    hash.update(&clock_and_seed.seed);
    let hash: [u8; 32] = hash.finalize().into();
    let [first, second] = [0, 16].map(|at| u128::from_be_bytes(std::array::from_fn(|i| hash[at + i])));
    WasiCtx::builder()
        .stdout(Output(log.clone()))
        .stderr(Output(log.clone()))
        .wall_clock(Still(Duration::from_millis(clock_and_seed.now.as_millis())))
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
/// timer would make decisions differ, and let a plugin that sleeps keep its slot.
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

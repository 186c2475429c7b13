//! The engine that plugins run in, and the one way to run something in it: within bounds, ending in an answer or a fault.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use wasmtime::component::{Component, HasSelf, InstancePre, Linker};
use wasmtime::{CacheStore, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store, Trap};
use wasmtime_wasi::p2::bindings::clocks::monotonic_clock;

use super::bindings::{Policy, v0_1};
use super::compile_cache::{CompileCache, FUNCTIONS};
use super::fairness::CpuSlots;
use super::guest::{CORE_INSTANCES, ClockAndSeed, Guest, MEMORIES, Overtime, TABLE_ELEMENTS, TABLES};
use super::ticks::Ticks;
use crate::domain::Fault;
use crate::policy::locks::lock;
use crate::policy::{Config, Error};

/// How much a plugin may hand to the host in one call; an answer has a bound of its own.
const HOST_CALL_BYTES: usize = 1 << 20;
const STACK_BYTES: usize = 1 << 20;
/// WASI resources that an instance may hold at once.
const HANDLES: usize = 1_000;
/// By how much a memory may grow while a snapshot reads it: by one page each time.
const SNAPSHOT_BYTES: usize = 1 << 20;

/// The engine, its settings, and what all that runs in it shares.
pub(crate) struct Sandbox {
    pub(super) engine: Engine,
    pub(crate) config: Config,
    linker: Linker<Guest>,
    /// Places for the instances that policies keep between decisions.
    pub(super) kept: Arc<Semaphore>,
    /// Of the processor, for decisions that take long.
    pub(super) slots: CpuSlots,
    ticks: Ticks,
    /// Machine code of earlier starts; `None` where there is no folder for it.
    compiled: Option<CompileCache>,
}

impl Sandbox {
    pub(super) fn start(config: Config, compiled: Option<PathBuf>) -> Result<Self, Error> {
        config.check()?;
        let compiled =
            compiled.map(CompileCache::open).transpose().map_err(|error| Error::Engine(error.to_string()))?;
        let engine = engine(&config)?;
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker)
            .and_then(|()| Policy::add_to_linker::<_, HasSelf<Guest>>(&mut linker, |guest| guest))
            .and_then(|()| v0_1::Policy::add_to_linker::<_, HasSelf<Guest>>(&mut linker, |guest| guest))
            .and_then(|()| {
                linker.allow_shadowing(true);
                monotonic_clock::add_to_linker::<_, HasSelf<Guest>>(&mut linker, |guest| guest)
            })
            .map_err(|error| Error::Engine(error.to_string()))?;
        let ticks = Ticks::start(&engine).map_err(|error| Error::Engine(error.to_string()))?;
        let kept = Arc::new(Semaphore::new(config.instances_kept() as usize));
        Ok(Self { engine, config, linker, kept, slots: CpuSlots::new(), ticks, compiled })
    }

    /// Compiles a component, unless that was done before. Takes a second for a large one: not for an asynchronous thread.
    pub(super) fn component(&self, bytes: &[u8]) -> wasmtime::Result<Component> {
        let Some(compiled) = &self.compiled else { return Component::from_binary(&self.engine, bytes) };
        if let Some(component) = compiled.load(&self.engine, bytes) {
            return Ok(component);
        }
        let component = Component::from_binary(&self.engine, bytes)?;
        compiled.keep(bytes, &component);
        Ok(component)
    }

    /// Gives a component its imports.
    pub(super) fn link(&self, component: &Component) -> wasmtime::Result<InstancePre<Guest>> {
        self.linker.instantiate_pre(component)
    }

    /// An empty store with every bound set but the deadline, see [`within`].
    pub(super) fn store(&self, clock_and_seed: ClockAndSeed) -> Store<Guest> {
        let Config { memory_bytes, log_bytes, .. } = self.config;
        let guest = Guest::new(clock_and_seed, memory_bytes, log_bytes, self.slots.clone(), self.ticks.clone());
        let mut store = Store::new(&self.engine, guest);
        store.limiter(|guest| &mut guest.limits);
        store.set_hostcall_fuel(HOST_CALL_BYTES.max(self.config.answer_bytes));
        store.set_max_component_handles(HANDLES);
        store.epoch_deadline_callback(|mut store| store.data_mut().tick());
        refuel(&mut store);
        store
    }
}

/// Runs something in a store; it ends when it took so much processor time, or waited so long for anything but a slot of it.
pub(super) async fn within<T>(
    limit_ms: u64,
    store: &mut Store<Guest>,
    run: impl AsyncFnOnce(&mut Store<Guest>) -> wasmtime::Result<T>,
) -> Result<T, Fault> {
    let (limit, mut ticks) = (Duration::from_millis(limit_ms), 0);
    let _running = store.data().ticks.run();
    let used = store.data_mut().may_take(limit);
    store.set_epoch_deadline(1);
    let ended = {
        let mut running = std::pin::pin!(run(store));
        loop {
            // The ticks end a plugin that runs; the timeout ends one that waits, which no tick ever finds.
            match tokio::time::timeout(limit, running.as_mut()).await {
                Err(_) if lock(&used).goes_on(&mut ticks) => {}
                ended => break ended,
            }
        }
    };
    store.data().end();
    match ended {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(fault(&error, store.data(), limit_ms)),
        Err(_) => Err(Fault::TooSlow { limit_ms }),
    }
}

/// The fuel that was burnt since the last call of this.
pub(super) fn refuel(store: &mut Store<Guest>) -> u64 {
    let left = store.get_fuel().unwrap_or(u64::MAX);
    // Fails only in an engine that does not count fuel, and this one does.
    let _ = store.set_fuel(u64::MAX);
    u64::MAX - left
}

fn fault(error: &wasmtime::Error, guest: &Guest, limit_ms: u64) -> Fault {
    let cause = error.root_cause().to_string();
    if error.is::<Overtime>() || error.downcast_ref() == Some(&Trap::Interrupt) {
        return Fault::TooSlow { limit_ms };
    }
    if let Some(denied) = &guest.limits.denied {
        return Fault::TooLarge { message: format!("{denied} ({cause})") };
    }
    // The engine keeps the type of this error to itself.
    if cause.contains("fuel allocated for hostcalls") {
        return Fault::TooLarge { message: "it handed more than a mebibyte to the host at once".into() };
    }
    Fault::Trapped { message: cause }
}

fn engine(config: &Config) -> Result<Engine, Error> {
    let mut settings = wasmtime::Config::new();
    settings
        .concurrency_support(false)
        .consume_fuel(true)
        .epoch_interruption(true)
        .cranelift_nan_canonicalization(true)
        .relaxed_simd_deterministic(true)
        // Backtraces are not shown, and that of an endless recursion has a hundred thousand frames.
        .wasm_backtrace_max_frames(None)
        .max_wasm_stack(STACK_BYTES)
        .async_stack_size(2 * STACK_BYTES);
    settings
        .enable_incremental_compilation(Arc::clone(&FUNCTIONS) as Arc<dyn CacheStore>)
        .map_err(|error| Error::Engine(error.to_string()))?;
    settings.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(config)));
    match Engine::new(&settings) {
        Ok(engine) => return Ok(engine),
        Err(error) => tracing::warn!(%error, "no pool for plugins can be reserved; decisions will be slower"),
    }
    settings.allocation_strategy(InstanceAllocationStrategy::OnDemand);
    Engine::new(&settings).map_err(|error| Error::Engine(error.to_string()))
}

fn pool(config: &Config) -> PoolingAllocationConfig {
    // Two more than there may be decisions: one to configure the next revision, one to probe it.
    let instances = config.instances + config.instances_kept() + 2;
    let mut pool = PoolingAllocationConfig::new();
    // Places for the worst that all of them can be: no component that is made of many parts takes another's.
    pool.total_component_instances(instances)
        .total_core_instances(instances * CORE_INSTANCES as u32)
        .total_memories(instances * MEMORIES as u32)
        .total_tables(instances * TABLES as u32)
        .total_stacks(instances)
        .max_core_instances_per_component(CORE_INSTANCES as u32)
        .max_memories_per_component(MEMORIES as u32)
        .max_tables_per_component(TABLES as u32)
        .max_memory_size(config.memory_bytes + SNAPSHOT_BYTES)
        .table_elements(TABLE_ELEMENTS)
        .linear_memory_keep_resident(1 << 20)
        .table_keep_resident(64 << 10)
        // The kernel tells which pages were written, where it can (Linux 6.7): only those are set back after a decision.
        .pagemap_scan(wasmtime::Enabled::Auto);
    pool
}

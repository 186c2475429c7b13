//! Ticks: while a plugin runs, a thread interrupts it each millisecond to count its processor time; while none does, it sleeps.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::Thread;
use std::time::Duration;

use wasmtime::Engine;

/// How often the engine interrupts running plugins.
const TICK: Duration = Duration::from_millis(1);
/// How long after an engine is gone its thread may sleep on.
const LOOK: Duration = Duration::from_secs(10);

/// The thread that ticks, for those who run plugins.
#[derive(Clone)]
pub(super) struct Ticks {
    /// How many plugins run.
    running: Arc<AtomicUsize>,
    thread: Thread,
}

/// A plugin runs until this is dropped.
pub(super) struct Running(Arc<AtomicUsize>);

impl Ticks {
    /// Starts the thread, which ends when the engine is gone.
    pub(super) fn start(engine: &Engine) -> std::io::Result<Self> {
        let (engine, running) = (engine.weak(), Arc::new(AtomicUsize::new(0)));
        let runs = Arc::clone(&running);
        let tick = move || {
            while let Some(engine) = engine.upgrade() {
                let nothing_runs = runs.load(Ordering::SeqCst) == 0;
                if !nothing_runs {
                    engine.increment_epoch();
                }
                drop(engine);
                if nothing_runs {
                    // Whoever begins to run wakes it, also between the look and the sleep.
                    std::thread::park_timeout(LOOK);
                } else {
                    std::thread::sleep(TICK);
                }
            }
        };
        let spawned = std::thread::Builder::new().name("policy-ticks".into()).spawn(tick)?;
        Ok(Self { running, thread: spawned.thread().clone() })
    }

    /// Says that a plugin runs from here on.
    pub(super) fn run(&self) -> Running {
        if self.running.fetch_add(1, Ordering::SeqCst) == 0 {
            self.thread.unpark();
        }
        Running(Arc::clone(&self.running))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use wasmtime::{Config, Instance, Module, Store};

    use super::*;

    /// An engine, and a store in which a function runs until the engine has ticked.
    fn looping() -> (Engine, Store<()>, Instance) {
        let engine = Engine::new(Config::new().epoch_interruption(true)).unwrap();
        let module =
            Module::new(&engine, wat::parse_str(r#"(module (func (export "run") (loop br 0)))"#).unwrap()).unwrap();
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        (engine, store, instance)
    }

    #[test]
    fn what_runs_is_interrupted_also_after_nothing_ran_for_a_while() {
        let (engine, mut store, instance) = looping();
        let ticks = Ticks::start(&engine).unwrap();
        let run = instance.get_typed_func::<(), ()>(&mut store, "run").unwrap();
        for _ in 0..100 {
            let _running = ticks.run();
            store.set_epoch_deadline(2);
            assert!(run.call(&mut store, ()).is_err(), "the deadline ends it");
        }
    }

    #[test]
    fn nothing_runs_when_the_last_one_has_ended() {
        let ticks = Ticks::start(&looping().0).unwrap();
        let (first, second) = (ticks.run(), ticks.run());
        assert_eq!(ticks.running.load(Ordering::SeqCst), 2);
        drop((first, second));
        assert_eq!(ticks.running.load(Ordering::SeqCst), 0);
    }
}

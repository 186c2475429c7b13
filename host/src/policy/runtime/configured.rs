//! A plugin that was given its settings: frozen where that is possible, and tried before anybody relies on it.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use wasmtime::Store;
use wasmtime::component::{ComponentNamedList, Instance, InstancePre, Lift, WasmList};
use wasmtime_wizer::{ComponentInstanceState, Wizer};

use crate::domain::Fault;
use crate::policy::revision::manifest::{Assignment, Isolation};
use crate::policy::runtime::bindings::switchyard::policy::types;
use crate::policy::runtime::conversions::few;
use crate::policy::runtime::exports::Doors;
use crate::policy::runtime::fairness::Pace;
use crate::policy::runtime::guest::{Given, Guest};
use crate::policy::runtime::instance_pool::{Running, Warm};
use crate::policy::runtime::plugin::{PARTS, Plugin, words};
use crate::policy::runtime::sandbox::{Sandbox, within};

/// A configured plugin.
pub(crate) struct Answerer {
    pub(crate) assignment: Assignment,
    pub(crate) plugin: Arc<Plugin>,
    /// The frozen component, or the plugin as it is.
    pub(crate) pre: InstancePre<Guest>,
    pub(crate) doors: Doors,
    /// Why each decision has to configure the plugin again, where it does.
    pub(crate) frozen: Result<(), String>,
    /// Instances that wait for their next question.
    pub(crate) warm: Warm,
    /// How long its decisions took lately.
    pub(crate) pace: Arc<Pace>,
}

/// How the decisions of a plugin begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Each configures it anew: it can decide at once.
    Configured,
    /// From a frozen copy, which takes a while to make.
    Frozen,
}

/// Why a plugin could not be configured.
pub(crate) enum Trouble {
    /// It does not accept its settings or its script.
    Problems(Vec<types::Problem>),
    /// It failed.
    Fault(Fault),
}

impl Answerer {
    /// Configures a plugin, and freezes it where that is wanted: for a blocking thread.
    pub(crate) async fn new(
        sandbox: &Sandbox,
        plugin: Arc<Plugin>,
        assignment: Assignment,
        given: Given,
        form: Form,
    ) -> Result<Self, Trouble> {
        let mut store = sandbox.store(given);
        let doors = plugin.doors(&plugin.pre).map_err(|error| Trouble::Fault(trapped(&error)))?;
        let instance = configure(sandbox, &mut store, &plugin.pre, &doors, &assignment).await?;
        let (warm, pace) = (Warm::default(), Arc::default());
        let frozen = match (&plugin.freezable, form) {
            (Ok(()), Form::Frozen) if sandbox.config.freeze => freeze(sandbox, &plugin, store, instance).await,
            (freezable, _) => {
                // It is there already, so the trial need not configure another.
                warm.keep_for_trial(sandbox, Running::configured(store, instance));
                Err(match freezable {
                    Err(why) => why.clone(),
                    Ok(()) if !sandbox.config.freeze => "freezing is switched off".to_owned(),
                    Ok(()) => "it is frozen behind its first decision".to_owned(),
                })
            }
        };
        Ok(match frozen.and_then(|pre| Ok((plugin.doors(&pre).map_err(|error| words(&error))?, pre))) {
            Ok((doors, pre)) => Self { assignment, plugin, pre, doors, frozen: Ok(()), warm, pace },
            Err(why) => Self { assignment, pre: plugin.pre.clone(), plugin, doors, frozen: Err(why), warm, pace },
        })
    }

    /// The same, configured again for each decision.
    pub(crate) fn thawed(&self, why: String) -> Result<Self, Trouble> {
        Ok(Self {
            assignment: self.assignment.clone(),
            plugin: self.plugin.clone(),
            pre: self.plugin.pre.clone(),
            doors: self.plugin.doors(&self.plugin.pre).map_err(|error| Trouble::Fault(trapped(&error)))?,
            frozen: Err(why),
            warm: Warm::default(),
            pace: Arc::clone(&self.pace),
        })
    }

    /// From here on it answers whom it is for: what its trial left behind goes, and instances are kept as the policy chose.
    pub(crate) fn ready(&self, sandbox: &Sandbox) {
        self.warm.keep_at_most(0);
        if self.assignment.isolation == Isolation::Policy {
            self.warm.keep_at_most(sandbox.config.instances_per_policy());
        }
    }

    /// An instance in a fresh store; configured, if it was not frozen so. The time for that is the caller's to set.
    pub(crate) async fn instance(&self, sandbox: &Sandbox, store: &mut Store<Guest>) -> Result<Instance, Fault> {
        match configure(sandbox, store, &self.pre, &self.doors, &self.assignment).await {
            Ok(instance) => Ok(instance),
            Err(Trouble::Fault(fault)) => Err(fault),
            Err(Trouble::Problems(problems)) => {
                let message = problems.into_iter().map(|problem| problem.message).collect::<Vec<_>>().join("; ");
                Err(Fault::Refused { code: "NOT_CONFIGURED".into(), message })
            }
        }
    }
}

async fn configure(
    sandbox: &Sandbox,
    store: &mut Store<Guest>,
    pre: &InstancePre<Guest>,
    doors: &Doors,
    assignment: &Assignment,
) -> Result<Instance, Trouble> {
    let limit_ms = sandbox.config.configure_deadline_ms;
    let configured = within(limit_ms, store, async |store| {
        let instance = pre.instantiate_async(&mut *store).await?;
        let answer = doors.configure(store, &instance, &assignment.configuration).await?;
        Ok(answer.map(|()| instance))
    });
    match configured.await {
        Ok(Ok(instance)) => Ok(instance),
        Ok(Err(problems)) => Err(Trouble::Problems(few(problems))),
        Err(fault) => Err(Trouble::Fault(fault)),
    }
}

/// Makes a component of a configured instance, in which everything is in memory already.
async fn freeze(
    sandbox: &Sandbox,
    plugin: &Plugin,
    mut store: Store<Guest>,
    instance: Instance,
) -> Result<InstancePre<Guest>, String> {
    if !store.data().table.is_empty() {
        return Err("it keeps WASI resources open, which do not survive freezing".into());
    }
    let wizer = Wizer::new();
    // The context borrows from the bytes, so it cannot be kept; making it again costs a fiftieth of compiling.
    let (context, _) = wizer.instrument_component(&plugin.bytes).map_err(|error| words(&error))?;
    // What runs from here on is Wizer's own.
    store.data_mut().limits.cap = usize::MAX;
    store.set_hostcall_fuel(usize::MAX);
    let mut state = State { store, instance, failed: None };
    // Wizer panics at what it did not expect.
    let snapshot = AssertUnwindSafe(wizer.snapshot_component(&context, &mut state)).catch_unwind().await;
    if let Some(error) = state.failed {
        return Err(format!("its memory cannot be read: {}", words(&error)));
    }
    let bytes = snapshot.map_err(|_| PARTS.to_owned())?.map_err(|error| words(&error))?;
    drop(state.store);
    sandbox.component(&bytes).and_then(|component| sandbox.link(&component)).map_err(|error| words(&error))
}

/// What Wizer reads the memory and the globals of an instance through.
struct State {
    store: Store<Guest>,
    instance: Instance,
    /// Wizer has no way to be told of a failure.
    failed: Option<wasmtime::Error>,
}

impl State {
    async fn call<R, T>(&mut self, instance: &str, func: &str, read: impl FnOnce(&Store<Guest>, R) -> T) -> Option<T>
    where
        R: Lift + Send + Sync + 'static,
        (R,): ComponentNamedList + Lift,
    {
        match self.value(instance, func).await {
            Ok(value) => Some(read(&self.store, value)),
            Err(error) => {
                self.failed = Some(error);
                None
            }
        }
    }

    async fn value<R>(&mut self, instance: &str, func: &str) -> wasmtime::Result<R>
    where
        R: Lift + Send + Sync + 'static,
        (R,): ComponentNamedList + Lift,
    {
        let missing = || wasmtime::format_err!("{instance} has no {func}");
        let (_, at) = self.instance.get_export(&mut self.store, None, instance).ok_or_else(missing)?;
        let (_, at) = self.instance.get_export(&mut self.store, Some(&at), func).ok_or_else(missing)?;
        let func = self.instance.get_typed_func::<(), (R,)>(&mut self.store, at)?;
        self.store.data_mut().may_take(Duration::MAX);
        self.store.set_epoch_deadline(1);
        let called = func.call_async(&mut self.store, ()).await;
        // What Wizer does between two calls is nobody's turn.
        self.store.data().end();
        Ok(called?.0)
    }
}

impl ComponentInstanceState for State {
    async fn call_func_ret_list_u8(&mut self, instance: &str, func: &str, contents: impl FnOnce(&[u8]) + Send) {
        self.call(instance, func, |store, list: WasmList<u8>| contents(list.as_le_slice(store))).await;
    }

    async fn call_func_ret_s32(&mut self, instance: &str, func: &str) -> i32 {
        self.call(instance, func, |_, value| value).await.unwrap_or_default()
    }

    async fn call_func_ret_s64(&mut self, instance: &str, func: &str) -> i64 {
        self.call(instance, func, |_, value| value).await.unwrap_or_default()
    }

    async fn call_func_ret_f32(&mut self, instance: &str, func: &str) -> u32 {
        self.call(instance, func, |_, value: f32| value.to_bits()).await.unwrap_or_default()
    }

    async fn call_func_ret_f64(&mut self, instance: &str, func: &str) -> u64 {
        self.call(instance, func, |_, value: f64| value.to_bits()).await.unwrap_or_default()
    }
}

fn trapped(error: &wasmtime::Error) -> Fault {
    Fault::Trapped { message: words(error) }
}

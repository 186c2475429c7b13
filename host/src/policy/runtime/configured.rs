//! A plugin that was given its settings and decides from then on: from a snapshot where there is one, else configured each time.

use std::sync::Arc;

use wasmtime::Store;
use wasmtime::component::{Instance, InstancePre};

use super::assignment::{Assignment, Isolation};
use super::conversions::{SettingProblem, few};
use super::exports::Exports;
use super::fairness::Slowness;
use super::guest::{ClockAndSeed, Guest};
use super::instance_pool::{InstancePool, PooledInstance};
use super::plugin::{Plugin, on_one_line};
use super::sandbox::{Sandbox, within};
use super::snapshot;
use crate::domain::Fault;
use crate::policy::component::Part;

/// A configured plugin.
pub(crate) struct ConfiguredPlugin {
    pub(crate) assignment: Assignment,
    pub(crate) plugin: Arc<Plugin>,
    /// The snapshot, or the plugin as it is.
    pub(super) pre: InstancePre<Guest>,
    pub(super) exports: Exports,
    /// Why there is no snapshot, so that each decision configures the plugin again.
    pub(crate) snapshot: Result<(), String>,
    /// Instances that wait for their next question.
    pub(super) pool: InstancePool,
    /// How long its decisions took lately.
    pub(super) slowness: Arc<Slowness>,
}

/// What the decisions of a plugin begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    /// Each configures the plugin: it can decide at once.
    Configure,
    /// A snapshot, which takes up to a second to make.
    Snapshot,
}

/// Why a plugin could not be configured.
pub(crate) enum ConfigureError {
    /// It does not accept its settings or its script.
    Problems(Vec<SettingProblem>),
    /// It failed.
    Fault(Fault),
}

impl ConfiguredPlugin {
    /// Configures a plugin, and makes a snapshot of it where that is wanted: for a blocking thread.
    pub(crate) async fn new(
        sandbox: &Sandbox,
        plugin: Arc<Plugin>,
        assignment: Assignment,
        clock_and_seed: ClockAndSeed,
        start: Start,
    ) -> Result<Self, ConfigureError> {
        let mut store = sandbox.store(clock_and_seed);
        let exports = plugin.exports(&plugin.pre).map_err(|error| ConfigureError::Fault(trapped(&error)))?;
        let instance = configure(sandbox, &mut store, &plugin.pre, &exports, &assignment).await?;
        let (pool, slowness) = (InstancePool::default(), Arc::default());
        let snapshot = match (&plugin.freezable, start) {
            (Ok(()), Start::Snapshot) if sandbox.config.freeze => {
                snapshot::take(sandbox, &plugin, store, instance).await
            }
            (freezable, _) => {
                // It is there already, so the trial need not configure another.
                pool.keep_for_trial(sandbox, PooledInstance::configured(store, instance));
                Err(match freezable {
                    Err(why) => why.clone(),
                    Ok(()) if !sandbox.config.freeze => "freezing is switched off".to_owned(),
                    Ok(()) => "it is frozen behind its first decision".to_owned(),
                })
            }
        };
        let snapshot = snapshot.and_then(|pre| Ok((plugin.exports(&pre).map_err(|error| on_one_line(&error))?, pre)));
        let (pre, exports, snapshot) = match snapshot {
            Ok((exports, pre)) => (pre, exports, Ok(())),
            Err(why) => (plugin.pre.clone(), exports, Err(why)),
        };
        Ok(Self { assignment, plugin, pre, exports, snapshot, pool, slowness })
    }

    /// The same, configured again for each decision.
    pub(crate) fn without_snapshot(&self, why: String) -> Result<Self, ConfigureError> {
        Ok(Self {
            assignment: self.assignment.clone(),
            plugin: self.plugin.clone(),
            pre: self.plugin.pre.clone(),
            exports: self.plugin.exports(&self.plugin.pre).map_err(|error| ConfigureError::Fault(trapped(&error)))?,
            snapshot: Err(why),
            pool: InstancePool::default(),
            slowness: Arc::clone(&self.slowness),
        })
    }

    /// Whether it answers the questions of a part.
    pub(crate) fn answers(&self, part: Part) -> bool {
        self.exports.has(part)
    }

    /// Drops the instance that was kept for the trial, so that the next question meets a new one.
    pub(crate) fn drop_instances(&self) {
        self.pool.keep_at_most(0);
    }

    /// Ends the trial: its instance goes, and from here on instances are kept as the policy chose.
    pub(crate) fn end_trial(&self, sandbox: &Sandbox) {
        self.drop_instances();
        if self.assignment.isolation == Isolation::Policy {
            self.pool.keep_at_most(sandbox.config.instances_per_policy());
        }
    }

    /// A configured instance in a fresh store. The time for that is the caller's to set.
    pub(super) async fn instance(&self, sandbox: &Sandbox, store: &mut Store<Guest>) -> Result<Instance, Fault> {
        match configure(sandbox, store, &self.pre, &self.exports, &self.assignment).await {
            Ok(instance) => Ok(instance),
            Err(ConfigureError::Fault(fault)) => Err(fault),
            Err(ConfigureError::Problems(problems)) => {
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
    exports: &Exports,
    assignment: &Assignment,
) -> Result<Instance, ConfigureError> {
    let limit_ms = sandbox.config.configure_deadline_ms;
    let configured = within(limit_ms, store, async |store| {
        let instance = pre.instantiate_async(&mut *store).await?;
        let answer = exports.configure(store, &instance, &assignment.configuration).await?;
        Ok(answer.map(|()| instance))
    });
    match configured.await {
        Ok(Ok(instance)) => Ok(instance),
        Ok(Err(problems)) => Err(ConfigureError::Problems(few(problems))),
        Err(fault) => Err(ConfigureError::Fault(fault)),
    }
}

fn trapped(error: &wasmtime::Error) -> Fault {
    Fault::Trapped { message: on_one_line(error) }
}

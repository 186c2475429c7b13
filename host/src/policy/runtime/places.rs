//! The runtime: the sandbox, with as many places for decisions as the engine's pool has.

use std::path::PathBuf;

use tokio::sync::Semaphore;

use super::configured::ConfiguredPlugin;
use super::decide::{Answered, Ask};
use super::guest::ClockAndSeed;
use super::sandbox::Sandbox;
use crate::policy::{Config, Error};

/// What decisions run in.
pub(crate) struct Runtime {
    pub(crate) sandbox: Sandbox,
    /// As many as the engine's pool has; one is held for the length of a decision.
    places: Semaphore,
}

impl Runtime {
    /// Starts the engine; `compiled` is the folder of machine code.
    ///
    /// # Errors
    /// When a bound makes no sense, or the machine does not let plugins run.
    pub(crate) fn start(config: Config, compiled: Option<PathBuf>) -> Result<Self, Error> {
        let places = Semaphore::new(config.instances as usize);
        Ok(Self { sandbox: Sandbox::start(config, compiled)?, places })
    }

    /// Asks a plugin, as soon as there is a place, and before that a slot of the processor if the plugin was slow lately.
    pub(crate) async fn ask<Q: Ask>(
        &self,
        plugin: &ConfiguredPlugin,
        with: ClockAndSeed,
        question: Q,
    ) -> Answered<Q::Answer> {
        // The semaphores are never closed, so waiting for a place ends in having one.
        let _slot = self.sandbox.slots.to_begin(&plugin.slowness).await;
        let _place = self.places.acquire().await;
        question.ask(plugin, &self.sandbox, with).await
    }
}

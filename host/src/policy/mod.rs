//! Policies: what differs from one organization to the next is decided by sandboxed plugins and the scripts they run.
//!
//! This is the only room that knows the engine. A policy is configured, put in force and then frozen; every decision runs in
//! an instance of its own (a fresh clone of the frozen one, as soon as there is one), within a deadline, a memory cap and
//! an answer cap, and is dropped afterwards.

mod answerer;
mod asking;
mod bindings;
mod bounds;
mod candidate;
pub mod case;
mod change;
mod compiled;
mod config;
mod conversions;
mod doors;
pub mod fit;
mod freezing;
mod guard;
mod guest;
mod host;
mod logbook;
mod manifest;
mod memory;
mod plugin;
mod rejection;
mod renewal;
mod revision;
mod sample;
mod sandbox;
mod shadow;
mod shape;
mod signature;
mod standing;
mod status;
#[cfg(test)]
mod tests;
mod trial;
mod turns;
mod warm;

use crate::domain::PluginName;

pub use candidate::{Candidate, Difference, difference, shown};
pub use config::Config;
pub use conversions::Failing;
pub use guard::RolledBack;
pub use host::PolicyHost;
pub use manifest::Isolation;
pub use memory::{Keep, Memory};
pub use plugin::PluginStatus;
pub use rejection::{Problem, Rejection};
pub use renewal::PluginTrouble;
pub use shadow::ShadowStatus;
pub use status::{AnsweredBy, Faults, InForce, PolicyStatus};
pub use trial::Trial;

/// The policy that answers where no other does.
pub const DEFAULT_POLICY: &str = "default";

/// Why the host cannot start, or does not take a plugin.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A bound that makes no sense; the configuration has to be mended.
    #[error("policy.{0}")]
    Config(String),
    /// The machine does not let plugins be compiled or run.
    #[error("plugins cannot run here: {0}")]
    Engine(String),
    /// A file that is no plugin, or one that asks for what no plugin gets; its author has to mend it.
    #[error("plugin `{name}`: {reason}")]
    Plugin {
        /// The plugin.
        name: PluginName,
        /// What is wrong with it.
        reason: String,
    },
}

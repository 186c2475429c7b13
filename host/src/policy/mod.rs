//! Policies: what differs from one organization to the next is decided by sandboxed plugins and the scripts they run.
//!
//! This is the only room that knows the engine. A policy is configured, put in force and then frozen; every decision runs in
//! an instance of its own (a fresh clone of the frozen one, as soon as there is one), within a deadline, a memory cap and
//! an answer cap, and is dropped afterwards.

pub mod case;
mod change;
mod component;
mod config;
mod host;
mod revision;
mod runtime;
#[cfg(test)]
mod tests;

use crate::domain::PluginName;

pub use case::trial::Trial;
pub use change::candidate::{Candidate, Difference, difference, shown};
pub use change::guard::RolledBack;
pub use change::history_store::{Keep, Memory};
pub use change::plugin_updates::PluginTrouble;
pub use change::shadow::ShadowStatus;
pub use change::status::{AnsweredBy, Faults, InForce, PolicyStatus};
pub use component::compatibility as fit;
pub use config::Config;
pub use host::PolicyHost;
pub use revision::manifest::Isolation;
pub use revision::rejection::{Problem, Rejection};
pub use runtime::conversions::Failing;
pub use runtime::plugin::PluginStatus;

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

//! Policies: what differs from one organization to the next is decided by sandboxed plugins and the scripts they run.
//!
//! This is the only room that knows the engine. A policy is configured once and frozen; every decision runs in a fresh
//! clone of the frozen instance, within a deadline, a memory cap and an answer cap, and is dropped afterwards.

mod answerer;
mod asking;
mod bindings;
pub mod case;
mod config;
mod conversions;
pub mod fit;
mod guest;
mod host;
mod manifest;
mod plugin;
mod revision;
mod sample;
mod sandbox;
mod shape;
mod source;
mod status;
#[cfg(test)]
mod tests;
mod trial;
mod warm;

use crate::domain::PluginName;

pub use config::Config;
pub use conversions::Failing;
pub use host::PolicyHost;
pub use plugin::PluginStatus;
pub use source::{Origin, PolicySource, Problem, Rejection};
pub use status::{AnsweredBy, Faults, InForce, PolicyStatus};
pub use trial::Trial;
#[doc(hidden)]
pub use warm::Warm;

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

//! Why the host cannot start, or does not take a plugin.

use crate::domain::PluginName;

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

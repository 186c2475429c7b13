//! What a policy gives to one of its plugins: settings, a script, and how far its decisions are kept apart.

use serde::{Deserialize, Serialize};

use crate::domain::PluginName;

/// What keeps one decision of a policy from the next.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Isolation {
    /// Each decision is made by an instance of its own.
    #[default]
    Decision,
    /// An instance makes many decisions, and may remember one in the next: faster for plugins that take long to start.
    /// It is dropped at a fault.
    Policy,
}

/// Who answers, and what it is configured with.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Assignment {
    pub(crate) plugin: PluginName,
    /// SHA-256 of the one plugin that will do, in hexadecimal, where the policy names it.
    pub(crate) digest: Option<String>,
    /// The script's file, where there is one.
    pub(crate) script: Option<String>,
    /// What `configure` is given.
    pub(crate) configuration: String,
    /// What keeps its decisions apart.
    pub(crate) isolation: Isolation,
}

//! Plugins: what there is, and what comes of one that is handed in.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::policy::{Origin, Rejection};
use crate::domain::{PluginName, PolicyName, Question, Timestamp};
use crate::policy::{PluginStatus, PluginTrouble};

/// A plugin.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct Plugin {
    pub(crate) name: PluginName,
    /// SHA-256 of the component, in hexadecimal.
    pub(crate) digest: String,
    pub(crate) bytes: usize,
    /// What it answers.
    pub(crate) questions: Vec<Question>,
    /// The version of the interface that it was made for.
    #[schema(examples("switchyard:policy@0.1.0"))]
    pub(crate) interface: String,
    pub(crate) origin: Origin,
}

/// All plugins.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PluginList {
    pub(crate) plugins: Vec<Plugin>,
    /// Those that could not be taken.
    pub(crate) troubles: Vec<RefusedPlugin>,
}

/// A plugin that could not be taken, and why.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RefusedPlugin {
    pub(crate) name: PluginName,
    pub(crate) origin: Origin,
    at: Timestamp,
    reason: String,
}

/// A plugin that was taken, and what came of it.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct TakenPlugin {
    #[serde(flatten)]
    pub(crate) plugin: Plugin,
    /// Policies that decide by it from now on.
    pub(crate) applied: Vec<PolicyName>,
    /// Policies that do not: what was in force before stays.
    pub(crate) refused: Vec<Rejection>,
}

/// Which component is to be pulled.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PluginPull {
    /// By tag or digest; the one that the configuration names where nothing is said.
    #[serde(default)]
    #[schema(value_type = Option<String>, examples("ghcr.io/acme/my-router:1.2"))]
    pub(crate) reference: Option<crate::registry::Reference>,
}

impl From<PluginStatus> for Plugin {
    fn from(status: PluginStatus) -> Self {
        let PluginStatus { name, digest, bytes, questions, interface, origin } = status;
        Self { name, digest, bytes, questions, interface, origin: origin.into() }
    }
}

impl From<PluginTrouble> for RefusedPlugin {
    fn from(PluginTrouble { name, origin, at, reason }: PluginTrouble) -> Self {
        Self { name, origin: origin.into(), at, reason }
    }
}

//! Alcmeon environments: how each stands.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::{SourceId, Timestamp};
use crate::engine::{self, EnvironmentHealth};

/// An Alcmeon environment.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct Environment {
    pub(crate) source: SourceId,
    /// When it answered last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) answered_at: Option<Timestamp>,
    /// Why the newest call came to nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) trouble: Option<String>,
    /// Since when calls of one kind have come to nothing; absent where the newest call of each kind was answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) in_vain_since: Option<Timestamp>,
    /// Why it did not take the ids of Salesforce's records last, if it did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) not_written: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) webhook: Option<Webhook>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) silent_since: Option<Timestamp>,
    /// When something last came of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) arrived_at: Option<Timestamp>,
}

/// Where an environment's notifications stand.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct Webhook {
    pub(crate) looked_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) enabled: Option<bool>,
    /// When the host switched it on again, of late.
    pub(crate) switched_on: Vec<Timestamp>,
}

/// All Alcmeon environments.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct EnvironmentList {
    pub(crate) environments: Vec<Environment>,
}

impl Environment {
    pub(crate) fn of(
        source: SourceId,
        health: EnvironmentHealth,
        silent_since: Option<Timestamp>,
        arrived_at: Option<Timestamp>,
    ) -> Self {
        let EnvironmentHealth { answered_at, trouble, in_vain_since, not_written, webhook } = health;
        let webhook = webhook.map(|engine::WebhookHealth { looked_at, enabled, switched_on }| Webhook {
            looked_at,
            enabled,
            switched_on,
        });
        Self { source, answered_at, trouble, in_vain_since, not_written, webhook, silent_since, arrived_at }
    }
}

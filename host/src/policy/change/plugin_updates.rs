//! What follows when another component of a plugin comes, and what is known of those that did not come.

use serde::Serialize;

use crate::domain::{Origin, PluginName, PolicySource, Timestamp};
use crate::policy::change::policy::{lock, read, write};
use crate::policy::host::{PolicyHost, Room};
use crate::policy::{PolicyStatus, Rejection};

/// Why the newest attempt to bring a plugin came to nothing. What was taken before, if anything was, stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PluginTrouble {
    /// The plugin.
    pub name: PluginName,
    /// Where it would have come from.
    pub origin: Origin,
    /// When that was tried.
    pub at: Timestamp,
    /// What happened, in words for an operator.
    pub reason: String,
}

impl PolicyHost {
    /// Keeps a trouble for whoever looks, until the plugin is taken.
    pub fn note_trouble(&self, trouble: PluginTrouble) {
        let PluginTrouble { name, origin, reason, .. } = &trouble;
        tracing::warn!(plugin = %name, %origin, %reason, "a plugin is not taken; the one before stays, if there is one");
        write(&self.0.troubles).insert(trouble.name.clone(), trouble);
    }

    /// What was tried in vain is no longer wanted.
    pub fn forget_trouble(&self, plugin: &PluginName) {
        write(&self.0.troubles).remove(plugin);
    }

    /// Plugins whose newest attempt came to nothing, by name.
    #[must_use]
    pub fn troubles(&self) -> Vec<PluginTrouble> {
        read(&self.0.troubles).values().cloned().collect()
    }

    /// The SHA-256 of a plugin, in hexadecimal; `None` where there is no such plugin.
    #[must_use]
    pub fn plugin_digest(&self, plugin: &PluginName) -> Option<String> {
        read(&self.0.plugins).get(plugin).map(|plugin| plugin.status.digest.clone())
    }

    /// Applies the policies again that name a plugin and no digest of it, now that another component of it is there;
    /// and those that were refused because it was not. What was rolled back comes back only for a person.
    pub async fn apply_again(
        &self,
        plugin: &PluginName,
        by_person: bool,
        at: Timestamp,
    ) -> Vec<Result<PolicyStatus, Rejection>> {
        let Some(digest) = self.plugin_digest(plugin) else { return Vec::new() };
        let policies = read(&self.0.policies).clone();
        let mut answers = Vec::new();
        for (name, policy) in policies {
            // Texts that were in force a moment ago must not come back in place of newer ones.
            let _one_at_a_time = self.0.changing.lock().await;
            let waits = lock(&policy.last_rejection).as_ref().is_some_and(|no| no.waits_for.as_ref() == Some(plugin));
            let waiting = lock(&policy.waiting).clone().filter(|_| waits);
            let in_force = policy.in_force().filter(|revision| revision.draft.follows(plugin, &digest));
            let source = waiting.or_else(|| in_force.map(|revision| revision.draft.source.clone()));
            if let Some(source) = source {
                answers.push(self.apply_alone(name, PolicySource { at, ..source }, by_person).await);
            }
        }
        answers
    }
}

impl Room {
    /// Why there is no plugin of a name.
    pub(crate) fn missing(&self, plugin: &PluginName) -> String {
        match read(&self.troubles).get(plugin) {
            Some(trouble) => format!("there is no plugin `{plugin}`: {}", trouble.reason),
            None => format!("there is no plugin `{plugin}`"),
        }
    }
}

//! What follows when another component of a plugin comes: the policies that name it are applied again.

use std::sync::Arc;

use super::apply::Changes;
use super::status::PolicyStatus;
use crate::domain::{PluginName, PolicySource, Timestamp};
use crate::policy::locks::lock;
use crate::policy::revision::Rejection;

impl Changes {
    /// Applies the policies again that name a plugin and no digest of it, now that another component of it is there;
    /// and those that were refused because it was not. What was rolled back comes back only for a person.
    pub(crate) async fn apply_again(
        self: &Arc<Self>,
        plugin: &PluginName,
        by_person: bool,
        at: Timestamp,
    ) -> Vec<Result<PolicyStatus, Rejection>> {
        let Some(digest) = self.catalog.digest(plugin) else { return Vec::new() };
        let mut answers = Vec::new();
        for (name, policy) in self.policies.all() {
            // Texts that were in force a moment ago must not come back in place of newer ones.
            let _one_at_a_time = self.changing.lock().await;
            let waits = lock(&policy.last_rejection).as_ref().is_some_and(|no| no.waits_for.as_ref() == Some(plugin));
            let waiting = lock(&policy.waiting).clone().filter(|_| waits);
            let in_force = policy.in_force().filter(|revision| revision.draft.follows(plugin, &digest));
            let source = waiting.or_else(|| in_force.map(|revision| revision.draft.source.clone()));
            if let Some(source) = source {
                answers.push(self.apply_locked(name, PolicySource { at, ..source }, by_person).await);
            }
        }
        answers
    }
}

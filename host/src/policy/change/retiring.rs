//! A policy that is not wanted any more decides no longer; its revisions are kept, so that a person can bring it back.

use std::sync::Arc;

use super::apply::Changes;
use super::policy::Policy;
use crate::domain::{History, PluginName, PolicyName, RevisionState, Timestamp};
use crate::policy::locks::lock;

impl Changes {
    /// Ends a policy: nothing of it is in force, nor asked beside it. `false` when there was nothing to end.
    ///
    /// # Errors
    /// Why that could not be kept; then it goes on.
    pub(crate) async fn retire(&self, name: &PolicyName, now: Timestamp) -> Result<bool, String> {
        let _one_at_a_time = self.changing.lock().await;
        let Some(policy) = self.policies.get(name).filter(|policy| policy.is_known()) else { return Ok(false) };
        let mut history: History = lock(&policy.history).clone();
        let going = |state| matches!(state, RevisionState::InForce | RevisionState::Ready);
        let going = history.revisions().iter().filter(|revision| going(revision.state)).map(|revision| revision.number);
        let why = Some("the policy was deleted".to_owned());
        let (mut changed, mut forgotten) = (Vec::new(), Vec::new());
        for number in going.collect::<Vec<_>>() {
            let (more, over) = history.set(number, RevisionState::Retired, why.clone(), now);
            changed.extend(more);
            forgotten.extend(over);
        }
        if !changed.is_empty() {
            self.keep_changes(name.clone(), changed, forgotten).await?;
        }
        *lock(&policy.history) = history;
        policy.end();
        tracing::info!(policy = %name, "a policy is deleted");
        Ok(true)
    }

    /// The policies that a plugin answers for, in force or as a shadow, or that wait for it.
    pub(crate) fn users(&self, plugin: &PluginName) -> Vec<PolicyName> {
        let uses = |policy: &Arc<Policy>| {
            let in_force = policy.in_force().is_some_and(|revision| revision.draft.names(plugin));
            let shadow = policy.shadow().is_some_and(|shadow| shadow.names(plugin));
            let waits = lock(&policy.last_rejection).as_ref().is_some_and(|no| no.waits_for.as_ref() == Some(plugin));
            in_force || shadow || waits
        };
        self.policies.all().into_iter().filter(|(_, policy)| uses(policy)).map(|(name, _)| name).collect()
    }
}

//! Shadows of policies: how one begins, ends, and goes on after a restart.

use std::sync::Arc;

use super::apply::{Changes, PolicyChange, reject};
use super::policy::Policy;
use super::shadow::Shadow;
use super::status::PolicyStatus;
use crate::domain::{PolicyName, PolicyRevision, PolicySource, RevisionState, Timestamp};
use crate::policy::revision::{PolicyProblem, Rejection};

impl Changes {
    /// Lets a candidate answer beside the policy in force, in place of any before it.
    ///
    /// # Errors
    /// As [`apply`](Self::apply), and when it is in force already.
    pub(crate) async fn start_shadow(&self, name: PolicyName, source: PolicySource) -> Result<PolicyStatus, Rejection> {
        let _one_at_a_time = self.changing.lock().await;
        let at = source.at;
        let change = PolicyChange { policy: self.policies.get_or_create(&name), name, source, by_person: true };
        let Some(revision) = self.prepare(&change).await? else {
            return Err(reject(&change, "it is in force: there is nothing to compare it with"));
        };
        let number = revision.policy.revision;
        self.keep(&change, number, RevisionState::Ready).await?;
        let shadow = Shadow::new(self.candidate_of(Arc::new(revision)), number, at);
        let before = change.policy.set_shadow(Some(Arc::new(shadow)));
        if let Some(before) = before.filter(|before| before.number != number) {
            self.moved(&change.name, &change.policy, before.number, RevisionState::Retired, None, at).await;
        }
        Ok(self.status(&change.name, &change.policy))
    }

    /// Ends the shadow of a policy; `false` when there was none.
    pub(crate) async fn end_shadow(&self, name: &PolicyName, now: Timestamp) -> bool {
        let _one_at_a_time = self.changing.lock().await;
        let Some(policy) = self.policies.get(name) else { return false };
        let Some(shadow) = policy.set_shadow(None) else { return false };
        self.moved(name, &policy, shadow.number, RevisionState::Retired, None, now).await;
        true
    }

    /// Goes on with the shadow that each policy had when the host was stopped, counting from now. One that cannot go on is
    /// retired, with the reason.
    pub(crate) async fn resume_shadows(&self, now: Timestamp) {
        for (name, policy) in self.policies.all() {
            let _one_at_a_time = self.changing.lock().await;
            let mut ready = policy.revisions();
            ready.retain(|revision| revision.state == RevisionState::Ready);
            ready.sort_by_key(|revision| revision.changed_at);
            let newest = ready.pop();
            for before in ready {
                self.moved(&name, &policy, before.number, RevisionState::Retired, None, now).await;
            }
            if let Some(newest) = newest
                && policy.shadow().is_none()
                && let Err(why) = self.resume(&name, &policy, &newest, now).await
            {
                let why = Some(format!("it could not go on as a shadow after a restart: {why}"));
                self.moved(&name, &policy, newest.number, RevisionState::Retired, why, now).await;
            }
        }
    }

    async fn resume(
        &self,
        name: &PolicyName,
        policy: &Policy,
        of: &PolicyRevision,
        now: Timestamp,
    ) -> Result<(), String> {
        let words = |error: crate::policy::revision::DraftError| PolicyProblem::join(&error.problems);
        let draft = self.draft(name, of.source.clone()).map_err(words)?;
        if draft.digest != of.digest {
            return Err("its plugins are others now".to_owned());
        }
        let revision = self.configured(Arc::new(draft), of.number).await.map_err(words)?;
        policy.set_shadow(Some(Arc::new(Shadow::new(self.candidate_of(Arc::new(revision)), of.number, now))));
        Ok(())
    }
}

//! A revision that does worse than the one before is taken back by itself.

use std::sync::Arc;
use std::time::Duration;

use super::apply::{Changes, PolicyChange, reject};
use super::guard::{Guard, RolledBack, worse};
use super::policy::Policy;
use crate::domain::{PolicyName, RevisionState, Timestamp};
use crate::policy::locks::lock;
use crate::policy::revision::Revision;

/// Between tries to keep that a revision was rolled back: doubled each time, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

impl Changes {
    /// Takes a new revision back when it does worse than the one before; asked after each of its decisions.
    pub(crate) fn watch(self: &Arc<Self>, policy: &Arc<Policy>, made_by: &Revision, now: Timestamp) {
        let back = policy.with_guard(|guard| {
            let Guard { until, before } = guard.as_ref()?;
            if now > *until {
                *guard = None;
                return None;
            }
            let config = &self.runtime.sandbox.config;
            let reason = worse(before.counters.tally(), made_by.counters.tally(), config)?;
            guard.take().map(|guard| (guard.before, reason))
        });
        if let Some((before, reason)) = back {
            let (own, policy, of) = (Arc::clone(self), Arc::clone(policy), made_by.policy.clone());
            tokio::spawn(async move { own.roll_back(policy, of.name, of.revision, before, reason, now).await });
        }
    }

    async fn roll_back(
        &self,
        policy: Arc<Policy>,
        name: PolicyName,
        number: u32,
        before: Arc<Revision>,
        reason: String,
        now: Timestamp,
    ) {
        let one_at_a_time = self.changing.lock().await;
        let Some(in_force) = policy.in_force().filter(|in_force| in_force.policy.revision == number) else { return };
        let back_to = before.policy.revision;
        tracing::error!(policy = %name, revision = number, back_to, %reason, "a policy is rolled back");
        policy.put_in_force(before, None);
        let problem = format!("revision {number} was rolled back to revision {back_to}: {reason}");
        let change = PolicyChange { name, policy, source: in_force.draft.source.clone(), by_person: false };
        let _ = reject(&change, problem);
        let PolicyChange { name, policy, .. } = change;
        let of = in_force.policy.clone();
        policy.rolled_back.send_replace(Some(RolledBack { policy: of, back_to, reason: reason.clone(), at: now }));
        let forgotten = {
            let mut history = lock(&policy.history);
            let (_, mut forgotten) = history.set(back_to, RevisionState::InForce, None, now);
            forgotten.extend(history.set(number, RevisionState::RolledBack, Some(reason), now).1);
            forgotten
        };
        drop(one_at_a_time);
        self.keep_at_last(&policy, &name, forgotten).await;
    }

    /// Keeps the revisions of a policy as they stand, together, however often that takes: a restart must not bring back what
    /// was rolled back.
    async fn keep_at_last(&self, policy: &Policy, name: &PolicyName, forgotten: Vec<u32>) {
        let mut pause = FIRST_PAUSE;
        loop {
            let one_at_a_time = self.changing.lock().await;
            let now = lock(&policy.history).revisions().to_vec();
            let Err(error) = self.keep_changes(name.clone(), now, forgotten.clone()).await else { return };
            drop(one_at_a_time);
            tracing::error!(policy = %name, %error, "a rollback could not be kept; it is tried again");
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

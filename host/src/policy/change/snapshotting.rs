//! Snapshots of policies are made behind their first decision, one policy at a time, and of no more than memory has room for.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};

use super::candidate::Candidate;
use super::policies::Policies;
use super::policy::Policy;
use crate::domain::Timestamp;
use crate::policy::revision::{DraftError, PolicyProblem, Revision};
use crate::policy::runtime::Runtime;

/// How long a policy with snapshots may decide nothing before another that is asked takes its place.
const IDLE: Duration = Duration::from_secs(600);
/// How often such a policy is looked for, at most.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// Makes snapshots and drops them.
pub(crate) struct Snapshotting {
    runtime: Arc<Runtime>,
    policies: Arc<Policies>,
    /// One for each policy that may have snapshots at the same time.
    places: Arc<Semaphore>,
    /// Held while snapshots are made; when an idle policy was looked for in vain.
    looked_at: Mutex<Option<Timestamp>>,
}

impl Snapshotting {
    pub(crate) fn new(runtime: Arc<Runtime>, policies: Arc<Policies>) -> Self {
        let places = Arc::new(Semaphore::new(runtime.sandbox.config.frozen_policies as usize));
        Self { runtime, policies, places, looked_at: Mutex::default() }
    }

    /// Waits until the revision in force has its snapshots, or it is known that it will not; it need not have decided yet.
    pub(crate) async fn settled(self: &Arc<Self>, policy: &Arc<Policy>) {
        let mut changes = policy.changes();
        while let Some(due) = policy.in_force().filter(|revision| revision.snapshot_due) {
            if due.claim_snapshotting() {
                self.later(Arc::clone(policy), Arc::clone(&due), due.asked_at());
            }
            if changes.changed().await.is_err() || due.waits_for_a_place().is_some() {
                break;
            }
        }
    }

    /// Makes the snapshots of a revision while it decides already.
    pub(crate) fn later(self: &Arc<Self>, policy: Arc<Policy>, revision: Arc<Revision>, now: Timestamp) {
        let own = Arc::clone(self);
        tokio::spawn(async move {
            let mut looked_at = own.looked_at.lock().await;
            if !policy.in_force().is_some_and(|in_force| Arc::ptr_eq(&in_force, &revision)) {
                // It may come back.
                return revision.give_up_snapshotting(false);
            }
            let mut place = own.place();
            if place.is_none() && looked_at.is_none_or(|at| now.since(at) >= LOOK_EVERY) {
                *looked_at = Some(now);
                own.take_from_an_idle_one(now).await;
                place = own.place();
            }
            let Some(place) = place else {
                revision.give_up_snapshotting(true);
                return policy.tell();
            };
            *looked_at = None;
            let made = own.make(&revision, Some(place)).await.unwrap_or_else(|why| revision.never_with_snapshots(&why));
            policy.replace(&revision, Arc::new(made));
        });
    }

    /// The candidate with snapshots, where they can be made. It takes no place: of such there is one at a time, which is kept.
    pub(crate) async fn candidate(&self, candidate: Candidate) -> Candidate {
        let _one_at_a_time = self.looked_at.lock().await;
        let revision = candidate.revision();
        if !revision.snapshot_due {
            return candidate;
        }
        match self.make(revision, None).await {
            Ok(made) => candidate.with(made),
            Err(why) => candidate.with(revision.never_with_snapshots(&why)),
        }
    }

    fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).try_acquire_owned().ok()
    }

    async fn make(&self, revision: &Arc<Revision>, place: Option<OwnedSemaphorePermit>) -> Result<Revision, String> {
        let (runtime, revision, handle) = (Arc::clone(&self.runtime), Arc::clone(revision), Handle::current());
        built(move || handle.block_on(revision.with_snapshots(&runtime.sandbox, place))).await
    }

    /// Gives the place free of the policy with snapshots that decided last before all others, if that is long ago.
    async fn take_from_an_idle_one(&self, now: Timestamp) {
        let with_snapshots = |policy: Arc<Policy>| {
            let revision = policy.in_force().filter(|revision| revision.has_a_place())?;
            Some((policy, revision))
        };
        let all = self.policies.all().into_values().filter_map(with_snapshots);
        let oldest = all.min_by_key(|(_, revision)| revision.asked_at());
        let Some((policy, revision)) = oldest.filter(|(_, oldest)| now.since(oldest.asked_at()) >= IDLE) else {
            return;
        };
        let (runtime, old, handle) = (Arc::clone(&self.runtime), Arc::clone(&revision), Handle::current());
        match built(move || handle.block_on(old.without_snapshots(&runtime.sandbox))).await {
            Ok(without) => policy.replace(&revision, Arc::new(without)),
            Err(why) => tracing::warn!(policy = %revision.policy, why, "an idle policy could not be thawed"),
        }
    }
}

/// What a blocking thread made of a revision.
async fn built(build: impl FnOnce() -> Result<Revision, DraftError> + Send + 'static) -> Result<Revision, String> {
    match tokio::task::spawn_blocking(build).await {
        Ok(Ok(revision)) => Ok(revision),
        Ok(Err(error)) => Err(PolicyProblem::join(&error.problems)),
        Err(error) => Err(error.to_string()),
    }
}

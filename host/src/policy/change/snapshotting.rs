//! Policies are frozen behind their first decision, one at a time, and no more of them than memory has room for.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};

use crate::domain::{PolicyName, Timestamp};
use crate::policy::change::policy::{Policy, read};
use crate::policy::change::status::PolicyStatus;
use crate::policy::host::{PolicyHost, Room};
use crate::policy::revision::rejection::Problem;
use crate::policy::revision::revision::{Revision, Wrong};

/// A frozen policy that decided nothing for so long makes place for another.
const IDLE: Duration = Duration::from_secs(600);
/// How often such a one is looked for, at most.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// Who may be frozen.
pub(crate) struct Freezing {
    places: Arc<Semaphore>,
    /// Held by one revision that is being frozen; when an idle one was looked for in vain.
    looked_at: Mutex<Option<Timestamp>>,
}

impl Freezing {
    pub(crate) fn new(places: u32) -> Self {
        Self { places: Arc::new(Semaphore::new(places as usize)), looked_at: Mutex::default() }
    }

    fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).try_acquire_owned().ok()
    }
}

impl PolicyHost {
    /// How a policy stands once the revision in force is frozen, or known not to freeze; it need not have decided yet.
    pub async fn settled(&self, name: &PolicyName) -> Option<PolicyStatus> {
        let policy = read(&self.0.policies).get(name).cloned()?;
        let mut changes = policy.changes();
        while let Some(thawed) = policy.in_force().filter(|revision| revision.thawed) {
            if thawed.to_be_frozen() {
                self.freeze_later(Arc::clone(&policy), Arc::clone(&thawed), thawed.asked_at());
            }
            if changes.changed().await.is_err() || thawed.waits_for_a_place().is_some() {
                break;
            }
        }
        Some(self.0.status(name, &policy))
    }

    /// Freezes a revision while it decides already.
    pub(crate) fn freeze_later(&self, policy: Arc<Policy>, revision: Arc<Revision>, now: Timestamp) {
        let room = Arc::clone(&self.0);
        tokio::spawn(async move {
            let mut looked_at = room.freezing.looked_at.lock().await;
            if !policy.in_force().is_some_and(|in_force| Arc::ptr_eq(&in_force, &revision)) {
                // It may come back.
                return revision.stay_thawed(false);
            }
            let mut place = room.freezing.place();
            if place.is_none() && looked_at.is_none_or(|at| now.since(at) >= LOOK_EVERY) {
                *looked_at = Some(now);
                room.thaw_an_idle_one(now).await;
                place = room.freezing.place();
            }
            let Some(place) = place else {
                revision.stay_thawed(true);
                return policy.tell();
            };
            *looked_at = None;
            let frozen = room.frozen(&revision, place).await.unwrap_or_else(|why| revision.unfrozen(&why));
            policy.replace(&revision, Arc::new(frozen));
        });
    }
}

impl Room {
    async fn frozen(
        self: &Arc<Self>,
        revision: &Arc<Revision>,
        place: OwnedSemaphorePermit,
    ) -> Result<Revision, String> {
        let (room, revision, runtime) = (Arc::clone(self), Arc::clone(revision), Handle::current());
        made(move || runtime.block_on(revision.frozen(&room.sandbox, place))).await
    }

    /// Gives the place free of the frozen policy that decided last before all others, if that is long ago.
    async fn thaw_an_idle_one(self: &Arc<Self>, now: Timestamp) {
        let frozen = |policy: &Arc<Policy>| {
            let revision = policy.in_force().filter(|revision| revision.has_a_place())?;
            Some((Arc::clone(policy), revision))
        };
        let oldest = {
            let policies = read(&self.policies);
            policies.values().filter_map(frozen).min_by_key(|(_, revision)| revision.asked_at())
        };
        let Some((policy, revision)) = oldest.filter(|(_, oldest)| now.since(oldest.asked_at()) >= IDLE) else {
            return;
        };
        let (room, old, runtime) = (Arc::clone(self), Arc::clone(&revision), Handle::current());
        match made(move || runtime.block_on(old.thawed(&room.sandbox))).await {
            Ok(thawed) => policy.replace(&revision, Arc::new(thawed)),
            Err(why) => tracing::warn!(policy = %revision.policy, why, "an idle policy could not be thawed"),
        }
    }
}

/// What a blocking thread made of a revision.
async fn made(make: impl FnOnce() -> Result<Revision, Wrong> + Send + 'static) -> Result<Revision, String> {
    match tokio::task::spawn_blocking(make).await {
        Ok(Ok(revision)) => Ok(revision),
        Ok(Err(wrong)) => Err(Problem::join(&wrong.problems)),
        Err(error) => Err(error.to_string()),
    }
}

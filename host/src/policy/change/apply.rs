//! How a policy is changed: a revision is prepared beside the one in force, swapped in, and perhaps taken back.

use std::sync::Arc;

use sha2::{Digest, Sha256};
use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::domain::{Origin, PolicyName, PolicySource, RevisionState, Timestamp};
use crate::policy::change::candidate::Candidate;
use crate::policy::change::guard::{Guard, RolledBack, worse};
use crate::policy::change::policy::{Policy, lock, read};
use crate::policy::change::shadow::Shadow;
use crate::policy::change::status::PolicyStatus;
use crate::policy::host::PolicyHost;
use crate::policy::revision::rejection::{Problem, Rejection};
use crate::policy::revision::revision::{Draft, Revision, Wrong};

/// What is being changed: a policy, and who changes it.
struct Change {
    name: PolicyName,
    policy: Arc<Policy>,
    source: PolicySource,
    /// Whether a person asked for it: only that brings back what was rolled back.
    by_person: bool,
}

impl PolicyHost {
    /// Puts a policy in force from the next decision on, in milliseconds; it is frozen behind the first one, see
    /// [`settled`](Self::settled). The same texts with the same plugins keep their revision.
    ///
    /// # Errors
    /// When it cannot be read, configured, answer a sample or be kept; then whatever was in force stays so.
    pub async fn apply(&self, name: PolicyName, source: PolicySource) -> Result<PolicyStatus, Rejection> {
        let by_person = matches!(source.origin, Origin::Api { .. });
        let _one_at_a_time = self.0.changing.lock().await;
        self.apply_alone(name, source, by_person).await
    }

    /// The same for whoever asked, and sees to it that nothing else is changed meanwhile.
    pub(crate) async fn apply_alone(
        &self,
        name: PolicyName,
        source: PolicySource,
        by_person: bool,
    ) -> Result<PolicyStatus, Rejection> {
        let at = source.at;
        let change = Change { policy: self.0.policy(&name), name, source, by_person };
        if let Some(revision) = self.prepare(&change).await? {
            self.keep(&change, revision.policy.revision, RevisionState::InForce).await?;
            tracing::info!(policy = %revision.policy, origin = %change.source.origin, "a policy is in force");
            let guard = self.guard(&change.policy, at);
            let number = revision.policy.revision;
            change.policy.put_in_force(Arc::new(revision), guard);
            if change.policy.shadow().is_some_and(|shadow| shadow.number == number) {
                change.policy.set_shadow(None);
            }
        }
        *lock(&change.policy.last_rejection) = None;
        *lock(&change.policy.waiting) = None;
        Ok(self.0.status(&change.name, &change.policy))
    }

    /// Puts back what was in force before; why a newer revision was refused or rolled back is still told.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub async fn put_back(&self, name: PolicyName, source: PolicySource) -> Result<PolicyStatus, Rejection> {
        let policy = self.0.policy(&name);
        let told = lock(&policy.last_rejection).clone();
        self.apply(name.clone(), source).await?;
        *lock(&policy.last_rejection) = told;
        Ok(self.0.status(&name, &policy))
    }

    /// A policy that is not in force, to see what it would decide. Nothing is kept of it.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub async fn candidate(&self, name: PolicyName, source: PolicySource) -> Result<Candidate, Rejection> {
        // The pool has one place for all that is not yet in force.
        let _one_at_a_time = self.0.changing.lock().await;
        let (origin, at) = (source.origin.clone(), source.at);
        let made = match self.0.draft(&name, source) {
            Ok(draft) => self.configured(Arc::new(draft), 0).await,
            Err(wrong) => Err(wrong),
        };
        made.map(|revision| Candidate::new(self.clone(), Arc::new(revision))).map_err(
            |Wrong { problems, fault, waits_for }| Rejection { policy: name, origin, at, problems, fault, waits_for },
        )
    }

    /// The revision in force, or the default policy's where there is none, to be asked without counting it.
    #[must_use]
    pub fn in_force(&self, name: &PolicyName) -> Option<Candidate> {
        let (_, revision, _) = self.0.answerer(name, crate::domain::Question::Route)?;
        let own = read(&self.0.policies).get(name).and_then(|policy| policy.in_force());
        Some(Candidate::new(self.clone(), own.unwrap_or(revision)))
    }

    /// Lets a candidate answer beside the policy in force, in place of any before it, until it is put in force itself or
    /// [`end_shadow`](Self::end_shadow) is called.
    ///
    /// # Errors
    /// As [`apply`](Self::apply), and when it is in force already.
    pub async fn start_shadow(&self, name: PolicyName, source: PolicySource) -> Result<PolicyStatus, Rejection> {
        let _one_at_a_time = self.0.changing.lock().await;
        let at = source.at;
        let change = Change { policy: self.0.policy(&name), name, source, by_person: true };
        let Some(revision) = self.prepare(&change).await? else {
            return Err(self.reject(&change, "it is in force: there is nothing to compare it with"));
        };
        let number = revision.policy.revision;
        self.keep(&change, number, RevisionState::Ready).await?;
        let revision = Arc::new(revision);
        let candidate = Candidate::new(self.clone(), Arc::clone(&revision));
        let before = change.policy.set_shadow(Some(Arc::new(Shadow::new(candidate, number, at))));
        if let Some(before) = before.filter(|before| before.number != number) {
            self.moved(&change.name, &change.policy, before.number, RevisionState::Retired, None, at).await;
        }
        Ok(self.0.status(&change.name, &change.policy))
    }

    /// Ends the shadow of a policy; `false` when there was none.
    pub async fn end_shadow(&self, name: &PolicyName, now: Timestamp) -> bool {
        let _one_at_a_time = self.0.changing.lock().await;
        let Some(policy) = read(&self.0.policies).get(name).cloned() else { return false };
        let Some(shadow) = policy.set_shadow(None) else { return false };
        self.moved(name, &policy, shadow.number, RevisionState::Retired, None, now).await;
        true
    }

    /// A numbered revision that was tried; `None` where the same one is in force already.
    async fn prepare(&self, change: &Change) -> Result<Option<Revision>, Rejection> {
        let Change { name, policy, source, .. } = change;
        let draft = match self.0.draft(name, source.clone()) {
            Ok(draft) => Arc::new(draft),
            Err(wrong) => {
                let number = lock(&policy.history).enter(&digest_of_texts(source), source, Default::default());
                return Err(self.refuse(change, number, wrong).await);
            }
        };
        if policy.in_force().is_some_and(|in_force| in_force.draft.digest == draft.digest) {
            return Ok(None);
        }
        let known = {
            let mut history = lock(&policy.history);
            let number = history.enter(&draft.digest, source, draft.plugins());
            history.get(number).map(|known| (number, known.state, known.reason.clone()))
        };
        let (number, state, reason) = known.unwrap_or((0, RevisionState::Preparing, None));
        // Files stay where they are: only a person's own call brings back what was taken back.
        if state == RevisionState::RolledBack && !change.by_person {
            let reason = reason.unwrap_or_default();
            let why = format!("revision {number} was rolled back: {reason}; change it, or put it back by the API");
            return Err(self.reject(change, why));
        }
        match self.configured(draft, number).await {
            Ok(revision) => Ok(Some(revision)),
            Err(wrong) => Err(self.refuse(change, number, wrong).await),
        }
    }

    async fn configured(&self, draft: Arc<Draft>, number: u32) -> Result<Revision, Wrong> {
        let (room, runtime) = (Arc::clone(&self.0), Handle::current());
        let build = move || runtime.block_on(draft.configured(&room.sandbox, number));
        let built = tokio::task::spawn_blocking(build).await;
        built.unwrap_or_else(|error| Err(vec![Problem::of("", format!("it cannot be put together: {error}"))].into()))
    }

    /// The newest rollback of a policy since the start, and those that follow; the policy need not be there yet.
    #[must_use]
    pub fn rollbacks(&self, name: &PolicyName) -> watch::Receiver<Option<RolledBack>> {
        self.0.policy(name).rolled_back.subscribe()
    }

    /// The guard of a revision that comes into force now.
    fn guard(&self, policy: &Policy, now: Timestamp) -> Option<Guard> {
        let window_ms = self.0.sandbox.config.guard_window_ms;
        let before = policy.in_force().filter(|_| window_ms > 0)?;
        Some(Guard { until: now.after(std::time::Duration::from_millis(window_ms)), before })
    }

    /// Takes a new revision back when it does worse than the one before; asked after each of its decisions.
    pub(crate) fn watch(&self, name: &PolicyName, policy: &Arc<Policy>, made_by: &Revision, now: Timestamp) {
        let back = policy.with_guard(|guard| {
            let Guard { until, before } = guard.as_ref()?;
            if now > *until {
                *guard = None;
                return None;
            }
            let config = &self.0.sandbox.config;
            let reason = worse(before.counters.tally(), made_by.counters.tally(), config)?;
            guard.take().map(|guard| (guard.before, reason))
        });
        if let Some((before, reason)) = back {
            let (host, name, policy, number) =
                (self.clone(), name.clone(), Arc::clone(policy), made_by.policy.revision);
            tokio::spawn(async move { host.roll_back(name, policy, number, before, reason, now).await });
        }
    }

    async fn roll_back(
        &self,
        name: PolicyName,
        policy: Arc<Policy>,
        number: u32,
        before: Arc<Revision>,
        reason: String,
        now: Timestamp,
    ) {
        let _one_at_a_time = self.0.changing.lock().await;
        let Some(in_force) = policy.in_force().filter(|in_force| in_force.policy.revision == number) else { return };
        tracing::error!(policy = %name, revision = number, back_to = before.policy.revision, %reason, "a policy is rolled back");
        policy.put_in_force(Arc::clone(&before), None);
        let problem = format!("revision {number} was rolled back to revision {}: {reason}", before.policy.revision);
        let change = Change { name, policy, source: in_force.draft.source.clone(), by_person: false };
        let _ = self.reject(&change, problem);
        let Change { name, policy, .. } = change;
        let (of, back_to) = (in_force.policy.clone(), before.policy.revision);
        policy.rolled_back.send_replace(Some(RolledBack { policy: of, back_to, reason: reason.clone(), at: now }));
        self.moved(&name, &policy, before.policy.revision, RevisionState::InForce, None, now).await;
        self.moved(&name, &policy, number, RevisionState::RolledBack, Some(reason), now).await;
    }

    /// Says no, and leaves the history as it is.
    fn reject(&self, change: &Change, why: impl Into<String>) -> Rejection {
        let problem = Problem::of(format!("{}.toml", change.name), why);
        self.rejected(change, vec![problem].into())
    }

    fn rejected(&self, change: &Change, Wrong { problems, fault, waits_for }: Wrong) -> Rejection {
        let PolicySource { origin, at, .. } = change.source.clone();
        *lock(&change.policy.waiting) = waits_for.is_some().then(|| change.source.clone());
        let rejection = Rejection { policy: change.name.clone(), origin, at, problems, fault, waits_for };
        tracing::warn!(policy = %rejection.policy, %rejection, "a policy is refused; the one in force stays");
        *lock(&change.policy.last_rejection) = Some(rejection.clone());
        rejection
    }

    /// Says no to a numbered revision.
    async fn refuse(&self, change: &Change, number: u32, wrong: Wrong) -> Rejection {
        let rejection = self.rejected(change, wrong);
        let why = Some(rejection.to_string());
        self.moved(&change.name, &change.policy, number, RevisionState::Refused, why, change.source.at).await;
        rejection
    }

    /// Moves a revision, or says why that could not be kept.
    async fn keep(&self, change: &Change, number: u32, state: RevisionState) -> Result<(), Rejection> {
        let (changed, forgotten) = lock(&change.policy.history).set(number, state, None, change.source.at);
        let kept = self.0.memory.keep(change.name.clone(), changed, forgotten).await;
        kept.map_err(|why| self.reject(change, format!("it could not be kept: {why}")))
    }

    /// Moves a revision; what cannot be kept is only said.
    async fn moved(
        &self,
        name: &PolicyName,
        policy: &Policy,
        number: u32,
        state: RevisionState,
        reason: Option<String>,
        now: Timestamp,
    ) {
        let (changed, forgotten) = lock(&policy.history).set(number, state, reason, now);
        if let Err(error) = self.0.memory.keep(name.clone(), changed, forgotten).await {
            tracing::error!(policy = %name, revision = number, %error, "what became of a revision could not be kept");
        }
    }
}

/// For texts that cannot be read.
fn digest_of_texts(source: &PolicySource) -> String {
    let mut digest = Sha256::new();
    digest.update(&source.toml);
    for (file, text) in &source.scripts {
        digest.update(file);
        digest.update(text);
    }
    hex::encode(digest.finalize())
}

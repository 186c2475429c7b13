//! How a policy is changed: a revision is prepared beside the one in force, swapped in, and perhaps taken back.

use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::runtime::Handle;
use tokio::sync::Mutex;

use super::candidate::Candidate;
use super::guard::Guard;
use super::history_store::HistoryStore;
use super::policies::Policies;
use super::policy::Policy;
use super::status::PolicyStatus;
use crate::domain::{Origin, PolicyName, PolicyRevision, PolicySource, Question, RevisionState, Timestamp};
use crate::policy::locks::lock;
use crate::policy::revision::{Draft, DraftError, PolicyProblem, Rejection, Revision, too_long};
use crate::policy::runtime::{Catalog, Runtime};

/// Changes policies, one after another.
pub(crate) struct Changes {
    pub(super) runtime: Arc<Runtime>,
    pub(super) catalog: Arc<Catalog>,
    pub(super) policies: Arc<Policies>,
    history: HistoryStore,
    /// Held by one change at a time: a revision's number says how many came before it.
    pub(super) changing: Mutex<()>,
}

/// What is being changed: a policy, and who changes it.
pub(super) struct PolicyChange {
    pub(super) name: PolicyName,
    pub(super) policy: Arc<Policy>,
    pub(super) source: PolicySource,
    /// Whether a person asked for it: only that brings back what was rolled back.
    pub(super) by_person: bool,
}

impl Changes {
    pub(crate) fn new(
        runtime: Arc<Runtime>,
        catalog: Arc<Catalog>,
        policies: Arc<Policies>,
        history: HistoryStore,
    ) -> Self {
        Self { runtime, catalog, policies, history, changing: Mutex::default() }
    }

    /// Puts a policy in force from the next decision on.
    ///
    /// # Errors
    /// When it cannot be read, configured, answer a sample or be kept; then whatever was in force stays so.
    pub(crate) async fn apply(&self, name: PolicyName, source: PolicySource) -> Result<PolicyStatus, Rejection> {
        let by_person = matches!(source.origin, Origin::Api { .. });
        let _one_at_a_time = self.changing.lock().await;
        self.apply_locked(name, source, by_person).await
    }

    /// The same for a caller that holds `changing`.
    pub(super) async fn apply_locked(
        &self,
        name: PolicyName,
        source: PolicySource,
        by_person: bool,
    ) -> Result<PolicyStatus, Rejection> {
        let at = source.at;
        let change = PolicyChange { policy: self.policies.get_or_create(&name), name, source, by_person };
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
        Ok(self.status(&change.name, &change.policy))
    }

    /// Puts back what was in force before; why a newer revision was refused or rolled back is still told.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub(crate) async fn put_back(&self, name: PolicyName, source: PolicySource) -> Result<PolicyStatus, Rejection> {
        let policy = self.policies.get_or_create(&name);
        let told = lock(&policy.last_rejection).clone();
        self.apply(name.clone(), source).await?;
        *lock(&policy.last_rejection) = told;
        Ok(self.status(&name, &policy))
    }

    /// Says no to files that could not be read, so that there are no texts: whatever was in force stays so.
    pub(crate) async fn refuse_unread(
        &self,
        name: PolicyName,
        origin: Origin,
        at: Timestamp,
        problems: Vec<PolicyProblem>,
    ) -> Rejection {
        let _one_at_a_time = self.changing.lock().await;
        let policy = self.policies.get_or_create(&name);
        let source = PolicySource { toml: String::new(), scripts: Default::default(), origin, at };
        rejected(&PolicyChange { name, policy, source, by_person: false }, problems.into())
    }

    /// A policy that is not in force, to see what it would decide. Nothing is kept of it.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub(crate) async fn candidate(&self, name: PolicyName, source: PolicySource) -> Result<Candidate, Rejection> {
        // The pool has one place for all that is not yet in force.
        let _one_at_a_time = self.changing.lock().await;
        let made = match self.draft(&name, source.clone()) {
            Ok(draft) => self.configured(Arc::new(draft), 0).await,
            Err(error) => Err(error),
        };
        made.map(|revision| self.candidate_of(Arc::new(revision))).map_err(|error| error.of(name, &source))
    }

    /// The revision in force, or the default policy's where there is none, to be asked without counting it.
    pub(crate) fn in_force(&self, name: &PolicyName) -> Option<Candidate> {
        let decider = self.policies.decider(name, Question::Route)?;
        let own = self.policies.get(name).and_then(|policy| policy.in_force());
        Some(self.candidate_of(own.unwrap_or(decider.revision)))
    }

    /// A numbered revision that was tried; `None` where the same one is in force already.
    pub(super) async fn prepare(&self, change: &PolicyChange) -> Result<Option<Revision>, Rejection> {
        let PolicyChange { name, policy, source, .. } = change;
        let most_bytes = self.runtime.sandbox.config.source_bytes;
        if source.bytes() > most_bytes {
            // Nothing is kept of it: a revision keeps its texts.
            return Err(reject(change, too_long(source.bytes(), most_bytes)));
        }
        let draft = match self.draft(name, source.clone()) {
            Ok(draft) => Arc::new(draft),
            Err(error) => {
                let number = lock(&policy.history).enter(&digest_of_texts(source), source, Default::default());
                return Err(self.refuse(change, number, error).await);
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
            return Err(reject(change, why));
        }
        match self.configured(draft, number).await {
            Ok(revision) => Ok(Some(revision)),
            Err(error) => Err(self.refuse(change, number, error).await),
        }
    }

    /// Reads a policy, with the plugins as they are now.
    pub(super) fn draft(&self, name: &PolicyName, source: PolicySource) -> Result<Draft, DraftError> {
        let most_bytes = self.runtime.sandbox.config.source_bytes;
        Draft::read(name.clone(), source, most_bytes, |name| self.catalog.find(name))
    }

    pub(super) async fn configured(&self, draft: Arc<Draft>, number: u32) -> Result<Revision, DraftError> {
        let (runtime, handle) = (Arc::clone(&self.runtime), Handle::current());
        let build = move || handle.block_on(draft.configured(&runtime.sandbox, number));
        let built = tokio::task::spawn_blocking(build).await;
        let broken_off = |error| vec![PolicyProblem::of("", format!("it cannot be put together: {error}"))].into();
        built.unwrap_or_else(|error| Err(broken_off(error)))
    }

    pub(super) fn candidate_of(&self, revision: Arc<Revision>) -> Candidate {
        Candidate::new(Arc::clone(&self.runtime), Arc::clone(&self.policies.default), revision)
    }

    pub(super) fn status(&self, name: &PolicyName, policy: &Policy) -> PolicyStatus {
        PolicyStatus::of(&self.policies, name, policy)
    }

    /// The guard of a revision that comes into force now.
    fn guard(&self, policy: &Policy, now: Timestamp) -> Option<Guard> {
        let window_ms = self.runtime.sandbox.config.guard_window_ms;
        let before = policy.in_force().filter(|_| window_ms > 0)?;
        Some(Guard { until: now.after(Duration::from_millis(window_ms)), before })
    }

    /// Says no to a numbered revision.
    async fn refuse(&self, change: &PolicyChange, number: u32, error: DraftError) -> Rejection {
        let rejection = rejected(change, error);
        let why = Some(rejection.to_string());
        self.moved(&change.name, &change.policy, number, RevisionState::Refused, why, change.source.at).await;
        rejection
    }

    /// Moves a revision once that is kept, or says why it could not be.
    pub(super) async fn keep(&self, change: &PolicyChange, number: u32, state: RevisionState) -> Result<(), Rejection> {
        let mut history = lock(&change.policy.history).clone();
        let (changed, forgotten) = history.set(number, state, None, change.source.at);
        let kept = self.history.keep(change.name.clone(), changed, forgotten).await;
        kept.map_err(|why| Rejection { try_again: true, ..reject(change, format!("it could not be kept: {why}")) })?;
        *lock(&change.policy.history) = history;
        Ok(())
    }

    /// Keeps revisions that changed, and forgets those with these numbers.
    pub(super) async fn keep_changes(
        &self,
        name: PolicyName,
        changed: Vec<PolicyRevision>,
        forgotten: Vec<u32>,
    ) -> Result<(), String> {
        self.history.keep(name, changed, forgotten).await
    }

    /// Moves a revision; what cannot be kept is only said.
    pub(super) async fn moved(
        &self,
        name: &PolicyName,
        policy: &Policy,
        number: u32,
        state: RevisionState,
        reason: Option<String>,
        now: Timestamp,
    ) {
        let (changed, forgotten) = lock(&policy.history).set(number, state, reason, now);
        if let Err(error) = self.history.keep(name.clone(), changed, forgotten).await {
            tracing::error!(policy = %name, revision = number, %error, "what became of a revision could not be kept");
        }
    }
}

/// Says no, and leaves the history as it is.
pub(super) fn reject(change: &PolicyChange, why: impl Into<String>) -> Rejection {
    rejected(change, vec![PolicyProblem::of(format!("{}.toml", change.name), why)].into())
}

fn rejected(change: &PolicyChange, error: DraftError) -> Rejection {
    let rejection = error.of(change.name.clone(), &change.source);
    *lock(&change.policy.waiting) = rejection.waits_for.is_some().then(|| change.source.clone());
    tracing::warn!(policy = %rejection.policy, %rejection, "a policy is refused; the one in force stays");
    *lock(&change.policy.last_rejection) = Some(rejection.clone());
    rejection
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

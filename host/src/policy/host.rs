//! The policy host: takes plugins and policies, answers questions, and never lets one policy stand in another's way.

mod plugins;
mod policies;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::case::{self, Asker, Case, Trial};
use super::change::{Changes, Decider, HistoryStore, KeptCandidate, Policies, Snapshotting};
use super::runtime::{Answered, Ask, Catalog, Choose, ClockAndSeed, Failing, Route, Runtime, Search};
use super::{Config, Error};
use crate::domain::{
    Contact, ContactSearch, Conversation, Decision, Destination, FieldPath, Link, PolicyName, PolicyRef, Question,
    Timestamp, Verdict,
};

/// Every policy and every plugin. Clones are the same host; it stops when the last one is dropped.
#[derive(Clone)]
pub struct PolicyHost {
    runtime: Arc<Runtime>,
    catalog: Arc<Catalog>,
    policies: Arc<Policies>,
    changes: Arc<Changes>,
    snapshotting: Arc<Snapshotting>,
    /// The candidate of the preview that goes on.
    previewed: Arc<KeptCandidate>,
}

impl PolicyHost {
    /// Starts the engine; there are no plugins yet, and no policy is in force.
    ///
    /// # Errors
    /// When a bound makes no sense, or the machine does not let plugins run.
    pub fn start(config: Config) -> Result<Self, Error> {
        Self::start_with(config, HistoryStore::default(), None)
    }

    /// The same, going on with the revisions of earlier starts. `compiled` is the folder of compiled plugins, made where
    /// there is none; nobody else may write to it.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_with(config: Config, mut history: HistoryStore, compiled: Option<PathBuf>) -> Result<Self, Error> {
        let catalog = Arc::new(Catalog::new(&config)?);
        let policies = Policies::new(std::mem::take(&mut history.past), config.instances_per_policy());
        let policies = Arc::new(policies);
        let runtime = Arc::new(Runtime::start(config, compiled)?);
        let changes = Changes::new(Arc::clone(&runtime), Arc::clone(&catalog), Arc::clone(&policies), history);
        let snapshotting = Snapshotting::new(Arc::clone(&runtime), Arc::clone(&policies));
        let (changes, snapshotting) = (Arc::new(changes), Arc::new(snapshotting));
        Ok(Self { runtime, catalog, policies, changes, snapshotting, previewed: Arc::default() })
    }

    /// Where a conversation goes.
    pub async fn route(&self, policy: &PolicyName, of: &Conversation, now: Timestamp) -> Decision<Destination> {
        let decision = self.decide(policy, Route(of), now).await;
        if let Some(shadow) = self.policies.get(policy).and_then(|policy| policy.shadow()) {
            shadow.compare(of, &decision, move |it, of| async move { it.route(&of, now).await });
        }
        decision
    }

    /// What to search contacts for.
    pub async fn search(&self, policy: &PolicyName, of: &Conversation, now: Timestamp) -> Decision<Vec<ContactSearch>> {
        let decision = self.decide(policy, Search(of), now).await;
        if let Some(shadow) = self.policies.get(policy).and_then(|policy| policy.shadow()) {
            shadow.compare(of, &decision, move |it, of| async move { it.search(&of, now).await });
        }
        decision
    }

    /// The fields of a contact that a policy's `choose` is told, beside what everybody is told.
    #[must_use]
    pub fn contact_fields(&self, policy: &PolicyName) -> Arc<[FieldPath]> {
        let decider = self.policies.decider(policy, Question::Choose);
        decider.map(|decider| decider.revision.contact_fields()).unwrap_or_default()
    }

    /// Which of the found contacts the customer is.
    pub async fn choose(
        &self,
        policy: &PolicyName,
        of: &Conversation,
        found: &[Contact],
        now: Timestamp,
    ) -> Decision<Link> {
        let decision = self.decide(policy, Choose(of, found), now).await;
        if let Some(shadow) = self.policies.get(policy).and_then(|policy| policy.shadow()) {
            let found = found.to_vec();
            shadow.compare(of, &decision, move |it, of| async move { it.choose(&of, &found, now).await });
        }
        decision
    }

    /// What to do about a failure.
    pub async fn judge(&self, policy: &PolicyName, of: Failing<'_>, now: Timestamp) -> Decision<Verdict> {
        let decision = self.decide(policy, of, now).await;
        if let Some(shadow) = self.policies.get(policy).and_then(|policy| policy.shadow()) {
            let (refusal, attempt, first_seen) = (of.refusal.clone(), of.attempt, of.first_seen);
            shadow.compare(of.conversation, &decision, move |it, conversation| async move {
                it.judge(Failing { refusal: &refusal, attempt, first_seen, conversation: &conversation }, now).await
            });
        }
        decision
    }

    /// Asks what a case asks, with the clock and the seed of the case. Its settings and its policy are the caller's to
    /// apply; a fault is an answer like any other, see [`CaseAnswer`](case::CaseAnswer).
    pub async fn try_case(&self, policy: &PolicyName, case: &Case) -> Trial {
        let with = ClockAndSeed { now: case.now(), seed: case.seed().to_owned() };
        let asker = WithSeed { host: self, policy, with, memory_bytes: AtomicUsize::default() };
        let decision = case::ask(case, &asker).await;
        Trial { decision, memory_bytes: asker.memory_bytes.into_inner() }
    }

    async fn decide<Q: Ask>(&self, policy: &PolicyName, question: Q, now: Timestamp) -> Decision<Q::Answer> {
        self.decide_with(policy, question, question.clock_and_seed(now)).await.0
    }

    /// The decision, and the most memory that the plugin had, in bytes.
    async fn decide_with<Q: Ask>(
        &self,
        name: &PolicyName,
        question: Q,
        with: ClockAndSeed,
    ) -> (Decision<Q::Answer>, usize) {
        let Some(Decider { policy, revision, plugin }) = self.policies.decider(name, Q::QUESTION) else {
            let nobody = PolicyRef { name: name.clone(), revision: 0 };
            return (Answered::unasked(self.policies.no_decider(name)).decision(nobody, Q::QUESTION), 0);
        };
        let now = with.now;
        // It is never closed, so waiting for a place ends in having one.
        let place = policy.places.acquire().await;
        let answered = self.runtime.ask(&plugin, with, question).await;
        drop(place);
        policy.counters.count(&answered.answer);
        revision.counters.count(&answered.answer);
        self.changes.watch(&policy, &revision, now);
        let by = revision.policy.clone();
        revision.asked(now);
        if revision.claim_snapshotting() {
            self.snapshotting.later(policy, revision, now);
        }
        let memory_bytes = answered.memory_bytes;
        (answered.decision(by, Q::QUESTION), memory_bytes)
    }
}

/// What asks a policy with a seed of its own choice, and notes the memory that this took.
struct WithSeed<'a> {
    host: &'a PolicyHost,
    policy: &'a PolicyName,
    with: ClockAndSeed,
    memory_bytes: AtomicUsize,
}

impl Asker for WithSeed<'_> {
    async fn ask<Q: Ask>(&self, question: Q) -> Decision<Q::Answer> {
        let (decision, memory_bytes) = self.host.decide_with(self.policy, question, self.with.clone()).await;
        self.memory_bytes.store(memory_bytes, Ordering::Relaxed);
        decision
    }
}

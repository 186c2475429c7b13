//! The policy host: takes plugins and policies, answers questions, and never lets one policy stand in another's way.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::watch;

use super::case::{self, Asker, Case, Trial};
use super::change::{
    Candidate, Changes, Decider, HistoryStore, KeptCandidate, Policies, PolicyStatus, RolledBack, Snapshotting,
};
use super::revision::{PolicyProblem, Rejection};
use super::runtime::{
    Answered, Ask, Catalog, Choose, ClockAndSeed, Failing, PluginStatus, PluginTrouble, Route, Runtime, Search,
};
use super::{Config, Error};
use crate::domain::{
    BrakeSettings, Contact, ContactSearch, Conversation, Decision, Destination, FieldPath, Link, Origin, PluginName,
    PolicyName, PolicyRef, PolicyRevision, PolicySource, Question, Timestamp, Verdict,
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

    /// Takes a component as a plugin, in place of any of the same name. A policy in force goes on with the one that it
    /// was made with until it is applied again, see [`apply_again`](Self::apply_again).
    ///
    /// # Errors
    /// When it is too large, is no component, imports what no plugin gets, answers no question, or has a function or a type
    /// that is not the interface's.
    pub async fn add_plugin(&self, name: PluginName, bytes: Vec<u8>, origin: Origin) -> Result<PluginStatus, Error> {
        self.add_signed_plugin(name, bytes, None, origin).await
    }

    /// The same with the text of its `.minisig` file, for a host that takes signed plugins only.
    ///
    /// # Errors
    /// As [`add_plugin`](Self::add_plugin), and when it is not signed as it has to be.
    pub async fn add_signed_plugin(
        &self,
        name: PluginName,
        bytes: Vec<u8>,
        signature: Option<&str>,
        origin: Origin,
    ) -> Result<PluginStatus, Error> {
        self.catalog.add(&self.runtime, name, bytes, signature, origin).await
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

/// Policies and their changes.
impl PolicyHost {
    /// Puts a policy in force from the next decision on, in milliseconds; it is frozen behind the first one, see
    /// [`settled`](Self::settled). The same texts with the same plugins keep their revision.
    ///
    /// # Errors
    /// When it cannot be read, configured, answer a sample or be kept; then whatever was in force stays so.
    pub async fn apply(&self, name: PolicyName, source: PolicySource) -> Result<PolicyStatus, Rejection> {
        self.changes.apply(name, source).await
    }

    /// Puts back what was in force before; why a newer revision was refused or rolled back is still told.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub async fn put_back(&self, name: PolicyName, source: PolicySource) -> Result<PolicyStatus, Rejection> {
        self.changes.put_back(name, source).await
    }

    /// A policy that is not in force, to see what it would decide. Nothing is kept of it.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub async fn candidate(&self, name: PolicyName, source: PolicySource) -> Result<Candidate, Rejection> {
        self.changes.candidate(name, source).await
    }

    /// The same for many questions, call after call: it decides from snapshots where they can be made, and is kept until
    /// another one is asked for. `made_of` tells its name and texts from others.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub async fn candidate_for_many(
        &self,
        made_of: String,
        name: PolicyName,
        source: PolicySource,
    ) -> Result<Candidate, Rejection> {
        let make = async {
            let candidate = self.changes.candidate(name.clone(), source).await?;
            self.settled(&name).await;
            Ok(self.snapshotting.candidate(candidate).await)
        };
        self.previewed.get(made_of, make).await
    }

    /// There are no more questions for the candidate of [`candidate_for_many`](Self::candidate_for_many).
    pub async fn drop_candidate(&self, made_of: &str) {
        self.previewed.drop_one(made_of).await;
    }

    /// The revision in force, or the default policy's where there is none, to be asked without counting it.
    #[must_use]
    pub fn in_force(&self, name: &PolicyName) -> Option<Candidate> {
        self.changes.in_force(name)
    }

    /// Lets a candidate answer beside the policy in force, in place of any before it, until it is put in force itself or
    /// [`end_shadow`](Self::end_shadow) is called.
    ///
    /// # Errors
    /// As [`apply`](Self::apply), and when it is in force already.
    pub async fn start_shadow(&self, name: PolicyName, source: PolicySource) -> Result<PolicyStatus, Rejection> {
        self.changes.start_shadow(name, source).await
    }

    /// Goes on with the shadow that each policy had when the host was stopped; once everything is in force.
    pub async fn resume_shadows(&self, now: Timestamp) {
        self.changes.resume_shadows(now).await;
    }

    /// Says no to files that could not be read: whatever was in force stays so, and where nothing was, nothing is decided.
    pub async fn refuse_unread(
        &self,
        name: PolicyName,
        origin: Origin,
        at: Timestamp,
        problems: Vec<PolicyProblem>,
    ) -> Rejection {
        self.changes.refuse_unread(name, origin, at, problems).await
    }

    /// Ends a policy: nothing of it is in force, nor asked beside it. Its revisions are kept. `false` when there was nothing
    /// to end.
    ///
    /// # Errors
    /// Why that could not be kept; then it goes on.
    pub async fn retire(&self, name: &PolicyName, now: Timestamp) -> Result<bool, String> {
        self.changes.retire(name, now).await
    }

    /// Forgets why the newest change of a policy was refused; a change that waits for a plugin waits no more. `false` when there
    /// was nothing to forget, or when nothing is in force.
    pub fn forget_rejection(&self, name: &PolicyName) -> bool {
        self.policies.get(name).is_some_and(|policy| policy.forget_rejection())
    }

    /// Ends the shadow of a policy; `false` when there was none.
    pub async fn end_shadow(&self, name: &PolicyName, now: Timestamp) -> bool {
        self.changes.end_shadow(name, now).await
    }

    /// Applies the policies again that name a plugin and no digest of it, now that another component of it is there;
    /// and those that were refused because it was not. What was rolled back comes back only for a person.
    pub async fn apply_again(
        &self,
        plugin: &PluginName,
        by_person: bool,
        at: Timestamp,
    ) -> Vec<Result<PolicyStatus, Rejection>> {
        self.changes.apply_again(plugin, by_person, at).await
    }

    /// The newest rollback of a policy since the start, and those that follow; the policy need not be there yet.
    #[must_use]
    pub fn rollbacks(&self, name: &PolicyName) -> watch::Receiver<Option<RolledBack>> {
        self.policies.get_or_create(name).rollbacks()
    }

    /// How a policy stands once the revision in force is frozen, or known not to freeze; it need not have decided yet.
    pub async fn settled(&self, name: &PolicyName) -> Option<PolicyStatus> {
        let policy = self.policies.get(name)?;
        self.snapshotting.settled(&policy).await;
        Some(PolicyStatus::of(&self.policies, name, &policy))
    }

    /// Every policy of which there is more to tell than its revisions, by name.
    #[must_use]
    pub fn policies(&self) -> Vec<PolicyStatus> {
        let all = self.policies.all();
        let known = all.iter().filter(|(_, policy)| policy.is_known());
        known.map(|(name, policy)| PolicyStatus::of(&self.policies, name, policy)).collect()
    }

    /// One of them.
    #[must_use]
    pub fn policy(&self, name: &PolicyName) -> Option<PolicyStatus> {
        let policy = self.policies.get(name).filter(|policy| policy.is_known())?;
        Some(PolicyStatus::of(&self.policies, name, &policy))
    }

    /// The names of all policies of which any revision is kept, or there is anything to tell.
    #[must_use]
    pub fn names(&self) -> Vec<PolicyName> {
        self.policies.all().into_keys().collect()
    }

    /// The texts of the revision in force.
    #[must_use]
    pub fn source(&self, name: &PolicyName) -> Option<PolicySource> {
        self.policies.get(name)?.in_force().map(|revision| revision.draft.source.clone())
    }

    /// How much a policy may ignore by itself.
    #[must_use]
    pub fn brake(&self, of: &PolicyName) -> BrakeSettings {
        self.policies.get(of).and_then(|policy| policy.in_force()).map_or_else(Default::default, |it| it.draft.brake())
    }

    /// Every revision of a policy that is kept, oldest first.
    #[must_use]
    pub fn revisions(&self, name: &PolicyName) -> Vec<PolicyRevision> {
        self.policies.get(name).map_or_else(Vec::new, |policy| policy.revisions())
    }

    /// One revision of a policy, by its number.
    #[must_use]
    pub fn revision(&self, name: &PolicyName, number: u32) -> Option<PolicyRevision> {
        self.policies.get(name)?.revision(number)
    }
}

/// Plugins and their troubles.
impl PolicyHost {
    /// How long a policy's texts may be together, in bytes.
    #[must_use]
    pub fn source_bytes(&self) -> usize {
        self.runtime.sandbox.config.source_bytes
    }

    /// How large a plugin's file may be, in bytes.
    #[must_use]
    pub fn plugin_bytes(&self) -> usize {
        self.runtime.sandbox.config.plugin_bytes
    }

    /// Every plugin, by name.
    #[must_use]
    pub fn plugins(&self) -> Vec<PluginStatus> {
        self.catalog.statuses()
    }

    /// The SHA-256 of a plugin, in hexadecimal; `None` where there is no such plugin.
    #[must_use]
    pub fn plugin_digest(&self, plugin: &PluginName) -> Option<String> {
        self.catalog.digest(plugin)
    }

    /// The policies that a plugin answers for, in force or as a shadow, or that wait for it.
    #[must_use]
    pub fn users(&self, plugin: &PluginName) -> Vec<PolicyName> {
        self.changes.users(plugin)
    }

    /// Forgets a plugin and what was wrong with it; `false` when there was neither. A policy that was made with it goes on.
    pub fn remove_plugin(&self, plugin: &PluginName) -> bool {
        self.catalog.remove(plugin)
    }

    /// Keeps a trouble for whoever looks, until the plugin is taken.
    pub fn note_trouble(&self, trouble: PluginTrouble) {
        self.catalog.note_trouble(trouble);
    }

    /// What was tried in vain is no longer wanted.
    pub fn forget_trouble(&self, plugin: &PluginName) {
        self.catalog.forget_trouble(plugin);
    }

    /// Plugins whose newest attempt came to nothing, by name.
    #[must_use]
    pub fn troubles(&self) -> Vec<PluginTrouble> {
        self.catalog.troubles()
    }
}

//! The policy host: takes plugins and policies, answers questions, and never lets one policy stand in another's way.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, RwLock};

use tokio::sync::{Mutex, Semaphore};

use super::{Config, DEFAULT_POLICY, Error};
use crate::domain::{
    Contact, ContactSearch, Conversation, Decision, Destination, Fault, History, Link, Origin, PluginName, PolicyName,
    PolicyRef, PolicyRevision, PolicySource, Question, Timestamp, Verdict,
};
use crate::policy::change::history_store::Memory;
use crate::policy::change::plugin_updates::PluginTrouble;
use crate::policy::change::policy::{Policy, lock, read, write};
use crate::policy::change::shadow::Shadow;
use crate::policy::change::snapshotting::Freezing;
use crate::policy::change::status::{AnsweredBy, InForce, PolicyStatus};
use crate::policy::component::signature::Keys;
use crate::policy::revision::manifest::Part;
use crate::policy::revision::revision::{Draft, Revision, Wrong};
use crate::policy::runtime::configured::Answerer;
use crate::policy::runtime::conversions::Failing;
use crate::policy::runtime::decide::Outcome;
use crate::policy::runtime::guest::Given;
use crate::policy::runtime::plugin::{Plugin, PluginStatus};
use crate::policy::runtime::sandbox::Sandbox;

/// Every policy and every plugin. Clones are the same host; it stops when the last one is dropped.
#[derive(Clone)]
pub struct PolicyHost(pub(crate) Arc<Room>);

pub(crate) struct Room {
    pub(crate) sandbox: Sandbox,
    pub(crate) memory: Memory,
    keys: Keys,
    pub(crate) plugins: RwLock<BTreeMap<PluginName, Arc<Plugin>>>,
    pub(crate) troubles: RwLock<BTreeMap<PluginName, PluginTrouble>>,
    pub(crate) policies: RwLock<BTreeMap<PolicyName, Arc<Policy>>>,
    /// Held by one change at a time: a revision's number says how many came before it.
    pub(crate) changing: Mutex<()>,
    /// Held by one plugin that is being compiled; policies are changed meanwhile.
    compiling: Mutex<()>,
    pub(crate) freezing: Freezing,
    /// As many as the engine's pool has places.
    places: Semaphore,
}

impl PolicyHost {
    /// Starts the engine; there are no plugins yet, and no policy is in force.
    ///
    /// # Errors
    /// When a bound makes no sense, or the machine does not let plugins run.
    pub fn start(config: Config) -> Result<Self, Error> {
        Self::with_memory(config, Memory::default())
    }

    /// The same, going on with the revisions of earlier starts.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn with_memory(config: Config, mut memory: Memory) -> Result<Self, Error> {
        let places = Semaphore::new(config.instances as usize);
        let per_policy = config.instances_per_policy();
        let keys = Keys::new(&config.plugin_keys)?;
        let sandbox = Sandbox::start(config, memory.compiled.take())?;
        let mut histories = BTreeMap::<_, Vec<_>>::new();
        for (name, revision) in std::mem::take(&mut memory.past) {
            histories.entry(name).or_default().push(revision);
        }
        let policy = |(name, kept)| (name, Arc::new(Policy::new(History::new(kept), per_policy)));
        let policies = RwLock::new(histories.into_iter().map(policy).collect());
        let freezing = Freezing::new(sandbox.config.frozen_policies);
        let (plugins, troubles, changing, compiling) = Default::default();
        Ok(Self(Arc::new(Room {
            sandbox,
            memory,
            keys,
            plugins,
            troubles,
            policies,
            changing,
            compiling,
            freezing,
            places,
        })))
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
        if origin != Origin::Embedded {
            let refused = |reason| Error::Plugin { name: name.clone(), reason };
            self.0.keys.check(&bytes, signature).map_err(refused)?;
        }
        let _one_at_a_time = self.0.compiling.lock().await;
        let room = self.0.clone();
        let failed = name.clone();
        let look = move || Plugin::new(&room.sandbox, name, bytes, origin);
        let plugin = match tokio::task::spawn_blocking(look).await {
            Ok(plugin) => plugin?,
            Err(error) => return Err(Error::Plugin { name: failed, reason: format!("it cannot be read: {error}") }),
        };
        let status = plugin.status.clone();
        write(&self.0.plugins).insert(status.name.clone(), Arc::new(plugin));
        write(&self.0.troubles).remove(&status.name);
        Ok(status)
    }

    /// Where a conversation goes.
    pub async fn route(&self, policy: &PolicyName, of: &Conversation, now: Timestamp) -> Decision<Destination> {
        let ask = async |asked: &Answerer, given| asked.route(&self.0.sandbox, given, of).await;
        let decision = self.decide(policy, Question::Route, given(of, now), ask).await;
        if let Some(shadow) = self.shadow(policy) {
            shadow.compare(of, &decision, move |it, of| async move { it.route(&of, now).await });
        }
        decision
    }

    /// What to search contacts for.
    pub async fn search(&self, policy: &PolicyName, of: &Conversation, now: Timestamp) -> Decision<Vec<ContactSearch>> {
        let ask = async |asked: &Answerer, given| asked.search(&self.0.sandbox, given, of).await;
        let decision = self.decide(policy, Question::Search, given(of, now), ask).await;
        if let Some(shadow) = self.shadow(policy) {
            shadow.compare(of, &decision, move |it, of| async move { it.search(&of, now).await });
        }
        decision
    }

    /// Which of the found contacts the customer is.
    pub async fn choose(
        &self,
        policy: &PolicyName,
        of: &Conversation,
        found: &[Contact],
        now: Timestamp,
    ) -> Decision<Link> {
        let ask = async |asked: &Answerer, given| asked.choose(&self.0.sandbox, given, of, found).await;
        let decision = self.decide(policy, Question::Choose, given(of, now), ask).await;
        if let Some(shadow) = self.shadow(policy) {
            let found = found.to_vec();
            shadow.compare(of, &decision, move |it, of| async move { it.choose(&of, &found, now).await });
        }
        decision
    }

    /// What to do about a failure.
    pub async fn judge(&self, policy: &PolicyName, of: Failing<'_>, now: Timestamp) -> Decision<Verdict> {
        let ask = async |asked: &Answerer, given| asked.judge(&self.0.sandbox, given, of).await;
        let decision = self.decide(policy, Question::Judge, given(of.conversation, now), ask).await;
        if let Some(shadow) = self.shadow(policy) {
            let (refusal, attempt, first_seen) = (of.refusal.clone(), of.attempt, of.first_seen);
            shadow.compare(of.conversation, &decision, move |it, conversation| async move {
                it.judge(Failing { refusal: &refusal, attempt, first_seen, conversation: &conversation }, now).await
            });
        }
        decision
    }

    /// Every policy, by name.
    #[must_use]
    pub fn policies(&self) -> Vec<PolicyStatus> {
        let policies = read(&self.0.policies).clone();
        policies.iter().map(|(name, policy)| self.0.status(name, policy)).collect()
    }

    /// How large a plugin's file may be, in bytes.
    #[must_use]
    pub fn plugin_bytes(&self) -> usize {
        self.0.sandbox.config.plugin_bytes
    }

    /// Every plugin, by name.
    #[must_use]
    pub fn plugins(&self) -> Vec<PluginStatus> {
        read(&self.0.plugins).values().map(|plugin| plugin.status.clone()).collect()
    }

    /// The texts of the revision in force.
    #[must_use]
    pub fn source(&self, name: &PolicyName) -> Option<PolicySource> {
        let policy = read(&self.0.policies).get(name).cloned()?;
        policy.in_force().map(|revision| revision.draft.source.clone())
    }

    /// Every revision of a policy that is kept, oldest first.
    #[must_use]
    pub fn revisions(&self, name: &PolicyName) -> Vec<PolicyRevision> {
        let policy = read(&self.0.policies).get(name).cloned();
        policy.map_or_else(Vec::new, |policy| lock(&policy.history).revisions().to_vec())
    }

    /// Asks a revision that is not in force.
    pub(crate) async fn ask<T>(
        &self,
        revision: &Revision,
        question: Question,
        given: Given,
        ask: impl AsyncFnOnce(&Answerer, Given) -> Outcome<T>,
    ) -> Decision<T> {
        let default = || self.0.answerer(&default_policy(), question).map(|(_, _, answerer)| answerer);
        let policy = revision.policy.clone();
        match revision.answerer(question).cloned().or_else(default) {
            Some(answerer) => {
                let _turn = self.0.sandbox.turns.to_begin(&answerer.pace).await;
                let _of_all = self.0.places.acquire().await;
                decision(policy, question, ask(&answerer, given).await)
            }
            None => decision(policy.clone(), question, self.0.no_policy(&policy.name)),
        }
    }

    pub(crate) async fn decide<T>(
        &self,
        name: &PolicyName,
        question: Question,
        given: Given,
        ask: impl AsyncFnOnce(&Answerer, Given) -> Outcome<T>,
    ) -> Decision<T> {
        let Some((policy, revision, answerer)) = self.0.answerer(name, question) else {
            return decision(PolicyRef { name: name.clone(), revision: 0 }, question, self.0.no_policy(name));
        };
        let now = given.now;
        // They are never closed, so waiting for a place ends in having one.
        let of_policy = policy.places.acquire().await;
        let turn = self.0.sandbox.turns.to_begin(&answerer.pace).await;
        let of_all = self.0.places.acquire().await;
        let outcome = ask(&answerer, given).await;
        drop((of_policy, turn, of_all));
        policy.counters.count(&outcome.answer);
        revision.counters.count(&outcome.answer);
        self.watch(&revision.policy.name, &policy, &revision, now);
        let by = revision.policy.clone();
        revision.asked(now);
        if revision.to_be_frozen() {
            self.freeze_later(policy, revision, now);
        }
        decision(by, question, outcome)
    }

    fn shadow(&self, name: &PolicyName) -> Option<Arc<Shadow>> {
        read(&self.0.policies).get(name)?.shadow()
    }
}

impl Room {
    /// Reads a policy, with the plugins as they are now.
    pub(crate) fn draft(&self, name: &PolicyName, source: PolicySource) -> Result<Draft, Wrong> {
        let bound = self.sandbox.config.source_bytes;
        Draft::read(name.clone(), source, bound, |name| {
            read(&self.plugins).get(name).cloned().ok_or_else(|| self.missing(name))
        })
    }

    /// The answerer of a question as of now; whatever is swapped later, this decision is made by it.
    pub(crate) fn answerer(
        &self,
        name: &PolicyName,
        question: Question,
    ) -> Option<(Arc<Policy>, Arc<Revision>, Arc<Answerer>)> {
        let of = |policy: Arc<Policy>| {
            let revision = policy.in_force()?;
            let answerer = revision.answerer(question)?.clone();
            Some((policy, revision, answerer))
        };
        let policy = read(&self.policies).get(name).cloned();
        if policy.as_ref().is_some_and(|policy| policy.refused().is_some()) {
            // What it would have decided is known to nobody: a wrong queue is worse than a late one.
            return None;
        }
        let missing = policy.as_ref().is_none_or(|policy| policy.in_force().is_none());
        if let Some(found) = policy.and_then(of) {
            return Some(found);
        }
        if missing && !self.policy(name).missed.swap(true, Ordering::Relaxed) {
            tracing::warn!(policy = %name, "no such policy is in force; the default policy answers");
        }
        let fallback = read(&self.policies).get(&default_policy()).cloned();
        fallback.and_then(of)
    }

    /// The policy of a name, new if there is none yet.
    pub(crate) fn policy(&self, name: &PolicyName) -> Arc<Policy> {
        if let Some(known) = read(&self.policies).get(name) {
            return Arc::clone(known);
        }
        let new = || Arc::new(Policy::new(History::default(), self.sandbox.config.instances_per_policy()));
        write(&self.policies).entry(name.clone()).or_insert_with(new).clone()
    }

    pub(crate) fn status(&self, name: &PolicyName, policy: &Policy) -> PolicyStatus {
        let in_force = policy.in_force().map(|revision| InForce {
            revision: revision.policy.revision,
            digest: revision.draft.digest.clone(),
            applied_at: revision.draft.source.at,
            origin: revision.draft.source.origin.clone(),
            answered_by: Part::ALL
                .into_iter()
                .flat_map(Part::questions)
                .filter_map(|question| self.answered_by(name, *question))
                .collect(),
        });
        PolicyStatus {
            name: name.clone(),
            in_force,
            last_rejection: lock(&policy.last_rejection).clone(),
            shadow: policy.shadow().map(|shadow| shadow.status()),
            decisions: policy.counters.decisions(),
            faults: policy.counters.faults(),
        }
    }

    fn no_policy<T>(&self, name: &PolicyName) -> Outcome<T> {
        let refused = read(&self.policies).get(name).and_then(|policy| policy.refused());
        let message = match refused {
            Some(why) => format!("the policy `{name}` is refused, and none was in force before it: {why}"),
            None => format!("neither the policy `{name}` nor the default policy is in force"),
        };
        let fault = Fault::Refused { code: "NO_POLICY".into(), message };
        Outcome { answer: Err(fault), cost: 0, logs: Vec::new(), rule: None, memory_bytes: 0 }
    }

    fn answered_by(&self, name: &PolicyName, question: Question) -> Option<AnsweredBy> {
        let (_, revision, answerer) = self.answerer(name, question)?;
        Some(AnsweredBy {
            question,
            policy: revision.policy.clone(),
            plugin: answerer.plugin.status.name.clone(),
            plugin_digest: answerer.plugin.status.digest.clone(),
            script: answerer.assignment.script.clone(),
            isolation: answerer.assignment.isolation,
            frozen: answerer.frozen.is_ok(),
            not_frozen_because: answerer.frozen.clone().err().map(|why| revision.waits_for_a_place().unwrap_or(why)),
        })
    }
}

fn decision<T>(policy: PolicyRef, question: Question, outcome: Outcome<T>) -> Decision<T> {
    let Outcome { answer, cost, logs, rule, .. } = outcome;
    Decision { policy, question, answer, cost, logs, rule }
}

pub(crate) fn given(of: &Conversation, now: Timestamp) -> Given {
    Given { now, seed: of.id.to_string() }
}

fn default_policy() -> PolicyName {
    PolicyName::new(DEFAULT_POLICY).unwrap_or_else(|error| unreachable!("{error}"))
}

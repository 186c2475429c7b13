//! The policy host: takes plugins and policies, answers questions, and never lets one policy stand in another's way.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use super::answerer::Answerer;
use super::asking::Outcome;
use super::conversions::Failing;
use super::guest::Given;
use super::manifest::Part;
use super::plugin::{Plugin, PluginStatus};
use super::revision::{Draft, Revision, Wrong};
use super::sandbox::Sandbox;
use super::source::{Origin, PolicySource, Problem, Rejection};
use super::status::{AnsweredBy, Counters, InForce, PolicyStatus};
use super::warm::Warm;
use super::{Config, DEFAULT_POLICY, Error};
use crate::domain::{
    Contact, ContactSearch, Conversation, Decision, Destination, Fault, Link, PluginName, PolicyName, PolicyRef,
    Question, Timestamp, Verdict,
};

/// Every policy and every plugin. Clones are the same host; it stops when the last one is dropped.
#[derive(Clone)]
pub struct PolicyHost(pub(super) Arc<Room>);

pub(super) struct Room {
    pub(super) sandbox: Sandbox,
    plugins: RwLock<BTreeMap<PluginName, Arc<Plugin>>>,
    policies: RwLock<BTreeMap<PolicyName, Arc<Policy>>>,
    /// Held by one change at a time: a revision's number says how many came before it.
    changing: tokio::sync::Mutex<()>,
    /// As many as the engine's pool has places.
    places: Semaphore,
}

/// A policy over its revisions.
struct Policy {
    in_force: RwLock<Option<Arc<Revision>>>,
    last_rejection: Mutex<Option<Rejection>>,
    counters: Counters,
    /// Keeps a policy whose every decision runs to the deadline from taking all places.
    places: Semaphore,
    /// Whether it was said already that nothing of this name is in force.
    missed: AtomicBool,
}

impl PolicyHost {
    /// Starts the engine; there are no plugins and no policies yet.
    ///
    /// # Errors
    /// When a bound makes no sense, or the machine does not let plugins run.
    pub fn start(config: Config) -> Result<Self, Error> {
        let places = Semaphore::new(config.instances as usize);
        let sandbox = Sandbox::start(config)?;
        let (plugins, policies) = (RwLock::default(), RwLock::default());
        Ok(Self(Arc::new(Room { sandbox, plugins, policies, changing: tokio::sync::Mutex::default(), places })))
    }

    /// Takes a component as a plugin, in place of any of the same name. A policy in force goes on with the one that it
    /// was made with until it is applied again.
    ///
    /// # Errors
    /// When it is too large, is no component, imports what no plugin gets, or answers no question.
    pub async fn add_plugin(&self, name: PluginName, bytes: Vec<u8>, origin: Origin) -> Result<PluginStatus, Error> {
        let _one_at_a_time = self.0.changing.lock().await;
        let room = self.0.clone();
        let failed = name.clone();
        let look = move || Plugin::new(&room.sandbox, name, bytes, origin);
        let plugin = match tokio::task::spawn_blocking(look).await {
            Ok(plugin) => plugin?,
            Err(error) => return Err(Error::Plugin { name: failed, reason: format!("it cannot be read: {error}") }),
        };
        let status = plugin.status.clone();
        write(&self.0.plugins).insert(status.name.clone(), Arc::new(plugin));
        Ok(status)
    }

    /// Puts a policy in force from the next decision on. The same texts with the same plugins keep their revision.
    ///
    /// # Errors
    /// When it cannot be read, configured or answer a sample; then whatever was in force stays so.
    pub async fn apply(&self, name: PolicyName, source: PolicySource) -> Result<PolicyStatus, Rejection> {
        let _one_at_a_time = self.0.changing.lock().await;
        let policy = self.0.policy(&name);
        let before = policy.in_force();
        let (origin, at) = (source.origin.clone(), source.at);
        let (room, draft_name) = (self.0.clone(), name.clone());
        let runtime = Handle::current();
        let build = move || room.build(&runtime, draft_name, source, before.as_deref());
        let built = tokio::task::spawn_blocking(build).await.unwrap_or_else(|error| {
            Err(vec![Problem::of(format!("{name}.toml"), format!("it cannot be put together: {error}"))].into())
        });
        match built {
            Ok(revision) => {
                if let Some(revision) = revision {
                    tracing::info!(policy = %revision.policy, %origin, "a policy is in force");
                    *write(&policy.in_force) = Some(Arc::new(revision));
                }
                *lock(&policy.last_rejection) = None;
                Ok(self.0.status(&name, &policy))
            }
            Err(Wrong { problems, fault }) => {
                let rejection = Rejection { policy: name, origin, at, problems, fault };
                tracing::warn!(policy = %rejection.policy, %rejection, "a policy is refused; the one in force stays");
                *lock(&policy.last_rejection) = Some(rejection.clone());
                Err(rejection)
            }
        }
    }

    /// Where a conversation goes.
    pub async fn route(&self, policy: &PolicyName, of: &Conversation, now: Timestamp) -> Decision<Destination> {
        let ask = async |asked: &Answerer, given| asked.route(&self.0.sandbox, given, of).await;
        self.0.decide(policy, Question::Route, given(of, now), ask).await
    }

    /// What to search contacts for.
    pub async fn search(&self, policy: &PolicyName, of: &Conversation, now: Timestamp) -> Decision<Vec<ContactSearch>> {
        let ask = async |asked: &Answerer, given| asked.search(&self.0.sandbox, given, of).await;
        self.0.decide(policy, Question::Search, given(of, now), ask).await
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
        self.0.decide(policy, Question::Choose, given(of, now), ask).await
    }

    /// What to do about a failure.
    pub async fn judge(&self, policy: &PolicyName, of: Failing<'_>, now: Timestamp) -> Decision<Verdict> {
        let ask = async |asked: &Answerer, given| asked.judge(&self.0.sandbox, given, of).await;
        self.0.decide(policy, Question::Judge, given(of.conversation, now), ask).await
    }

    /// Every policy, by name.
    #[must_use]
    pub fn policies(&self) -> Vec<PolicyStatus> {
        let policies = read(&self.0.policies).clone();
        policies.iter().map(|(name, policy)| self.0.status(name, policy)).collect()
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
        policy.in_force().map(|revision| revision.source.clone())
    }

    /// For the benchmark alone, see [`Warm`].
    #[doc(hidden)]
    pub async fn warm(&self, name: &PolicyName) -> Option<Warm<'_>> {
        let (_, _, answerer) = self.0.answerer(name, Question::Route)?;
        Warm::new(&self.0.sandbox, answerer).await
    }
}

impl Room {
    /// `None` where nothing would change.
    fn build(
        &self,
        runtime: &Handle,
        name: PolicyName,
        source: PolicySource,
        before: Option<&Revision>,
    ) -> Result<Option<Revision>, Wrong> {
        let bound = self.sandbox.config.source_bytes;
        let draft = Draft::read(name, source, bound, |name| read(&self.plugins).get(name).cloned())?;
        if before.is_some_and(|before| before.digest == draft.digest) {
            return Ok(None);
        }
        let revision = before.map_or(0, |before| before.policy.revision) + 1;
        runtime.block_on(draft.build(&self.sandbox, revision)).map(Some)
    }

    pub(super) async fn decide<T>(
        &self,
        name: &PolicyName,
        question: Question,
        given: Given,
        ask: impl AsyncFnOnce(&Answerer, Given) -> Outcome<T>,
    ) -> Decision<T> {
        let Some((policy, revision, answerer)) = self.answerer(name, question) else {
            let message = format!("neither the policy `{name}` nor the default policy is in force");
            let fault = Fault::Refused { code: "NO_POLICY".into(), message };
            let policy = PolicyRef { name: name.clone(), revision: 0 };
            return Decision { policy, question, answer: Err(fault), cost: 0, logs: Vec::new() };
        };
        // They are never closed, so waiting for a place ends in having one.
        let _of_policy = policy.places.acquire().await;
        let _of_all = self.places.acquire().await;
        let Outcome { answer, cost, logs, .. } = ask(&answerer, given).await;
        policy.counters.count(&answer);
        Decision { policy: revision.policy.clone(), question, answer, cost, logs }
    }

    /// The answerer of a question as of now; whatever is swapped later, this decision is made by it.
    fn answerer(&self, name: &PolicyName, question: Question) -> Option<(Arc<Policy>, Arc<Revision>, Arc<Answerer>)> {
        let of = |policy: Arc<Policy>| {
            let revision = policy.in_force()?;
            let answerer = revision.answerer(question)?.clone();
            Some((policy, revision, answerer))
        };
        let policy = read(&self.policies).get(name).cloned();
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
    fn policy(&self, name: &PolicyName) -> Arc<Policy> {
        let new = || {
            Arc::new(Policy {
                in_force: RwLock::default(),
                last_rejection: Mutex::default(),
                counters: Counters::default(),
                places: Semaphore::new(self.sandbox.config.instances_per_policy()),
                missed: AtomicBool::new(false),
            })
        };
        write(&self.policies).entry(name.clone()).or_insert_with(new).clone()
    }

    fn status(&self, name: &PolicyName, policy: &Policy) -> PolicyStatus {
        let in_force = policy.in_force().map(|revision| InForce {
            revision: revision.policy.revision,
            digest: revision.digest.clone(),
            applied_at: revision.source.at,
            origin: revision.source.origin.clone(),
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
            decisions: policy.counters.decisions(),
            faults: policy.counters.faults(),
        }
    }

    fn answered_by(&self, name: &PolicyName, question: Question) -> Option<AnsweredBy> {
        let (_, revision, answerer) = self.answerer(name, question)?;
        Some(AnsweredBy {
            question,
            policy: revision.policy.clone(),
            plugin: answerer.plugin.status.name.clone(),
            plugin_digest: answerer.plugin.status.digest.clone(),
            script: answerer.assignment.script.clone(),
            frozen: answerer.frozen.is_ok(),
            not_frozen_because: answerer.frozen.clone().err(),
        })
    }
}

impl Policy {
    fn in_force(&self) -> Option<Arc<Revision>> {
        read(&self.in_force).clone()
    }
}

fn given(of: &Conversation, now: Timestamp) -> Given {
    Given { now, seed: of.id.to_string() }
}

fn default_policy() -> PolicyName {
    PolicyName::new(DEFAULT_POLICY).unwrap_or_else(|error| unreachable!("{error}"))
}

fn read<T>(of: &RwLock<T>) -> std::sync::RwLockReadGuard<'_, T> {
    of.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(of: &RwLock<T>) -> std::sync::RwLockWriteGuard<'_, T> {
    of.write().unwrap_or_else(PoisonError::into_inner)
}

fn lock<T>(of: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

//! One decision: an instance, a question, an answer, and nothing of it is left unless the policy chose to keep it.

use wasmtime::Store;
use wasmtime::component::Instance;

use super::bindings::switchyard::policy::types::Refusal;
use super::configured::ConfiguredPlugin;
use super::conversions::{Failing, GuestAnswer, LentConversation, contact, lend_attributes, sync_error, understand};
use super::guest::{ClockAndSeed, Guest};
use super::instance_pool::PooledInstance;
use super::sandbox::{Sandbox, refuel, within};
use crate::domain::{
    Contact, ContactSearch, Conversation, Decision, Destination, Fault, Link, PolicyRef, Question, Timestamp, Verdict,
};

/// What came of asking.
pub(crate) struct Answered<T> {
    pub(crate) answer: Result<T, Fault>,
    /// Fuel that was burnt.
    pub(crate) cost: u64,
    pub(crate) logs: Vec<String>,
    /// The rule that led to the answer, where the plugin named one.
    pub(crate) rule: Option<String>,
    /// The most memory that the instance had, in bytes; 0 where none was asked.
    pub(crate) memory_bytes: usize,
}

impl<T> Answered<T> {
    /// What stands in the place of an answer where nobody could be asked.
    pub(crate) fn unasked(fault: Fault) -> Self {
        Self { answer: Err(fault), cost: 0, logs: Vec::new(), rule: None, memory_bytes: 0 }
    }

    /// The same as a decision of this policy.
    pub(crate) fn decision(self, policy: PolicyRef, question: Question) -> Decision<T> {
        let Self { answer, cost, logs, rule, .. } = self;
        Decision { policy, question, answer, cost, logs, rule }
    }
}

/// A question with what it is about.
pub(crate) trait Ask: Copy + Send + Sync {
    /// What answers it.
    type Answer: Send;

    /// Its name.
    const QUESTION: Question;

    /// The conversation that it is about.
    fn conversation(&self) -> &Conversation;

    /// Puts it to a plugin.
    fn ask(
        self,
        plugin: &ConfiguredPlugin,
        sandbox: &Sandbox,
        with: ClockAndSeed,
    ) -> impl Future<Output = Answered<Self::Answer>> + Send;

    /// The clock and the seed of a live decision.
    fn clock_and_seed(&self, now: Timestamp) -> ClockAndSeed {
        ClockAndSeed { now, seed: self.conversation().id.to_string() }
    }
}

/// Where does this conversation go?
#[derive(Clone, Copy)]
pub(crate) struct Route<'a>(pub(crate) &'a Conversation);

/// What are contacts searched for?
#[derive(Clone, Copy)]
pub(crate) struct Search<'a>(pub(crate) &'a Conversation);

/// Which of these contacts is the customer?
#[derive(Clone, Copy)]
pub(crate) struct Choose<'a>(pub(crate) &'a Conversation, pub(crate) &'a [Contact]);

impl Ask for Route<'_> {
    type Answer = Destination;
    const QUESTION: Question = Question::Route;

    fn conversation(&self) -> &Conversation {
        self.0
    }

    async fn ask(self, plugin: &ConfiguredPlugin, sandbox: &Sandbox, with: ClockAndSeed) -> Answered<Destination> {
        let lent = LentConversation::new(self.0);
        plugin
            .ask(sandbox, with, async |store, instance| plugin.exports.route(store, instance, lent.lend()).await)
            .await
    }
}

impl Ask for Search<'_> {
    type Answer = Vec<ContactSearch>;
    const QUESTION: Question = Question::Search;

    fn conversation(&self) -> &Conversation {
        self.0
    }

    async fn ask(self, plugin: &ConfiguredPlugin, sandbox: &Sandbox, with: ClockAndSeed) -> Answered<Self::Answer> {
        let lent = LentConversation::new(self.0);
        plugin
            .ask(sandbox, with, async |store, instance| plugin.exports.search(store, instance, lent.lend()).await)
            .await
    }
}

impl Ask for Choose<'_> {
    type Answer = Link;
    const QUESTION: Question = Question::Choose;

    fn conversation(&self) -> &Conversation {
        self.0
    }

    async fn ask(self, plugin: &ConfiguredPlugin, sandbox: &Sandbox, with: ClockAndSeed) -> Answered<Link> {
        let Self(of, found) = self;
        let lent = LentConversation::new(of);
        let attributes: Vec<_> = found.iter().map(|found| lend_attributes(&found.attributes)).collect();
        let found: Vec<_> =
            found.iter().zip(&attributes).map(|(found, attributes)| contact(found, attributes)).collect();
        let choose = async |store: &mut Store<Guest>, instance: &Instance| {
            plugin.exports.choose(store, instance, lent.lend(), &found).await
        };
        plugin.ask(sandbox, with, choose).await
    }
}

/// What about this failure?
impl Ask for Failing<'_> {
    type Answer = Verdict;
    const QUESTION: Question = Question::Judge;

    fn conversation(&self) -> &Conversation {
        self.conversation
    }

    async fn ask(self, plugin: &ConfiguredPlugin, sandbox: &Sandbox, with: ClockAndSeed) -> Answered<Verdict> {
        let lent = LentConversation::new(self.conversation);
        let fields: Vec<_> = self.refusal.fields.iter().map(String::as_str).collect();
        let judge = async |store: &mut Store<Guest>, instance: &Instance| {
            plugin.exports.judge(store, instance, sync_error(&self, &fields, lent.lend())).await
        };
        plugin.ask(sandbox, with, judge).await
    }
}

impl ConfiguredPlugin {
    async fn ask<A: GuestAnswer>(
        &self,
        sandbox: &Sandbox,
        with: ClockAndSeed,
        question: impl AsyncFnOnce(&mut Store<Guest>, &Instance) -> wasmtime::Result<Result<A, Refusal>>,
    ) -> Answered<A::Ours> {
        let mut pooled = self.pool.take(sandbox, with);
        pooled.store.data_mut().counts_for(&self.slowness);
        let answered = self.answer(sandbox, &mut pooled, question).await;
        // Whatever it broke in itself goes with it.
        let sound = answered.is_ok();
        let answer = answered.and_then(|answer| understand(answer, sandbox.config.answer_bytes));
        let (cost, memory_bytes) = (refuel(&mut pooled.store), pooled.store.data().limits.used);
        let (logs, rule) = pooled.store.data_mut().take_log_and_rule();
        if sound && !matches!(answer, Err(Fault::TooLarge { .. } | Fault::Senseless { .. })) {
            self.pool.put_back(sandbox, pooled);
        }
        Answered { answer, cost, logs, rule, memory_bytes }
    }

    async fn answer<A>(
        &self,
        sandbox: &Sandbox,
        pooled: &mut PooledInstance,
        question: impl AsyncFnOnce(&mut Store<Guest>, &Instance) -> wasmtime::Result<Result<A, Refusal>>,
    ) -> Result<Result<A, Refusal>, Fault> {
        if pooled.instance.is_none() && self.snapshot.is_err() {
            pooled.instance = Some(self.instance(sandbox, &mut pooled.store).await?);
            // Configuring is no part of the decision's cost: a snapshot has it behind it.
            refuel(&mut pooled.store);
        }
        let PooledInstance { store, instance, .. } = pooled;
        within(sandbox.config.deadline_ms, store, async |store| {
            let instance = match instance {
                Some(instance) => *instance,
                None => *instance.insert(self.pre.instantiate_async(&mut *store).await?),
            };
            question(store, &instance).await
        })
        .await
    }
}

//! One decision: an instance, a question, an answer, and nothing of it is left unless the policy chose to keep it.

use wasmtime::Store;
use wasmtime::component::Instance;

use crate::domain::{Contact, ContactSearch, Conversation, Destination, Fault, Link, Verdict};
use crate::policy::runtime::bindings::switchyard::policy::types::Refusal;
use crate::policy::runtime::configured::Answerer;
use crate::policy::runtime::conversions::{Answer, Failing, Told, contact, lent, sync_error, understand};
use crate::policy::runtime::guest::{Given, Guest};
use crate::policy::runtime::instance_pool::Running;
use crate::policy::runtime::sandbox::{Sandbox, refuel, within};

/// What came of asking.
pub(crate) struct Outcome<T> {
    pub(crate) answer: Result<T, Fault>,
    /// Fuel that was burnt.
    pub(crate) cost: u64,
    pub(crate) logs: Vec<String>,
    /// The rule that led to the answer, where the plugin named one.
    pub(crate) rule: Option<String>,
    /// The most memory that the instance had.
    pub(crate) memory_bytes: usize,
}

impl Answerer {
    pub(crate) async fn route(&self, sandbox: &Sandbox, given: Given, of: &Conversation) -> Outcome<Destination> {
        let told = Told::new(of);
        self.ask(sandbox, given, async |store, instance| self.doors.route(store, instance, told.lend()).await).await
    }

    pub(crate) async fn search(
        &self,
        sandbox: &Sandbox,
        given: Given,
        of: &Conversation,
    ) -> Outcome<Vec<ContactSearch>> {
        let told = Told::new(of);
        self.ask(sandbox, given, async |store, instance| self.doors.search(store, instance, told.lend()).await).await
    }

    pub(crate) async fn choose(
        &self,
        sandbox: &Sandbox,
        given: Given,
        of: &Conversation,
        found: &[Contact],
    ) -> Outcome<Link> {
        let told = Told::new(of);
        let attributes: Vec<_> = found.iter().map(|found| lent(&found.attributes)).collect();
        let found: Vec<_> =
            found.iter().zip(&attributes).map(|(found, attributes)| contact(found, attributes)).collect();
        self.ask(sandbox, given, async |store, instance| self.doors.choose(store, instance, told.lend(), &found).await)
            .await
    }

    pub(crate) async fn judge(&self, sandbox: &Sandbox, given: Given, of: Failing<'_>) -> Outcome<Verdict> {
        let told = Told::new(of.conversation);
        let fields: Vec<_> = of.refusal.fields.iter().map(String::as_str).collect();
        self.ask(sandbox, given, async |store, instance| {
            self.doors.judge(store, instance, sync_error(&of, &fields, told.lend())).await
        })
        .await
    }

    async fn ask<A: Answer>(
        &self,
        sandbox: &Sandbox,
        given: Given,
        question: impl AsyncFnOnce(&mut Store<Guest>, &Instance) -> wasmtime::Result<Result<A, Refusal>>,
    ) -> Outcome<A::Ours> {
        let mut running = self.warm.take(sandbox, given);
        running.store.data_mut().tell(&self.pace);
        let answered = self.answered(sandbox, &mut running, question).await;
        // Whatever it broke in itself goes with it.
        let sound = answered.is_ok();
        let answer = answered.and_then(|answer| understand(answer, sandbox.config.answer_bytes));
        let (cost, memory_bytes) = (refuel(&mut running.store), running.store.data().limits.used);
        let (logs, rule) = running.store.data_mut().words();
        if sound && !matches!(answer, Err(Fault::TooLarge { .. } | Fault::Senseless { .. })) {
            self.warm.put_back(sandbox, running);
        }
        Outcome { answer, cost, logs, rule, memory_bytes }
    }

    async fn answered<A>(
        &self,
        sandbox: &Sandbox,
        running: &mut Running,
        question: impl AsyncFnOnce(&mut Store<Guest>, &Instance) -> wasmtime::Result<Result<A, Refusal>>,
    ) -> Result<Result<A, Refusal>, Fault> {
        if running.instance.is_none() && self.frozen.is_err() {
            running.instance = Some(self.instance(sandbox, &mut running.store).await?);
            // Configuring is no part of the decision's cost: a frozen plugin has it behind it.
            refuel(&mut running.store);
        }
        let Running { store, instance, .. } = running;
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

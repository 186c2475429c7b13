//! What a decision would cost without isolation, for the benchmark to compare: no policy is ever asked this way.

use std::sync::Arc;

use wasmtime::Store;
use wasmtime::component::Instance;

use super::answerer::Answerer;
use super::conversions::{Told, understand};
use super::guest::{Given, Guest};
use super::sandbox::{Sandbox, within};
use crate::domain::{Conversation, Destination, Fault, Timestamp};

/// One instance that is asked again and again; what one decision leaves in memory reaches the next.
pub struct Warm<'a> {
    sandbox: &'a Sandbox,
    answerer: Arc<Answerer>,
    store: Store<Guest>,
    instance: Instance,
}

impl<'a> Warm<'a> {
    pub(super) async fn new(sandbox: &'a Sandbox, answerer: Arc<Answerer>) -> Option<Self> {
        let mut store = sandbox.store(Given { now: Timestamp::default(), seed: String::new() });
        let limit_ms = sandbox.config.configure_deadline_ms;
        let start = async |store: &mut Store<Guest>| answerer.pre.instantiate_async(store).await;
        let instance = within(limit_ms, &mut store, start).await.ok()?;
        Some(Self { sandbox, answerer, store, instance })
    }

    /// Where a conversation goes.
    ///
    /// # Errors
    /// As a decision fails.
    pub async fn route(&mut self, of: &Conversation) -> Result<Destination, Fault> {
        let told = Told::new(of);
        let config = &self.sandbox.config;
        let answer = within(config.deadline_ms, &mut self.store, async |store| {
            self.answerer.doors.route(store, &self.instance, told.lend()).await
        });
        understand(answer.await?, config.answer_bytes)
    }
}

//! What a lane asks of the world: attempts, probes, and how much of them an organization takes.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::attempt::{self, Attempt, Outcome};
use super::org::Org;
use super::shared::Shared;
use crate::domain::{Quota, Refusal};
use crate::telemetry::Kind;

/// The longest that an attempt may take, whatever its parts are bound by: then it counts as broken off.
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// Where conversations go. A test has one of its own.
pub(super) trait Outbound: Send + Sync + 'static {
    /// Brings a conversation into the organization. It ends within a bound.
    fn attempt(&self, attempt: Attempt) -> BoxFuture<'static, Option<Outcome>>;

    /// Asks whether the organization answers, without a conversation.
    fn probe(&self) -> BoxFuture<'static, Result<(), Refusal>>;

    /// The most conversations that may be on their way at once.
    fn at_once(&self) -> usize;

    /// The calls of 24 hours, while so many are used that the organization slows.
    fn slowed(&self) -> Option<Quota>;

    /// Calls in all since the start.
    fn calls(&self) -> u64;
}

/// A connected organization.
pub(super) struct Connected {
    pub(super) org: Arc<Org>,
    pub(super) shared: Shared,
}

impl Outbound for Connected {
    fn attempt(&self, attempt: Attempt) -> BoxFuture<'static, Option<Outcome>> {
        let ended = attempt::run(self.shared.clone(), Arc::clone(&self.org), attempt);
        Box::pin(async move { tokio::time::timeout(LONGEST, ended).await.ok() })
    }

    fn probe(&self) -> BoxFuture<'static, Result<(), Refusal>> {
        let salesforce = Arc::clone(&self.org.salesforce);
        let span = self.shared.traces.span("probe", Kind::Internal);
        Box::pin(async move { span.here().around(salesforce.probe()).await })
    }

    fn at_once(&self) -> usize {
        self.org.conversations_at_once()
    }

    fn slowed(&self) -> Option<Quota> {
        self.org.slowed_by()
    }

    fn calls(&self) -> u64 {
        self.org.salesforce.calls()
    }
}

/// An organization that has records and is not configured any more: nothing is attempted.
pub(super) struct Departed;

impl Outbound for Departed {
    fn attempt(&self, _: Attempt) -> BoxFuture<'static, Option<Outcome>> {
        Box::pin(std::future::ready(None))
    }

    fn probe(&self) -> BoxFuture<'static, Result<(), Refusal>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn at_once(&self) -> usize {
        0
    }

    fn slowed(&self) -> Option<Quota> {
        None
    }

    fn calls(&self) -> u64 {
        0
    }
}

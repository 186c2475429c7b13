//! Looks after an Alcmeon environment, with one call at a time: asks for actions that no notification brought, completes
//! conversations, writes back ids of Salesforce's records, and keeps the webhook on.

mod webhook;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::sync::watch;

pub use self::webhook::WebhookHealth;
use super::Engine;
use crate::alcmeon::{ActionPage, CallError, Client};
use crate::domain::{ConversationId, SourceId, Timestamp};
use crate::ledger::Quarantined;
use crate::store;
use crate::troubles::Trouble;

/// The longest wait after failures in a row.
const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// How often the webhook is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(300);

/// So many calls in a row in vain are a trouble.
const IN_VAIN: u32 = 3;
/// Kinds of trouble: calls in vain, and ids of Salesforce that are not taken.
const CALLS: &str = "alcmeon-calls";
const IDS: &str = "alcmeon-ids";

/// An Alcmeon environment, and what is to be done about it.
pub struct Environment {
    /// The name that its accounts begin with.
    pub source: SourceId,
    /// Calls it.
    pub client: Client,
    /// Whether actions are asked for.
    pub poll: bool,
    /// How long between two calls.
    pub every: Duration,
    /// Whether the webhook is looked at, and switched on again.
    pub keep_webhook_on: bool,
}

/// How an environment stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct EnvironmentHealth {
    /// When it answered last.
    pub answered_at: Option<Timestamp>,
    /// Why the newest call came to nothing.
    pub trouble: Option<String>,
    /// Since when calls of one kind (polls, what else is to be done for it, looks at its webhook) have come to nothing; `null`
    /// where the newest call of each kind was answered.
    pub in_vain_since: Option<Timestamp>,
    /// Why it did not take the ids of Salesforce's records last, if it did not.
    pub not_written: Option<String>,
    /// Where its notifications stand; `null` while that is not known, or not looked at.
    pub webhook: Option<WebhookHealth>,
}

/// An environment that is looked after.
pub(super) struct Kept {
    pub(super) environment: Environment,
    pub(super) health: watch::Sender<EnvironmentHealth>,
}

impl Kept {
    pub(super) fn new(environment: Environment) -> Self {
        Self { environment, health: watch::Sender::default() }
    }
}

struct Keeper {
    engine: Arc<Engine>,
    kept: Arc<Kept>,
    /// When the webhook is looked at next.
    look_at: Timestamp,
    switched_on: VecDeque<Timestamp>,
    /// Whether it is the turn of something else than a poll.
    other: bool,
    /// The conversation whose link was tried last.
    tried: Option<ConversationId>,
    /// Since when calls of a kind have come to nothing.
    in_vain: BTreeMap<Kind, Timestamp>,
}

/// What a call is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// Actions that no notification brought.
    Poll,
    /// A conversation that is completed, or ids that are written back.
    Work,
    /// The webhook.
    Webhook,
}

/// Why a call has to wait, or to be made again later.
enum Failed {
    RateLimited(Timestamp),
    Other(String),
}

impl From<store::Error> for Failed {
    fn from(error: store::Error) -> Self {
        Self::Other(error.to_string())
    }
}

impl From<CallError> for Failed {
    fn from(error: CallError) -> Self {
        match error {
            CallError::RateLimited { until } => Self::RateLimited(until),
            error => Self::Other(error.to_string()),
        }
    }
}

pub(super) async fn run(engine: Arc<Engine>, kept: Arc<Kept>, mut stopping: watch::Receiver<bool>) {
    let every = kept.environment.every;
    let (look_at, switched_on) = (Timestamp::default(), VecDeque::new());
    let in_vain = BTreeMap::new();
    let mut keeper = Keeper { engine, kept, look_at, switched_on, other: false, tried: None, in_vain };
    let mut failures = 0;
    loop {
        let now = keeper.engine.clock.now();
        let called = tokio::select! {
            // A call that is broken off is made again at the next start.
            _ = stopping.wait_for(|stopping| *stopping) => return,
            called = keeper.one_call(now) => called,
        };
        let (kind, called) = called;
        keeper.note(kind, called.is_ok(), now);
        let next = match called {
            Ok(()) => {
                failures = 0;
                keeper.cured(CALLS);
                now.after(every)
            }
            Err(Failed::RateLimited(until)) => until.max(now.after(every)),
            Err(Failed::Other(error)) => {
                failures += 1;
                tracing::warn!(source = %keeper.kept.environment.source, %error, failures, "Alcmeon was asked in vain");
                if failures >= IN_VAIN {
                    keeper.trouble(CALLS, &error, "check its address, its secret and whether it is there", now);
                }
                keeper.kept.health.send_modify(|health| health.trouble = Some(error));
                now.after((every * 2u32.saturating_pow(failures)).min(LONGEST_WAIT))
            }
        };
        tokio::select! {
            _ = stopping.wait_for(|stopping| *stopping) => return,
            () = keeper.engine.clock.sleep_until(next) => {}
        }
    }
}

impl Keeper {
    /// The limit of Alcmeon may be for all calls together, so nothing is asked beside anything else.
    async fn one_call(&mut self, now: Timestamp) -> (Kind, Result<(), Failed>) {
        let kept = Arc::clone(&self.kept);
        let Environment { source, poll, keep_webhook_on, .. } = &kept.environment;
        if *keep_webhook_on && self.look_at <= now {
            self.look_at = now.after(LOOK_EVERY);
            return (Kind::Webhook, self.look_at_webhook(now).await);
        }
        self.other = !self.other;
        if self.other || !poll {
            match self.work(source, now).await {
                Ok(true) => return (Kind::Work, Ok(())),
                Ok(false) => self.note(Kind::Work, true, now),
                Err(failed) => return (Kind::Work, Err(failed)),
            }
        }
        (Kind::Poll, if *poll { self.poll(now).await } else { Ok(()) })
    }

    /// Completes a conversation, or writes ids back; answers whether there was anything to do.
    async fn work(&mut self, source: &SourceId, now: Timestamp) -> Result<bool, Failed> {
        let ledger = self.engine.ledger();
        if let Some((id, noted)) = ledger.gap(source).await? {
            return self.complete(&id, noted, now).await.map(|()| true);
        }
        let Some((id, written, noted)) = ledger.link(source, self.tried.as_ref()).await? else { return Ok(false) };
        self.tried = Some(id.clone());
        self.link(&id, &written, noted, now).await.map(|()| true)
    }

    /// Notes whether a call of a kind came to something.
    fn note(&mut self, kind: Kind, answered: bool, now: Timestamp) {
        if answered {
            self.in_vain.remove(&kind);
        } else {
            self.in_vain.entry(kind).or_insert(now);
        }
        let since = self.in_vain.values().min().copied();
        self.kept.health.send_if_modified(|health| std::mem::replace(&mut health.in_vain_since, since) != since);
    }

    /// Tells whoever operates the host that something is wrong with the environment.
    fn trouble(&self, kind: &'static str, what: &str, cure: &str, now: Timestamp) {
        let source = self.kept.environment.source.as_str();
        self.engine.troubles.raise(Trouble::new(kind, source, what, cure, now));
    }

    fn cured(&self, kind: &'static str) {
        self.engine.troubles.cure(kind, None, self.kept.environment.source.as_str());
    }

    fn answered(&self, now: Timestamp) {
        self.kept.health.send_modify(|health| (health.answered_at, health.trouble) = (Some(now), None));
    }

    /// One page. The cursor moves together with what was found, so that nothing between is lost.
    async fn poll(&self, now: Timestamp) -> Result<(), Failed> {
        let Environment { source, client, .. } = &self.kept.environment;
        let cursor = self.engine.ledger().cursor(source).await?;
        let page = client.poll(cursor, now).await?;
        let newest = page.highest.map(|highest| (source.clone(), highest.max(cursor)));
        self.accept(page, newest, now).await?;
        self.answered(now);
        Ok(())
    }

    async fn accept(&self, page: ActionPage, place: Option<(SourceId, u64)>, now: Timestamp) -> Result<(), Failed> {
        let source = &self.kept.environment.source;
        let set_aside = page.unusable.iter().map(|unusable| {
            tracing::warn!(%source, id = unusable.id, why = %unusable.why, "an action cannot be used");
            let what = unusable.id.map_or_else(|| "action".to_owned(), |id| format!("action/{id}"));
            Quarantined::sent(source, &what, &unusable.bytes, unusable.why.to_string(), now)
        });
        let set_aside = set_aside.collect();
        self.engine.accept(page.arrivals, set_aside, place).await.map_err(|error| Failed::Other(error.to_string()))?;
        Ok(())
    }

    /// Asks for everything of a conversation. What Alcmeon does not tell is not asked for again.
    async fn complete(&self, id: &ConversationId, noted: Timestamp, now: Timestamp) -> Result<(), Failed> {
        let Environment { source, client, .. } = &self.kept.environment;
        if let Some(own) = id.within(source) {
            match client.conversation(own, now).await {
                Ok(page) => {
                    tracing::info!(%source, conversation = %id, actions = page.arrivals.len(), "a conversation is completed");
                    self.accept(page, None, now).await?;
                    self.answered(now);
                }
                Err(error @ (CallError::Refused { .. } | CallError::Unreadable(_))) => {
                    tracing::warn!(%source, conversation = %id, %error, "a conversation cannot be completed");
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(self.engine.ledger().filled(source, id, noted).await?)
    }

    /// Writes ids back. What Alcmeon refuses stays unwritten until the records change again.
    async fn link(
        &self,
        id: &ConversationId,
        records: &crate::domain::Records,
        noted: Timestamp,
        now: Timestamp,
    ) -> Result<(), Failed> {
        let Environment { source, client, .. } = &self.kept.environment;
        if let Some(own) = id.within(source) {
            match client.write_records(own, records, now).await {
                Ok(()) => {
                    self.answered(now);
                    self.kept.health.send_modify(|health| health.not_written = None);
                    self.cured(IDS);
                }
                Err(error @ (CallError::Refused { .. } | CallError::Unreadable(_))) => {
                    tracing::warn!(%source, conversation = %id, %error, "Alcmeon does not take the ids of Salesforce");
                    let why = format!("Salesforce's ids are not written to {id}: {error}");
                    self.trouble(
                        IDS,
                        &why,
                        "check the custom fields that the settings name, and that it may write them",
                        now,
                    );
                    self.kept.health.send_modify(|health| health.not_written = Some(why));
                }
                Err(error) => return Err(error.into()),
            }
        }
        // What it has become meanwhile is written the next time.
        Ok(self.engine.ledger().linked(source, id, noted).await?)
    }
}

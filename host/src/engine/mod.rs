//! The sync loop: takes arrivals, moves deliveries, and keeps the error registry.
//!
//! Each organization has a lane, a task that alone writes its conversations, deliveries and sync errors. What arrives
//! is acknowledged as soon as it is in the lane's inbox; the lane merges it, asks the policy, writes to Salesforce and
//! goes on with the next conversation whatever came of it.

mod attempt;
mod checks;
mod command;
mod environment;
mod erase;
mod lane;
mod org;
mod preview;
mod queue;
mod sweep;
mod teams;
mod turn;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::task::JoinHandle;

pub use self::checks::{Check, Report};
use self::command::Command;
use self::environment::Kept;
pub use self::environment::{Environment, EnvironmentHealth, WebhookHealth};
use self::lane::Lane;
use self::org::Directory;
pub use self::org::{Org, OrgConfig, OrgHealth};
pub use self::preview::{Compared, Coverage, Preview, Uncovered};
pub use self::teams::UnseenTeam;
use crate::clock::Clock;
use crate::domain::{Arrival, Channel, Class, ConversationId, OrgId, SourceId, SyncErrorId, TransitionError};
use crate::policy::PolicyHost;
use crate::store::{self, Inbox, Records, Write};
use crate::telemetry::{Arrived, Metrics};

/// Commands that may wait for a lane.
const COMMANDS: usize = 64;
/// Who asks for what the host does by itself, in audits.
const BY_ITSELF: &str = "switchyard";
/// Conversations of an organization that are remembered as having moved lately.
const MOVED: usize = 500;

/// What the engine needs to run.
pub struct Parts {
    /// The records.
    pub records: Records,
    /// Who decides.
    pub policies: Arc<PolicyHost>,
    /// The time.
    pub clock: Clock,
    /// The counters.
    pub metrics: Metrics,
    /// The organizations.
    pub orgs: Vec<Arc<Org>>,
    /// The Alcmeon environments.
    pub environments: Vec<Environment>,
    /// How long what does not change any more is kept; `None`: for ever.
    pub keep: Option<Duration>,
}

/// Why something asked of the engine was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such sync error.
    #[error("there is no sync error {0}")]
    NoSuchError(SyncErrorId),
    /// There is no such organization.
    #[error("there is no organization {0}")]
    NoSuchOrg(OrgId),
    /// Its state does not allow it.
    #[error(transparent)]
    Transition(#[from] TransitionError),
    /// No organization is linked to the account that a conversation came by.
    #[error("no organization is linked to account {account} of source {source_id}")]
    NotLinked {
        /// The source.
        source_id: SourceId,
        /// The account.
        account: String,
    },
    /// The store failed: nothing was acknowledged.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The host is stopping.
    #[error("the host is stopping")]
    Stopping,
}

/// What became of arrivals.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Accepted {
    /// They are in an inbox.
    pub linked: usize,
    /// No organization is linked to their accounts; nothing was kept of them.
    pub unlinked: usize,
}

/// A running sync loop. Stop it with [`Engine::stop`]; what is not finished goes on at the next start.
pub struct Engine {
    records: Records,
    policies: Arc<PolicyHost>,
    clock: Clock,
    metrics: Metrics,
    directory: Directory,
    lanes: HashMap<OrgId, LaneHandle>,
    environments: BTreeMap<SourceId, Arc<Kept>>,
    inbox: Inbox,
    stopping: watch::Sender<bool>,
    tasks: std::sync::Mutex<Vec<JoinHandle<()>>>,
}

struct LaneHandle {
    org: Arc<Org>,
    commands: mpsc::Sender<Command>,
    inbound: Arc<Inbound>,
    health: Arc<watch::Sender<OrgHealth>>,
}

impl LaneHandle {
    fn count(&self, more: isize) {
        self.inbound.unmerged.fetch_add(more.cast_unsigned(), Ordering::SeqCst);
        self.health.send_modify(|health| health.unmerged = self.inbound.unmerged.load(Ordering::SeqCst));
    }
}

/// What a lane shares with those who hand it arrivals and ask about it.
#[derive(Default)]
struct Inbound {
    /// Wakes the lane.
    arrived: Notify,
    /// Arrivals that are acknowledged, or about to be, and not merged yet.
    unmerged: AtomicUsize,
    /// The conversations that were attempted last, oldest first.
    moved: std::sync::Mutex<VecDeque<ConversationId>>,
}

impl Inbound {
    fn note_moved(&self, id: ConversationId) {
        let mut moved = self.moved.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if moved.len() == MOVED {
            moved.pop_front();
        }
        moved.push_back(id);
    }

    /// Newest first; one that moved twice is there twice.
    fn moved_lately(&self) -> Vec<ConversationId> {
        let moved = self.moved.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        moved.iter().rev().cloned().collect()
    }
}

impl Engine {
    /// Starts a lane for each organization and whoever looks after each environment.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub async fn start(parts: Parts) -> Result<Arc<Self>, Error> {
        let Parts { records, policies, clock, metrics, orgs, environments, keep } = parts;
        let ids: Vec<_> = orgs.iter().map(|org| org.id.clone()).collect();
        let inbox = Inbox::open(&records, &ids)?;
        let stopping = watch::Sender::new(false);
        let (mut lanes, mut tasks) = (HashMap::new(), Vec::new());
        let directory = Directory::new(&orgs);
        for org in orgs {
            let (commands, received) = mpsc::channel(COMMANDS);
            let inbound = Arc::new(Inbound::default());
            let health = Arc::new(watch::Sender::new(OrgHealth::default()));
            let shared = lane::Shared {
                org: Arc::clone(&org),
                records: records.clone(),
                policies: Arc::clone(&policies),
                clock: clock.clone(),
                metrics: metrics.clone(),
            };
            let lane =
                Lane::start(shared, received, Arc::clone(&inbound), Arc::clone(&health), stopping.subscribe()).await?;
            tasks.push(tokio::spawn(lane.run()));
            lanes.insert(org.id.clone(), LaneHandle { org, commands, inbound, health });
        }
        let tasks = std::sync::Mutex::new(tasks);
        let kept = |environment: Environment| (environment.source.clone(), Arc::new(Kept::new(environment)));
        let environments = environments.into_iter().map(kept).collect();
        let engine = Arc::new(Self {
            records,
            policies,
            clock,
            metrics,
            directory,
            lanes,
            environments,
            inbox,
            stopping,
            tasks,
        });
        for kept in engine.environments.values() {
            let keeper = environment::run(Arc::clone(&engine), Arc::clone(kept), engine.stopping.subscribe());
            engine.keep(tokio::spawn(keeper));
        }
        if let Some(keep) = keep {
            engine.keep(tokio::spawn(sweep::run(Arc::clone(&engine), keep, engine.stopping.subscribe())));
        }
        Ok(engine)
    }

    /// Puts arrivals where they survive a power cut; with `cursor`, a poll's place is kept together with them.
    ///
    /// # Errors
    /// When the store failed: then nothing of it is acknowledged.
    pub async fn accept(&self, arrivals: Vec<Arrival>, cursor: Option<(&SourceId, u64)>) -> Result<Accepted, Error> {
        let (mut write, mut accepted, mut reached) = (Write::default(), Accepted::default(), Vec::new());
        for arrival in arrivals {
            let Some(lane) = self.directory.find(&arrival.source, &arrival.account).and_then(|id| self.lanes.get(id))
            else {
                accepted.unlinked += 1;
                continue;
            };
            accepted.linked += 1;
            reached.push(lane);
            let by = match arrival.by {
                Channel::Webhook => "webhook",
                Channel::Poll => "poll",
                Channel::Completion => "completion",
                Channel::Intake => "intake",
            };
            self.metrics.arrivals.get_or_create(&Arrived { source: arrival.source.to_string(), by }).inc();
            write.inbox(&lane.org.id, self.inbox.number(), &arrival.bounded());
        }
        if let Some((source, action)) = cursor {
            write.cursor(source, action);
        }
        // Counted first, so that nobody sees a lane as idle between the acknowledgement and the merge.
        for lane in &reached {
            lane.count(1);
        }
        let stored = if write.is_empty() { Ok(()) } else { self.records.store().commit(write.into_batch()).await };
        for lane in reached {
            match &stored {
                Ok(()) => lane.inbound.arrived.notify_one(),
                Err(_) => lane.count(-1),
            }
        }
        stored?;
        Ok(accepted)
    }

    /// Asks for another attempt at a sync error.
    ///
    /// # Errors
    /// When there is no such sync error, or it is neither pending nor retrying.
    pub async fn retry(&self, error: &SyncErrorId, by: &str) -> Result<(), Error> {
        self.ask(error, |error, reply| Command::Retry { error, by: by.to_owned(), reply }).await
    }

    /// Ignores a sync error.
    ///
    /// # Errors
    /// When there is no such sync error, or it is neither pending nor retrying.
    pub async fn ignore(&self, error: &SyncErrorId, by: &str, reason: &str) -> Result<(), Error> {
        let reason = reason.to_owned();
        self.ask(error, |error, reply| Command::Ignore { error, by: by.to_owned(), reason, reply }).await
    }

    /// Takes an ignored sync error back.
    ///
    /// # Errors
    /// When there is no such sync error, or it is not ignored.
    pub async fn reopen(&self, error: &SyncErrorId, by: &str) -> Result<(), Error> {
        self.ask(error, |error, reply| Command::Reopen { error, by: by.to_owned(), reply }).await
    }

    /// Asks for another attempt at every sync error of an organization; answers how many there are.
    ///
    /// # Errors
    /// When there is no such organization.
    pub async fn retry_all(&self, org: &OrgId, by: &str) -> Result<u64, Error> {
        self.retry_class(org, None, by).await
    }

    /// The connection of an organization works again: what is pending because it did not is tried again. Answers how many.
    ///
    /// # Errors
    /// When there is no such organization.
    pub async fn connected(&self, org: &OrgId, by: &str) -> Result<u64, Error> {
        self.retry_class(org, Some(Class::Auth), by).await
    }

    async fn retry_class(&self, org: &OrgId, class: Option<Class>, by: &str) -> Result<u64, Error> {
        let lane = self.lanes.get(org).ok_or_else(|| Error::NoSuchOrg(org.clone()))?;
        let (reply, answer) = oneshot::channel();
        let command = Command::RetryAll { class, by: by.to_owned(), reply };
        lane.commands.send(command).await.map_err(|_| Error::Stopping)?;
        answer.await.map_err(|_| Error::Stopping)?
    }

    async fn ask(
        &self,
        error: &SyncErrorId,
        command: impl FnOnce(SyncErrorId, oneshot::Sender<Result<(), Error>>) -> Command,
    ) -> Result<(), Error> {
        let known = self.records.sync_error(error)?;
        let lane = known.and_then(|known| self.lanes.get(&known.org));
        let lane = lane.ok_or_else(|| Error::NoSuchError(error.clone()))?;
        let (reply, answer) = oneshot::channel();
        lane.commands.send(command(error.clone(), reply)).await.map_err(|_| Error::Stopping)?;
        answer.await.map_err(|_| Error::Stopping)?
    }

    /// The organizations, in the order of their ids.
    #[must_use]
    pub fn orgs(&self) -> Vec<(Arc<Org>, OrgHealth)> {
        let mut orgs: Vec<_> =
            self.lanes.values().map(|lane| (Arc::clone(&lane.org), lane.health.borrow().clone())).collect();
        orgs.sort_by(|a, b| a.0.id.cmp(&b.0.id));
        orgs
    }

    /// An organization.
    ///
    /// # Errors
    /// When there is no such organization.
    pub fn org(&self, id: &OrgId) -> Result<(Arc<Org>, OrgHealth), Error> {
        let lane = self.lanes.get(id).ok_or_else(|| Error::NoSuchOrg(id.clone()))?;
        Ok((Arc::clone(&lane.org), lane.health.borrow().clone()))
    }

    /// Tells whenever the health of an organization changes.
    ///
    /// # Errors
    /// When there is no such organization.
    pub fn watch(&self, id: &OrgId) -> Result<watch::Receiver<OrgHealth>, Error> {
        let lane = self.lanes.get(id).ok_or_else(|| Error::NoSuchOrg(id.clone()))?;
        Ok(lane.health.subscribe())
    }

    /// Looks at the first points to check of an organization. Where its connection works, what is pending because it did
    /// not is tried again.
    ///
    /// # Errors
    /// When there is no such organization, or the store cannot be read.
    pub async fn check(&self, id: &OrgId) -> Result<Report, Error> {
        let (org, health) = self.org(id)?;
        let mut report = checks::run(&org, &health, &self.records, &self.policies, &self.clock).await?;
        report.checks.extend(self.check_sources(&org).await?);
        if report.connected {
            report.retried = self.connected(id, BY_ITSELF).await?;
        }
        Ok(report)
    }

    /// The Alcmeon environments, and how each stands.
    #[must_use]
    pub fn environments(&self) -> Vec<(SourceId, EnvironmentHealth)> {
        self.environments.iter().map(|(source, kept)| (source.clone(), kept.health.borrow().clone())).collect()
    }

    /// The records, for reading.
    #[must_use]
    pub fn records(&self) -> &Records {
        &self.records
    }

    /// Finishes what is on its way and stops. What waits goes on at the next start.
    pub async fn stop(&self) {
        self.stopping.send_replace(true);
        let tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
        for task in tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "a part of the sync loop broke off");
            }
        }
    }

    fn keep(&self, task: JoinHandle<()>) {
        self.tasks.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(task);
    }
}

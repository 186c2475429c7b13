//! The sync loop: takes arrivals, moves deliveries, and keeps the error registry.
//!
//! Each organization has a lane, a task that alone writes its conversations, deliveries and sync errors. What arrives
//! is acknowledged as soon as it is in the lane's inbox; the lane merges it, asks the policy, writes to Salesforce and
//! goes on with the next conversation whatever came of it.

mod arrivals;
mod asking;
mod attempt;
mod checks;
mod choosing;
mod command;
mod coverage;
mod environment;
mod erase;
mod erasing;
mod inbound;
mod intent;
mod keep_alive;
mod lane;
mod lane_handle;
mod operations;
mod org;
mod outbound;
mod preview;
mod registering;
mod retention;
mod settings;
mod shared;
mod silence;
mod situation;
mod standing;
mod teams;
mod too_large;
mod turn;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

pub use self::arrivals::Accepted;
pub use self::checks::{Check, Report};
pub use self::coverage::{Coverage, Uncovered};
use self::environment::Kept;
pub use self::environment::{Environment, EnvironmentHealth, WebhookHealth};
pub use self::erasing::Erasing;
use self::lane_handle::{LaneHandle, start_lane};
pub use self::operations::{Plan, states_for};
use self::org::Directory;
pub use self::org::{HeldCause, IncidentHealth, Org, OrgConfig, OrgHealth};
pub use self::preview::{Compared, MissingQueue, Preview, PreviewedCause};
pub use self::settings::{SettingProblem, Settings, check_settings};
use self::shared::Shared;
use self::silence::Arrivals;
pub use self::silence::SourceStanding;
pub use self::teams::UnseenTeam;
use crate::clock::Clock;
use crate::domain::{
    Chosen, ConversationId, Fingerprint, OperationId, OperationOver, OrgId, Pick, SourceId, Stale, SyncErrorId,
    TransitionError,
};
use crate::ledger::{Inbox, Ledger, NotPutBack};
use crate::policy::PolicyHost;
use crate::store;
use crate::telemetry::{Metrics, Traces};
use crate::troubles::Troubles;

/// What the engine needs to run.
pub struct Parts {
    /// The records.
    pub ledger: Ledger,
    /// Who decides.
    pub policies: Arc<PolicyHost>,
    /// The time.
    pub clock: Clock,
    /// The counters.
    pub metrics: Metrics,
    /// Begins spans.
    pub traces: Traces,
    /// The organizations.
    pub orgs: Vec<Arc<Org>>,
    /// The Alcmeon environments.
    pub environments: Vec<Environment>,
    /// What an operator can cure.
    pub troubles: Troubles,
    /// How long what does not change any more is kept; `None`: for ever.
    pub keep: Option<Duration>,
    /// A source is silent when its calls came to nothing for so long.
    pub silent: Duration,
}

/// Why something asked of the engine was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such sync error.
    #[error("there is no sync error {0}")]
    NoSuchError(SyncErrorId),
    /// There is no such cause.
    #[error("there is no cause {0}")]
    NoSuchGroup(Fingerprint),
    /// There is no such organization.
    #[error("there is no organization {0}")]
    NoSuchOrg(OrgId),
    /// The conversation does not wait for the end of an incident.
    #[error("the conversation {0} is not parked")]
    NotParked(ConversationId),
    /// Its state does not allow it.
    #[error(transparent)]
    Transition(#[from] TransitionError),
    /// There is no such operation.
    #[error("there is no operation {0}")]
    NoSuchOperation(OperationId),
    /// An operation's status does not allow it.
    #[error(transparent)]
    Operation(#[from] OperationOver),
    /// It is over already.
    #[error("the operation is over")]
    OperationOver,
    /// It has to end first.
    #[error("the operation still goes on: cancel it, or wait for its end")]
    OperationGoesOn,
    /// What it does cannot be undone.
    #[error("only an operation that ignores can be undone, not one to {0}")]
    NotUndoable(&'static str),
    /// An entry of the quarantine stays there.
    #[error(transparent)]
    NotPutBack(#[from] NotPutBack),
    /// Somebody has said which contact the customer is, since whoever asks looked.
    #[error("{0}; ask again with that as `instead_of` to change it")]
    Chosen(Box<Chosen>),
    /// No person's choice of a contact stands, and one was to be changed or taken back.
    #[error("nobody's choice of a contact stands for this conversation any more: the policy decides")]
    NothingChosen,
    /// The contact is none of those that the sync error names.
    #[error("{0} is none of the contacts that the sync error names")]
    NotACandidate(Pick),
    /// A setting would have a value that makes no sense.
    #[error(transparent)]
    Setting(#[from] SettingProblem),
    /// It was changed meanwhile.
    #[error(transparent)]
    Stale(#[from] Stale),
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
    /// The lane did not answer in time: the store is slow, or fails. It may still be done.
    #[error("the store is too slow; what was asked may still be done")]
    TooSlow,
    /// The host is stopping.
    #[error("the host is stopping")]
    Stopping,
}

/// A running sync loop. Stop it with [`Engine::stop`]; what is not finished goes on at the next start.
pub struct Engine {
    ledger: Ledger,
    policies: Arc<PolicyHost>,
    clock: Clock,
    metrics: Metrics,
    traces: Traces,
    troubles: Troubles,
    directory: Directory,
    lanes: HashMap<OrgId, LaneHandle>,
    environments: BTreeMap<SourceId, Arc<Kept>>,
    inbox: Inbox,
    /// When something last came of each source.
    arrived: Arrivals,
    silent: Duration,
    reports: checks::Reports,
    /// One for each conversation that previews may ask about at the same moment.
    previews: Semaphore,
    stopping: watch::Sender<bool>,
    tasks: std::sync::Mutex<Vec<JoinHandle<()>>>,
}

impl Engine {
    /// Starts a lane for each organization that is configured or has records, and whoever looks after each environment. Nothing
    /// of a backlog is read before this answers.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn start(parts: Parts) -> Result<Arc<Self>, Error> {
        let Parts { ledger, policies, clock, metrics, traces, orgs, environments, troubles, keep, silent } = parts;
        let mut ids: Vec<_> = orgs.iter().map(|org| org.id.clone()).collect();
        ids.extend(ledger.orgs().await?.into_iter().filter(|id| orgs.iter().all(|org| org.id != *id)));
        let inbox = Inbox::open(&ledger, &ids, clock.now()).await?;
        let stopping = watch::Sender::new(false);
        let directory = Directory::new(&orgs);
        let shared = Shared {
            ledger: ledger.clone(),
            policies: Arc::clone(&policies),
            clock: clock.clone(),
            metrics: metrics.clone(),
            traces: traces.clone(),
        };
        let (mut lanes, mut tasks) = (HashMap::new(), Vec::new());
        for id in ids {
            let org = orgs.iter().find(|org| org.id == id).cloned();
            if org.is_none() {
                tracing::warn!(org = %id, "an organization has records and is not configured: nothing is sent for it");
            }
            let (lane, task) = start_lane(id.clone(), org, &shared, &stopping);
            lanes.insert(id, lane);
            tasks.push(task);
        }
        let kept = |environment: Environment| (environment.source.clone(), Arc::new(Kept::new(environment)));
        let engine = Arc::new(Self {
            policies,
            clock,
            metrics,
            traces,
            troubles,
            directory,
            lanes,
            environments: environments.into_iter().map(kept).collect(),
            arrived: Arrivals::read(&ledger).await?,
            ledger,
            inbox,
            silent,
            reports: checks::Reports::default(),
            previews: Semaphore::new(preview::SIDE_BY_SIDE),
            stopping,
            tasks: std::sync::Mutex::new(tasks),
        });
        engine.look_after(keep);
        Ok(engine)
    }

    fn look_after(self: &Arc<Self>, keep: Option<Duration>) {
        for kept in self.environments.values() {
            let keeper = environment::run(Arc::clone(self), Arc::clone(kept), self.stopping.subscribe());
            self.keep(tokio::spawn(keeper));
        }
        for lane in self.lanes.values().filter_map(|lane| lane.org.as_ref()) {
            let alive =
                keep_alive::run(Arc::clone(lane), self.clock.clone(), self.troubles.clone(), self.stopping.subscribe());
            self.keep(tokio::spawn(alive));
            let looking = checks::at_incidents(Arc::clone(self), lane.id.clone(), self.stopping.subscribe());
            self.keep(tokio::spawn(looking));
        }
        self.keep(tokio::spawn(retention::forget_answers(Arc::clone(self), self.stopping.subscribe())));
        if let Some(keep) = keep {
            self.keep(tokio::spawn(retention::run(Arc::clone(self), keep, self.stopping.subscribe())));
        }
    }

    /// The records, for reading.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
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

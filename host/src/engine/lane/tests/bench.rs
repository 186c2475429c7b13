//! A lane with everything around it, for one test: a store that fails by plan, a clock that is moved by hand, and a world.

mod world;

use std::sync::atomic::Ordering;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

pub(super) use self::world::{CONTACTS, Mood, arrival, conversation, dead, lock, org, outage};
use self::world::{Towards, World};
use crate::clock::{Clock, ManualClock};
use crate::domain::{
    Action, Arrival, Asker, Deed, ErrorQuery, Operation, OperationId, OperationStatus, Part, Pick, State, SyncError,
    SyncErrorId, Task, Timestamp, Via,
};
use crate::engine::choosing::Choosing;
use crate::engine::command::{Ask, Command, PutBack, Reply};
use crate::engine::inbound::Inbound;
use crate::engine::lane::{Lane, Parts};
use crate::engine::org::OrgHealth;
use crate::engine::outbound::{Departed, Outbound};
use crate::engine::shared::Shared;
use crate::engine::{Error, PolicyHost};
use crate::ledger::{Delivered, Ledger, Quarantined};
use crate::store::{FaultyStore, MemoryStore, Store};
use crate::telemetry::Metrics;

/// The time at which every test begins.
pub(super) const START: u64 = 1_790_000_000_000;
/// How long a test waits for the lane.
const PATIENCE: Duration = Duration::from_secs(30);

static POLICIES: LazyLock<Arc<PolicyHost>> =
    LazyLock::new(|| Arc::new(PolicyHost::start(crate::policy::Config::default()).expect("a policy host")));

/// Whoever asks.
pub(super) fn ann() -> Asker {
    Asker::new("ann", Via::Api, None)
}

/// Runs a test on one thread: the lane does what it can whenever the test waits.
pub(super) fn alone(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(test);
}

/// A lane with everything around it.
pub(super) struct Bench {
    pub(super) store: Arc<FaultyStore>,
    pub(super) ledger: Ledger,
    pub(super) clock: ManualClock,
    pub(super) world: Arc<World>,
    pub(super) health: watch::Receiver<OrgHealth>,
    tell: Arc<watch::Sender<OrgHealth>>,
    inbound: Arc<Inbound>,
    commands: mpsc::Sender<Command>,
    put_backs: mpsc::Sender<PutBack>,
    stopping: watch::Sender<bool>,
    task: JoinHandle<()>,
    arrivals: u64,
}

impl Bench {
    /// Over an empty store, in a world where everything gets through.
    pub(super) fn start() -> Self {
        let store = Arc::new(FaultyStore::new(Arc::new(MemoryStore::default())));
        let world = Arc::new(World::good());
        Self::over(store, ManualClock::new(Timestamp::from_millis(START)), world, 0)
    }

    fn over(store: Arc<FaultyStore>, clock: ManualClock, world: Arc<World>, arrivals: u64) -> Self {
        let outbound = Arc::new(Towards(Arc::clone(&world)));
        Self::towards(outbound, store, clock, world, arrivals)
    }

    fn towards(
        outbound: Arc<dyn Outbound>,
        store: Arc<FaultyStore>,
        clock: ManualClock,
        world: Arc<World>,
        arrivals: u64,
    ) -> Self {
        let ledger = Ledger::new(Arc::clone(&store) as Arc<dyn Store>);
        let (commands, received) = mpsc::channel(64);
        let (put_backs, asked_back) = mpsc::channel(1);
        let inbound = Arc::new(Inbound::default());
        let health = Arc::new(watch::Sender::new(OrgHealth { unmerged: 1, ..OrgHealth::default() }));
        let (seen, tell) = (health.subscribe(), Arc::clone(&health));
        let stopping = watch::Sender::new(false);
        let lane = Lane::new(Parts {
            org: org(),
            links: Vec::new(),
            shared: Shared {
                ledger: ledger.clone(),
                policies: Arc::clone(&POLICIES),
                clock: Clock::Manual(clock.clone()),
                metrics: Metrics::default(),
                traces: Default::default(),
            },
            outbound,
            commands: received,
            put_backs: asked_back,
            inbound: Arc::clone(&inbound),
            health,
            stopping: stopping.subscribe(),
        });
        let task = tokio::spawn(lane.run());
        Self { store, ledger, clock, world, health: seen, tell, inbound, commands, put_backs, stopping, task, arrivals }
    }

    /// Kills the lane where it is, as a power cut would, and starts it again over what the store has.
    pub(super) async fn kill(self) -> Self {
        self.task.abort();
        let _ = self.task.await;
        Self::over(self.store, self.clock, self.world, self.arrivals)
    }

    /// Stops the lane and starts it again.
    pub(super) async fn restart(self) -> Self {
        self.stopping.send_replace(true);
        self.task.await.expect("the lane ends");
        Self::over(self.store, self.clock, self.world, self.arrivals)
    }

    /// Stops the lane and starts it again without its organization in the configuration.
    pub(super) async fn depart(self) -> Self {
        self.stopping.send_replace(true);
        self.task.await.expect("the lane ends");
        Self::towards(Arc::new(Departed), self.store, self.clock, self.world, self.arrivals)
    }

    pub(super) fn mood(&self, mood: Mood) {
        *lock(&self.world.mood) = mood;
    }

    /// Acknowledges an arrival; answers whether it was.
    pub(super) async fn arrive(&mut self, arrival: Arrival) -> bool {
        self.arrivals += 1;
        self.inbound.arrives();
        self.tell.send_modify(|health| health.unmerged = self.inbound.unmerged());
        let kept = self
            .ledger
            .accept(&Delivered { arrivals: vec![(org(), self.arrivals, arrival)], ..Delivered::default() })
            .await;
        if kept.is_err() {
            self.inbound.not_kept();
            self.tell.send_modify(|health| health.unmerged = self.inbound.unmerged());
        }
        self.inbound.arrived.notify_one();
        kept.is_ok()
    }

    /// Asks the lane for something; `None` where it does not answer.
    pub(super) async fn ask<T>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Option<Result<T, Error>> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(command(reply)).await.ok()?;
        tokio::time::timeout(PATIENCE, answer).await.ok()?.ok()
    }

    /// Begins an operation over what matches; `None` where it does not answer.
    pub(super) async fn operate(&self, task: Task, query: &ErrorQuery) -> Option<Operation> {
        let operation = self.operation(task, query).await?;
        self.begin(operation).await
    }

    /// An operation over what matches, which has not begun.
    pub(super) async fn operation(&self, task: Task, query: &ErrorQuery) -> Option<Operation> {
        let sweeps = matches!(task, Task::Resync { .. });
        let counted = self.ledger.count(query, 10_000).await.ok()?;
        let matched = match task {
            Task::Assign { .. } => counted.groups.len() as u64,
            _ => counted.groups.iter().map(|(_, _, count)| count).sum(),
        };
        let counted = counted.groups.into_iter().filter(|_| !sweeps);
        let parts = counted.map(|(_, group, _)| Part::new(group)).collect();
        let id = OperationId::begun(Timestamp::default(), fastrand::u64(..));
        let (query, by) = (query.clone(), "ann".to_owned());
        Some(Operation::new(id, task, query, by, Timestamp::default(), (!sweeps).then_some(matched), parts))
    }

    /// What takes back what an operation ignored that is over; it has not begun.
    pub(super) async fn undoing(&self, number: u64, of: Operation) -> Option<Operation> {
        let query = ErrorQuery { states: [State::Ignored].into(), ..of.query.without_forgotten() };
        let task = Task::Reopen { undoes: Some(number), since: None };
        let all = ErrorQuery { conversation: None, customer: None, ..query.clone() };
        Some(Operation { query, matched: Some(of.done), ..self.operation(task, &all).await? })
    }

    /// Begins an operation; `None` where the lane does not answer.
    pub(super) async fn begin(&self, operation: Operation) -> Option<Operation> {
        let action = Box::new(Action::new(&ann(), Deed::OperationBegin, Timestamp::default()));
        self.ask(|reply| Command::Begin { operation: Box::new(operation), action, reply }).await?.ok()
    }

    /// Pauses, resumes or cancels an operation; `None` where it does not answer, or its status does not allow that.
    pub(super) async fn steer(&self, id: &OperationId, status: OperationStatus) -> Option<Operation> {
        let (_, number, _) = self.ledger.operation(id).await.ok()?.pop()?;
        let action = Box::new(Action::new(&ann(), Deed::OperationPause, Timestamp::default()));
        self.ask(|reply| Command::Change { number, status, action, reply }).await?.ok()
    }

    /// Retries everything that is open, and what an incident holds back; answers how many sync errors that are.
    pub(super) async fn retry_all(&self) -> Option<u64> {
        let query = ErrorQuery::of_org(org(), [State::Pending, State::Retrying]);
        let operation = self.operate(Task::Retry, &query).await?;
        self.ask(|reply| Command::Lift { action: None, reply }).await?.ok()?;
        operation.matched
    }

    /// Asks the lane to put an entry of the quarantine back.
    pub(super) async fn put_back(&self, entry: Quarantined) -> Result<(), Error> {
        let (reply, answer) = oneshot::channel();
        self.put_backs.send(PutBack { entry, action: None, reply }).await.expect("the lane runs");
        answer.await.expect("an answer")
    }

    /// Asks for something about the open sync error of a conversation.
    pub(super) async fn about(&self, number: u64, ask: Ask) -> Option<Result<SyncError, Error>> {
        let id = self.open(number).await?;
        let conversation = conversation(number);
        self.ask(|reply| Command::Error { id, conversation, ask, by: ann(), trace: None, reply }).await
    }

    /// Says which contact the customer of a conversation is, at its newest sync error and instead of what stands.
    pub(super) async fn choose(&self, number: u64, pick: Pick) -> Option<Result<SyncError, Error>> {
        let delivery = self.ledger.delivery(&org(), &conversation(number)).await.ok()?;
        let id = SyncErrorId::of(&org(), &conversation(number), delivery.errors);
        let error = self.ledger.sync_error(&id).await.ok()??;
        let asked = Box::new(Choosing { error, pick, instead_of: delivery.chosen.map(|chosen| chosen.pick) });
        self.ask(|reply| Command::Choose { asked, by: ann(), trace: None, reply }).await
    }

    async fn open(&self, number: u64) -> Option<SyncErrorId> {
        Some(self.ledger.delivery(&org(), &conversation(number)).await.ok()?.open?.id)
    }

    /// The state of the open sync error of a conversation.
    pub(super) async fn state(&self, number: u64) -> Option<State> {
        Some(self.ledger.delivery(&org(), &conversation(number)).await.expect("a delivery").open?.state)
    }

    /// Returns when the organization has come to this.
    pub(super) async fn until(&mut self, what: &str, wanted: impl FnMut(&OrgHealth) -> bool) -> OrgHealth {
        let found = tokio::time::timeout(PATIENCE, self.health.wait_for(wanted)).await;
        let found = found.map(|found| found.expect("the lane runs").clone());
        found.unwrap_or_else(|_| panic!("it never came to: {what}; {:?}", self.health.borrow()))
    }

    /// Returns when nothing is left to do, with time passing as long as something waits for it.
    pub(super) async fn settled(&mut self) -> OrgHealth {
        for _ in 0..80 {
            let idle = |health: &OrgHealth| health.idle() && health.incident.is_none();
            let soon = tokio::time::timeout(Duration::from_millis(20), self.health.wait_for(idle)).await;
            if let Some(found) = soon.ok().map(|found| found.expect("the lane runs").clone()) {
                return found;
            }
            self.pass(Duration::from_secs(130)).await;
        }
        panic!("it never settled: {:?}", self.health.borrow())
    }

    /// Returns when the lane does nothing more by itself until time passes.
    pub(super) async fn quiet(&self) {
        let (mut seen, mut still) = (None, 0);
        while still < 30 {
            tokio::task::yield_now().await;
            let now = Some((self.store.commits(), self.attempts(), self.probes()));
            still = if seen == now { still + 1 } else { 0 };
            seen = now;
        }
    }

    /// Lets time pass, and the lane do what is to be done by then.
    pub(super) async fn pass(&self, time: Duration) {
        self.clock.advance(time);
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }

    pub(super) fn attempts(&self) -> usize {
        self.world.attempts.load(Ordering::SeqCst)
    }

    pub(super) fn probes(&self) -> usize {
        self.world.probes.load(Ordering::SeqCst)
    }

    /// Asserts that every index and count equals a recount.
    pub(super) async fn verify(&self) {
        let verified = self.ledger.verify(|_| ()).await.expect("a recount");
        assert_eq!(verified.differences, 0, "{:#?}", verified.named);
    }
}

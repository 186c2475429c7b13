//! The lane of one organization: alone writes its records, and sends so many conversations side by side.

mod backlog;
mod braking;
mod classes;
mod flights;
mod operating;
mod outcomes;
mod put_back;
mod reads;
mod report;
mod starts;
#[cfg(test)]
mod tests;
mod turning;
mod waiting;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use self::backlog::Backlog;
use self::classes::Classes;
use self::flights::{Flights, Landed};
use super::command::{Command, PutBack};
use super::inbound::Inbound;
use super::intent::Intent;
use super::org::{Links, OrgHealth};
use super::outbound::Outbound;
use super::shared::Shared;
use super::too_large::of_a_large_conversation;
use super::turn::Todo;
use crate::clock::Stopwatch;
use crate::domain::{
    Admission, Cause, Class, Demand, Fingerprint, IncidentEvent, Operation, OperationStatus, OrgId, Room, SyncErrorId,
    Timestamp, Work,
};
use crate::ledger::{LaneState, LaneWriter, Queued};
use crate::store;

/// Arrivals that are merged, deliveries whose time has come, and commands, in one turn.
const TURN: usize = 256;
/// Attempts that have ended and are recorded in one turn: about eleven writes each, for which every other commit waits.
const LANDED: usize = 32;
/// Sync errors that one operation takes up in one turn.
const OPERATION_TURN: usize = 32;
/// Conversations of operations that wait for a place before the next are taken up.
const OPERATION_READY: u64 = 512;
/// Teams that are remembered for the checks.
const TEAMS: usize = 500;
/// How long a lane waits before it reads or writes again after that failed; it doubles up to the longest.
const PATIENCE: Duration = Duration::from_millis(if cfg!(test) { 2 } else { 500 });
const PATIENCE_LONGEST: Duration = Duration::from_millis(if cfg!(test) { 40 } else { 30_000 });
/// How long what is on its way may take to come to its end when the host stops. What has not ended is sent again.
const STOPPING: Duration = Duration::from_millis(if cfg!(test) { 200 } else { 5_000 });
/// A clock that shows so much less than before went back.
const BACKWARDS: Duration = Duration::from_secs(2);

/// Everything that a lane is made of.
pub(super) struct Parts {
    pub(super) org: OrgId,
    pub(super) links: Links,
    pub(super) shared: Shared,
    pub(super) outbound: Arc<dyn Outbound>,
    pub(super) commands: mpsc::Receiver<Command>,
    pub(super) put_backs: mpsc::Receiver<PutBack>,
    pub(super) inbound: Arc<Inbound>,
    pub(super) health: Arc<watch::Sender<OrgHealth>>,
    pub(super) stopping: watch::Receiver<bool>,
}

pub(super) struct Lane {
    parts: Parts,
    writer: LaneWriter,
    /// Whether the inbox may hold something.
    unmerged: bool,
    backlog: Backlog,
    flights: Flights,
    /// What attempts on their way are about to do that has to be on record first.
    intents: (mpsc::Sender<Intent>, mpsc::Receiver<Intent>),
    /// What woke it and is not written yet.
    woken: Woken,
    /// The organization's incident, and its pace while most of its calls are used.
    admission: Admission,
    /// How the organization stands, as it was written last.
    state: LaneState,
    /// What was asked of many sync errors and is not done.
    operations: BTreeMap<u64, Operation>,
    /// What was told of them last, and when.
    told: BTreeMap<u64, (OperationStatus, Timestamp)>,
    /// The open sync errors by class.
    classes: Classes,
    newest_pending: Option<SyncErrorId>,
    /// When a conversation last got through or was refused.
    moved_at: Option<Timestamp>,
    /// Teams that are on record already.
    teams: HashSet<String>,
    /// The cause of conversations that are too large.
    large_group: Fingerprint,
    /// Whether the counts are not known, because a delivery that was counted could not be read.
    recount: bool,
}

/// What woke a lane.
#[derive(Default)]
struct Woken {
    landed: Vec<Landed>,
    intents: Vec<Intent>,
    commands: Vec<Command>,
    stopping: bool,
}

/// Why a lane ends by itself.
#[derive(Debug, thiserror::Error)]
enum TurnError {
    #[error(transparent)]
    Unreadable(#[from] store::Error),
    #[error("it has another writer")]
    Fenced,
    #[error("the host stops")]
    Stopping,
}

impl Lane {
    /// A lane that has read nothing yet: what was going on when the host stopped is taken up while it runs.
    pub(super) fn new(parts: Parts) -> Self {
        let writer = parts.shared.ledger.lane_writer(&parts.org);
        let large_group = Cause::new(&parts.org, &of_a_large_conversation(0)).identify().id;
        Self {
            writer,
            unmerged: true,
            backlog: Backlog::default(),
            flights: Flights::default(),
            intents: mpsc::channel(TURN),
            woken: Woken::default(),
            admission: Admission::default(),
            state: LaneState::default(),
            operations: BTreeMap::new(),
            told: BTreeMap::new(),
            classes: Classes::default(),
            newest_pending: None,
            moved_at: None,
            teams: HashSet::new(),
            large_group,
            recount: false,
            parts,
        }
    }

    pub(super) async fn run(mut self) {
        let mut patience = PATIENCE;
        while let Err(error) = self.open().await {
            tracing::error!(org = %self.parts.org, %error, "a lane cannot read how its organization stands; it tries again");
            if self.rest(&mut patience).await {
                return;
            }
        }
        self.report();
        patience = PATIENCE;
        loop {
            self.wait().await;
            let took = Stopwatch::start();
            let turned = self.turn().await;
            self.parts.shared.metrics.turn_duration.observe(took.elapsed().as_secs_f64());
            match turned {
                Ok(()) => patience = PATIENCE,
                Err(TurnError::Unreadable(error)) => {
                    tracing::error!(org = %self.parts.org, %error, "a lane cannot read its records; it tries again");
                    self.backlog.forget();
                    self.unmerged = true;
                    self.woken.stopping |= self.rest(&mut patience).await;
                }
                Err(error @ TurnError::Fenced) => {
                    return tracing::error!(org = %self.parts.org, %error, "a lane ends");
                }
                Err(TurnError::Stopping) => return,
            }
            self.report();
            if self.woken.stopping {
                break;
            }
        }
        self.finish().await;
    }

    /// Reads how the organization stands. Where that cannot be understood, it is counted anew.
    async fn open(&mut self) -> Result<(), store::Error> {
        let (ledger, org) = (&self.parts.shared.ledger, &self.parts.org);
        self.state = match ledger.lane_state(org).await {
            Ok(state) => state.unwrap_or_default(),
            Err(error @ store::Error::Unreadable { .. }) => {
                tracing::error!(%org, %error, "how an organization stands cannot be read; it is counted anew");
                ledger.recounted(org).await?
            }
            Err(error) => return Err(error),
        };
        self.writer.index(&mut self.state).await?;
        self.operations = ledger.operations(org).await?;
        let stand = self.operations.iter().map(|(number, it)| (*number, (it.status, Timestamp::default())));
        self.told = stand.collect();
        self.classes = Classes::read(&ledger.groups_of(org).await?);
        self.teams = ledger.teams(org, TEAMS).await?.into_keys().collect();
        self.admission.incident = self.state.incident.clone();
        // Times on record may be ahead of a clock that went back before the host stopped.
        self.state.seen = self.state.highest;
        if self.state.forgotten_by == Timestamp::default() {
            // Where nothing was ever forgotten by age, this start's clock is not what that begins with.
            self.state.forgotten_by = self.state.highest;
        }
        let now = self.look_at_clock();
        // People restart a host whose configuration they have mended. A limit, though, ends by time alone.
        if self.admission.incident.cause().is_some_and(|(_, refusal)| refusal.class != Class::Limit) {
            self.admission.incident.step(IncidentEvent::LiftAsked, now);
        }
        Ok(())
    }

    /// Waits before something is tried again, each time longer; answers whether the host stops.
    async fn rest(&mut self, patience: &mut Duration) -> bool {
        let wait = std::mem::replace(patience, (*patience * 2).min(PATIENCE_LONGEST));
        tokio::select! {
            _ = self.parts.stopping.wait_for(|stopping| *stopping) => true,
            () = tokio::time::sleep(wait) => false,
        }
    }

    /// What is on its way may come to its end and is recorded; nothing new begins. What takes longer is given up: it is sent
    /// again at the next start.
    async fn finish(&mut self) {
        self.woken.stopping = true;
        let ended = tokio::time::timeout(STOPPING, async {
            loop {
                if let Err(error) = self.turn().await {
                    return tracing::warn!(org = %self.parts.org, %error, "an outcome was not recorded; it is sent again");
                }
                tokio::select! {
                    biased;
                    Some(intent) = self.intents.1.recv() => self.woken.intents.push(intent),
                    landed = self.flights.next() => match landed {
                        Some(landed) => self.woken.landed.push(landed),
                        None => return,
                    },
                }
            }
        });
        if ended.await.is_err() {
            let left = self.flights.len();
            tracing::warn!(org = %self.parts.org, left, "what is on its way is given up; it is sent again at the next start");
        }
        self.flights.abort().await;
        self.report();
    }

    /// The time. Where the clock went back, what waits for a time is due at once: nobody knows how long it has waited.
    fn look_at_clock(&mut self) -> Timestamp {
        let now = self.parts.shared.clock.now();
        if self.went_back(now) {
            tracing::warn!(org = %self.parts.org, before = %self.state.seen, %now, "the clock went back");
            self.backlog.clock_went_back(self.state.phases.waiting);
            self.admission.incident.step(IncidentEvent::LiftAsked, now);
            self.state.seen = now;
        }
        now
    }

    fn went_back(&self, now: Timestamp) -> bool {
        self.state.seen.since(now) > BACKWARDS
    }

    /// Whether something waits for a place that is to be parked instead.
    fn parks(&self) -> bool {
        self.admission.incident.is_open() && Work::ALL.into_iter().any(|work| self.backlog.has(Queued::Ready(work)))
    }

    fn room(&self, now: Timestamp) -> Room {
        let outbound = &self.parts.outbound;
        let demand = Demand {
            under_way: self.flights.len(),
            most: outbound.at_once(),
            waits: self.backlog.waits(),
            slowed: outbound.slowed(),
            calls: outbound.calls(),
        };
        if demand.most == 0 { Room::default() } else { self.admission.room(&demand, now) }
    }
}

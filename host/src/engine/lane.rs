//! The lane of one organization: alone writes its records, and sends so many conversations side by side.

mod report;
mod room;

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use self::room::Room;
use super::Inbound;
use super::attempt::{self, Attempt, Ended, Outcome};
use super::command::{Command, RetryingAll};
use super::org::{Org, OrgHealth};
use super::queue::Queue;
use super::turn::{Todo, Turn};
use crate::clock::Clock;
use crate::domain::{
    Breaker, Class, ConversationId, ErrorCounts, Event, Failure, Pace, Passage, SyncErrorId, Timestamp,
};
use crate::policy::PolicyHost;
use crate::store::{self, Records};
use crate::telemetry::{Attempted, Metrics};

/// Arrivals that are merged, retries that are begun and deliveries whose time has come, in one turn.
const TURN: usize = 256;
/// Teams that are remembered for the checks.
const TEAMS: usize = 500;
/// How long a lane waits before it tries a failed commit again.
const PATIENCE: Duration = Duration::from_secs(1);

/// What a lane shares with its attempts.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) org: Arc<Org>,
    pub(super) records: Records,
    pub(super) policies: Arc<PolicyHost>,
    pub(super) clock: Clock,
    pub(super) metrics: Metrics,
}

pub(super) struct Lane {
    shared: Shared,
    commands: mpsc::Receiver<Command>,
    /// What came into the inbox.
    inbound: Arc<Inbound>,
    health: Arc<watch::Sender<OrgHealth>>,
    stopping: watch::Receiver<bool>,
    /// Whether the inbox may hold something.
    unmerged: bool,
    queue: Queue,
    /// What retry-alls still have to retry.
    retrying_all: RetryingAll,
    attempts: JoinSet<Outcome>,
    breaker: Breaker,
    /// While most of the organization's calls are used.
    pace: Pace,
    counts: ErrorCounts,
    newest_pending: Option<SyncErrorId>,
    /// Teams that are on record already.
    teams: HashSet<String>,
}

/// What woke a lane.
#[derive(Default)]
struct Woken {
    outcomes: Vec<Outcome>,
    commands: Vec<Command>,
    stopping: bool,
}

impl Lane {
    /// A lane that has taken up what was going on when the host stopped.
    pub(super) async fn start(
        shared: Shared,
        commands: mpsc::Receiver<Command>,
        inbound: Arc<Inbound>,
        health: Arc<watch::Sender<OrgHealth>>,
        stopping: watch::Receiver<bool>,
    ) -> Result<Self, store::Error> {
        let counts = shared.records.counts(&shared.org.id)?;
        let teams = shared.records.teams(&shared.org.id, TEAMS)?.into_iter().map(|(team, _)| team).collect();
        let mut lane = Self {
            shared,
            commands,
            inbound,
            health,
            stopping,
            unmerged: true,
            queue: Queue::default(),
            retrying_all: RetryingAll::default(),
            attempts: JoinSet::new(),
            breaker: Breaker::default(),
            pace: Pace::default(),
            counts,
            newest_pending: None,
            teams,
        };
        let left = lane.shared.records.unmerged(&lane.shared.org.id)?;
        lane.inbound.unmerged.store(left, Ordering::SeqCst);
        lane.recover().await?;
        lane.report();
        Ok(lane)
    }

    /// Takes up what the records say is going on, when nothing of it is any more.
    async fn recover(&mut self) -> Result<(), store::Error> {
        let (records, org) = (self.shared.records.clone(), Arc::clone(&self.shared.org));
        let mut after = None;
        loop {
            let active = records.active(&org.id, after.as_ref(), 1_000)?;
            let Some(last) = active.last() else { return Ok(()) };
            after = Some(last.clone());
            let mut turn = Turn::new(&org, &records, self.counts, self.shared.clock.now());
            for id in &active {
                turn.step(id, Event::Restarted)?;
            }
            let (batch, finished) = turn.finish();
            records.store().commit(batch).await?;
            self.take_over(finished.todo);
        }
    }

    pub(super) async fn run(mut self) {
        loop {
            let woken = self.wait().await;
            let stopping = woken.stopping;
            if let Err(error) = self.turn(woken).await {
                // Only reading can have failed: a failed commit is tried until it succeeds or the host stops.
                tracing::error!(org = %self.shared.org.id, %error, "a lane cannot read its records");
                self.begin_again().await;
            }
            self.report();
            if stopping {
                break;
            }
        }
        self.finish().await;
    }

    /// Forgets what a failed turn left behind in memory, and takes up what the records say. What was on its way comes
    /// to its end first, and is then sent again: doing it twice does no harm.
    async fn begin_again(&mut self) {
        while self.attempts.join_next().await.is_some() {}
        loop {
            self.queue = Queue::default();
            self.retrying_all = RetryingAll::default();
            self.unmerged = true;
            let Err(error) = self.recover().await else { return };
            tracing::error!(org = %self.shared.org.id, %error, "a lane cannot take up its records; it tries again");
            tokio::select! {
                _ = self.stopping.wait_for(|stopping| *stopping) => return,
                () = tokio::time::sleep(PATIENCE) => {}
            }
        }
    }

    /// What is on its way comes to its end and is recorded; nothing new begins.
    async fn finish(&mut self) {
        while let Some(outcome) = self.attempts.join_next().await {
            let outcomes = outcome.into_iter().collect();
            if let Err(error) = self.turn(Woken { outcomes, stopping: true, ..Woken::default() }).await {
                tracing::error!(org = %self.shared.org.id, %error, "an outcome was not recorded; it is sent again at the next start");
            }
        }
    }

    /// Returns when there is something to do, with all there is.
    async fn wait(&mut self) -> Woken {
        let mut woken = Woken::default();
        let now = self.shared.clock.now();
        let room = self.room(now);
        let free = !self.breaker.paused(now) && room.places > 0;
        let busy = self.unmerged || !self.retrying_all.is_empty() || (free && self.queue.waiting() > 0);
        let probe = self.breaker.holding().map(|(_, until)| until).filter(|until| *until > now);
        let due = [self.queue.next_due(), probe, room.more_at].into_iter().flatten().min();
        tokio::select! {
            biased;
            _ = self.stopping.wait_for(|stopping| *stopping) => woken.stopping = true,
            Some(outcome) = self.attempts.join_next(), if !self.attempts.is_empty() => woken.outcomes.extend(outcome),
            Some(command) = self.commands.recv() => woken.commands.push(command),
            () = self.inbound.arrived.notified() => self.unmerged = true,
            () = self.shared.clock.sleep_until(due.unwrap_or_default()), if due.is_some() => {}
            () = std::future::ready(()), if busy => {}
        }
        while let Some(outcome) = self.attempts.try_join_next() {
            woken.outcomes.extend(outcome);
        }
        while woken.commands.len() < TURN
            && let Ok(command) = self.commands.try_recv()
        {
            woken.commands.push(command);
        }
        woken
    }

    /// Moves everything that woke the lane, makes it durable, and only then does what follows from it.
    async fn turn(&mut self, woken: Woken) -> Result<(), store::Error> {
        let now = self.shared.clock.now();
        let (records, org) = (self.shared.records.clone(), Arc::clone(&self.shared.org));
        let mut turn = Turn::new(&org, &records, self.counts, now);
        for outcome in woken.outcomes {
            self.end(&mut turn, outcome, now)?;
        }
        let mut replies = Vec::new();
        for command in woken.commands {
            if command.lifts(self.breaker.holding().map(|(refusal, _)| refusal.class)) {
                self.breaker.reset();
            }
            replies.extend(command.obey(&mut turn, &mut self.retrying_all)?);
        }
        replies.extend(self.retrying_all.go_on(&mut turn, TURN)?);
        let merged = if self.unmerged && !woken.stopping { self.merge(&mut turn)? } else { 0 };
        // After an outage all are due at the same moment; those that are left wake the lane at once.
        for _ in 0..TURN {
            let Some(id) = self.queue.pop_due(now) else { break };
            turn.step(&id, Event::Due)?;
        }
        self.take_over(std::mem::take(&mut turn.todo));
        let mut starts = Vec::new();
        let room = if woken.stopping { Room::default() } else { self.room(now) };
        let only_fresh = room.is_wave && self.queue.has_fresh();
        while starts.len() < room.places && !self.breaker.paused(now) && (!only_fresh || self.queue.has_fresh()) {
            let Some(id) = self.queue.pop() else { break };
            starts.extend(self.begin(&mut turn, id, now)?);
        }
        if room.is_wave && !starts.is_empty() {
            self.pace.begin(org.salesforce.calls(), now);
        }
        let (batch, finished) = turn.finish();
        if !batch.is_empty() && !self.commit(batch).await {
            return Ok(());
        }
        self.inbound.unmerged.fetch_sub(merged, Ordering::SeqCst);
        self.counts = finished.counts;
        self.newest_pending = finished.newest_pending.or(self.newest_pending.take());
        self.take_over(finished.todo);
        for attempt in starts {
            self.attempts.spawn(attempt::run(self.shared.clone(), attempt));
        }
        for reply in replies {
            reply();
        }
        Ok(())
    }

    /// Writes until it is written; `false` when the host stops first.
    async fn commit(&mut self, batch: store::Batch) -> bool {
        loop {
            let Err(error) = self.shared.records.store().commit(batch.clone()).await else { return true };
            tracing::error!(org = %self.shared.org.id, %error, "a lane cannot write its records; it tries again");
            tokio::select! {
                _ = self.stopping.wait_for(|stopping| *stopping) => return false,
                () = tokio::time::sleep(PATIENCE) => {}
            }
        }
    }

    /// Merges what is in the inbox, so much at a time; answers how many arrivals.
    fn merge(&mut self, turn: &mut Turn<'_>) -> Result<usize, store::Error> {
        let org = &self.shared.org.id;
        let arrivals = self.shared.records.inbox(org, TURN)?;
        self.unmerged = arrivals.len() == TURN;
        let mut merged = 0;
        for (number, arrival) in arrivals {
            let id = arrival.conversation.clone();
            if arrival.erase && turn.touches(&id) {
                // What this turn writes of it can be erased only when it is written.
                self.unmerged = true;
                break;
            }
            merged += 1;
            if arrival.erase {
                turn.erase(number, &arrival)?;
                continue;
            }
            if let Some(team) = turn.arrive(number, arrival)?
                && self.teams.len() < TEAMS
                && !self.teams.contains(&team)
            {
                turn.write.team(org, &team, &id);
                self.teams.insert(team);
            }
        }
        Ok(merged)
    }

    /// Begins an attempt, if there is still something to send.
    fn begin(
        &mut self,
        turn: &mut Turn<'_>,
        id: ConversationId,
        now: Timestamp,
    ) -> Result<Option<Attempt>, store::Error> {
        // Looked for before the delivery moves: one that says it is on its way, and is not, would wait for a restart.
        let Some(conversation) = turn.conversation(&id)? else {
            tracing::error!(org = %self.shared.org.id, conversation = %id, "a delivery without its conversation");
            return Ok(None);
        };
        if turn.step(&id, Event::Started)?.is_none() {
            return Ok(None);
        }
        let delivery = turn.delivery(&id)?;
        let barred = match self.breaker.ask(now) {
            Passage::Free | Passage::Probe => None,
            Passage::Refused(refusal, until) => Some((*refusal, until)),
        };
        let open = delivery.open.last().map(|open| turn.sync_error(&open.id)).transpose()?.flatten();
        let first_seen = open.map_or(now, |error| error.first_seen);
        Ok(Some(Attempt { conversation, records: delivery.records, number: delivery.attempts + 1, first_seen, barred }))
    }

    /// Records how an attempt ended.
    fn end(&mut self, turn: &mut Turn<'_>, outcome: Outcome, now: Timestamp) -> Result<(), store::Error> {
        let Outcome { id, message, facts, reached, barred_until, ended } = outcome;
        for fact in facts {
            turn.audit(&id, message.clone(), fact)?;
        }
        let org = self.shared.org.id.clone();
        let (label, event) = match ended {
            Ended::Delivered(records) => {
                if self.breaker.holding().is_some_and(|(refusal, _)| refusal.class == Class::Auth) {
                    self.retrying_all.begin(turn, Some(Class::Auth), super::BY_ITSELF)?;
                }
                self.breaker.answered();
                ("delivered", Event::Delivered { message, records })
            }
            Ended::Excused => {
                self.breaker.unasked();
                ("not-eligible", Event::Excused)
            }
            Ended::Failed { refusal, records, verdict, judged_by } => {
                match (barred_until, reached) {
                    (Some(_), _) => {}
                    (None, true) => self.breaker.refused(&refusal, now),
                    (None, false) => self.breaker.unasked(),
                }
                let label = refusal.class.as_str();
                tracing::warn!(%org, conversation = %id, class = label, code = %refusal.code, "not delivered");
                let jitter = fastrand::u16(0..1000);
                let refusal = *refusal;
                let failure = Failure { org, message, records, refusal, verdict, judged_by, barred_until, jitter };
                (label, Event::Failed(Box::new(failure)))
            }
        };
        let labels = Attempted { org: self.shared.org.id.to_string(), outcome: label };
        self.shared.metrics.attempts.get_or_create(&labels).inc();
        turn.step(&id, event)?;
        self.inbound.note_moved(id);
        Ok(())
    }

    fn take_over(&mut self, todo: Vec<Todo>) {
        for todo in todo {
            match todo {
                Todo::Queue(id) => self.queue.push(id),
                Todo::QueueRetry(id) => self.queue.push_retry(id),
                Todo::WakeAt(at, id) => self.queue.wake_at(at, id),
            }
        }
    }
}

//! One turn of a lane from its reads to what follows from its commit.

use std::collections::BTreeSet;

use super::reads::Reads;
use super::{Lane, PATIENCE, TurnError, Woken};
use crate::clock::Stopwatch;
use crate::domain::{Arrival, Event, HostEvent, IncidentEvent, Timestamp};
use crate::engine::command::{Answer, Ask, Command};
use crate::engine::erase::History;
use crate::engine::intent::Intent;
use crate::engine::retention::{Old, trusted};
use crate::engine::turn::{Finished, Todo, Turn};
use crate::ledger::{CommitError, LaneCommit, LaneState, Queued};
use crate::telemetry::{Committed, Kind, Span, child};

impl Lane {
    /// Moves everything that woke the lane, makes it durable, and only then does what follows from it.
    pub(super) async fn turn(&mut self) -> Result<(), TurnError> {
        let now = self.look_at_clock();
        let reads = self.read(now).await?;
        // Nothing below reads: what woke the lane is used up, and written however often that takes.
        let Woken { landed, intents, commands, stopping } = std::mem::take(&mut self.woken);
        self.woken.stopping = stopping;
        let Reads { loaded, arrivals, due, starts, room, pages, old, merged, more_arrivals } = reads;
        let (org, links) = (self.parts.org.clone(), self.parts.links.clone());
        // What a delivery that cannot be read was doing is counted, and nobody knows what that was.
        self.recount |= loaded.unreadable.iter().any(|entry| entry.key.starts_with("delivery/"));
        let mut turn = Turn::new(&org, &links, loaded, self.state.clone(), now);
        for landed in landed {
            self.end(&mut turn, landed, now);
        }
        let (mut answers, mut changed) = self.obey(&mut turn, commands, old, now);
        for Intent { conversation, creation, reply } in intents {
            turn.step(&conversation, Event::Intends(creation));
            answers.push(Box::new(move || {
                // The attempt may have been given up.
                let _ = reply.send(());
            }));
        }
        turn.incident =
            self.admission.incident.cause().filter(|_| self.admission.incident.is_open()).map(|it| it.1.clone());
        changed.extend(self.operate(&mut turn, pages));
        let left = arrivals.len();
        let mut span = self.span_of(&arrivals);
        let taken = self.merge(&mut turn, arrivals);
        changed.append(&mut turn.operations);
        let (merged, more_arrivals) = (merged + taken - left, more_arrivals || taken < left);
        for (id, early) in due {
            turn.step(&id, Event::Due { early });
            turn.park(&id);
        }
        self.take_over(std::mem::take(&mut turn.todo));
        let begun = self.begin(&mut turn, starts, room, now);
        let (before, incident) = (&self.state.incident, &self.admission.incident);
        turn.commit.events.extend(HostEvent::of_incident(before, incident, &org, now));
        turn.state.incident = incident.clone();
        let (mut commit, mut finished) = turn.finish();
        let idle = begun.is_empty() && self.flights.is_empty();
        self.settle_operations(&mut commit, &mut finished, changed, idle, now);
        finished.state.events += commit.events.len() as u64;
        commit.state = Some(finished.state.clone());
        span.count("switchyard.attempts", begun.len());
        span.here().around(self.write(commit, &finished)).await?;
        drop(span);
        self.unmerged = more_arrivals;
        self.parts.inbound.merged(merged, !more_arrivals);
        self.written(finished);
        for (flight, attempt) in begun {
            self.flights.begin(flight, self.parts.outbound.attempt(attempt));
        }
        for answer in answers {
            answer();
        }
        // Last: what has begun, and whoever asked, waits for no read that may fail.
        if self.recount {
            let counted = self.parts.shared.ledger.recounted(&org).await?;
            (self.state.phases, self.state.errors, self.recount) = (counted.phases, counted.errors, false);
        }
        Ok(())
    }

    /// The span of a turn that takes something up that has one.
    fn span_of(&self, arrivals: &[(u64, Arrival, Option<History>)]) -> Span {
        let taken = arrivals.iter().filter_map(|(_, arrival, _)| arrival.trace.as_deref());
        let mut span = self.parts.shared.traces.following(taken, "turn", Kind::Consumer);
        span.set("switchyard.organization", &self.parts.org);
        span.count("switchyard.arrivals", arrivals.len());
        span
    }

    /// Writes until it is written.
    async fn write(&mut self, mut commit: LaneCommit, finished: &Finished) -> Result<(), TurnError> {
        let LaneState { seen, highest, .. } = self.state;
        let unchanged = LaneState { seen, highest, ..finished.state.clone() } == self.state;
        if commit.is_empty() && unchanged {
            return Ok(());
        }
        let mut patience = PATIENCE;
        let mut span = child("commit", Kind::Internal);
        loop {
            let took = Stopwatch::start();
            let written = self.writer.commit(&commit).await;
            let commits = &self.parts.shared.metrics.commit_duration;
            commits.get_or_create(&Committed { of: "turn" }).observe(took.elapsed().as_secs_f64());
            match written {
                Ok(()) => {
                    self.classes.change(&commit.groups);
                    return Ok(());
                }
                Err(CommitError::Fenced) => return Err(TurnError::Fenced),
                Err(CommitError::TooLarge { conversation: Some(id), key, bytes }) => {
                    commit.set_aside(&self.parts.org, &id, &format!("{key} would take {bytes} bytes"));
                }
                Err(error) => {
                    span.fail("not written");
                    tracing::error!(org = %self.parts.org, %error, "a lane cannot write its records; it tries again");
                    if self.rest(&mut patience).await {
                        return Err(TurnError::Stopping);
                    }
                }
            }
        }
    }

    fn written(&mut self, finished: Finished) {
        if finished.state.incident != self.state.incident {
            self.tell_incident();
        }
        self.state = finished.state;
        self.backlog.written();
        if self.state.phases.parked + self.state.phases.ready() == 0 {
            self.admission.incident.step(IncidentEvent::Drained, self.state.seen);
        }
        self.newest_pending = finished.newest_pending.or(self.newest_pending.take());
        self.take_over(finished.todo);
    }

    fn take_over(&mut self, todo: Vec<Todo>) {
        for todo in todo {
            match todo {
                Todo::Queue(work, id) => self.backlog.push(Queued::Ready(work), id),
                Todo::Park(id) => self.backlog.push(Queued::Parked, id),
                Todo::WakeAt(at, id) => self.backlog.wake_at(at, id),
            }
        }
    }

    /// Does what was asked; answers what to tell when it is durable, and which operations changed.
    fn obey(
        &mut self,
        turn: &mut Turn<'_>,
        commands: Vec<Command>,
        old: Option<Old>,
        now: Timestamp,
    ) -> (Vec<Answer>, BTreeSet<u64>) {
        let (mut answers, mut old): (Vec<Answer>, _) = (Vec::new(), old);
        let mut changed = BTreeSet::new();
        for command in commands {
            if command.lifts() {
                self.admission.incident.step(IncidentEvent::LiftAsked, now);
            }
            answers.push(match command {
                Command::Error { id, conversation, ask, by, trace, reply } => {
                    let answer = turn.ask(&id, &conversation, &ask, &by);
                    if answer.is_ok() && matches!(ask, Ask::Retry) {
                        turn.traced(&conversation, trace);
                    }
                    Box::new(move || drop(reply.send(answer)))
                }
                Command::Choose { asked, by, trace, reply } => {
                    let answer = turn.choose(&asked, &by, trace);
                    Box::new(move || drop(reply.send(answer)))
                }
                Command::IgnoreParked { conversation, by, reason, reply } => {
                    let refusal = self.admission.incident.cause().map(|(_, refusal)| refusal.clone());
                    let answer = turn.ignore_parked(&conversation, &by, &reason, refusal.as_ref());
                    Box::new(move || drop(reply.send(answer)))
                }
                Command::Annotate { group, expected, annotations, action, reply } => {
                    let answer = turn.annotate(&group, &expected, annotations);
                    turn.commit.actions.extend(answer.is_ok().then_some(*action));
                    Box::new(move || drop(reply.send(answer)))
                }
                Command::Begin { operation, action, reply } => {
                    let (number, operation) = self.begin_operation(turn, *operation);
                    turn.commit.actions.push(*action);
                    changed.insert(number);
                    Box::new(move || drop(reply.send(Ok(operation))))
                }
                Command::Change { number, status, action, reply } => {
                    let answer = self.change_operation(number, status, now);
                    turn.commit.actions.extend(answer.is_ok().then_some(*action));
                    changed.insert(number);
                    Box::new(move || drop(reply.send(answer)))
                }
                Command::Lift { action, reply } => {
                    turn.commit.actions.extend(action.map(|action| *action));
                    let parked = turn.state.phases.parked;
                    Box::new(move || drop(reply.send(Ok(parked))))
                }
                Command::Forget { keep: _, first, reply } => {
                    if first {
                        turn.state.forgotten_by = trusted(turn.state.forgotten_by, self.state.seen, now);
                    }
                    let looked_at = old.take().map_or(0, |old| turn.forget_old(old));
                    Box::new(move || drop(reply.send(Ok(looked_at))))
                }
            });
        }
        (answers, changed)
    }
}

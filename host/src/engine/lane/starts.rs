//! Who gets a place: attempts, and probes while the organization has an incident.

use std::collections::HashSet;

use super::Lane;
use super::flights::Flight;
use crate::domain::{ConversationId, Delivery, Event, Failure, IncidentEvent, Phase, Room, Timestamp, Verdict, Work};
use crate::engine::attempt::{Attempt, Begun, affected, newest};
use crate::engine::turn::Turn;
use crate::ledger::Queued;

impl Lane {
    /// Begins as many as there is room for after the turn; what has no place goes back, or is parked.
    pub(super) fn begin(
        &mut self,
        turn: &mut Turn<'_>,
        starts: Vec<(Queued, ConversationId)>,
        before: Room,
        now: Timestamp,
    ) -> Vec<(Flight, Attempt)> {
        if self.woken.stopping {
            starts.into_iter().for_each(|(queued, id)| self.backlog.put_back(queued, id));
            return Vec::new();
        }
        let asked: HashSet<_> = starts.iter().map(|(_, id)| id.clone()).collect();
        for (queued, id) in starts.into_iter().rev() {
            self.backlog.put_back(queued, id);
        }
        let known = |turn: &Turn<'_>, id: &ConversationId| asked.contains(id) || turn.conversation(id).is_some();
        let room = self.room(now);
        if room.probe_by_call {
            self.admission.incident.step(IncidentEvent::ProbeBegan, now);
            self.flights.probe(self.parts.outbound.probe());
        }
        let mut begun = Vec::new();
        let only_new = (room.is_wave || before.is_wave) && self.backlog.has(Queued::Ready(Work::New));
        while begun.len() < room.places {
            let next = match only_new {
                true => self.backlog.pop_of(Queued::Ready(Work::New)).map(|id| (Queued::Ready(Work::New), id)),
                false => self.backlog.pop(),
            };
            let Some((queued, id)) = next else { break };
            if !known(turn, &id) {
                // It is loaded with the next turn.
                self.backlog.put_back(queued, id);
                break;
            }
            begun.extend(self.begin_one(turn, id, now));
        }
        if room.is_probe && !begun.is_empty() {
            self.admission.incident.step(IncidentEvent::ProbeBegan, now);
        }
        if room.is_wave && !begun.is_empty() {
            self.admission.pace.begin(self.parts.outbound.calls(), now);
        }
        // While the organization has an incident, what waits for a place is parked.
        let parks = turn.incident.is_some();
        for queued in Work::ALL.map(Queued::Ready).into_iter().filter(|_| parks) {
            while let Some(id) = self.backlog.pop_of(queued) {
                if !known(turn, &id) {
                    self.backlog.put_back(queued, id);
                    break;
                }
                self.take_up(turn, &id);
                turn.park(&id);
            }
        }
        begun
    }

    /// Begins an attempt, if there is still something to send.
    fn begin_one(&mut self, turn: &mut Turn<'_>, id: ConversationId, now: Timestamp) -> Option<(Flight, Attempt)> {
        if self.flights.ids().contains(&id) {
            return None;
        }
        let delivery = turn.delivery(&id);
        let Some(conversation) = turn.conversation(&id).cloned() else {
            self.without_its_conversation(turn, &id, delivery);
            return None;
        };
        self.take_up(turn, &id);
        turn.step(&id, Event::Started)?;
        let delivery = turn.delivery(&id);
        let open = delivery.open.as_ref().and_then(|open| turn.sync_error(&open.id));
        let first_seen = open.map_or(now, |error| error.first_seen);
        let message = newest(&conversation);
        let affected = affected(&conversation, delivery.delivered.as_ref());
        let (records, number, intents) = (delivery.records, delivery.attempts + 1, self.intents.0.clone());
        let chosen = delivery.chosen.map(|chosen| chosen.pick);
        // One of many, and one of long after, would make a trace that nobody can read: they have their own, with a link.
        let alone = number == 1 && delivery.operation.is_none_or(|of| !of.waits);
        let trace = delivery.trace.map(|of| if alone { Begun::Below(of) } else { Begun::After(of) });
        let attempt = Attempt { conversation, records, chosen, number, first_seen, intents, trace };
        Some((Flight { id, message, affected }, attempt))
    }

    /// There is nothing to send, because the conversation's record was set aside: its sync error waits for a person again.
    fn without_its_conversation(&self, turn: &mut Turn<'_>, id: &ConversationId, delivery: Delivery) {
        tracing::error!(org = %self.parts.org, conversation = %id, "a delivery without its conversation ends");
        let open = delivery.open.as_ref().and_then(|open| turn.sync_error(&open.id)).cloned();
        let Some(error) = open else {
            return turn.set_delivery(id, Delivery { phase: Phase::Idle, ..delivery });
        };
        self.take_up(turn, id);
        turn.step(id, Event::Started);
        let failure = Failure {
            error: error.id,
            group: error.group,
            message: error.message,
            affected: error.affected,
            records: delivery.records,
            refusal: error.refusal,
            verdict: Verdict::Hold,
            judged_by: error.judged_by,
            ignored_by: None,
            held: None,
            parks: false,
            jitter: 0,
        };
        turn.step(id, Event::Failed(Box::new(failure)));
    }

    /// What was on its way when the host stopped is on its way no more.
    fn take_up(&self, turn: &mut Turn<'_>, id: &ConversationId) {
        if matches!(turn.delivery(id).phase, Phase::Sending { .. }) && !self.flights.ids().contains(id) {
            turn.step(id, Event::Restarted);
            turn.todo.retain(|todo| !matches!(todo, super::Todo::Queue(_, queued) if queued == id));
        }
    }

    /// Tells the log when an incident begins, changes or ends: once, not for each conversation that waits.
    pub(super) fn tell_incident(&self) {
        let org = &self.parts.org;
        let was = self.state.incident.cause().map(|(since, _)| since);
        match self.admission.incident.cause() {
            Some((since, refusal)) if was != Some(since) => {
                let (class, code) = (refusal.class.as_str(), &refusal.code);
                tracing::warn!(%org, class, %code, "an incident: nothing gets through, so conversations are parked");
            }
            None if was.is_some() => tracing::info!(%org, "the incident is over"),
            _ => {}
        }
    }
}

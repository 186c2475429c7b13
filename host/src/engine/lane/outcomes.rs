//! What follows from what came to its end: for the conversation, and for the organization as a whole.

use super::Lane;
use super::braking::Braked;
use super::flights::{Flight, Landed};
use crate::domain::{
    Arrival, Cause, Class, ConversationId, Event, Failure, IncidentEvent, Person, Phase, Records, Refusal, Scope,
    Timestamp, Verdict,
};
use crate::engine::attempt::{Ended, Outcome};
use crate::engine::erase::History;
use crate::engine::turn::{Todo, Turn};
use crate::telemetry::Attempted;

/// Bytes of texts that are merged in one turn, about.
const TURN_BYTES: usize = 4 * 1024 * 1024;

impl Lane {
    /// Records how an attempt or a probe ended.
    pub(super) fn end(&mut self, turn: &mut Turn<'_>, landed: Landed, now: Timestamp) {
        if matches!(landed, Landed::Attempt(..)) {
            self.moved_at = Some(now);
        }
        let incident = &mut self.admission.incident;
        match landed {
            Landed::Attempt(flight, Some(outcome)) => self.end_attempt(turn, &flight, outcome, now),
            Landed::Attempt(flight, None) => {
                incident.step(IncidentEvent::Unasked, now);
                self.broke_off(turn, flight);
            }
            Landed::Probe(Some(Ok(()))) => incident.step(IncidentEvent::ProbeAnswered, now),
            Landed::Probe(Some(Err(refusal))) => incident.step(IncidentEvent::Refused(&refusal.of_org()), now),
            Landed::Probe(None) => {
                let refusal = Refusal::new(Class::Transient, "PROBE_BROKE_OFF", "a probe broke off").of_org();
                incident.step(IncidentEvent::Refused(&refusal), now);
            }
        }
    }

    fn end_attempt(&mut self, turn: &mut Turn<'_>, flight: &Flight, outcome: Outcome, now: Timestamp) {
        let Outcome { id, message, facts, reached, ended, trace_id } = outcome;
        turn.trace_id.clone_from(&trace_id);
        for fact in facts {
            turn.audit(&id, message.clone(), Vec::new(), fact);
        }
        let incident = &mut self.admission.incident;
        let (label, event) = match ended {
            Ended::Delivered(records) => {
                incident.step(IncidentEvent::GotThrough, now);
                ("delivered", Event::Delivered { message, records })
            }
            Ended::Excused => {
                incident.step(IncidentEvent::Unasked, now);
                ("not-eligible", Event::Excused)
            }
            Ended::Failed { refusal, group, records, verdict, judged_by } => {
                let of_org = refusal.scope == Scope::Org;
                incident.step(
                    if of_org || reached { IncidentEvent::Refused(&refusal) } else { IncidentEvent::Unasked },
                    now,
                );
                let (parks, label) = (of_org && incident.is_open(), refusal.class.as_str());
                if parks {
                    tracing::debug!(org = %self.parts.org, conversation = %id, code = %refusal.code, "parked");
                } else {
                    let (org, code) = (&self.parts.org, &refusal.code);
                    let trace_id = trace_id.as_deref();
                    tracing::warn!(%org, conversation = %id, class = label, %code, trace_id, "not delivered");
                }
                let (error, affected) = (turn.delivery(&id).error_id(&self.parts.org, &id), flight.affected.clone());
                let (group, refusal, jitter) = (turn.admit(group), *refusal, fastrand::u16(0..1000));
                let Braked { verdict, ignored_by, held } = self.brake(turn, &id, &group, verdict, judged_by.as_ref());
                let failure = Failure {
                    error,
                    group,
                    message,
                    affected,
                    records,
                    refusal,
                    verdict,
                    judged_by,
                    ignored_by,
                    held,
                    parks,
                    jitter,
                };
                (label, Event::Failed(Box::new(failure)))
            }
        };
        self.count_attempt(label);
        Self::record(turn, &id, event);
        turn.trace_id = None;
        self.parts.inbound.note_moved(id);
    }

    /// Moves the delivery of what came to its end.
    fn record(turn: &mut Turn<'_>, id: &ConversationId, event: Event) {
        let parked = match &event {
            Event::Failed(failure) if failure.parks => Some(failure.refusal.clone()),
            _ => None,
        };
        let is_over = matches!(event, Event::Delivered { .. } | Event::Excused);
        turn.step(id, event);
        if is_over && matches!(turn.delivery(id).phase, Phase::Idle) {
            turn.traced(id, None);
        }
        if let Some(refusal) = parked
            && matches!(turn.delivery(id).phase, Phase::Parked { .. })
        {
            turn.say_parked(id, &refusal);
            turn.todo.push(Todo::Park(id.clone()));
        }
    }

    /// An attempt that panicked, or that took too long, is a failed one.
    fn broke_off(&mut self, turn: &mut Turn<'_>, flight: Flight) {
        let Flight { id, message, affected } = flight;
        let refusal = of_a_broken_attempt();
        let delivery = turn.delivery(&id);
        let failure = Failure {
            error: delivery.error_id(&self.parts.org, &id),
            group: Cause::new(&self.parts.org, &refusal).identify().id,
            message,
            affected,
            records: Records { ..delivery.records },
            refusal,
            verdict: Verdict::AsUsual,
            judged_by: None,
            ignored_by: None,
            held: None,
            parks: false,
            jitter: 0,
        };
        self.count_attempt(Class::Request.as_str());
        turn.step(&id, Event::Failed(Box::new(failure)));
    }

    fn count_attempt(&self, outcome: &'static str) {
        let labels = Attempted { org: self.parts.org.to_string(), outcome };
        self.parts.shared.metrics.attempts.get_or_create(&labels).inc();
    }

    /// Merges what has arrived.
    pub(super) fn merge(&mut self, turn: &mut Turn<'_>, arrivals: Vec<(u64, Arrival, Option<History>)>) -> usize {
        let (mut bytes, mut merged) = (0, 0);
        for (number, arrival, history) in arrivals {
            let id = arrival.conversation.clone();
            // What this turn writes of a conversation can be erased only when it is written.
            if bytes > TURN_BYTES || (arrival.erase && turn.changed(&id)) {
                break;
            }
            merged += 1;
            if let Some(mut history) = history {
                let naming = std::mem::take(&mut history.naming);
                turn.erase(number, &arrival.dated(turn.now), history);
                let is_named = turn.conversation(&id).is_some_and(|it| Person::of(&it.customer).is_some());
                if !is_named {
                    let changed = naming.erase(&mut self.operations, &mut turn.commit);
                    turn.operations.extend(changed);
                }
                continue;
            }
            if let Some(team) = turn.arrive(number, arrival)
                && self.teams.len() < super::TEAMS
                && self.teams.insert(team.clone())
            {
                turn.commit.teams.push((team, id.clone()));
            }
            let texts = turn.conversation(&id).into_iter().flat_map(|it| &it.messages).map(|it| it.body.len());
            bytes += texts.sum::<usize>();
        }
        merged
    }
}

/// The refusal that an attempt gets that panicked, or that took too long.
pub(super) fn of_a_broken_attempt() -> Refusal {
    let text = "The attempt broke off: a defect of this host. Its log says where.";
    Refusal::new(Class::Request, "ATTEMPT_BROKE_OFF", text)
}

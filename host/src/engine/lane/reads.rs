//! Everything that a turn reads, before it changes anything: a read that fails leaves nothing half done.

use super::operating::Pages;
use super::outcomes::of_a_broken_attempt;
use super::{Lane, TURN};
use crate::domain::{Arrival, Cause, ConversationId, Fingerprint, GROUPS_KEPT, Refusal, Room, Timestamp, Work};
use crate::engine::attempt::Ended;
use crate::engine::command::Command;
use crate::engine::erase::History;
use crate::engine::lane::Landed;
use crate::engine::retention::{Old, before, trusted};
use crate::ledger::{Load, Loaded, Quarantined, Queued};
use crate::store;

/// What a turn has to know and to do.
pub(super) struct Reads {
    pub(super) loaded: Loaded,
    /// Arrivals to merge, with their numbers.
    pub(super) arrivals: Vec<(u64, Arrival, Option<History>)>,
    /// How many arrivals leave the inbox, those that cannot be read included.
    pub(super) merged: usize,
    /// Whether the inbox may hold more.
    pub(super) more_arrivals: bool,
    /// Conversations whose time has come; and whether only because the clock went back.
    pub(super) due: Vec<(ConversationId, bool)>,
    /// Conversations that get a place, if there is one for them.
    pub(super) starts: Vec<(Queued, ConversationId)>,
    /// Room for them before the turn.
    pub(super) room: Room,
    /// The next sync errors of each operation.
    pub(super) pages: Pages,
    /// What may be forgotten.
    pub(super) old: Option<Old>,
}

impl Lane {
    /// Reads what a turn needs, in a few steps however much it is.
    pub(super) async fn read(&mut self, now: Timestamp) -> Result<Reads, store::Error> {
        let (ledger, org) = (self.parts.shared.ledger.clone(), self.parts.org.clone());
        self.backlog.refill(&ledger, &org, self.flights.ids()).await?;
        let (arrivals, unreadable, more_arrivals) = self.read_inbox().await?;
        let merged = arrivals.len() + unreadable.len();
        let room = if self.woken.stopping { Room::default() } else { self.room(now) };
        let starts = self.candidates(&room);
        let mut due = Vec::new();
        while !self.woken.stopping && due.len() < TURN {
            let Some(next) = self.backlog.pop_due(now) else { break };
            due.push(next);
        }
        let pages = self.read_operations().await?;
        let old = self.read_old(now).await?;
        let mut load = Load::default();
        load.conversations.extend(arrivals.iter().map(|(_, arrival, _)| arrival.conversation.clone()));
        load.conversations.extend(starts.iter().map(|(_, id)| id.clone()));
        load.conversations.extend(old.iter().flat_map(Old::ids).cloned());
        load.groups.extend(old.iter().flat_map(Old::groups).cloned());
        load.groups.extend(self.own_groups(!arrivals.is_empty()));
        load.deliveries.extend(due.iter().map(|(id, _)| id.clone()));
        load.deliveries.extend(self.woken.intents.iter().map(|intent| intent.conversation.clone()));
        load.conversations.extend(self.woken.commands.iter().filter_map(Command::conversation).cloned());
        load.groups.extend(self.woken.commands.iter().filter_map(Command::group).cloned());
        let found = pages.walks.iter().flat_map(|(_, _, walk)| &walk.items);
        load.deliveries.extend(found.map(|error| error.conversation.clone()));
        load.groups.extend(pages.walks.iter().map(|(_, next, _)| next.group.clone()));
        load.deliveries.extend(pages.sweeps.iter().flat_map(|(_, swept)| &swept.taken).cloned());
        for landed in &self.woken.landed {
            let Landed::Attempt(flight, outcome) = landed else { continue };
            match outcome.as_ref().map(|outcome| &outcome.ended) {
                Some(Ended::Failed { group, .. }) => {
                    load.groups.push(group.clone());
                    load.conversations.push(flight.id.clone());
                }
                Some(Ended::Delivered(_) | Ended::Excused) => load.deliveries.push(flight.id.clone()),
                None => load.conversations.push(flight.id.clone()),
            }
        }
        let mut loaded = ledger.load(&org, load).await?;
        loaded.unreadable.extend(unreadable);
        Ok(Reads { loaded, arrivals, merged, more_arrivals, due, starts, room, pages, old })
    }

    /// The causes that this host itself may name in the turn.
    fn own_groups(&self, arrivals: bool) -> Vec<Fingerprint> {
        let group = |refusal: &Refusal| Cause::new(&self.parts.org, refusal).identify().id;
        let mut groups = Vec::new();
        if self.state.groups >= GROUPS_KEPT {
            groups.push(Fingerprint::unnamed());
        }
        if arrivals {
            groups.push(self.large_group.clone());
        }
        if self.woken.landed.iter().any(|landed| matches!(landed, Landed::Attempt(_, None))) {
            groups.push(group(&of_a_broken_attempt()));
        }
        let ignores = self.woken.commands.iter().any(|command| matches!(command, Command::IgnoreParked { .. }));
        groups.extend(self.admission.incident.cause().filter(|_| ignores).map(|(_, refusal)| group(refusal)));
        groups
    }

    /// Arrivals, those that cannot be read, and whether there are more.
    async fn read_inbox(&mut self) -> Result<Inbox, store::Error> {
        let (mut arrivals, mut unreadable) = (Vec::new(), Vec::new());
        if !self.unmerged || self.woken.stopping {
            return Ok((arrivals, unreadable, self.unmerged));
        }
        let (ledger, org) = (&self.parts.shared.ledger, &self.parts.org);
        let found = ledger.inbox(org, TURN).await?;
        let more = !found.is_empty();
        for (number, arrival) in found {
            match arrival {
                Ok(arrival) if arrival.erase => {
                    let history = History::with_words(ledger, org, &arrival.conversation).await?;
                    arrivals.push((number, arrival, Some(history)));
                }
                Ok(arrival) => arrivals.push((number, arrival, None)),
                Err((key, value)) => {
                    let reason = "an arrival cannot be understood".to_owned();
                    unreadable.push(Quarantined::because(
                        org,
                        String::from_utf8_lossy(&key).into_owned(),
                        value,
                        reason,
                    ));
                }
            }
        }
        Ok((arrivals, unreadable, more))
    }

    /// Who may get a place, or is to be parked because the organization has an incident.
    fn candidates(&mut self, room: &Room) -> Vec<(Queued, ConversationId)> {
        let mut starts = Vec::new();
        let only_new = room.is_wave && self.backlog.has(Queued::Ready(Work::New));
        while starts.len() < room.places.min(TURN * 4) {
            let next = match only_new {
                true => self.backlog.pop_of(Queued::Ready(Work::New)).map(|id| (Queued::Ready(Work::New), id)),
                false => self.backlog.pop(),
            };
            let Some(next) = next else { break };
            starts.push(next);
        }
        if self.parks() && !self.woken.stopping {
            for queued in Work::ALL.map(Queued::Ready) {
                while starts.len() < TURN
                    && let Some(id) = self.backlog.pop_of(queued)
                {
                    starts.push((queued, id));
                }
            }
        }
        starts.retain(|(_, id)| !self.flights.ids().contains(id));
        starts
    }

    /// What may be forgotten, where somebody asked.
    async fn read_old(&self, now: Timestamp) -> Result<Option<Old>, store::Error> {
        let asked = self.woken.commands.iter().find_map(|command| match command {
            Command::Forget { keep, first, .. } => Some((*keep, *first)),
            _ => None,
        });
        let Some((keep, first)) = asked else { return Ok(None) };
        let by = match first {
            true => trusted(self.state.forgotten_by, self.state.seen, now),
            false => self.state.forgotten_by,
        };
        Old::of(&self.parts.shared.ledger, &self.parts.org, before(by, keep)).await.map(Some)
    }
}

type Inbox = (Vec<(u64, Arrival, Option<History>)>, Vec<Quarantined>, bool);

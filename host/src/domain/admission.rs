//! How many conversations of an organization may begin now: as many as there are places, fewer while it slows or recovers,
//! one probe or none while it has an incident.

use serde::{Deserialize, Serialize};

use super::{Incident, Pace, Passage, Quota, Timestamp};

/// What holds an organization back: its incident, and its pace while most of its calls are used.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Admission {
    /// What is wrong with it.
    pub incident: Incident,
    /// Its waves, while it slows. Not kept over a restart: the first wave then costs nothing.
    #[serde(skip)]
    pub pace: Pace,
}

/// What an organization would begin.
#[derive(Debug, Clone, Copy)]
pub struct Demand {
    /// Conversations on their way.
    pub under_way: usize,
    /// The most that may be at once.
    pub most: usize,
    /// Whether any conversation waits for a place or is parked.
    pub waits: bool,
    /// Its calls of 24 hours, while so many are used that it slows.
    pub slowed: Option<Quota>,
    /// Calls in all since the start.
    pub calls: u64,
}

/// Room for conversations that begin.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Room {
    /// So many may begin.
    pub places: usize,
    /// Whether they are a wave of an organization that slows: only new traffic, where there is any.
    pub is_wave: bool,
    /// Whether the one that begins is a probe.
    pub is_probe: bool,
    /// Whether a call without a conversation is to be the probe, because none waits.
    pub probe_by_call: bool,
    /// When there may be more room without anything else happening.
    pub more_at: Option<Timestamp>,
}

impl Admission {
    /// Room for what waits.
    #[must_use]
    pub fn room(&self, demand: &Demand, now: Timestamp) -> Room {
        let free = demand.most.saturating_sub(demand.under_way);
        match (self.incident.passage(now), demand.slowed) {
            (Passage::Barred(until), _) => Room { more_at: until, ..Room::default() },
            (Passage::Probe, _) if demand.waits => Room { places: 1, is_probe: true, ..Room::default() },
            (Passage::Probe, _) => Room { probe_by_call: true, ..Room::default() },
            (Passage::Ramp(at_once), _) => {
                let at_once = usize::try_from(at_once).unwrap_or(usize::MAX);
                Room { places: free.min(at_once.saturating_sub(demand.under_way)), ..Room::default() }
            }
            (Passage::Free, Some(quota)) => {
                let next = self.pace.next(quota, demand.calls, now);
                let begins = demand.under_way == 0 && next <= now;
                let places = if begins { demand.most.min(Pace::size(quota)) } else { 0 };
                let more_at = Some(next).filter(|next| *next > now && demand.under_way == 0 && demand.waits);
                Room { places, is_wave: true, more_at, ..Room::default() }
            }
            (Passage::Free, None) => Room { places: free, ..Room::default() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Class, IncidentEvent, Refusal};

    const DEMAND: Demand = Demand { under_way: 10, most: 100, waits: true, slowed: None, calls: 0 };

    #[test]
    fn while_nothing_gets_through_one_conversation_is_the_probe_or_a_call_where_none_waits() {
        let mut admission = Admission::default();
        let now = Timestamp::from_millis(0);
        assert_eq!(admission.room(&DEMAND, now).places, 90);
        let dead = Refusal::new(Class::Auth, "invalid_grant", "").of_org();
        admission.incident.step(IncidentEvent::Refused(&dead), now);
        let barred = admission.room(&DEMAND, now);
        assert_eq!((barred.places, barred.probe_by_call), (0, false));
        let later = barred.more_at.unwrap();
        assert!(matches!(admission.room(&DEMAND, later), Room { places: 1, is_probe: true, .. }));
        let nothing_waits = Demand { waits: false, ..DEMAND };
        assert!(matches!(admission.room(&nothing_waits, later), Room { places: 0, probe_by_call: true, .. }));
    }

    #[test]
    fn an_organization_that_slows_takes_one_wave_at_a_time() {
        let slowed = Some(Quota { used: 85_600, allowed: 100_000 });
        let admission = Admission::default();
        let under_way = Demand { slowed, ..DEMAND };
        assert_eq!(admission.room(&under_way, Timestamp::default()).places, 0);
        let room = admission.room(&Demand { under_way: 0, ..under_way }, Timestamp::default());
        assert_eq!((room.places, room.is_wave), (100, true));
    }

    #[test]
    fn after_an_incident_so_many_are_on_their_way_at_once_as_the_ramp_allows() {
        let (mut admission, now) = (Admission::default(), Timestamp::from_millis(0));
        let dead = Refusal::new(Class::Auth, "invalid_grant", "").of_org();
        admission.incident.step(IncidentEvent::Refused(&dead), now);
        admission.incident.step(IncidentEvent::GotThrough, now);
        let places = |under_way, most| admission.room(&Demand { under_way, most, ..DEMAND }, now).places;
        assert_eq!([places(0, 100), places(1, 100), places(9, 100), places(1, 2)], [4, 3, 0, 1]);
    }

    #[test]
    fn the_time_of_the_next_wave_is_waited_for_while_something_waits_and_nothing_is_on_its_way() {
        let quota = Quota { used: 85_600, allowed: 100_000 };
        let (mut admission, now) = (Admission::default(), Timestamp::from_millis(1_000));
        admission.pace.begin(0, now);
        let demand = Demand { under_way: 0, slowed: Some(quota), calls: 10, ..DEMAND };
        let next = admission.pace.next(quota, 10, now);
        assert_eq!(next.since(now).as_secs(), 60);
        let room = admission.room(&demand, now);
        assert_eq!((room.places, room.is_wave, room.more_at), (0, true, Some(next)));
        assert_eq!(admission.room(&Demand { under_way: 1, ..demand }, now).more_at, None, "its end comes first");
        assert_eq!(admission.room(&Demand { waits: false, ..demand }, now).more_at, None);
        let room = admission.room(&demand, next);
        assert_eq!((room.places, room.is_wave, room.more_at), (100, true, None));
    }
}

//! What is wrong with an organization as a whole, as one record: while it lasts, conversations are parked instead of failed.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Class, Refusal, Scope, Timestamp};

/// So many transient refusals of the organization in a row open an incident.
const TRANSIENT_IN_A_ROW: u32 = 5;
/// How long after a failed probe of an outage the next one goes; it doubles up to the longest.
const PAUSE_OUTAGE: Duration = Duration::from_secs(10);
const PAUSE_LONGEST: Duration = Duration::from_secs(120);
/// The longest wait of a dead connection: each probe is a failed log-in of the user.
const PAUSE_AUTH: Duration = Duration::from_secs(3600);
/// A limit of 24 hours recovers hour by hour.
const PAUSE_LIMIT: Duration = Duration::from_secs(900);
/// Conversations on their way at once when an incident has just ended; each that gets through doubles it.
const RAMP_FIRST: u32 = 4;
/// With so many at once the incident is over.
const RAMP_LAST: u32 = 1_024;

/// The incident of an organization; there is one at most.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    /// Where it stands.
    pub status: IncidentStatus,
    /// Whether a probe is on its way. Not kept over a restart: then none is.
    #[serde(skip)]
    probing: bool,
    /// The call that was refused last, where it carried several records: it counts once.
    #[serde(skip)]
    last_call: Option<u64>,
}

/// Where an incident stands.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum IncidentStatus {
    /// There is none.
    #[default]
    Closed,
    /// Some refusals reached the whole organization, too few in a row to tell.
    Suspected {
        /// So many in a row.
        in_a_row: u32,
    },
    /// Nothing gets through: conversations are parked, and probes go one at a time.
    Open {
        /// Since when.
        since: Timestamp,
        /// What Salesforce said.
        refusal: Box<Refusal>,
        /// The next probe goes not before this.
        next_probe_at: Timestamp,
        /// Probes that failed.
        probes: u32,
    },
    /// Something got through: what is parked follows, more and more at once.
    Recovering {
        /// Since when it was open.
        since: Timestamp,
        /// What Salesforce had said.
        refusal: Box<Refusal>,
        /// Conversations that may be on their way at once.
        places: u32,
    },
}

/// What can happen to an incident.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum IncidentEvent<'a> {
    /// A conversation was written.
    GotThrough,
    /// A conversation, or a probe, was refused.
    Refused(&'a Refusal),
    /// An attempt ended before Salesforce was asked: nothing is known, and another one may be the probe.
    Unasked,
    /// A probe has begun.
    ProbeBegan,
    /// A probe that carried no conversation was answered, while nothing waited.
    ProbeAnswered,
    /// A person says that the cause is gone, or the clock went back, so that nobody knows how long the last probe is ago.
    LiftAsked,
    /// Nothing waits any more.
    Drained,
}

/// What may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passage {
    /// Whatever there is room for.
    Free,
    /// So many on their way at once, because an incident has just ended.
    Ramp(u32),
    /// One probe; its outcome decides about the others.
    Probe,
    /// Nothing before this; `None` while a probe is on its way.
    Barred(Option<Timestamp>),
}

impl Incident {
    /// Moves it: one exhaustive match, no clock, no I/O.
    pub fn step(&mut self, event: IncidentEvent<'_>, now: Timestamp) {
        use IncidentEvent as E;
        use IncidentStatus as S;
        if let E::Refused(refusal) = event
            && refusal.scope == Scope::Org
        {
            return self.refused(refusal, now);
        }
        if !matches!(event, E::Drained | E::LiftAsked) {
            self.probing = event == E::ProbeBegan;
        }
        let status = std::mem::take(&mut self.status);
        self.status = match (status, event) {
            // A refusal of one record says that the organization answers.
            (S::Closed | S::Suspected { .. }, E::GotThrough | E::Refused(_) | E::ProbeAnswered) => S::Closed,
            (S::Open { since, refusal, .. }, E::GotThrough | E::Refused(_)) => {
                S::Recovering { since, refusal, places: RAMP_FIRST }
            }
            (S::Open { .. }, E::ProbeAnswered) | (S::Recovering { .. }, E::Drained) => S::Closed,
            (S::Open { since, refusal, probes, .. }, E::Unasked | E::LiftAsked) => {
                S::Open { since, refusal, next_probe_at: now, probes }
            }
            (S::Recovering { since, refusal, places }, E::GotThrough | E::Refused(_)) => {
                match places.saturating_mul(2) {
                    places if places >= RAMP_LAST => S::Closed,
                    places => S::Recovering { since, refusal, places },
                }
            }
            (
                unmoved @ (S::Closed | S::Suspected { .. } | S::Recovering { .. }),
                E::Unasked | E::ProbeBegan | E::LiftAsked | E::Drained,
            )
            | (unmoved @ S::Recovering { .. }, E::ProbeAnswered)
            | (unmoved @ S::Open { .. }, E::ProbeBegan | E::Drained) => unmoved,
        };
    }

    /// A refusal that reaches the whole organization.
    fn refused(&mut self, refusal: &Refusal, now: Timestamp) {
        use IncidentStatus as S;
        let was_probe = std::mem::take(&mut self.probing);
        let counted = refusal.call.is_some() && refusal.call == self.last_call;
        self.last_call = refusal.call.or(self.last_call);
        let open = |since, probes: u32| S::Open {
            since,
            // The organization's record is written with each commit of its lane, so it stays small.
            refusal: Box::new(Refusal { answer: None, ..refusal.clone() }),
            next_probe_at: now.after(pause(refusal.class, probes)),
            probes,
        };
        let status = std::mem::take(&mut self.status);
        self.status = match status {
            S::Open { since, probes, .. } if was_probe => open(since, probes.saturating_add(1)),
            // It was on its way when the incident opened.
            unmoved @ S::Open { .. } => unmoved,
            S::Recovering { since, .. } => open(since, 1),
            status if refusal.class != Class::Transient => {
                drop(status);
                open(now, 0)
            }
            status if counted => status,
            S::Suspected { in_a_row } if in_a_row + 1 >= TRANSIENT_IN_A_ROW => open(now, 0),
            S::Suspected { in_a_row } => S::Suspected { in_a_row: in_a_row + 1 },
            S::Closed => S::Suspected { in_a_row: 1 },
        };
    }

    /// What may begin now.
    #[must_use]
    pub fn passage(&self, now: Timestamp) -> Passage {
        match &self.status {
            IncidentStatus::Closed | IncidentStatus::Suspected { .. } => Passage::Free,
            IncidentStatus::Recovering { places, .. } => Passage::Ramp(*places),
            IncidentStatus::Open { .. } if self.probing => Passage::Barred(None),
            IncidentStatus::Open { next_probe_at, .. } if *next_probe_at <= now => Passage::Probe,
            IncidentStatus::Open { next_probe_at, .. } => Passage::Barred(Some(*next_probe_at)),
        }
    }

    /// Whether nothing gets through: what arrives is parked.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self.status, IncidentStatus::Open { .. })
    }

    /// Since when, and what Salesforce said, while it is open or recovers.
    #[must_use]
    pub fn cause(&self) -> Option<(Timestamp, &Refusal)> {
        match &self.status {
            IncidentStatus::Open { since, refusal, .. } | IncidentStatus::Recovering { since, refusal, .. } => {
                Some((*since, refusal))
            }
            IncidentStatus::Closed | IncidentStatus::Suspected { .. } => None,
        }
    }
}

/// How long after the failed probe number `probes` the next one goes.
fn pause(class: Class, probes: u32) -> Duration {
    match class {
        Class::Transient => PAUSE_OUTAGE.saturating_mul(1 << probes.min(10)).min(PAUSE_LONGEST),
        Class::Limit => PAUSE_LIMIT,
        // Somebody has to mend it, and may not say so here.
        _ => {
            let longest = if class == Class::Auth { PAUSE_AUTH } else { PAUSE_LIMIT };
            PAUSE_LONGEST.saturating_mul(1 << probes.min(10)).min(longest)
        }
    }
}

#[cfg(test)]
mod tests;

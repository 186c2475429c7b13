//! The circuit breaker of an organization: while nothing can get through, nothing is sent.

use std::time::Duration;

use super::{Class, Refusal, Scope, Timestamp};

/// So many transient failures in a row that reach the whole organization open the breaker.
const TRANSIENT_IN_A_ROW: u32 = 5;
/// How long it stays open before one delivery is let through as a probe.
const PAUSE_SHORT: Duration = Duration::from_secs(10);
const PAUSE_LONG: Duration = Duration::from_secs(120);
/// A limit of 24 hours recovers hour by hour.
const PAUSE_LIMIT: Duration = Duration::from_secs(900);

/// Closed until refusals that reach the whole organization open it; then one probe at a time.
#[derive(Debug, Clone, Default)]
pub struct Breaker {
    /// Transient refusals of the organization without a success between.
    in_a_row: u32,
    /// The call that was refused last, where it carried several records: it counts once.
    last_call: Option<u64>,
    /// While open: the refusal that everything gets, and when the next probe may go.
    open: Option<(Refusal, Timestamp)>,
    /// Whether a probe is on its way.
    probing: bool,
}

/// Whether a delivery may go.
#[derive(Debug, Clone, PartialEq)]
pub enum Passage {
    /// It may.
    Free,
    /// It may, and its outcome decides about the others.
    Probe,
    /// It would be refused like this; nothing is sent before the time given.
    Refused(Box<Refusal>, Timestamp),
}

impl Breaker {
    /// Asks for passage.
    pub fn ask(&mut self, now: Timestamp) -> Passage {
        match &self.open {
            None => Passage::Free,
            Some((_, until)) if now >= *until && !self.probing => {
                self.probing = true;
                Passage::Probe
            }
            Some((refusal, until)) => Passage::Refused(Box::new(refusal.clone()), *until),
        }
    }

    /// Something got through, or was refused for a reason of its own: the organization answers.
    pub fn answered(&mut self) {
        *self = Self::default();
    }

    /// A delivery ended before Salesforce was asked: nothing is known, and another one may be the probe.
    pub fn unasked(&mut self) {
        self.probing = false;
    }

    /// A delivery was refused.
    pub fn refused(&mut self, refusal: &Refusal, now: Timestamp) {
        self.probing = false;
        if refusal.scope == Scope::Record {
            return self.answered();
        }
        if refusal.call.is_some() && refusal.call == self.last_call {
            return;
        }
        self.last_call = refusal.call;
        let pause = match refusal.class {
            Class::Transient => {
                self.in_a_row += 1;
                if self.in_a_row < TRANSIENT_IN_A_ROW && self.open.is_none() {
                    return;
                }
                PAUSE_SHORT
            }
            Class::Limit => PAUSE_LIMIT,
            _ => PAUSE_LONG,
        };
        self.open = Some((refusal.clone(), now.after(pause)));
    }

    /// Whether nothing begins at all, because a limit of the organization is used up. What waits is not at fault, so it
    /// waits on, instead of being refused.
    #[must_use]
    pub fn paused(&self, now: Timestamp) -> bool {
        let limit = self.open.as_ref().filter(|(refusal, _)| refusal.class == Class::Limit);
        limit.is_some_and(|(_, until)| now < *until || self.probing)
    }

    /// A person says that the cause is gone: everything may go again, until it is refused again.
    pub fn reset(&mut self) {
        self.answered();
    }

    /// The refusal that holds everything back, and when the next probe may go.
    #[must_use]
    pub fn holding(&self) -> Option<(&Refusal, Timestamp)> {
        self.open.as_ref().map(|(refusal, until)| (refusal, *until))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    #[test]
    fn a_dead_connection_is_asked_once_and_then_probed_one_at_a_time() {
        let mut breaker = Breaker::default();
        let dead = Refusal::new(Class::Auth, "invalid_grant", "expired access/refresh token").of_org();
        assert_eq!(breaker.ask(at(0)), Passage::Free);
        breaker.refused(&dead, at(0));
        assert!(matches!(breaker.ask(at(1)), Passage::Refused(..)));
        assert_eq!(breaker.ask(at(120)), Passage::Probe);
        assert!(matches!(breaker.ask(at(120)), Passage::Refused(..)), "one probe at a time");
        breaker.answered();
        assert_eq!(breaker.ask(at(121)), Passage::Free);
    }

    #[test]
    fn one_record_that_is_refused_never_opens_it() {
        let mut breaker = Breaker::default();
        for _ in 0..100 {
            breaker.refused(&Refusal::new(Class::Transient, "UNABLE_TO_LOCK_ROW", ""), at(0));
        }
        assert_eq!(breaker.ask(at(0)), Passage::Free);
    }

    #[test]
    fn a_limit_pauses_everything_until_one_probe_gets_through() {
        let mut breaker = Breaker::default();
        let limit = Refusal::new(Class::Limit, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.").of_org();
        breaker.refused(&limit, at(0));
        assert!(breaker.paused(at(1)) && !breaker.paused(at(900)));
        assert_eq!(breaker.ask(at(900)), Passage::Probe);
        assert!(breaker.paused(at(901)), "one probe at a time");
        breaker.refused(&limit, at(902));
        assert!(breaker.paused(at(903)));
        assert_eq!(breaker.holding().map(|(_, until)| until), Some(at(1802)));
        breaker.answered();
        assert!(!breaker.paused(at(904)));
    }

    #[test]
    fn a_call_with_two_hundred_records_counts_once() {
        let mut breaker = Breaker::default();
        let outage = |call| Refusal { call: Some(call), ..Refusal::new(Class::Transient, "TIMEOUT", "").of_org() };
        for call in 1..=4 {
            (0..200).for_each(|_| breaker.refused(&outage(call), at(0)));
        }
        assert_eq!(breaker.ask(at(0)), Passage::Free);
        breaker.refused(&outage(5), at(0));
        assert!(matches!(breaker.ask(at(1)), Passage::Refused(..)));
    }

    #[test]
    fn an_outage_opens_it_after_five_in_a_row_and_a_person_can_close_it() {
        let mut breaker = Breaker::default();
        let outage = Refusal::new(Class::Transient, "SERVER_UNAVAILABLE", "").of_org();
        for _ in 0..4 {
            breaker.refused(&outage, at(0));
            assert_eq!(breaker.ask(at(0)), Passage::Free);
        }
        breaker.refused(&outage, at(0));
        assert!(matches!(breaker.ask(at(1)), Passage::Refused(..)));
        breaker.reset();
        assert_eq!(breaker.ask(at(1)), Passage::Free);
    }
}

//! The circuit breaker of an organization: while nothing can get through, nothing is sent.

use std::time::Duration;

use super::{Class, Refusal, Scope, Timestamp};

/// So many transient failures in a row that reach the whole organization open the breaker.
const TRANSIENT_IN_A_ROW: u32 = 5;
/// How long it stays open before one delivery is let through as a probe.
const PAUSE_SHORT: Duration = Duration::from_secs(10);
const PAUSE_LONG: Duration = Duration::from_secs(120);

/// Closed until refusals that reach the whole organization open it; then one probe at a time.
#[derive(Debug, Clone, Default)]
pub struct Breaker {
    /// Transient refusals of the organization without a success between.
    in_a_row: u32,
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
        let pause = match refusal.class {
            Class::Transient => {
                self.in_a_row += 1;
                if self.in_a_row < TRANSIENT_IN_A_ROW && self.open.is_none() {
                    return;
                }
                PAUSE_SHORT
            }
            _ => PAUSE_LONG,
        };
        self.open = Some((refusal.clone(), now.after(pause)));
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

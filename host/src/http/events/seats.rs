//! How many may listen at a time: each keeps a connection for as long as it likes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::http::api::Kind;
use crate::http::problem::Problem;
use crate::telemetry::Metrics;

/// One token may have this part of all seats.
const SHARE: usize = 4;
/// When somebody who found no seat is to come again, in seconds.
const AGAIN: u16 = 15;

/// The seats of those who listen.
#[derive(Clone)]
pub(in crate::http) struct Listeners(Arc<Seats>);

struct Seats {
    most: usize,
    /// Those that are taken, by the name of the token.
    taken: Mutex<HashMap<String, usize>>,
    metrics: Metrics,
}

/// A seat, given up when it is dropped.
pub(super) struct Seat {
    of: Arc<Seats>,
    name: String,
}

impl Listeners {
    /// Half of the connections that there may be.
    pub(in crate::http) fn new(connections: usize, metrics: &Metrics) -> Self {
        let most = (connections / 2).max(1);
        Self(Arc::new(Seats { most, taken: Mutex::default(), metrics: metrics.clone() }))
    }

    /// Takes a seat for a token.
    ///
    /// # Errors
    /// When it has its share already, or there is none left.
    pub(super) fn admit(&self, name: &str) -> Result<Seat, Problem> {
        let Seats { most, taken, metrics } = &*self.0;
        let mut taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
        let share = most.div_ceil(SHARE);
        let refused = |kind, detail| Problem { retry_after: Some(AGAIN), ..Problem::new(kind, detail) };
        if taken.get(name).is_some_and(|own| *own >= share) {
            return Err(refused(Kind::TooManyRequests, format!("{share} listen with this token, as many as may")));
        }
        if taken.values().sum::<usize>() >= *most {
            return Err(refused(Kind::Unavailable, format!("{most} listen, as many as may")));
        }
        *taken.entry(name.to_owned()).or_default() += 1;
        metrics.listeners.inc();
        Ok(Seat { of: Arc::clone(&self.0), name: name.to_owned() })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.of.taken.lock().unwrap_or_else(PoisonError::into_inner);
        self.of.metrics.listeners.dec();
        if let Some(own) = taken.get_mut(&self.name) {
            *own -= 1;
            if *own == 0 {
                taken.remove(&self.name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_token_has_a_quarter_of_the_seats_and_all_together_half_of_the_connections() {
        let metrics = Metrics::default();
        let listeners = Listeners::new(16, &metrics);
        let seats = |name: &str| [(); 2].map(|()| listeners.admit(name).ok().unwrap());
        let mut taken = ["ann", "bob", "eve"].map(seats).into_iter().flatten().collect::<Vec<_>>();
        let refused = listeners.admit("ann").err().unwrap();
        assert_eq!((refused.status().as_u16(), refused.retry_after), (429, Some(AGAIN)));
        taken.extend(seats("joe"));
        assert_eq!(listeners.admit("sue").err().unwrap().status().as_u16(), 503);
        assert_eq!(metrics.listeners.get(), 8);
        taken.remove(0);
        assert!(listeners.admit("ann").is_ok());
        taken.clear();
        assert_eq!(metrics.listeners.get(), 0);
        assert!(listeners.0.taken.lock().unwrap().is_empty(), "nobody is remembered");
    }
}

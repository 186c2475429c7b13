//! How much one caller may ask for, so that one that asks without a pause leaves room for the others: requests in a second, and
//! requests at a time. Callers are told by the id of their token; whoever has none by the address.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};

use governor::clock::{Clock as _, DefaultClock};
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use serde::Deserialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::problem::{Kind, Problem};

/// Tokens that are remembered at a time, about: those that are gone too.
const TOKENS: usize = 20_000;
/// Addresses that are remembered at a time.
const ADDRESSES: usize = 10_000;
/// Requests of one address in a second that have no token.
const OF_AN_ADDRESS: NonZeroU32 = NonZeroU32::new(100).unwrap();

/// What each token may do.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Requests in a second; twice as many at once after a pause. Conversations that are handed in are not counted.
    pub requests_per_second: NonZeroU32,
    /// Requests that are carried out at a time.
    pub requests_at_once: NonZeroU32,
}

impl Default for Limits {
    fn default() -> Self {
        let some = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        Self { requests_per_second: some(1_000), requests_at_once: some(256) }
    }
}

type Rate<K> = RateLimiter<K, HashMapStateStore<K>, DefaultClock>;

/// What callers have asked for of late.
pub(super) struct Callers {
    limits: Limits,
    rates: Rate<String>,
    at_once: Mutex<HashMap<String, Arc<Semaphore>>>,
    strangers: Rate<IpAddr>,
}

/// A request that is being carried out.
pub(super) struct Place {
    _permit: OwnedSemaphorePermit,
}

impl Callers {
    pub(super) fn new(limits: Limits) -> Self {
        let quota = |per_second: NonZeroU32| {
            Quota::per_second(per_second).allow_burst(per_second.saturating_mul(NonZeroU32::MIN.saturating_add(1)))
        };
        let (rates, strangers) = (quota(limits.requests_per_second), quota(OF_AN_ADDRESS));
        let (rates, strangers) = (RateLimiter::hashmap(rates), RateLimiter::hashmap(strangers));
        Self { limits, rates, at_once: Mutex::default(), strangers }
    }

    /// Counts a request of a caller, where its kind is counted, and takes a place for it.
    ///
    /// # Errors
    /// When the caller asks for too much; says when to ask again.
    pub(super) fn admit(&self, id: &str, is_counted: bool) -> Result<Place, Problem> {
        if is_counted {
            check(&self.rates, &id.to_owned(), self.limits.requests_per_second)?;
        }
        let most = self.limits.requests_at_once;
        let mut at_once = self.at_once.lock().unwrap_or_else(PoisonError::into_inner);
        if at_once.len() > TOKENS {
            // Whoever asks nothing now has all places free.
            at_once.retain(|_, places| Arc::strong_count(places) > 1);
            self.rates.retain_recent();
        }
        let places = at_once.entry(id.to_owned());
        let places =
            places.or_insert_with(|| Arc::new(Semaphore::new(usize::try_from(most.get()).unwrap_or(usize::MAX))));
        let permit = Arc::clone(places).try_acquire_owned();
        permit.map(|permit| Place { _permit: permit }).map_err(|_| {
            too_many(format!("{most} requests of this token are being carried out; wait for one to be answered"), 1)
        })
    }

    /// Counts a request of somebody without a token.
    ///
    /// # Errors
    /// When too many come from the address; says when to ask again.
    pub(super) fn admit_stranger(&self, address: Option<IpAddr>) -> Result<(), Problem> {
        let Some(address) = address else { return Ok(()) };
        if self.strangers.len() > ADDRESSES {
            self.strangers.retain_recent();
        }
        check(&self.strangers, &address, OF_AN_ADDRESS)
    }
}

fn check<K: Hash + Eq + Clone>(rates: &Rate<K>, key: &K, most: NonZeroU32) -> Result<(), Problem> {
    rates.check_key(key).map_err(|until| {
        let wait = until.wait_time_from(DefaultClock::default().now());
        // Whole seconds, and never too early.
        let seconds = u16::try_from(wait.as_millis().div_ceil(1_000).max(1)).unwrap_or(u16::MAX);
        too_many(format!("more than {most} requests in a second"), seconds)
    })
}

fn too_many(detail: String, seconds: u16) -> Problem {
    Problem { retry_after: Some(seconds), ..Problem::new(Kind::TooManyRequests, detail) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn callers(requests_per_second: u32, requests_at_once: u32) -> Callers {
        let some = |number| NonZeroU32::new(number).unwrap();
        Callers::new(Limits {
            requests_per_second: some(requests_per_second),
            requests_at_once: some(requests_at_once),
        })
    }

    #[test]
    fn a_caller_that_asks_without_a_pause_is_told_when_to_ask_again_and_no_other_is() {
        let callers = callers(5, 100);
        let refused = (0..200).find_map(|_| callers.admit("ann", true).err()).unwrap();
        assert_eq!((refused.status().as_u16(), refused.retry_after), (429, Some(1)));
        assert!(callers.admit("bob", true).is_ok());
        assert!(callers.admit("ann", false).is_ok(), "what is handed in is not counted");
    }

    #[test]
    fn so_many_are_carried_out_at_a_time_and_one_that_ends_makes_place() {
        let callers = callers(1_000, 2);
        let (first, second) = (callers.admit("ann", true), callers.admit("ann", true));
        assert!(first.is_ok() && second.is_ok() && callers.admit("ann", true).is_err());
        assert!(callers.admit("bob", true).is_ok());
        drop(first);
        assert!(callers.admit("ann", true).is_ok());
    }

    #[test]
    fn addresses_are_counted_apart_and_only_so_many_are_remembered() {
        let callers = callers(1_000, 100);
        let address = |number: u32| Some(IpAddr::from(number.to_be_bytes()));
        assert!((0..1_000).any(|_| callers.admit_stranger(address(1)).is_err()));
        assert!(callers.admit_stranger(address(2)).is_ok() && callers.admit_stranger(None).is_ok());
    }
}

//! As many connections as the host has file descriptors for. Where all seats are taken, the connection that has been idle
//! for longest makes place: whoever only connects cannot keep out those who ask for something.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tokio::sync::Notify;

use crate::clock::Clock;
use crate::telemetry::Metrics;
use crate::troubles::{Trouble, Troubles};

/// The seats of a host.
#[derive(Clone)]
pub(super) struct Seats(Arc<Room>);

struct Room {
    most: usize,
    state: Mutex<State>,
    /// Told when a seat is given up, or idle.
    changed: Notify,
    metrics: Metrics,
    troubles: Troubles,
    clock: Clock,
}

#[derive(Default)]
struct State {
    /// Seats that are taken.
    taken: usize,
    /// From the moment when there was no seat until half of them are free.
    crowded: bool,
    /// Grows with each seat that becomes idle.
    turn: u64,
    /// Idle ones, the longest idle first.
    idle: BTreeMap<u64, Arc<Notify>>,
}

/// A connection's seat, given up when it is dropped.
pub(super) struct Seat {
    room: Arc<Room>,
    cut: Arc<Notify>,
    own: Mutex<Own>,
}

/// What a connection does.
struct Own {
    /// Requests of known clients that are being answered.
    requests: usize,
    /// Its place among the idle ones.
    idle: Option<u64>,
}

/// A request of a known client that is being answered.
struct Busy(Arc<Seat>);

/// Whoever asks something on a connection. Until it is known who that is, the connection makes place like an idle one:
/// nobody keeps a seat by asking slowly.
#[derive(Clone)]
pub(super) struct Visitor(Arc<(Arc<Seat>, OnceLock<Busy>)>);

impl Visitor {
    /// It is known who asks: the connection stays until the answer is written.
    pub(super) fn is_known(&self) {
        let (seat, busy) = &*self.0;
        busy.get_or_init(|| seat.busy());
    }
}

impl Seats {
    pub(super) fn new(most: usize, metrics: &Metrics, troubles: &Troubles, clock: &Clock) -> Self {
        let (state, changed) = (Mutex::default(), Notify::new());
        let (metrics, troubles, clock) = (metrics.clone(), troubles.clone(), clock.clone());
        Self(Arc::new(Room { most, state, changed, metrics, troubles, clock }))
    }

    /// Returns when there is a seat; an idle connection is cut for it where need be.
    pub(super) async fn available(&self) {
        loop {
            let changed = self.0.changed.notified();
            if self.0.state().taken < self.0.most || self.free_one() {
                return;
            }
            changed.await;
        }
    }

    /// Cuts the connection that has been idle for longest. Answers whether there was one.
    pub(super) fn free_one(&self) -> bool {
        let mut state = self.0.state();
        if !std::mem::replace(&mut state.crowded, true) {
            self.0.say_crowded();
        }
        let Some((_, idle)) = state.idle.pop_first() else { return false };
        drop(state);
        // It gives its seat up when its task comes to that; until then there is one more connection than seats.
        idle.notify_one();
        self.0.metrics.connections_cut.inc();
        true
    }

    /// Takes a seat for a connection, which is idle at first.
    pub(super) fn take(&self) -> Arc<Seat> {
        let cut = Arc::new(Notify::new());
        let mut state = self.0.state();
        state.taken += 1;
        self.0.metrics.connections.inc();
        let idle = Some(state.rest(&cut));
        drop(state);
        Arc::new(Seat { room: Arc::clone(&self.0), cut, own: Mutex::new(Own { requests: 0, idle }) })
    }
}

/// The kind of the trouble, and what has it.
const CROWDED: (&str, &str) = ("connections", "http.listen");

impl Room {
    /// The log and the list of troubles do not grow with those who connect.
    fn say_crowded(&self) {
        let most = self.most;
        tracing::warn!(most, "there are as many connections as there may be: idle ones are cut for new ones");
        let what = format!("there are {most} connections, as many as there may be: idle ones are cut for new ones");
        let cure =
            "let a reverse proxy take connections from outside; the host takes half as many as it may have files open";
        self.troubles.raise(Trouble::new(CROWDED.0, CROWDED.1, &what, cure, self.clock.now()));
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Puts a connection behind the other idle ones.
    fn rest(&mut self, cut: &Arc<Notify>) -> u64 {
        self.turn += 1;
        self.idle.insert(self.turn, Arc::clone(cut));
        self.turn
    }
}

impl Seat {
    /// Returns when this connection has to make place.
    pub(super) async fn cut(&self) {
        self.cut.notified().await;
    }

    /// A request begins: the connection is the last one among the idle ones again.
    pub(super) fn asks(self: &Arc<Self>) -> Visitor {
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turn) = &mut own.idle {
            let mut state = self.room.state();
            // Where it is not among them, it was cut meanwhile.
            if state.idle.remove(turn).is_some() {
                *turn = state.rest(&self.cut);
            }
        }
        Visitor(Arc::new((Arc::clone(self), OnceLock::new())))
    }

    fn busy(self: &Arc<Self>) -> Busy {
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        own.requests += 1;
        if let Some(turn) = own.idle.take() {
            self.room.state().idle.remove(&turn);
        }
        Busy(Arc::clone(self))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let seat = &self.0;
        let mut own = seat.own.lock().unwrap_or_else(PoisonError::into_inner);
        own.requests -= 1;
        if own.requests == 0 {
            own.idle = Some(seat.room.state().rest(&seat.cut));
            seat.room.changed.notify_one();
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let idle = self.own.get_mut().unwrap_or_else(PoisonError::into_inner).idle;
        let mut state = self.room.state();
        state.taken -= 1;
        if state.crowded && state.taken <= self.room.most / 2 {
            state.crowded = false;
            self.room.troubles.cure(CROWDED.0, None, CROWDED.1);
        }
        self.room.metrics.connections.dec();
        if let Some(turn) = idle {
            state.idle.remove(&turn);
        }
        drop(state);
        self.room.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn seats(most: usize) -> (Seats, Troubles) {
        let (troubles, clock) = (Troubles::default(), Clock::System);
        (Seats::new(most, &Metrics::default(), &troubles, &clock), troubles)
    }

    #[tokio::test]
    async fn the_one_that_has_been_idle_for_longest_makes_place_and_one_that_is_answered_does_not() {
        let (seats, _) = seats(3);
        let [first, second, third] = [(); 3].map(|()| seats.take());
        let request = first.asks();
        request.is_known();
        assert!(first.cut().now_or_never().is_none());
        seats.available().await;
        assert!(second.cut().now_or_never().is_some(), "idle for longer than the third");
        assert!(third.cut().now_or_never().is_none());
        drop(second);
        seats.available().await;
        assert!(third.cut().now_or_never().is_none(), "there was a seat");
        drop(request);
        let _fourth = seats.take();
        seats.available().await;
        assert!(third.cut().now_or_never().is_some(), "the first one was busy meanwhile");
        assert!(first.cut().now_or_never().is_none());
    }

    #[tokio::test]
    async fn while_all_are_answered_a_new_one_waits_for_the_first_to_end() {
        let (seats, _) = seats(1);
        let only = seats.take();
        let request = only.asks();
        request.is_known();
        let mut waiting = Box::pin(seats.available());
        assert!(waiting.as_mut().now_or_never().is_none());
        drop(request);
        waiting.await;
        assert!(only.cut().now_or_never().is_some());
    }

    #[tokio::test]
    async fn who_asks_and_is_not_known_makes_place_after_those_that_ask_nothing() {
        let (seats, _) = seats(2);
        let [asks, silent] = [(); 2].map(|()| seats.take());
        let _stranger = asks.asks();
        seats.available().await;
        assert!(silent.cut().now_or_never().is_some());
        drop(silent);
        let _next = seats.take();
        seats.available().await;
        assert!(asks.cut().now_or_never().is_some());
    }

    #[tokio::test]
    async fn that_there_was_no_seat_is_a_trouble_until_half_of_them_are_free() {
        let (seats, troubles) = seats(4);
        let mut taken: Vec<_> = (0..4).map(|_| seats.take()).collect();
        assert_eq!(troubles.list().0, []);
        seats.available().await;
        seats.available().await;
        assert_eq!(troubles.list().0.len(), 1);
        taken.pop();
        assert_eq!(troubles.list().0.len(), 1);
        taken.pop();
        assert_eq!(troubles.list().0, []);
    }
}

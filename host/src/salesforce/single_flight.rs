//! Single flight: what many need at once is asked for once, and all who waited share the outcome, also when it is a refusal.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Mutex;

use crate::domain::Refusal;

/// A value that is asked for when it is needed.
pub(crate) struct SingleFlight<T> {
    /// How many questions are over: who waited for one shares its outcome.
    over: AtomicU64,
    /// Held while asking.
    state: Mutex<State<T>>,
}

struct State<T> {
    /// The newest answer.
    known: Option<T>,
    /// Why the newest question had no answer, if it had none.
    failure: Option<Refusal>,
}

impl<T> Default for SingleFlight<T> {
    fn default() -> Self {
        Self { over: AtomicU64::new(0), state: Mutex::new(State { known: None, failure: None }) }
    }
}

impl<T: Clone> SingleFlight<T> {
    /// What is known, where that is `good` still; else what asking gives.
    ///
    /// # Errors
    /// The refusal of this question, or of the one that was waited for.
    pub(crate) async fn get(
        &self,
        good: impl FnOnce(&T) -> bool,
        ask: impl Future<Output = Result<T, Refusal>>,
    ) -> Result<T, Refusal> {
        let over = self.over.load(Ordering::SeqCst);
        let mut state = self.state.lock().await;
        if let Some(known) = state.known.as_ref().filter(|known| good(known)) {
            return Ok(known.clone());
        }
        if let Some(refusal) = state.failure.clone().filter(|_| over != self.over.load(Ordering::SeqCst)) {
            return Err(refusal);
        }
        let outcome = ask.await;
        state.failure = outcome.as_ref().err().cloned();
        if let Ok(value) = &outcome {
            state.known = Some(value.clone());
        }
        // Before the lock is given back, so that those who wait for it see that this question is over.
        self.over.fetch_add(1, Ordering::SeqCst);
        outcome
    }

    /// Knows this without asking.
    #[cfg(test)]
    pub(crate) fn know(&self, value: T) {
        self.state.try_lock().expect("nobody asks yet").known = Some(value);
    }
}

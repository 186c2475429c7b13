//! What a script reaches of the world outside: the operator's log, and the clock that the host gives.

use crate::bindings::switchyard::policy::log::Level;

/// The host's side, as plain functions, so that tests can stand in for it.
#[derive(Clone, Copy)]
pub(crate) struct Outside {
    /// Takes words for the operator.
    pub(crate) log: fn(Level, &str),
    /// Takes the rule that led to the answer.
    pub(crate) explain: fn(&str),
    /// Milliseconds since 1970-01-01 UTC; nothing while a policy is configured, since it would stand in every decision.
    pub(crate) now: Option<fn() -> u64>,
}

impl Outside {
    /// The same clock, and nobody who listens: for a run whose only purpose is to see where it ends.
    pub(crate) fn mute(self) -> Self {
        Self { log: |_, _| (), explain: |_| (), ..self }
    }
}

//! What happens while a batch is applied: fences are checked, and changed keys are noted for a backup.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::Error;
use super::watch::{Noted, Watch};

/// A proof of being the newest holder of a name. It ends when [`super::Store::acquire`] gives the next one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fence {
    holder: Arc<str>,
    token: u64,
}

/// Held while a batch is applied. In memory: one process has the store.
#[derive(Debug, Default)]
pub(super) struct Gate(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// The newest token of each holder.
    tokens: HashMap<Arc<str>, u64>,
    /// The keys that a backup wants to know of, while there is one.
    noted: Weak<Noted>,
}

/// The gate while it is held: no batch is applied, and no fence is given.
pub(super) struct Held<'a>(MutexGuard<'a, State>);

impl Gate {
    /// Raises the token of a holder. Waits while a batch is being applied, so that what an older fence
    /// has written before can be read afterwards.
    pub(super) fn acquire(&self, holder: &str) -> Fence {
        let mut state = self.hold().0;
        let holder: Arc<str> = holder.into();
        let token = state.tokens.entry(Arc::clone(&holder)).or_default();
        *token += 1;
        Fence { holder, token: *token }
    }

    /// Begins to note changed keys, for one at a time.
    pub(super) fn watch(&self) -> Result<Watch, Error> {
        let mut state = self.hold().0;
        if state.noted.strong_count() > 0 {
            return Err(Error::Busy);
        }
        let watch = Watch::default();
        state.noted = Arc::downgrade(&watch.0);
        Ok(watch)
    }

    pub(super) fn hold(&self) -> Held<'_> {
        Held(self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Held<'_> {
    /// Whether a batch with this fence may be written.
    pub(super) fn check(&self, fence: Option<&Fence>) -> Result<(), Error> {
        match fence {
            Some(fence) if self.0.tokens.get(&fence.holder) != Some(&fence.token) => {
                Err(Error::Fenced { holder: fence.holder.to_string() })
            }
            _ => Ok(()),
        }
    }

    /// Where to note the keys of a batch, after it was applied and whether or not that succeeded: a key that is noted
    /// before could be forgotten before its value can be read.
    pub(super) fn noted(&self) -> Option<Arc<Noted>> {
        self.0.noted.upgrade()
    }
}

//! What happens while a batch is applied: fences are checked, what is appended gets its numbers, and changed keys are noted for a
//! backup.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::watch::{Receiver, Sender};

use super::watch::{Noted, Watch};
use super::{Change, Error, ring};

/// A proof of being the newest holder of a name. It ends when [`super::Store::acquire`] gives the next one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fence {
    holder: Arc<str>,
    token: u64,
}

/// Held while a batch is applied. In memory: one process has the store.
#[derive(Debug, Default)]
pub(super) struct Gate {
    state: Mutex<State>,
    /// The number of the newest appended value that is durable.
    durable: Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    /// The newest token of each holder.
    tokens: HashMap<Arc<str>, u64>,
    /// The keys that a backup wants to know of, while there is one.
    noted: Weak<Noted>,
    /// The number that was given last.
    last: u64,
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

    /// The newest number in a database that was opened: numbers go on behind it, and what has one is durable.
    pub(super) fn opened(&self, newest: u64) {
        self.hold().0.last = newest;
        self.is_durable(newest);
    }

    /// Everything up to this number is durable.
    pub(super) fn is_durable(&self, number: u64) {
        self.durable.send_if_modified(|durable| std::mem::replace(durable, number) != number);
    }

    pub(super) fn appended(&self) -> Receiver<u64> {
        self.durable.subscribe()
    }

    pub(super) fn hold(&self) -> Held<'_> {
        Held(self.state.lock().unwrap_or_else(PoisonError::into_inner))
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

    /// The writes that append these values, each under the next number.
    pub(super) fn append(&mut self, values: Vec<Vec<u8>>) -> impl Iterator<Item = Change> {
        let after = self.0.last;
        self.0.last += values.len() as u64;
        (after + 1..).zip(values).flat_map(|(number, value)| ring::append(number, value))
    }

    /// The number that was given last.
    pub(super) fn last(&self) -> u64 {
        self.0.last
    }

    /// Where to note the keys of a batch, after it was applied and whether or not that succeeded: a key that is noted
    /// before could be forgotten before its value can be read.
    pub(super) fn noted(&self) -> Option<Arc<Noted>> {
        self.0.noted.upgrade()
    }
}

//! Who may write: a holder's newest fence; commits of its older ones are refused.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Error;

/// A proof of being the newest holder of a name. It ends when [`super::Store::acquire`] gives the next one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fence {
    holder: Arc<str>,
    token: u64,
}

/// The newest token of each holder, in memory: one process has the store.
#[derive(Debug, Default)]
pub(super) struct Fences(Mutex<HashMap<Arc<str>, u64>>);

/// The tokens while a batch is checked and applied: no fence is given meanwhile.
pub(super) struct Held<'a>(MutexGuard<'a, HashMap<Arc<str>, u64>>);

impl Fences {
    /// Raises the token of a holder. Waits while a batch is being applied, so that what an older fence
    /// has written before can be read afterwards.
    pub(super) fn acquire(&self, holder: &str) -> Fence {
        let mut tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let holder: Arc<str> = holder.into();
        let token = tokens.entry(Arc::clone(&holder)).or_default();
        *token += 1;
        Fence { holder, token: *token }
    }

    pub(super) fn hold(&self) -> Held<'_> {
        Held(self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Held<'_> {
    /// Whether a batch with this fence may be written.
    pub(super) fn check(&self, fence: Option<&Fence>) -> Result<(), Error> {
        match fence {
            Some(fence) if self.0.get(&fence.holder) != Some(&fence.token) => {
                Err(Error::Fenced { holder: fence.holder.to_string() })
            }
            _ => Ok(()),
        }
    }
}

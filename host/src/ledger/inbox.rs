//! The numbers of arrivals in the inboxes: upwards, over restarts too.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{Ledger, key};
use crate::domain::OrgId;
use crate::store::{Error, Range};

/// Numbers the arrivals of all inboxes.
#[derive(Debug)]
pub struct Inbox {
    next: AtomicU64,
}

impl Inbox {
    /// Continues after the highest number that is waiting.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn open(ledger: &Ledger, orgs: &[OrgId]) -> Result<Self, Error> {
        let mut highest = 0;
        for org in orgs {
            let last = ledger.store.range(Range::of(key::inbox(org), 1).backward().keys_only()).await?;
            let number = last.first().and_then(|(name, _)| key::part(name, 0).ok());
            highest = highest.max(number.unwrap_or(0));
        }
        Ok(Self { next: AtomicU64::new(highest + 1) })
    }

    /// A number that was never given before.
    pub fn number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }
}

//! The numbers of arrivals in the inboxes: upwards, over restarts too, and telling when each arrived.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{Ledger, key};
use crate::domain::{OrgId, Timestamp};
use crate::store::{Error, Range};

/// More than arrive in a millisecond.
const A_MILLISECOND: u64 = 1_000;

/// Numbers the arrivals of all inboxes.
#[derive(Debug)]
pub struct Inbox {
    next: AtomicU64,
}

impl Inbox {
    /// Continues after the highest number that is waiting, and after those that were given before: they follow the time, for
    /// what has left an inbox for the quarantine still has its number, and may come back.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn open(ledger: &Ledger, orgs: &[OrgId], now: Timestamp) -> Result<Self, Error> {
        let mut highest = now.as_millis().saturating_mul(A_MILLISECOND);
        for org in orgs {
            let last = ledger.store.range(Range::of(key::inbox(org), 1).backward().keys_only()).await?;
            let number = last.first().and_then(|(name, _)| key::part(name, 0).ok());
            highest = highest.max(number.unwrap_or(0));
        }
        Ok(Self { next: AtomicU64::new(highest + 1) })
    }

    /// A number that was never given before. It follows the time.
    pub fn number(&self, now: Timestamp) -> u64 {
        self.next.fetch_max(now.as_millis().saturating_mul(A_MILLISECOND), Ordering::Relaxed);
        self.next.fetch_add(1, Ordering::Relaxed)
    }
}

/// When an arrival with this number arrived; those of more than a thousand in a millisecond, a little later.
pub(super) const fn arrived_at(number: u64) -> Timestamp {
    Timestamp::from_millis(number / A_MILLISECOND)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::store::MemoryStore;

    #[tokio::test]
    async fn a_number_is_not_given_again_after_a_restart_though_nothing_waits_any_more() {
        let (ledger, at) = (Ledger::new(Arc::new(MemoryStore::default())), Timestamp::from_millis(1_790_000_000_000));
        let orgs = [OrgId::new("acme").unwrap()];
        let before = Inbox::open(&ledger, &orgs, at).await.unwrap();
        let last = (0..500).map(|_| before.number(at)).last().unwrap();
        let after = Inbox::open(&ledger, &orgs, Timestamp::from_millis(1_790_000_000_001)).await.unwrap();
        assert!(after.number(at) > last);
        let later = Timestamp::from_millis(1_790_000_060_000);
        assert_eq!(arrived_at(after.number(later)), later);
        assert!(arrived_at(after.number(at)) >= later, "a clock that goes back gives no number again");
    }
}

//! Wrong tokens on record, without letting whoever tries them fill the store: those of an hour and an address are one action,
//! whose count grows.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::domain::{Action, Asker, Deed, Timestamp, Via};
use crate::ledger::{Ledger, action_order};

/// What is counted into one action.
const WINDOW: Duration = Duration::from_secs(3600);
/// How often the count on record follows.
const EVERY: Duration = Duration::from_secs(60);
/// Addresses that are told apart at a time; all others are counted together.
const ADDRESSES: usize = 8;

/// Wrong tokens of the last hour.
pub(super) struct Refused {
    ledger: Ledger,
    counted: Mutex<Vec<Counted>>,
}

struct Counted {
    action: Action,
    /// The count on record, and since when.
    kept: u64,
    kept_at: Timestamp,
}

impl Refused {
    pub(super) const fn new(ledger: Ledger) -> Self {
        Self { ledger, counted: Mutex::new(Vec::new()) }
    }

    /// A token that is none was given.
    pub(super) async fn note(&self, via: Via, address: Option<IpAddr>, now: Timestamp) {
        let due = self.count(via, address, now);
        self.keep(due).await;
    }

    /// Writes what is counted and not on record yet.
    pub(super) async fn write(&self) {
        let due = {
            let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
            counted.iter_mut().filter_map(Counted::due).collect()
        };
        self.keep(due).await;
    }

    /// Counts one; answers what is to be written.
    fn count(&self, via: Via, address: Option<IpAddr>, now: Timestamp) -> Vec<Action> {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let over = |one: &mut Counted| !now.is_within(WINDOW, one.action.at);
        let mut due: Vec<_> = counted.extract_if(.., over).filter_map(|mut one| one.due()).collect();
        let known = |counted: &[Counted], address| {
            counted.iter().position(|one| (one.action.via, one.action.request.address) == (via, address))
        };
        let address = if known(&counted, address).is_some() || counted.len() < ADDRESSES { address } else { None };
        let place = known(&counted, address).unwrap_or_else(|| {
            let asker = Asker::new("", via, address);
            let action = Action::new(&asker, Deed::SignInRefused, now).counting(0);
            let action = Action { order: action_order(), ..action };
            counted.push(Counted { action, kept: 0, kept_at: now });
            counted.len() - 1
        });
        let one = &mut counted[place];
        one.action.count += 1;
        if one.kept == 0 || !now.is_within(EVERY, one.kept_at) {
            one.kept_at = now;
            due.extend(one.due());
        }
        due
    }

    async fn keep(&self, due: Vec<Action>) {
        for action in due {
            if let Err(error) = self.ledger.keep_action(&action).await {
                tracing::error!(%error, count = action.count, "wrong tokens are not on record");
            }
        }
    }
}

impl Counted {
    /// What is to be written of it.
    fn due(&mut self) -> Option<Action> {
        let more = self.action.count > self.kept;
        self.kept = self.action.count;
        more.then(|| self.action.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::ledger::ActionFilter;
    use crate::store::MemoryStore;

    async fn counts(refused: &Refused) -> Vec<(Option<IpAddr>, u64)> {
        let page = refused.ledger.actions(&ActionFilter::default(), None, 500).await.unwrap();
        assert_eq!(page.next, None);
        page.actions.into_iter().map(|(_, action)| (action.request.address, action.count)).collect()
    }

    fn address(number: u8) -> Option<IpAddr> {
        Some([192, 0, 2, number].into())
    }

    #[tokio::test]
    async fn wrong_tokens_of_an_hour_and_an_address_are_one_action_whose_count_grows() {
        let refused = Refused::new(Ledger::new(Arc::new(MemoryStore::default())));
        let at = |second: u64| Timestamp::from_millis(1_790_000_000_000 + second * 1_000);
        for second in 0..100 {
            refused.note(Via::Console, address(1), at(second)).await;
        }
        assert_eq!(counts(&refused).await, [(address(1), 61)], "what came since the last minute is written later");
        refused.write().await;
        assert_eq!(counts(&refused).await, [(address(1), 100)]);
        refused.note(Via::Console, address(1), at(3_600)).await;
        assert_eq!(counts(&refused).await, [(address(1), 1), (address(1), 100)]);
    }

    #[tokio::test]
    async fn a_thousand_addresses_in_an_hour_do_not_make_a_thousand_actions() {
        let refused = Refused::new(Ledger::new(Arc::new(MemoryStore::default())));
        let now = Timestamp::from_millis(1_790_000_000_000);
        for number in 0..1_000_u32 {
            refused.note(Via::Api, Some(std::net::Ipv6Addr::from_bits(number.into()).into()), now).await;
        }
        refused.write().await;
        let counts = counts(&refused).await;
        assert_eq!((counts.len(), counts.iter().map(|(_, count)| count).sum::<u64>()), (ADDRESSES + 1, 1_000));
        assert_eq!(counts.iter().filter(|(address, _)| address.is_none()).count(), 1);
    }
}

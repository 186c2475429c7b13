//! One customer at a time: who may be the same person waits, whatever is searched for first and however it is written.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::OwnedMutexGuard;

use crate::domain::{ContactSearch, Conversation, RecordId};

/// How many things that a customer is known by are remembered with the contact that was made for them.
const REMEMBERED: usize = 4_096;
/// A phone number is known by its last digits: what stands before them differs by who writes it.
const LAST_DIGITS: usize = 8;

/// What a customer is known by: each value, by the key that it shares with all who may be meant by it.
pub(super) type Keys = BTreeMap<u64, String>;

/// What customers are known by: those who are being looked for, and those for whom a contact was made lately.
#[derive(Debug, Default)]
pub(super) struct Known {
    taken: Mutex<HashMap<u64, Arc<tokio::sync::Mutex<()>>>>,
    made: Mutex<Made>,
}

#[derive(Debug, Default)]
struct Made {
    /// By key, the value and the contact.
    contacts: HashMap<u64, (String, RecordId)>,
    /// The oldest first.
    keys: VecDeque<u64>,
}

/// Whoever holds it is alone with a customer.
#[derive(Debug)]
pub struct Alone {
    known: Arc<Known>,
    held: Vec<(u64, OwnedMutexGuard<()>)>,
    keys: Keys,
}

impl Known {
    /// Waits until nobody else looks for a customer who shares one of these keys.
    pub(super) async fn alone(self: &Arc<Self>, keys: Keys) -> Alone {
        let mut alone = Alone { known: Arc::clone(self), held: Vec::with_capacity(keys.len()), keys: Keys::new() };
        // In one order for all, so that no two wait for each other.
        for key in keys.keys() {
            let one = Arc::clone(lock(&self.taken).entry(*key).or_default());
            alone.held.push((*key, one.lock_owned().await));
        }
        alone.keys = keys;
        alone
    }
}

impl Alone {
    /// Remembers the contact that was made: searches find it only after a while.
    pub(super) fn remember(&self, contact: &RecordId) {
        let mut made = lock(&self.known.made);
        for (key, value) in &self.keys {
            if made.contacts.insert(*key, (value.clone(), contact.clone())).is_none() {
                made.keys.push_back(*key);
            }
        }
        while made.keys.len() > REMEMBERED {
            let oldest = made.keys.pop_front();
            oldest.map(|key| made.contacts.remove(&key));
        }
    }

    /// The contact that was made lately for a customer who has one of these values.
    pub(super) fn made(&self) -> Option<RecordId> {
        let made = lock(&self.known.made);
        let same = |(key, value): (&u64, &String)| made.contacts.get(key).filter(|(known, _)| is_same(known, value));
        self.keys.iter().find_map(same).map(|(_, contact)| contact.clone())
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        let mut taken = lock(&self.known.taken);
        for (key, guard) in self.held.drain(..) {
            drop(guard);
            // Only the map knows it any more, and nobody can have it from there before this is over.
            if taken.get(&key).is_some_and(|one| Arc::strong_count(one) == 1) {
                taken.remove(&key);
            }
        }
    }
}

/// What a customer is known by: every value that is searched for, and their addresses. (Not their id at the source: some
/// sources give one to all who did not sign in.)
pub(super) fn keys(searches: &[ContactSearch], conversation: &Conversation) -> Keys {
    let customer = &conversation.customer;
    let own = [customer.email.as_deref(), customer.phone.as_deref()].into_iter().flatten();
    let values = searches.iter().map(|search| search.value.as_str()).chain(own);
    values.filter_map(known_by).map(|(shared, value)| (hashed(&shared), value)).collect()
}

/// What a value shares with all that may mean the same, and the value itself: of a phone number the last digits, and those
/// that count; anything else is the same in any case of its letters.
fn known_by(value: &str) -> Option<(String, String)> {
    let value = value.trim().to_lowercase();
    let is_number = value.chars().all(|c| c.is_ascii_digit() || "+-./() \u{a0}".contains(c));
    let digits: String = value.replace("(0)", "").chars().filter(char::is_ascii_digit).collect();
    let digits = digits.trim_start_matches('0');
    match digits.len().checked_sub(LAST_DIGITS) {
        Some(before) if is_number => Some((digits[before..].to_owned(), digits.to_owned())),
        _ if value.is_empty() => None,
        _ => Some((value.clone(), value)),
    }
}

/// Whether two values that share a key are one: a number may be written without its country.
fn is_same(one: &str, other: &str) -> bool {
    let is_number = one.bytes().all(|byte| byte.is_ascii_digit());
    one == other || (is_number && (one.ends_with(other) || other.ends_with(one)))
}

fn hashed(value: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn of(keys: impl IntoIterator<Item = u64>) -> Keys {
        keys.into_iter().map(|key| (key, "x".to_owned())).collect()
    }

    #[test]
    fn a_number_is_one_however_it_is_written_and_an_address_in_any_case() {
        let same = |a: &str, b: &str| {
            let (a, b) = (known_by(a).unwrap(), known_by(b).unwrap());
            a.0 == b.0 && is_same(&a.1, &b.1)
        };
        assert!(same("+33 (0)6 71 48 59 45", "06.71.48.59.45") && same("0033671485945", "+33671485945"));
        assert!(same(" Jane@Example.com", "jane@example.com"));
        assert!(!same("0671485945", "0671485946") && !same("jane@example.com", "june@example.com"));
        assert!(!same("+33671485945", "+32671485945"), "two countries, two people: they wait for each other, no more");
        assert_eq!(known_by("  "), None);
    }

    #[tokio::test]
    async fn who_shares_one_key_waits_and_nothing_is_kept_afterwards() {
        let known = Arc::new(Known::default());
        let first = known.alone(of([1, 2])).await;
        assert!(known.alone(of([2, 3])).now_or_never().is_none(), "they share the second");
        let other = known.alone(of([3, 4])).now_or_never().expect("they share nothing");
        drop((first, other));
        assert!(known.alone(of([1, 2, 3, 4])).now_or_never().is_some());
        assert!(lock(&known.taken).is_empty());
    }

    #[tokio::test]
    async fn a_contact_that_was_made_is_known_to_whoever_shares_a_value_and_no_more_than_so_many_are() {
        let known = Arc::new(Known::default());
        let contact = RecordId::new("003000000000001AAA").unwrap();
        known.alone(of([1, 2])).await.remember(&contact);
        assert_eq!(known.alone(of([2, 3])).await.made(), Some(contact.clone()));
        let another = Keys::from([(2, "another value with this key".to_owned())]);
        assert_eq!(known.alone(another).await.made(), None);
        for key in 10..10 + REMEMBERED as u64 {
            known.alone(of([key])).await.remember(&contact);
        }
        assert_eq!(known.alone(of([1])).await.made(), None);
        assert_eq!(lock(&known.made).contacts.len(), REMEMBERED);
    }
}

//! Which conversations a customer has: an index by the source's id of them, by names, addresses and the contact, with sync errors or
//! without.

use std::collections::{BTreeMap, HashSet};

use super::{Ledger, Paging, key, record};
use crate::domain::{Conversation, ConversationId, Delivery, ErrorQuery, OrgId, search_term};
use crate::store::{Error, Pair, Range};

/// Conversations that one search may find; more have to be asked for in other words.
const FOUND: usize = 1_000;
/// Of those whose name or address only begins with what is looked for, so many in each organization.
const BEGINNING: usize = 200;

/// What else leads to a conversation since a turn, and what does no more.
#[derive(Debug)]
pub struct CustomerChange {
    /// The conversation.
    pub id: ConversationId,
    /// Keys that lead to it no more.
    pub(super) gone: Vec<String>,
    /// Keys that lead to it now.
    pub(super) new: Vec<String>,
}

impl CustomerChange {
    /// Between a conversation as it was and as it is, if anything leads to it in another way.
    #[must_use]
    pub fn between(org: &OrgId, before: Option<&Conversation>, after: Option<&Conversation>) -> Option<Self> {
        if before.map(|it| &it.customer) == after.map(|it| &it.customer) {
            return None;
        }
        let keys = |of: Option<&Conversation>| of.map(|it| key::indexes_of_conversation(org, it)).unwrap_or_default();
        let (was, is) = (keys(before), keys(after));
        let id = after.or(before)?.id.clone();
        let gone: Vec<_> = was.difference(&is).cloned().collect();
        let new: Vec<_> = is.difference(&was).cloned().collect();
        (!gone.is_empty() || !new.is_empty()).then_some(Self { id, gone, new })
    }
}

/// What is kept of a conversation, as far as a search for its customer tells.
#[derive(Debug)]
pub struct OfCustomer {
    /// The organization.
    pub org: OrgId,
    /// The conversation's id,
    pub id: ConversationId,
    /// its record, where that can be read,
    pub conversation: Option<Conversation>,
    /// and where it stands.
    pub delivery: Delivery,
}

/// What a search has found.
#[derive(Debug, Default)]
pub struct FoundCustomers {
    /// In the order of organizations and conversations.
    pub items: Vec<OfCustomer>,
    /// Whether that is all.
    pub is_complete: bool,
}

/// Keys, and what stands at them.
type Pairs<'a> = (&'a [Vec<u8>], &'a [Option<Vec<u8>>]);

impl Ledger {
    /// Conversations by their own id, by that of a message, by the source's id of the customer, by a contact's, or by how a name or
    /// an address of theirs begins.
    ///
    /// # Errors
    /// When the store cannot be read; so for the readers below. What cannot be understood counts as absent.
    pub async fn find_customer(&self, orgs: &[OrgId], q: &str) -> Result<FoundCustomers, Error> {
        let mut places = Vec::new();
        if let Ok(id) = q.parse::<ConversationId>() {
            places.extend(orgs.iter().map(|org| (org.clone(), id.clone())));
        }
        if let Ok(message) = q.parse() {
            let found = self.conversations_of(&message).await?;
            places.extend(found.into_iter().filter(|(org, _)| orgs.contains(org)));
        }
        // How a customer was called when a conversation failed is found as well.
        let query =
            ErrorQuery { orgs: orgs.iter().cloned().collect(), customer: Some(q.to_owned()), ..ErrorQuery::default() };
        let errors = self.error_summaries(&query, &Paging::first(BEGINNING)).await?;
        let mut is_complete = errors.next.is_none();
        places.extend(errors.items.into_iter().map(|error| (error.org, error.conversation)));
        let named: HashSet<_> = places.iter().cloned().collect();
        let term = search_term(q);
        if !term.is_empty() {
            // Who is called exactly so, and whose name or address begins so.
            for (end, most) in [("/", FOUND), ("", BEGINNING)] {
                let range = |org| Range::of(key::customers(org, &term) + end, most).keys_only();
                let found = self.store.ranges(orgs.iter().map(range).collect()).await?;
                for (org, pairs) in orgs.iter().zip(found) {
                    is_complete &= pairs.len() < most;
                    places.extend(pairs.iter().filter_map(|(name, _)| Some((org.clone(), key::part(name, 0).ok()?))));
                }
            }
        }
        places.sort();
        places.dedup();
        is_complete &= places.len() <= FOUND;
        places.truncate(FOUND);
        let mut items = self.of_places(places).await?;
        let is_called = |of: &OfCustomer| of.conversation.as_ref().is_some_and(|it| it.customer.is_called(&term));
        items.retain(|of| named.contains(&(of.org.clone(), of.id.clone())) || is_called(of));
        Ok(FoundCustomers { items, is_complete })
    }

    /// Conversations by organization and id; those that are not there are left out.
    pub async fn of_places(&self, places: Vec<(OrgId, ConversationId)>) -> Result<Vec<OfCustomer>, Error> {
        let keys = places.iter().flat_map(|(org, id)| [key::conversation(org, id), key::delivery(org, id)]);
        let keys: Vec<_> = keys.map(String::into_bytes).collect();
        let values = self.store.get_many(keys.clone()).await?;
        Ok(record::off_thread(record::bytes_of(values.iter().flatten()), || {
            let pairs = keys.chunks(2).zip(values.chunks(2));
            let read = |((org, id), (keys, values)): (_, Pairs<'_>)| {
                values.iter().any(Option::is_some).then(|| OfCustomer {
                    org,
                    id,
                    conversation: values[0].as_ref().and_then(|value| record::decode(&keys[0], value).ok()),
                    delivery: values[1]
                        .as_ref()
                        .and_then(|value| record::decode(&keys[1], value).ok())
                        .unwrap_or_default(),
                })
            };
            places.into_iter().zip(pairs).filter_map(read).collect()
        }))
    }

    /// Which of these arrivals are still in the inbox of an organization.
    pub async fn still_in_inbox(&self, org: &OrgId, numbers: &[u64]) -> Result<usize, Error> {
        let keys = numbers.iter().map(|number| key::arrival(org, *number).into_bytes()).collect();
        Ok(self.store.get_many(keys).await?.iter().flatten().count())
    }

    /// The keys that lead to some conversations of an organization whose records do not tell it any more. Every key of the index is
    /// looked at: a record that cannot be read is the exception.
    pub(super) async fn keys_leading_to(
        &self,
        org: &OrgId,
        ids: &HashSet<ConversationId>,
    ) -> Result<Vec<CustomerChange>, Error> {
        let mut gone = BTreeMap::<ConversationId, Vec<String>>::new();
        self.each(&key::customers(org, ""), true, |(name, _): Pair| {
            let id: ConversationId = key::part(&name, 0)?;
            if ids.contains(&id) {
                gone.entry(id).or_default().push(String::from_utf8_lossy(&name).into_owned());
            }
            Ok(())
        })
        .await?;
        Ok(gone.into_iter().map(|(id, gone)| CustomerChange { id, gone, new: Vec::new() }).collect())
    }
}

//! Lists of causes. There are at most some thousand of an organization: each list reads those of the organizations it is about.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::to_vec;
use sha2::{Digest, Sha256};

use super::{Ledger, key, record};
use crate::domain::{Fingerprint, GROUPS_KEPT, Group, GroupOrder, GroupPlace, GroupQuery, OrgId, Timestamp};
use crate::store::{Error, Pair, Range};

/// Names of people that a page tells.
const ASSIGNEES: usize = 200;

/// A part of a list.
#[derive(Debug, Clone)]
pub struct GroupPage {
    /// In the order of the list.
    pub items: Vec<Group>,
    /// Asks for the next part; `None` at the end.
    pub next: Option<String>,
    /// How many match in all.
    pub total: usize,
    /// Who looks after causes of these organizations, whether those match or not; some of the names where there are many.
    pub assignees: BTreeSet<String>,
}

impl Ledger {
    /// Causes that match a query, and come after `cursor` where one is given.
    ///
    /// # Errors
    /// When the store cannot be read; so for all readers below. A record that cannot be understood is left out.
    pub async fn group_page(
        &self,
        query: &GroupQuery,
        order: GroupOrder,
        after: Option<&GroupPlace>,
        limit: usize,
        now: Timestamp,
    ) -> Result<GroupPage, Error> {
        let orgs: Vec<_> = match query.orgs.is_empty() {
            true => self.orgs().await?,
            false => query.orgs.iter().cloned().collect(),
        };
        let pairs = self.group_pairs(&orgs).await?;
        let bytes = record::bytes_of(pairs.iter().map(|(_, value)| value));
        let mut assignees = BTreeSet::new();
        let mut read = |(name, value): &Pair| {
            let group = record::decode::<Group>(name, value).ok()?;
            if let Some(name) = group.assignee.as_ref().filter(|_| assignees.len() < ASSIGNEES) {
                assignees.insert(name.clone());
            }
            query.matches(&group, now).then_some(group)
        };
        let mut found: Vec<_> = record::off_thread(bytes, || pairs.iter().filter_map(&mut read).collect());
        let total = found.len();
        found.retain(|group| after.is_none_or(|after| order.place(group) > *after));
        found.sort_by_cached_key(|group| order.place(group));
        let mut items: Vec<_> = found.into_iter().take(limit.saturating_add(1)).collect();
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(|last| cursor(query, order, last));
        Ok(GroupPage { items, next, total, assignees })
    }

    /// All causes of an organization.
    pub async fn groups_of(&self, org: &OrgId) -> Result<Vec<Group>, Error> {
        let pairs = self.group_pairs(std::slice::from_ref(org)).await?;
        let bytes = record::bytes_of(pairs.iter().map(|(_, value)| value));
        let read = || pairs.iter().filter_map(|(name, value)| record::decode(name, value).ok()).collect();
        Ok(record::off_thread(bytes, read))
    }

    /// The records of all causes of some organizations; a page of the store may hold fewer than there are.
    pub(super) async fn group_pairs(&self, orgs: &[OrgId]) -> Result<Vec<Pair>, Error> {
        let most = usize::try_from(GROUPS_KEPT).unwrap_or(usize::MAX) + 1;
        let (mut all, mut left) = (Vec::new(), orgs.iter().map(|org| (org, None)).collect::<Vec<_>>());
        while !left.is_empty() {
            let range =
                |(org, after): &(&OrgId, Option<Vec<u8>>)| Range::of(key::groups(org), most).after(after.clone());
            let pages = self.store.ranges(left.iter().map(range).collect()).await?;
            let read = left.into_iter().zip(pages).map(|((org, _), pairs)| (org, pairs));
            left = Vec::new();
            for (org, pairs) in read {
                // Only an empty page is the end for sure.
                if let Some((last, _)) = pairs.last() {
                    left.push((org, Some(last.clone())));
                }
                all.extend(pairs);
            }
        }
        Ok(all)
    }

    /// The titles of causes.
    pub async fn group_titles(&self, org: &OrgId, ids: &[Fingerprint]) -> Result<BTreeMap<Fingerprint, String>, Error> {
        let keys: Vec<_> = ids.iter().map(|id| key::group(org, id).into_bytes()).collect();
        let values = self.store.get_many(keys.clone()).await?;
        let read = |(name, value): (Vec<u8>, Option<Vec<u8>>)| record::decode::<Group>(&name, &value?).ok();
        Ok(keys.into_iter().zip(values).filter_map(read).map(|group| (group.id, group.title)).collect())
    }

    /// A cause, and others of the same name in other organizations: only what is beyond the most causes has one name in all.
    pub async fn group(&self, id: &Fingerprint) -> Result<Vec<Group>, Error> {
        let keys: Vec<_> = self.orgs().await?.iter().map(|org| key::group(org, id).into_bytes()).collect();
        let values = self.store.get_many(keys.clone()).await?;
        let read = |(name, value): (Vec<u8>, Option<Vec<u8>>)| record::decode(&name, &value?).ok();
        Ok(keys.into_iter().zip(values).filter_map(read).collect())
    }
}

fn cursor(query: &GroupQuery, order: GroupOrder, last: &Group) -> String {
    format!("1~{}~{}", digest(query, order), order.place(last))
}

/// Reads a cursor that a list of this query, in this order, gave; `None` where it is none.
#[must_use]
pub fn group_cursor(text: &str, query: &GroupQuery, order: GroupOrder) -> Option<GroupPlace> {
    let (of, place) = text.strip_prefix("1~")?.split_once('~')?;
    if of == digest(query, order) { place.parse().ok() } else { None }
}

/// What tells lists of other queries apart.
fn digest(query: &GroupQuery, order: GroupOrder) -> String {
    hex::encode(&Sha256::digest(to_vec(&(query, order)).unwrap_or_default())[..6])
}

//! Lists of sync errors: pages in the order in which they failed first, whatever they are narrowed to.
//!
//! A page merges parts of indexes, each in the order of the list: the lists of organizations by state, or those of the
//! causes that match where that is less to look at, or the few that a search has found. A sync error never changes its
//! place in that order, so pages stay stable while states move.

mod cursor;
mod heads;
mod merging;
mod plan;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

pub use self::cursor::Cursor;
pub(super) use self::heads::Heads;
use self::merging::{Merging, Place};
use super::{Ledger, key, record};
use crate::domain::{
    ErrorPlace, ErrorQuery, ErrorSummary, Fingerprint, Glance, OrgId, State, SyncError, SyncErrorId, Timestamp,
};
use crate::store::{Error, Order, Pair, Range};

/// A page looks at so many sync errors; a filter that matches little gets short pages instead of a stall.
const LOOKED_AT: usize = 2_000;
/// Summaries that are read at a time where some of them do not match.
const CHUNK: usize = 250;

/// Which part of a list is asked for.
#[derive(Debug, Clone)]
pub struct Paging {
    /// Those that failed first last come first.
    pub newest_first: bool,
    /// Where the page begins; at the beginning of the list where absent.
    pub cursor: Option<Cursor>,
    /// At most so many.
    pub limit: usize,
}

impl Paging {
    /// The first page, newest first.
    #[must_use]
    pub const fn first(limit: usize) -> Self {
        Self { newest_first: true, cursor: None, limit }
    }

    /// The page after this one; `None` at the end.
    #[must_use]
    pub fn next<T>(self, page: &ErrorPage<T>) -> Option<Self> {
        page.next.clone().map(|cursor| Self { cursor: Some(cursor), ..self })
    }
}

/// The next part of what matches, in the order in which it failed first.
#[derive(Debug, Clone)]
pub struct Walk {
    /// The sync errors.
    pub items: Vec<ErrorSummary>,
    /// The last place that was looked at.
    pub after: Option<ErrorPlace>,
    /// Whether there may be more.
    pub more: bool,
}

/// How many sync errors match.
#[derive(Debug, Clone)]
pub struct Counted {
    /// By cause. Where the count is not exact, these are all causes that sync errors which match can have.
    pub groups: Vec<(OrgId, Fingerprint, u64)>,
    /// Whether that is all of them, and not only those that were looked at.
    pub is_exact: bool,
}

/// A part of a list.
#[derive(Debug, Clone)]
pub struct ErrorPage<T> {
    /// In the order of the list.
    pub items: Vec<T>,
    /// Asks for the part behind; `None` at the end.
    pub next: Option<Cursor>,
    /// Asks for the part before; `None` at the beginning.
    pub previous: Option<Cursor>,
    /// How many there are in all, where counts tell.
    pub total: Option<u64>,
    /// How many were looked at for this page.
    pub scanned: usize,
}

impl Ledger {
    /// Sync errors that match a query, whole.
    ///
    /// # Errors
    /// When the store cannot be read; so for all readers below. A record that cannot be understood is left out.
    pub async fn sync_errors(&self, query: &ErrorQuery, paging: &Paging) -> Result<ErrorPage<SyncError>, Error> {
        let ErrorPage { items, next, previous, total, scanned } = self.error_summaries(query, paging).await?;
        let ids: Vec<_> = items.into_iter().map(|error| error.id).collect();
        Ok(ErrorPage { items: self.sync_errors_of(&ids).await?, next, previous, total, scanned })
    }

    /// The same as summaries.
    pub async fn error_summaries(&self, query: &ErrorQuery, paging: &Paging) -> Result<ErrorPage<ErrorSummary>, Error> {
        let plan = self.plan(query).await?;
        let total = plan.total;
        let backward = paging.cursor.as_ref().is_some_and(|cursor| cursor.backward);
        let order = if paging.newest_first == backward { Order::Forward } else { Order::Backward };
        let from = paging.cursor.as_ref().map(|cursor| (cursor.at, cursor.id.clone()));
        let at_first = if plan.is_exact { paging.limit + 1 } else { CHUNK };
        let mut merging = Merging::new(&self.store, plan.streams.clone(), order, from.clone(), at_first);
        let (mut items, mut scanned, mut last, mut ended) = (Vec::new(), 0, from, false);
        // One more than fits tells whether there is a next page.
        while items.len() <= paging.limit && scanned < LOOKED_AT {
            let wanted = match plan.is_exact {
                true => paging.limit + 1 - items.len(),
                false => CHUNK.min(LOOKED_AT - scanned),
            };
            let places = merging.take(wanted).await?;
            ended = places.is_empty();
            if ended {
                break;
            }
            for (place, summary) in self.summaries(query, places).await? {
                scanned += 1;
                let matching = summary.filter(|summary| plan.matches(query, summary));
                if items.len() == paging.limit && matching.is_some() {
                    items.extend(matching);
                    break;
                }
                last = Some((place.at, place.id));
                items.extend(matching);
            }
        }
        let more = items.len() > paging.limit || !ended;
        items.truncate(paging.limit);
        let cursor = |(at, id): (Timestamp, SyncErrorId), backward| Cursor {
            at,
            id,
            backward,
            of: Cursor::digest(query, paging.newest_first),
        };
        let end = last.filter(|_| more).map(|place| cursor(place, backward));
        let place = |error: &ErrorSummary| (error.first_seen, error.id.clone());
        let begin = items.first().map(place).or_else(|| paging.cursor.as_ref().map(|it| (it.at, it.id.clone())));
        let begin = begin.filter(|_| paging.cursor.is_some()).map(|place| cursor(place, !backward));
        let (next, previous) = if backward { (begin, end) } else { (end, begin) };
        if backward {
            items.reverse();
        }
        Ok(ErrorPage { items, next, previous, total, scanned })
    }

    /// The next sync errors that match, in the order in which they failed first; `after` continues.
    pub async fn walk(&self, query: &ErrorQuery, after: Option<ErrorPlace>, limit: usize) -> Result<Walk, Error> {
        let cursor = after.map(|(at, id)| Cursor { at, id, backward: false, of: String::new() });
        let page = self.error_summaries(query, &Paging { newest_first: false, cursor, limit }).await?;
        let more = page.next.is_some();
        let next = page.next.map(|cursor| (cursor.at, cursor.id));
        let after = next.or_else(|| page.items.last().map(ErrorSummary::place));
        Ok(Walk { items: page.items, after, more })
    }

    /// How many sync errors match, by cause. Where counts do not tell, at most so many are looked at.
    pub async fn count(&self, query: &ErrorQuery, most: usize) -> Result<Counted, Error> {
        let mut counted = Counted { groups: Vec::new(), is_exact: true };
        if query.is_counted() {
            counted.groups = self.counted_groups(query).await?;
            return Ok(counted);
        }
        let (mut paging, mut found, mut scanned) = (Some(Paging::first(LOOKED_AT)), HashMap::new(), 0);
        while let Some(asked) = paging.take() {
            let page = self.error_summaries(query, &asked).await?;
            scanned += page.scanned;
            for error in &page.items {
                *found.entry((error.org.clone(), error.group.clone())).or_insert(0_u64) += 1;
            }
            paging = asked.next(&page).filter(|_| scanned < most);
            counted.is_exact = page.next.is_none();
        }
        let groups: Vec<_> = found.into_iter().map(|((org, group), count)| (org, group, count)).collect();
        counted.groups = match counted.is_exact {
            true => groups,
            false => {
                // What was not looked at may be of any cause.
                let all =
                    ErrorQuery { orgs: query.orgs.clone(), states: query.states.clone(), ..ErrorQuery::default() };
                let known: HashMap<_, _> =
                    groups.into_iter().map(|(org, group, count)| ((org, group), count)).collect();
                let all = self.counted_groups(&all).await?.into_iter();
                all.map(|(org, group, _)| {
                    let count = known.get(&(org.clone(), group.clone())).copied().unwrap_or(0);
                    (org, group, count)
                })
                .collect()
            }
        };
        Ok(counted)
    }

    /// Sync errors of an organization in one state, in the order in which they were seen first; `after` continues.
    pub async fn error_list(
        &self,
        org: &OrgId,
        state: State,
        after: Option<&(Timestamp, SyncErrorId)>,
        limit: usize,
    ) -> Result<Vec<ErrorSummary>, Error> {
        let prefix = key::error_list(org, state);
        let after = after.map(|(at, id)| format!("{prefix}{}/{id}", key::time(*at)).into_bytes());
        let pairs = self.store.range(Range::of(prefix, limit).after(after)).await?;
        let read = |(name, value): &Pair| record::decode(name, value).map_err(|error| left_out(&error)).ok();
        Ok(pairs.iter().filter_map(read).collect())
    }

    /// The summaries at these places; none where a glance tells that it does not match. One that has moved to another state
    /// meanwhile is looked for by its id.
    async fn summaries(
        &self,
        query: &ErrorQuery,
        mut places: Vec<Place>,
    ) -> Result<Vec<(Place, Option<ErrorSummary>)>, Error> {
        let unread: Vec<_> = places.iter_mut().filter(|place| place.summary.is_none()).collect();
        let keys = unread.iter().map(|place| place.key().into_bytes()).collect();
        for (place, value) in unread.into_iter().zip(self.store.get_many(keys).await?) {
            place.summary = value;
        }
        let by_glance = query.is_glanced();
        let differs = |value: &Vec<u8>| {
            by_glance && record::decode::<Glance<'_>>(b"", value).is_ok_and(|glance| !query.may_match(&glance))
        };
        let (mut found, mut moved) = (Vec::with_capacity(places.len()), Vec::new());
        for mut place in places {
            let value = place.summary.take();
            let is_read = value.as_ref().is_some_and(differs);
            let summary = value.filter(|_| !is_read).and_then(|value| summary(&place, &value));
            if summary.is_none() && !is_read {
                moved.push(place.id.clone());
            }
            found.push((place, summary));
        }
        if !moved.is_empty() {
            let moved = self.sync_errors_of(&moved).await?.into_iter();
            let mut moved: HashMap<_, _> = moved.map(|error| (error.id.clone(), error.summary())).collect();
            for (place, found) in found.iter_mut().filter(|(_, found)| found.is_none()) {
                *found = moved.remove(&place.id);
            }
        }
        Ok(found)
    }
}

/// A summary that was read at its place.
fn summary(place: &Place, value: &[u8]) -> Option<ErrorSummary> {
    // Its key is made where an error names it.
    let named = |_| record::decode(place.key().as_bytes(), value).map_err(|error| left_out(&error));
    record::decode(b"", value).or_else(named).ok()
}

/// A summary that cannot be read is left out of lists; `store verify` names it.
fn left_out(error: &Error) {
    tracing::error!(%error, "a sync error is left out of a list");
}

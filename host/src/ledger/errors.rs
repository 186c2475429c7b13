//! Lists of sync errors, from summaries that lie in the order of the list.

use std::collections::BTreeMap;

use super::{Ledger, key, record};
use crate::domain::{Class, ErrorSummary, Fingerprint, OrgId, State, SyncError, SyncErrorId, Timestamp};
use crate::store::{Error, Pair, Range};

/// A page looks at so many summaries; a filter that matches little gets short pages instead of a stall.
const LOOKED_AT: usize = 5_000;
/// Summaries that are read at a time.
const CHUNK: usize = 500;

/// What a list of sync errors is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct ErrorFilter {
    /// Only of this organization.
    pub org: Option<OrgId>,
    /// Only in this state.
    pub state: Option<State>,
    /// Only of this class.
    pub class: Option<Class>,
    /// Only of this cause.
    pub group: Option<Fingerprint>,
}

impl ErrorFilter {
    fn matches(&self, error: &ErrorSummary) -> bool {
        self.class.is_none_or(|class| class == error.class)
            && self.group.as_ref().is_none_or(|group| *group == error.group)
    }
}

/// A part of a list.
#[derive(Debug, Clone)]
pub struct ErrorPage<T> {
    /// In order of state, organization and time first seen.
    pub items: Vec<T>,
    /// Asks for the next part; `None` at the end.
    pub next: Option<String>,
}

impl Ledger {
    /// Sync errors that match a filter, whole; `cursor` is the `next` of the page before.
    ///
    /// # Errors
    /// When the store cannot be read; so for all readers below. A record that cannot be understood is left out.
    pub async fn sync_errors(
        &self,
        filter: &ErrorFilter,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<ErrorPage<SyncError>, Error> {
        let page = self.error_summaries(filter, cursor, limit).await?;
        let keys: Vec<_> = page.items.iter().map(|error| key::error(&error.id).into_bytes()).collect();
        let values = self.store.get_many(keys.clone()).await?;
        let read = |(name, value): (Vec<u8>, Option<Vec<u8>>)| {
            record::decode(&name, &value?)
                .inspect_err(|error| tracing::error!(%error, "a sync error is left out of a list"))
                .ok()
        };
        let bytes = record::bytes_of(values.iter().flatten());
        let items = record::off_thread(bytes, || keys.into_iter().zip(values).filter_map(read).collect());
        Ok(ErrorPage { items, next: page.next })
    }

    /// The same as summaries.
    pub async fn error_summaries(
        &self,
        filter: &ErrorFilter,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<ErrorPage<ErrorSummary>, Error> {
        let orgs = match &filter.org {
            Some(org) => vec![org.clone()],
            None => self.orgs().await?,
        };
        let states = filter.state.map_or_else(|| State::ALL.to_vec(), |state| vec![state]);
        let lists: Vec<_> = states.iter().flat_map(|state| orgs.iter().map(|org| (*state, org.clone()))).collect();
        let mut cursor = cursor.and_then(Cursor::parse);
        let (mut items, mut looked_at) = (Vec::new(), 0);
        for (state, org) in lists {
            let prefix = key::error_list(&org, state);
            let mut after = None;
            if let Some(from) = &cursor {
                if (from.state, &from.org) != (state, &org) {
                    continue;
                }
                after = Some(format!("{prefix}{}/{}", key::time(from.at), from.id).into_bytes());
                cursor = None;
            }
            loop {
                let range = Range::of(prefix.clone(), CHUNK.min(LOOKED_AT)).after(after.take());
                let pairs = self.store.range(range).await?;
                let Some((last, _)) = pairs.last() else { break };
                after = Some(last.clone());
                for pair in pairs {
                    looked_at += 1;
                    let Some(summary) = summary(pair) else { continue };
                    let place = Cursor::of(&summary);
                    if filter.matches(&summary) {
                        items.push(summary);
                    }
                    if items.len() == limit || looked_at >= LOOKED_AT {
                        return Ok(ErrorPage { items, next: Some(place.to_string()) });
                    }
                }
            }
        }
        Ok(ErrorPage { items, next: None })
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
        Ok(self.store.range(Range::of(prefix, limit).after(after)).await?.into_iter().filter_map(summary).collect())
    }

    /// How many sync errors there are by class and code, of an organization, in one state; at most so many are looked at.
    pub async fn classes(
        &self,
        org: &OrgId,
        state: State,
        most: usize,
    ) -> Result<BTreeMap<(Class, String), u64>, Error> {
        let (mut found, mut after, mut looked_at) = (BTreeMap::new(), None, 0);
        while looked_at < most {
            let page = self.error_list(org, state, after.as_ref(), CHUNK).await?;
            let Some(last) = page.last() else { break };
            after = Some((last.first_seen, last.id.clone()));
            looked_at += page.len();
            for error in page {
                *found.entry((error.class, error.code)).or_default() += 1;
            }
        }
        Ok(found)
    }
}

/// A summary that cannot be read is left out of lists; `store verify` names it.
fn summary((name, value): Pair) -> Option<ErrorSummary> {
    record::decode(&name, &value).map_err(|error| tracing::error!(%error, "a sync error is left out of a list")).ok()
}

/// A place in a list: after this sync error.
struct Cursor {
    state: State,
    org: OrgId,
    at: Timestamp,
    id: SyncErrorId,
}

impl Cursor {
    fn of(error: &ErrorSummary) -> Self {
        Self { state: error.state, org: error.org.clone(), at: error.first_seen, id: error.id.clone() }
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('~');
        let mut next = || parts.next().unwrap_or_default();
        let state = next().parse().ok()?;
        let org = next().parse().ok()?;
        let at = Timestamp::from_millis(next().parse().ok()?);
        Some(Self { state, org, at, id: next().parse().ok()? })
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}~{}~{}~{}", self.state, self.org, self.at.as_millis(), self.id)
    }
}

/// Whether a text is a cursor as a list gives one, for a list of this filter.
#[must_use]
pub fn is_cursor(text: &str, filter: &ErrorFilter) -> bool {
    Cursor::parse(text).is_some_and(|cursor| {
        filter.state.is_none_or(|state| state == cursor.state)
            && filter.org.as_ref().is_none_or(|org| *org == cursor.org)
    })
}

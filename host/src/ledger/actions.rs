//! Actions: who did what, newest first, over all organizations. Those of a lane are in its commit, with their effect.

use std::collections::{BTreeSet, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Ledger, idempotency, key, record};
use crate::domain::{Action, Deed, OrgId, Timestamp};
use crate::store::{Batch, Error, Pair, Range};

/// A page looks at so many actions; a filter that matches little gets short pages instead of a stall.
const LOOKED_AT: usize = 5_000;
/// Actions that are read at a time.
const CHUNK: usize = 500;
/// So many bits of an action's order are random, so that those of a host and of the one before it never have one key.
const RANDOM_BITS: u32 = 40;

/// How many actions this process has made: it orders those of one millisecond.
static MADE: AtomicU64 = AtomicU64::new(0);

/// What a list of actions is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct ActionFilter {
    /// Only about these organizations; `None` for all actions, also those about none.
    pub orgs: Option<BTreeSet<OrgId>>,
    /// Only by this name.
    pub by: Option<String>,
    /// Only of this kind.
    pub what: Option<Deed>,
    /// Only from this time on.
    pub since: Option<Timestamp>,
    /// Only before this time.
    pub before: Option<Timestamp>,
    /// Only about what has this id.
    pub subject: Option<String>,
    /// A page looks at so many actions at most; 5,000 where absent.
    pub looked_at: Option<usize>,
}

impl ActionFilter {
    fn matches(&self, action: &Action) -> bool {
        self.orgs.as_ref().is_none_or(|orgs| action.org.as_ref().is_some_and(|org| orgs.contains(org)))
            && self.by.as_ref().is_none_or(|by| action.by == *by)
            && self.what.is_none_or(|what| action.what == what)
            && (self.subject.is_none() || action.subject == self.subject)
    }
}

/// A part of a list.
#[derive(Debug, Clone, Default)]
pub struct ActionPage {
    /// The newest first, each with its id.
    pub actions: Vec<(String, Action)>,
    /// Asks for the next part; `None` at the end.
    pub next: Option<String>,
}

/// The order of an action that is made now among those of the same millisecond.
#[must_use]
pub fn action_order() -> u64 {
    MADE.fetch_add(1, Ordering::Relaxed) << RANDOM_BITS | fastrand::u64(..1 << RANDOM_BITS)
}

/// Whether a text is an id of an action, as a list gives one as its `next` too.
#[must_use]
pub fn is_action_id(text: &str) -> bool {
    text.split_once('-').is_some_and(|(at, order)| {
        let of = |part: &str, length: usize| part.len() == length && part.bytes().all(|byte| byte.is_ascii_hexdigit());
        of(at, 13) && of(order, 16)
    })
}

/// The id that its key gives an action.
fn id_of(name: &[u8]) -> String {
    String::from_utf8_lossy(&name[key::ACTIONS.len().min(name.len())..]).replace('/', "-")
}

pub(super) fn put(batch: &mut Batch, action: &Action) {
    batch.put(key::action(action.at, action.order), record::encode(action));
    if let Some(key) = &action.key {
        idempotency::put(batch, key, action.at);
    }
}

/// Tells the log of an action that is on record.
pub(super) fn tell(action: &Action) {
    let Action { by, what, org, subject, count, reason, request, .. } = action;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let org = org.as_ref().map(ToString::to_string).unwrap_or_default();
    let from = request.address.map(|address| address.to_string()).unwrap_or_default();
    let token = request.token.as_ref().map(ToString::to_string).unwrap_or_default();
    tracing::info!(%what, %by, token, from, org, subject = text(subject), count, reason = text(reason), "an action");
}

impl Ledger {
    /// Keeps an action that changes no lane's records. When it answers `Ok`, the action survives a power cut. One that is kept
    /// again, with another count, is the same one.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn keep_action(&self, action: &Action) -> Result<(), Error> {
        let mut batch = Batch::default();
        put(&mut batch, action);
        self.store.commit(batch).await?;
        tell(action);
        Ok(())
    }

    /// Actions that match a filter; `cursor` is the `next` of the page before.
    ///
    /// # Errors
    /// When the store cannot be read. A record that cannot be understood is left out.
    pub async fn actions(
        &self,
        filter: &ActionFilter,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<ActionPage, Error> {
        let before = filter.before.map(|before| key::actions_at(before).into_bytes());
        let cursor = cursor.map(|cursor| format!("{}{}", key::ACTIONS, cursor.replace('-', "/")).into_bytes());
        // The smaller one lies further on.
        let mut after = before.iter().chain(&cursor).min().cloned();
        let most = filter.looked_at.unwrap_or(LOOKED_AT);
        let (mut page, mut looked_at) = (ActionPage::default(), 0);
        loop {
            let range = Range::of(key::ACTIONS, CHUNK.min(most)).backward().after(after.take());
            let pairs = self.store.range(range).await?;
            let Some((last, _)) = pairs.last() else { return Ok(page) };
            after = Some(last.clone());
            for (name, value) in pairs {
                looked_at += 1;
                if filter.since.is_some_and(|since| key::time_part(&name, 1).is_ok_and(|at| at < since)) {
                    return Ok(page);
                }
                if let Some(action) = read((&name, &value)).filter(|action| filter.matches(action)) {
                    page.actions.push((id_of(&name), action));
                }
                if page.actions.len() == limit || looked_at >= most {
                    page.next = Some(id_of(&name));
                    return Ok(page);
                }
            }
        }
    }

    /// Actions of one millisecond about any of these ids that say why.
    ///
    /// # Errors
    /// When the store cannot be read. A record that cannot be understood is left out.
    pub async fn actions_because(&self, at: Timestamp, ids: &HashSet<String>) -> Result<Vec<Action>, Error> {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let pairs = self.store.range(Range::of(key::actions_at(at), CHUNK).after(after)).await?;
            let Some((last, _)) = pairs.last() else { return Ok(found) };
            after = Some(last.clone());
            let is_meant = |action: &Action| {
                action.reason.is_some() && action.subject.as_ref().is_some_and(|subject| ids.contains(subject))
            };
            found.extend(pairs.iter().filter_map(|(name, value)| read((name, value))).filter(is_meant));
        }
    }

    /// When the newest action was.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn newest_action(&self) -> Result<Option<Timestamp>, Error> {
        let newest = self.store.range(Range::of(key::ACTIONS, 1).backward().keys_only()).await?;
        newest.first().map(|(name, _)| key::time_part(name, 1)).transpose()
    }

    /// Forgets the oldest actions before a time, at most so many; answers how many that were.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub async fn forget_actions(&self, before: Timestamp, most: usize) -> Result<usize, Error> {
        let pairs: Vec<Pair> = self.store.range(Range::of(key::ACTIONS, most).keys_only()).await?;
        let mut batch = Batch::default();
        let old = |name: &[u8]| key::time_part(name, 1).is_ok_and(|at| at < before);
        let old: Vec<_> = pairs.into_iter().map(|(name, _)| name).take_while(|name| old(name)).collect();
        let count = old.len();
        old.into_iter().for_each(|name| batch.delete(name));
        if count > 0 {
            self.store.commit(batch).await?;
        }
        Ok(count)
    }
}

fn read((name, value): (&[u8], &[u8])) -> Option<Action> {
    record::decode(name, value).map_err(|error| tracing::error!(%error, "an action is left out of a list")).ok()
}

#[cfg(test)]
mod tests;

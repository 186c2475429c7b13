//! The tokens that open something, by the hashes of their texts: those of the configuration, and those of the store, of which this
//! is the mirror. A request looks here and never into the store.

mod expiry;

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use self::expiry::ExpiryTime;
use super::caller::Caller;
use super::tokens::{Hash, Token, hash};
use crate::clock::Clock;
use crate::domain::{API_TOKEN_PREFIX, Action, ApiToken, ApiTokenId, Timestamp, is_api_token};
use crate::ledger::Ledger;
use crate::store::Error;

/// Tokens that are kept at a time, also those that ended.
pub(super) const MOST: usize = 10_000;
/// So long a token that ended is still shown; where there are as many as may be, the one that ended first goes sooner.
const SHOWN: Duration = Duration::from_secs(30 * 24 * 3600);
/// Of those, so many are forgotten with one commit.
const FORGOTTEN: usize = 100;

/// A token, and when it was used last.
#[derive(Clone)]
pub(super) struct Kept {
    pub(super) token: ApiToken,
    pub(super) of_configuration: bool,
    caller: Caller,
    used: Arc<Used>,
    /// Whether the store is not known to have it as it is here.
    is_unwritten: bool,
}

/// In milliseconds since 1970; 0 for never.
#[derive(Default)]
struct Used {
    at: AtomicU64,
    written: AtomicU64,
}

impl Kept {
    fn new(token: ApiToken, of_configuration: bool, used: Option<Timestamp>) -> Self {
        let used = used.unwrap_or_default().as_millis();
        let used = Arc::new(Used { at: AtomicU64::new(used), written: AtomicU64::new(used) });
        Self { caller: Caller::of(&token), token, of_configuration, used, is_unwritten: false }
    }

    fn key(&self) -> Option<Hash> {
        hex::decode(&self.token.hash).ok()?.try_into().ok()
    }

    pub(super) fn caller(&self) -> Caller {
        self.caller.clone()
    }

    /// When it was used last.
    pub(super) fn used_at(&self) -> Option<Timestamp> {
        Some(self.used.at.load(Ordering::Relaxed)).filter(|at| *at > 0).map(Timestamp::from_millis)
    }
}

/// What became of the making of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Making {
    Done,
    /// There are as many as may be, and none has ended.
    Full,
    /// What it was asked with is worth nothing any more.
    MakerEnded,
}

#[derive(Default)]
struct Table {
    by_hash: HashMap<Hash, Arc<Kept>>,
    by_id: BTreeMap<ApiTokenId, Arc<Kept>>,
}

impl Table {
    fn put(&mut self, kept: Kept) {
        let kept = Arc::new(kept);
        if let Some(key) = kept.key() {
            match kept.token.revoked_at {
                // Whoever has this text, also another token by the configuration, opens nothing with it any more.
                Some(_) => self.by_hash.remove(&key),
                None => self.by_hash.insert(key, Arc::clone(&kept)),
            };
        }
        self.by_id.insert(kept.token.id.clone(), kept);
    }

    fn remove(&mut self, id: &ApiTokenId) {
        if let Some(key) = self.by_id.remove(id).and_then(|kept| kept.key()) {
            self.by_hash.remove(&key);
        }
    }
}

pub(super) struct Keyring {
    table: RwLock<Table>,
    /// Changes are made one at a time.
    changing: tokio::sync::Mutex<()>,
    /// Tokens that are gone, and whose last use is still on record.
    gone: Mutex<Vec<ApiTokenId>>,
    time: ExpiryTime,
    clock: Clock,
    ledger: Ledger,
}

impl Keyring {
    pub(super) async fn load(configured: &[Token], ledger: Ledger, clock: Clock) -> Result<Self, Error> {
        let (mut uses, time) = (ledger.api_token_uses().await?, ledger.api_token_time().await?);
        let mut table = Table::default();
        let mut places = HashMap::<&str, usize>::new();
        for token in configured {
            let place = places.entry(&token.name).or_default();
            let id = ApiTokenId::of_configuration(&token.name, *place);
            *place += 1;
            let used = uses.remove(&id);
            table.put(Kept::new(token.kept(id), true, used));
        }
        for token in ledger.api_tokens().await? {
            let used = uses.remove(&token.id);
            table.put(Kept::new(token, false, used));
        }
        let time = ExpiryTime::new(time.unwrap_or_else(|| clock.now()));
        let (changing, gone) = (tokio::sync::Mutex::default(), Mutex::new(uses.into_keys().collect()));
        Ok(Self { table: RwLock::new(table), changing, gone, time, clock, ledger })
    }

    fn table(&self) -> RwLockReadGuard<'_, Table> {
        self.table.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, kept: Kept) {
        self.table.write().unwrap_or_else(PoisonError::into_inner).put(kept);
    }

    /// The time by which tokens expire.
    pub(super) fn now(&self) -> Timestamp {
        self.time.by(self.clock.now())
    }

    /// The token with this text, while it is worth something.
    pub(super) fn find(&self, text: &str) -> Option<Arc<Kept>> {
        // What is misspelt is none, without a look.
        if text.starts_with(API_TOKEN_PREFIX) && !is_api_token(text) {
            return None;
        }
        let kept = self.table().by_hash.get(&hash(text)).cloned()?;
        self.opens(&kept).then_some(kept)
    }

    /// The token with this id, while it is worth something.
    pub(super) fn of(&self, id: &ApiTokenId) -> Option<Arc<Kept>> {
        self.get(id).filter(|kept| self.opens(kept))
    }

    fn opens(&self, kept: &Kept) -> bool {
        let opens = kept.token.ended_at(self.now()).is_none();
        if opens {
            kept.used.at.fetch_max(self.clock.now().as_millis(), Ordering::Relaxed);
        }
        opens
    }

    /// Whether a token is worth something; that is no use of it.
    pub(super) fn stands(&self, id: &ApiTokenId) -> bool {
        self.get(id).is_some_and(|kept| kept.token.ended_at(self.now()).is_none())
    }

    /// The token with this id, whatever it is worth.
    pub(super) fn get(&self, id: &ApiTokenId) -> Option<Arc<Kept>> {
        self.table().by_id.get(id).cloned()
    }

    /// Those that are wanted and come after a place: the newest first, and at the end the ones of the configuration.
    pub(super) fn list(
        &self,
        after: Option<&ApiTokenId>,
        limit: usize,
        wanted: impl Fn(&Kept) -> bool,
    ) -> Vec<Arc<Kept>> {
        let table = self.table();
        let end = after.map_or(Bound::Unbounded, Bound::Excluded);
        let before = table.by_id.range::<ApiTokenId, _>((Bound::Unbounded, end)).rev();
        before.map(|(_, kept)| kept).filter(|kept| wanted(kept)).take(limit).cloned().collect()
    }

    /// Keeps a new token, unless there are as many as may be, or the one with which it is made was revoked meanwhile.
    pub(super) async fn make(&self, token: ApiToken, action: &Action) -> Result<Making, Error> {
        let _one = self.changing.lock().await;
        if token.made_by_token.as_ref().is_some_and(|maker| !self.stands(maker)) {
            return Ok(Making::MakerEnded);
        }
        let Some(forgotten) = self.to_be_forgotten() else { return Ok(Making::Full) };
        self.ledger.keep_api_token(&token, &[], &forgotten, action).await?;
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        forgotten.iter().for_each(|id| table.remove(id));
        table.put(Kept::new(token, false, None));
        Ok(Making::Done)
    }

    /// Those that ended long ago, and where there are as many as may be, the one that ended first; `None` where that is none.
    fn to_be_forgotten(&self) -> Option<Vec<ApiTokenId>> {
        // Not by the clock: one that is a year ahead for a moment is to forget nothing.
        let now = self.time.reached();
        let table = self.table();
        let made = || table.by_id.values().filter(|kept| !kept.of_configuration);
        let mut ended: Vec<_> =
            made().filter_map(|kept| Some((kept.token.ended_at(now)?, kept.token.id.clone()))).collect();
        ended.sort_unstable();
        let is_full = made().count() >= MOST;
        if is_full && ended.is_empty() {
            return None;
        }
        let long_ago =
            |(place, (at, _)): (usize, &(Timestamp, ApiTokenId))| now.since(*at) >= SHOWN || (is_full && place == 0);
        let count = ended.iter().enumerate().take_while(|one| long_ago(*one)).count();
        Some(ended.into_iter().take(count.min(FORGOTTEN)).map(|(_, id)| id).collect())
    }

    /// Revokes a token: from now on it opens nothing, also where the store does not take it. Answers whether it was revoked by
    /// this; it is once.
    pub(super) async fn revoke(
        &self,
        id: &ApiTokenId,
        sessions: &[String],
        by: &str,
        action: Action,
    ) -> Result<bool, Error> {
        let _one = self.changing.lock().await;
        let Some(kept) = self.get(id).filter(|kept| kept.token.revoked_at.is_none() || kept.is_unwritten) else {
            return Ok(false);
        };
        let mut token = kept.token.clone();
        token.revoked_at.get_or_insert(action.at);
        token.revoked_by.get_or_insert_with(|| by.to_owned());
        let revoked = Kept { token, is_unwritten: true, ..Kept::clone(&kept) };
        self.put(revoked.clone());
        self.ledger.keep_api_token(&revoked.token, sessions, &[], &action).await?;
        self.put(Kept { is_unwritten: false, ..revoked });
        Ok(true)
    }

    /// Keeps when tokens were used last: one commit for all of them.
    pub(super) async fn keep_uses(&self) {
        self.time.settle(self.clock.now());
        let used = |kept: &Arc<Kept>| {
            let at = kept.used.at.load(Ordering::Relaxed);
            (at > kept.used.written.load(Ordering::Relaxed)).then(|| (Arc::clone(kept), at))
        };
        let used: Vec<_> = self.table().by_id.values().filter_map(used).collect();
        let gone = std::mem::take(&mut *self.gone.lock().unwrap_or_else(PoisonError::into_inner));
        if used.is_empty() && gone.is_empty() {
            return;
        }
        let of = |(kept, at): &(Arc<Kept>, u64)| (kept.token.id.clone(), Timestamp::from_millis(*at));
        let uses: Vec<_> = used.iter().map(of).collect();
        match self.ledger.keep_api_token_uses(&uses, &gone, self.time.reached()).await {
            Ok(()) => {
                for (kept, at) in used {
                    kept.used.written.fetch_max(at, Ordering::Relaxed);
                }
            }
            Err(error) => tracing::error!(%error, "when tokens were used last is not on record; it is tried again"),
        }
    }
}

#[cfg(test)]
mod tests;

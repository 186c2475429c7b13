//! The sessions of the console, which survive a restart: the store has the hashes of their cookies, and this is its mirror.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq as _;

use super::tokens::{Hash, hash};
use crate::clock::Clock;
use crate::domain::{Action, ApiToken, ApiTokenId, ConsoleSession, Timestamp};
use crate::ledger::Ledger;
use crate::store::Error;

/// How long a session lasts.
pub(super) const SESSION: Duration = Duration::from_secs(12 * 3600);
/// Sessions that one token may have open; its oldest goes first, and nobody else's.
pub(super) const SESSIONS: usize = 50;
/// Sessions that are forgotten with one commit.
const FORGOTTEN: usize = 1_000;

struct Session {
    token: ApiTokenId,
    proof: Hash,
    since: Timestamp,
    /// Whether somebody has ended it, and the store may not know that yet.
    is_ended: bool,
}

pub(super) struct Sessions {
    /// By the hash of the cookie.
    all: Mutex<HashMap<Hash, Session>>,
    clock: Clock,
    ledger: Ledger,
}

/// What only the cookie and the token's own text make together.
fn proof(cookie: &str, token: &ApiToken) -> Hash {
    Sha256::new().chain_update(cookie).chain_update(&token.hash).finalize().into()
}

fn parsed(text: &str) -> Option<Hash> {
    hex::decode(text).ok()?.try_into().ok()
}

impl Sessions {
    pub(super) async fn load(ledger: Ledger, clock: Clock) -> Result<Self, Error> {
        let read = |(id, ConsoleSession { token, proof, since }): (String, ConsoleSession)| {
            Some((parsed(&id)?, Session { token, proof: parsed(&proof)?, since, is_ended: false }))
        };
        let all = ledger.console_sessions().await?.into_iter().filter_map(read).collect();
        Ok(Self { all: Mutex::new(all), clock, ledger })
    }

    fn all(&self) -> MutexGuard<'_, HashMap<Hash, Session>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_open(&self, session: &Session) -> bool {
        !session.is_ended && self.clock.now().is_within(SESSION, session.since)
    }

    /// The token of the session with this cookie, while it is open.
    pub(super) fn token_of(&self, id: &Hash) -> Option<ApiTokenId> {
        self.all().get(id).filter(|session| self.is_open(session)).map(|session| session.token.clone())
    }

    /// Whether the session with this cookie was opened with this very token.
    pub(super) fn is_of(&self, cookie: &str, token: &ApiToken) -> bool {
        let proof = proof(cookie, token);
        self.all().get(&hash(cookie)).is_some_and(|session| session.proof.ct_eq(&proof).into())
    }

    /// Opens a session. When it answers, the session survives a restart.
    pub(super) async fn open(&self, cookie: &str, token: &ApiToken, action: &Action) -> Result<(), Error> {
        let (id, proof, since) = (hash(cookie), proof(cookie, token), self.clock.now());
        let oldest = {
            let all = self.all();
            let own = || all.iter().filter(|(_, session)| session.token == token.id);
            let oldest = own().min_by_key(|(_, session)| session.since).map(|(id, _)| *id);
            oldest.filter(|_| own().count() >= SESSIONS)
        };
        let session = ConsoleSession { token: token.id.clone(), proof: hex::encode(proof), since };
        let ended: Vec<_> = oldest.iter().map(hex::encode).collect();
        self.ledger.keep_console_session(&hex::encode(id), &session, &ended, action).await?;
        let mut all = self.all();
        oldest.iter().for_each(|id| drop(all.remove(id)));
        all.insert(id, Session { token: token.id.clone(), proof, since, is_ended: false });
        Ok(())
    }

    /// Ends a session: it is over at once. When it answers, it stays so. `action` is told the session's token.
    pub(super) async fn end(
        &self,
        id: &Hash,
        action: impl FnOnce(&ApiTokenId) -> Option<Action> + Send,
    ) -> Result<(), Error> {
        let token = self.all().get_mut(id).map(|session| {
            session.is_ended = true;
            session.token.clone()
        });
        let Some(token) = token else { return Ok(()) };
        self.ledger.end_console_sessions(&[hex::encode(id)], action(&token).as_ref()).await?;
        self.all().remove(id);
        Ok(())
    }

    /// The sessions of a token, as the store knows them.
    pub(super) fn of(&self, token: &ApiTokenId) -> Vec<String> {
        self.all().iter().filter(|(_, session)| session.token == *token).map(|(id, _)| hex::encode(id)).collect()
    }

    /// Forgets those that are over, or whose token opens nothing any more.
    pub(super) async fn forget_ended(&self, stands: impl Fn(&ApiTokenId) -> bool) {
        let over: Vec<_> = {
            let all = self.all();
            let over = all.iter().filter(|(_, session)| !self.is_open(session) || !stands(&session.token));
            over.take(FORGOTTEN).map(|(id, _)| *id).collect()
        };
        let ids: Vec<_> = over.iter().map(hex::encode).collect();
        match self.ledger.end_console_sessions(&ids, None).await {
            Ok(()) => {
                let mut all = self.all();
                over.iter().for_each(|id| drop(all.remove(id)));
            }
            Err(error) => tracing::error!(%error, "sessions that are over are still on record; it is tried again"),
        }
    }
}

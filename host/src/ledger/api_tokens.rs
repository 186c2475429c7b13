//! The tokens of the API that were made over it, when each was used last, and the sessions of the console: by hash, never in
//! the clear. Each change is in one commit with its action.

use std::collections::HashMap;

use serde::de::DeserializeOwned;

use super::{Ledger, actions, key, record};
use crate::domain::{Action, ApiToken, ApiTokenId, ConsoleSession, Timestamp};
use crate::store::{Batch, Error};

impl Ledger {
    /// All tokens, also those that are worth nothing any more. One that cannot be understood is left out: it opens nothing.
    ///
    /// # Errors
    /// When the store cannot be read; so for the readers below.
    pub async fn api_tokens(&self) -> Result<Vec<ApiToken>, Error> {
        Ok(self.all::<ApiToken>(key::API_TOKENS).await?.into_iter().map(|(_, token)| token).collect())
    }

    /// When each token was used last, also those of the configuration.
    pub async fn api_token_uses(&self) -> Result<HashMap<ApiTokenId, Timestamp>, Error> {
        let all = self.all(key::API_TOKEN_USES).await?.into_iter();
        Ok(all.filter_map(|(name, at)| Some((name.parse().ok()?, at))).collect())
    }

    /// The time by which tokens expire, as it was kept last.
    pub async fn api_token_time(&self) -> Result<Option<Timestamp>, Error> {
        self.read(key::API_TOKEN_TIME.to_owned()).await
    }

    /// The sessions of the console, each with the hash of its cookie in hexadecimal.
    pub async fn console_sessions(&self) -> Result<Vec<(String, ConsoleSession)>, Error> {
        self.all(key::CONSOLE_SESSIONS).await
    }

    /// All records of a prefix, each with the end of its key.
    async fn all<T: DeserializeOwned>(&self, prefix: &str) -> Result<Vec<(String, T)>, Error> {
        let mut found = Vec::new();
        self.each(prefix, false, |(name, value)| {
            match record::decode(&name, &value) {
                Ok(record) => found.push((String::from_utf8_lossy(&name[prefix.len()..]).into_owned(), record)),
                Err(error) => tracing::error!(%error, "a record is left out"),
            }
            Ok(())
        })
        .await?;
        Ok(found)
    }

    /// Keeps a token as it is now, ends sessions, and forgets tokens that ended long ago. When it answers `Ok`, that survives a
    /// power cut; so for the writers below.
    ///
    /// # Errors
    /// When the store cannot be written; so for the writers below.
    pub async fn keep_api_token(
        &self,
        token: &ApiToken,
        sessions: &[String],
        forgotten: &[ApiTokenId],
        action: &Action,
    ) -> Result<(), Error> {
        let mut batch = Batch::default();
        for id in forgotten {
            batch.delete(key::api_token(id));
            batch.delete(key::api_token_use(id));
        }
        sessions.iter().for_each(|session| batch.delete(key::console_session(session)));
        batch.put(key::api_token(&token.id), record::encode(token));
        self.commit_with(batch, Some(action)).await
    }

    /// Keeps when tokens were used last, forgets that of tokens that are gone, and keeps the time by which tokens expire.
    pub async fn keep_api_token_uses(
        &self,
        uses: &[(ApiTokenId, Timestamp)],
        gone: &[ApiTokenId],
        time: Timestamp,
    ) -> Result<(), Error> {
        let mut batch = Batch::default();
        uses.iter().for_each(|(id, at)| batch.put(key::api_token_use(id), record::encode(at)));
        gone.iter().for_each(|id| batch.delete(key::api_token_use(id)));
        batch.put(key::API_TOKEN_TIME, record::encode(&time));
        self.commit_with(batch, None).await
    }

    /// Keeps a session, and ends others.
    pub async fn keep_console_session(
        &self,
        id: &str,
        session: &ConsoleSession,
        ended: &[String],
        action: &Action,
    ) -> Result<(), Error> {
        let mut batch = Batch::default();
        ended.iter().for_each(|id| batch.delete(key::console_session(id)));
        batch.put(key::console_session(id), record::encode(session));
        self.commit_with(batch, Some(action)).await
    }

    /// Ends sessions.
    pub async fn end_console_sessions(&self, ids: &[String], action: Option<&Action>) -> Result<(), Error> {
        let mut batch = Batch::default();
        ids.iter().for_each(|id| batch.delete(key::console_session(id)));
        self.commit_with(batch, action).await
    }

    /// Commits, with the action of whoever asked for it.
    pub(super) async fn commit_with(&self, mut batch: Batch, action: Option<&Action>) -> Result<(), Error> {
        if let Some(action) = action {
            actions::put(&mut batch, action);
        }
        if !batch.is_empty() {
            self.store.commit(batch).await?;
            action.into_iter().for_each(actions::tell);
        }
        Ok(())
    }
}

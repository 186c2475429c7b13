//! The refresh tokens that Salesforce gave last, one for each organization, sealed.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Ledger;
use super::sealing::Sealed;
use crate::domain::{OrgId, RecordId, RefreshToken, Secret};
use crate::store::{Batch, Error, Range, TOKENS};

/// More organizations than any host has.
const MOST: usize = 100_000;

/// A token, and the fingerprint of the configured one that it followed from (of nothing where none is configured).
#[derive(Serialize, Deserialize)]
enum Token {
    /// As the first releases wrote it.
    #[serde(rename = "1")]
    Clear { configured: String, token: String },
    #[serde(rename = "2")]
    Sealed {
        configured: String,
        sealed: Sealed,
        /// What it is for; earlier releases did not keep it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        organization: Option<RecordId>,
    },
}

fn fingerprint(secret: Option<&Secret>) -> String {
    hex::encode(Sha256::digest(secret.map_or("", Secret::reveal).as_bytes()))
}

fn place(org: &OrgId) -> String {
    format!("{TOKENS}{org}")
}

fn read(key: &str, value: &[u8]) -> Result<Token, Error> {
    serde_json::from_slice(value).map_err(|error| Error::Unreadable { key: key.to_owned(), reason: error.to_string() })
}

impl Ledger {
    /// The refresh token that Salesforce gave last, by rotation or by an authorization.
    ///
    /// # Errors
    /// When the store cannot be read, or the token was sealed with none of the host's keys.
    pub async fn refresh_token(&self, org: &OrgId, configured: Option<&Secret>) -> Result<Option<RefreshToken>, Error> {
        let place = place(org);
        let value = self.store.get_many(vec![place.clone().into_bytes()]).await?.pop().flatten();
        let Some(value) = value else { return Ok(None) };
        let token = read(&place, &value)?;
        let (Token::Clear { configured: before, .. } | Token::Sealed { configured: before, .. }) = &token;
        // One that was configured since is newer than all that followed from the one before.
        if *before != fingerprint(configured) {
            return Ok(None);
        }
        Ok(Some(match token {
            Token::Clear { token, .. } => RefreshToken { token: Secret::new(token), organization: None },
            Token::Sealed { sealed, organization, .. } => {
                RefreshToken { token: self.keys.open(&place, &sealed)?, organization }
            }
        }))
    }

    /// Keeps the refresh token that Salesforce gave just now. When it answers `Ok`, the token survives a power cut.
    ///
    /// # Errors
    /// When the host has no key, or the store cannot be written.
    pub async fn keep_refresh_token(
        &self,
        org: &OrgId,
        configured: Option<&Secret>,
        token: &RefreshToken,
    ) -> Result<(), Error> {
        let mut batch = Batch::default();
        self.put(&mut batch, place(org), fingerprint(configured), token)?;
        self.store().commit(batch).await
    }

    /// Seals with the newest key what is in the clear or sealed with an older one. What none of the keys opens is left.
    ///
    /// # Errors
    /// When the store cannot be read or written, or tokens are in the clear and the host has no key.
    pub async fn reseal_tokens(&self) -> Result<(), Error> {
        let mut batch = Batch::default();
        for (key, value) in self.store.range(Range::of(TOKENS, MOST)).await? {
            let place = String::from_utf8_lossy(&key).into_owned();
            let opened = match read(&place, &value) {
                Ok(Token::Sealed { sealed, .. }) if self.keys.is_newest(&sealed) => continue,
                Ok(Token::Sealed { configured, sealed, organization }) => {
                    let opened = self.keys.open(&place, &sealed);
                    opened.map(|token| (configured, RefreshToken { token, organization }))
                }
                Ok(Token::Clear { configured, token }) => {
                    Ok((configured, RefreshToken { token: Secret::new(token), organization: None }))
                }
                Err(error) => Err(error),
            };
            match opened {
                Ok((configured, token)) => self.put(&mut batch, place, configured, &token)?,
                Err(error) => tracing::error!(%error, "a refresh token cannot be opened"),
            }
        }
        if batch.is_empty() { Ok(()) } else { self.store().commit(batch).await }
    }

    fn put(&self, batch: &mut Batch, place: String, configured: String, token: &RefreshToken) -> Result<(), Error> {
        let RefreshToken { token, organization } = token;
        let sealed = self.keys.seal(&place, token)?;
        let token = Token::Sealed { configured, sealed, organization: organization.clone() };
        // Made of texts: there is always JSON for it.
        batch.put(place, serde_json::to_vec(&token).unwrap_or_default());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::ledger::Keys;
    use crate::store::{MemoryStore, Store, export};

    fn records(store: &Arc<MemoryStore>, keys: &[char]) -> Ledger {
        let keys: Vec<_> = keys.iter().map(|digit| Secret::new(digit.to_string().repeat(64))).collect();
        Ledger::new(Arc::clone(store) as Arc<dyn Store>).with_keys(Keys::new(&keys).unwrap())
    }

    fn acme() -> OrgId {
        OrgId::new("acme").unwrap()
    }

    /// One for the organization 00D000000000001AAA.
    fn token(text: &str) -> RefreshToken {
        RefreshToken { token: Secret::new(text), organization: Some(RecordId::new("00D000000000001AAA").unwrap()) }
    }

    async fn exported(store: &Arc<MemoryStore>) -> String {
        let mut lines = Vec::new();
        export(store.as_ref(), &mut lines).await.unwrap();
        String::from_utf8(lines).unwrap()
    }

    #[tokio::test]
    async fn a_token_is_kept_sealed_and_follows_from_the_configured_one() {
        let store = Arc::new(MemoryStore::default());
        let (records, configured) = (records(&store, &['a']), Secret::new("configured"));
        records.keep_refresh_token(&acme(), Some(&configured), &token("rotated")).await.unwrap();
        assert_eq!(records.refresh_token(&acme(), Some(&configured)).await.unwrap(), Some(token("rotated")));
        assert_eq!(records.refresh_token(&acme(), Some(&Secret::new("newer"))).await.unwrap(), None);
        assert_eq!(records.refresh_token(&acme(), None).await.unwrap(), None);
        let lines = exported(&store).await;
        assert!(lines.contains("refresh-token/acme") && !lines.contains("rotated\""), "{lines}");
    }

    #[tokio::test]
    async fn a_token_of_an_earlier_release_is_sealed_at_the_start_and_never_exported_in_the_clear() {
        let store = Arc::new(MemoryStore::default());
        let configured = Secret::new("configured");
        let clear = Token::Clear { configured: fingerprint(Some(&configured)), token: "in-the-clear".to_owned() };
        let mut batch = Batch::default();
        batch.put("refresh-token/acme", serde_json::to_vec(&clear).unwrap());
        store.commit(batch).await.unwrap();
        let lines = exported(&store).await;
        assert!(!lines.contains("refresh-token") && !lines.contains("in-the-clear"), "{lines}");

        let without = records(&store, &[]);
        assert!(matches!(without.reseal_tokens().await, Err(Error::NoKey)));
        let records = records(&store, &['a']);
        records.reseal_tokens().await.unwrap();
        let kept = RefreshToken { organization: None, ..token("in-the-clear") };
        assert_eq!(records.refresh_token(&acme(), Some(&configured)).await.unwrap(), Some(kept));
        let lines = exported(&store).await;
        assert!(lines.contains("refresh-token/acme") && !lines.contains("in-the-clear"), "{lines}");
    }

    #[tokio::test]
    async fn a_new_key_takes_over_and_a_lost_one_is_named() {
        let store = Arc::new(MemoryStore::default());
        records(&store, &['a']).keep_refresh_token(&acme(), None, &token("token")).await.unwrap();
        records(&store, &['b', 'a']).reseal_tokens().await.unwrap();
        let only_new = records(&store, &['b']);
        assert_eq!(only_new.refresh_token(&acme(), None).await.unwrap(), Some(token("token")));

        let lost = records(&store, &['c']);
        lost.reseal_tokens().await.unwrap();
        let error = lost.refresh_token(&acme(), None).await.unwrap_err();
        assert!(matches!(error, Error::WrongKey { .. }) && error.to_string().contains("secrets.keys"), "{error}");
        assert!(
            only_new.refresh_token(&acme(), None).await.unwrap().is_some(),
            "what cannot be opened is left as it is"
        );
    }
}

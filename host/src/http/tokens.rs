//! Bearer tokens as the configuration has them, and which ones are refused.

use std::collections::HashMap;

use serde::Deserialize;
use sha2::{Digest, Sha256};

pub use crate::domain::TokenScope as Scope;
use crate::domain::{API_TOKEN_PREFIX, ApiToken, ApiTokenId, Secret, Timestamp, is_api_token, is_hidden};

/// A bearer token and what it is good for.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// Whose it is; stands in audits.
    pub name: String,
    /// The token itself, 16 characters or more.
    pub secret: Secret,
    /// What it may be used for.
    pub scopes: Vec<Scope>,
}

impl Token {
    /// As one that is kept; it is for all organizations, and expires with the configuration.
    pub(super) fn kept(&self, id: ApiTokenId) -> ApiToken {
        ApiToken {
            id,
            name: self.name.clone(),
            hash: hex::encode(hash(self.secret.reveal())),
            scopes: self.scopes.iter().copied().collect(),
            orgs: None,
            made_by: String::new(),
            made_by_token: None,
            made_at: Timestamp::default(),
            expires_at: None,
            revoked_at: None,
            revoked_by: None,
        }
    }
}

/// Refuses tokens that nobody could use, or that would be somebody else's.
///
/// # Errors
/// Names the token and says what is wrong with it.
pub fn check(tokens: &[Token]) -> Result<(), String> {
    let mut names = HashMap::new();
    for Token { name, secret, .. } in tokens {
        if name.trim().is_empty() || name.contains(is_hidden) {
            return Err(format!("http.tokens: {name:?} is no name that an audit could show"));
        }
        let text = secret.reveal();
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(format!("http.tokens `{name}`.secret: only visible characters of ASCII can be sent"));
        }
        if text.len() < 16 {
            return Err(format!("http.tokens `{name}`.secret: 16 characters or more are needed"));
        }
        if text.starts_with(API_TOKEN_PREFIX) && !is_api_token(text) {
            return Err(format!(
                "http.tokens `{name}`.secret: it begins like a token that a host made, and is misspelt"
            ));
        }
        if let Some(other) = names.insert(hash(text), name) {
            return Err(format!("http.tokens: the tokens `{other}` and `{name}` have the same secret"));
        }
    }
    Ok(())
}

/// By which a secret is known: how long a look-up takes tells nothing of it.
pub(super) type Hash = [u8; 32];

pub(super) fn hash(text: &str) -> Hash {
    Sha256::digest(text.as_bytes()).into()
}

//! Bearer tokens as the configuration has them, and which ones are refused.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::domain::{Secret, is_hidden};

/// What a token may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Look at everything.
    Read,
    /// Retry, ignore and reopen sync errors.
    Errors,
    /// Put policies in force.
    Policies,
    /// Hand in conversations.
    Intake,
    /// Authorize organizations.
    Connect,
    /// Read everything that is kept, as a backup.
    Backup,
}

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

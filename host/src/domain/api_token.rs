//! API tokens: what they are good for, what their text looks like, and what is kept of one.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{ApiTokenId, OrgId, Timestamp, is_hidden};

/// What their text begins with; scanners for secrets find it by that.
pub const API_TOKEN_PREFIX: &str = "swy_";
/// Characters that are drawn by lot, of 62: 190 bits.
const DRAWN: usize = 32;
/// Characters of the checksum.
const SUM: usize = 6;
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// The longest name, in characters.
const LONGEST: usize = 100;

/// What a token may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TokenScope {
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
    /// Make and revoke tokens.
    Tokens,
    /// Erase what is kept of a customer.
    Erase,
}

impl TokenScope {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Read,
        Self::Errors,
        Self::Policies,
        Self::Intake,
        Self::Connect,
        Self::Backup,
        Self::Tokens,
        Self::Erase,
    ];

    /// Its name in configurations, records and the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Errors => "errors",
            Self::Policies => "policies",
            Self::Intake => "intake",
            Self::Connect => "connect",
            Self::Backup => "backup",
            Self::Tokens => "tokens",
            Self::Erase => "erase",
        }
    }
}

impl std::fmt::Display for TokenScope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for TokenScope {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let known = || Self::ALL.map(Self::as_str).join(", ");
        Self::ALL.into_iter().find(|scope| scope.as_str() == text).ok_or_else(|| format!("none of {}", known()))
    }
}

/// What is kept of a token: never its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiToken {
    /// Its id, which is no secret.
    pub id: ApiTokenId,
    /// Which person or program it is for.
    pub name: String,
    /// The SHA-256 of its text, in hexadecimal.
    pub hash: String,
    /// What it may be used for.
    pub scopes: BTreeSet<TokenScope>,
    /// The organizations that it is for; `None`: all, those to come too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub orgs: Option<BTreeSet<OrgId>>,
    /// Who made it, by name,
    pub made_by: String,
    /// and by which token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_by_token: Option<ApiTokenId>,
    /// When it was made.
    pub made_at: Timestamp,
    /// From when on it is worth nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// When it was revoked,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
    /// and by whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_by: Option<String>,
}

impl ApiToken {
    /// Since when it is worth nothing, at this time; `None` while it is worth something.
    #[must_use]
    pub fn ended_at(&self, now: Timestamp) -> Option<Timestamp> {
        let expired = self.expires_at.filter(|at| *at <= now);
        self.revoked_at.into_iter().chain(expired).min()
    }
}

/// What is kept of a session of the console, by the hash of its cookie.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsoleSession {
    /// The token that it was opened with.
    pub token: ApiTokenId,
    /// SHA-256 over the cookie and the token's own hash, in hexadecimal: with another secret under the same id it is worth nothing.
    pub proof: String,
    /// When it was opened.
    pub since: Timestamp,
}

/// The name of a token as it is kept.
///
/// # Errors
/// When a list could not show it.
pub fn token_name(text: &str) -> Result<&str, String> {
    let name = text.trim();
    if name.is_empty() || name.chars().count() > LONGEST {
        return Err(format!("name: say in 1 to {LONGEST} characters which person or program it is for"));
    }
    match name.chars().find(|character| is_hidden(*character)) {
        Some(hidden) => Err(format!("name: U+{:04X} is a control character", u32::from(hidden))),
        None => Ok(name),
    }
}

/// The text of a new token, from random bytes; `None` where they are too few.
#[must_use]
pub fn api_token_text(random: &[u8]) -> Option<String> {
    // What is beyond the last whole alphabet would make its first characters likelier.
    let drawn = random.iter().filter(|byte| **byte < 248).take(DRAWN);
    let mut text: String = API_TOKEN_PREFIX.chars().chain(drawn.map(|byte| digit(u32::from(*byte)))).collect();
    if text.len() < API_TOKEN_PREFIX.len() + DRAWN {
        return None;
    }
    text += &sum(&text);
    Some(text)
}

/// Whether a text is a whole token: what is misspelt, cut off or made up is none, without a look at any.
#[must_use]
pub fn is_api_token(text: &str) -> bool {
    let length = API_TOKEN_PREFIX.len() + DRAWN;
    text.len() == length + SUM
        && text.starts_with(API_TOKEN_PREFIX)
        && text[API_TOKEN_PREFIX.len()..].bytes().all(|byte| byte.is_ascii_alphanumeric())
        && text[length..] == sum(&text[..length])
}

fn digit(number: u32) -> char {
    char::from(ALPHABET[usize::try_from(number % 62).unwrap_or(0)])
}

fn sum(text: &str) -> String {
    let sum = crc32fast::hash(text.as_bytes());
    (0..SUM).rev().map(|place| digit(sum / 62_u32.pow(u32::try_from(place).unwrap_or(0)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_reads_back_and_one_that_is_misspelt_is_none() {
        let text = api_token_text(&[7, 255, 250, 61].repeat(32)).unwrap();
        assert_eq!(text, format!("swy_{}{}", "7z".repeat(16), sum(&format!("swy_{}", "7z".repeat(16)))));
        assert!(is_api_token(&text), "{text}");
        assert_eq!(api_token_text(&[255; 200]), None, "nothing could be drawn");
        let swapped = text.replace("7z7z", "z77z");
        for bad in [&text[1..], &text[..41], &format!("{text}0"), &swapped, "", "swy_", &format!("swx_{}", &text[4..])]
        {
            assert!(!is_api_token(bad), "{bad}");
        }
        for place in 0..text.len() {
            for other in ["0", "A", "\0", "é", "_"] {
                let mut misspelt = text.clone();
                misspelt.replace_range(place..=place, other);
                assert_eq!(is_api_token(&misspelt), misspelt == text, "{misspelt}");
            }
        }
    }

    #[test]
    fn a_name_is_one_line_that_shows_all_of_itself() {
        assert_eq!(token_name(" Ann's laptop "), Ok("Ann's laptop"));
        for bad in ["", "  ", "a\0b", "a\u{1b}[31m", "a\u{202e}b", "a\nb", &"é".repeat(LONGEST + 1)] {
            assert!(token_name(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn every_scope_reads_back_as_it_is_written() {
        for scope in TokenScope::ALL {
            assert_eq!(scope.as_str().parse(), Ok(scope));
            assert_eq!(serde_json::to_string(&scope).unwrap(), format!("\"{scope}\""));
        }
    }

    #[test]
    fn a_token_ends_when_it_expires_or_before_when_it_is_revoked() {
        let at = Timestamp::from_millis;
        let token = ApiToken {
            id: ApiTokenId::made(at(1), 7),
            name: "ann".to_owned(),
            hash: String::new(),
            scopes: BTreeSet::new(),
            orgs: None,
            made_by: "ops".to_owned(),
            made_by_token: None,
            made_at: at(1),
            expires_at: Some(at(10)),
            revoked_at: None,
            revoked_by: None,
        };
        assert_eq!((token.ended_at(at(9)), token.ended_at(at(10))), (None, Some(at(10))));
        let revoked = ApiToken { revoked_at: Some(at(5)), ..token };
        assert_eq!((revoked.ended_at(at(6)), revoked.ended_at(at(20))), (Some(at(5)), Some(at(5))));
    }
}

//! The cause of a sync error: what it has in common with others, whichever conversation they are of.

mod masking;
#[cfg(test)]
mod tests;
mod title;

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use self::masking::{Names, mask};
use super::{Conversation, OrgId, Refusal};

/// The version of the rule. Another rule gives other fingerprints to the same causes, so it gets another number.
const RULE: u8 = 1;
const PREFIX: &str = "gr-";
/// The alphabet of the digest: base 32 in lower case.
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
/// Characters of the digest, 5 bits each.
const DIGITS: usize = 20;
/// A customer's name shorter than this is not looked for, in characters: it would be found in other words.
const SHORTEST_NAME: usize = 3;
/// So deep a JSON text is searched for words.
const DEPTH: usize = 8;

/// What all sync errors of one cause have in common, as an id: `gr-`, the version of the rule, and 100 bits of SHA-256.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Fingerprint(String);

/// A text that is no fingerprint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the id of a cause: gr-, a digit, and 20 characters of a-z and 2-7")]
pub struct FingerprintError(String);

impl Fingerprint {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What has no known cause: no rule made it.
    #[must_use]
    pub fn unnamed() -> Self {
        Self(format!("{PREFIX}0{}", "a".repeat(DIGITS)))
    }

    fn of<'a>(parts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut hasher = Sha256::new();
        for part in parts {
            hasher.update(part.len().to_be_bytes());
            hasher.update(part);
        }
        let hash = hasher.finalize();
        let bits = hash.iter().take(16).fold(0_u128, |bits, byte| bits << 8 | u128::from(*byte));
        let digit = |at: usize| char::from(ALPHABET[usize::try_from(bits >> (123 - 5 * at) & 31).unwrap_or(0)]);
        Self(format!("{PREFIX}{RULE}{}", (0..DIGITS).map(digit).collect::<String>()))
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = FingerprintError;
    fn try_from(text: String) -> Result<Self, FingerprintError> {
        let digits = text.strip_prefix(PREFIX).and_then(|rest| rest.strip_prefix(|rule: char| rule.is_ascii_digit()));
        let fits = digits.is_some_and(|own| own.len() == DIGITS && own.bytes().all(|byte| ALPHABET.contains(&byte)));
        if fits { Ok(Self(text)) } else { Err(FingerprintError(text.chars().take(40).collect())) }
    }
}

impl std::str::FromStr for Fingerprint {
    type Err = FingerprintError;
    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        Self::try_from(text.to_owned())
    }
}

impl From<Fingerprint> for String {
    fn from(id: Fingerprint) -> Self {
        id.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A refusal, and what its words may name.
#[derive(Debug, Clone)]
pub struct Cause<'a> {
    org: &'a OrgId,
    refusal: &'a Refusal,
    team: Option<&'a str>,
    queue: Option<&'a str>,
    names: Names<'a>,
}

/// What a cause is known by. Nothing of it tells who the customer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The same for all sync errors of the cause.
    pub id: Fingerprint,
    /// What is wrong, in words for a person, at most 120 bytes.
    pub title: String,
    /// The words of the refusal without what differs from one conversation to the next, at most 1,024 bytes.
    pub text: String,
}

impl<'a> Cause<'a> {
    /// The cause of a refusal of this organization.
    #[must_use]
    pub fn new(org: &'a OrgId, refusal: &'a Refusal) -> Self {
        Self { org, refusal, team: None, queue: None, names: Names::default() }
    }

    /// The conversation that was refused. Its team and its account belong to the cause where the words name them; its
    /// customer, its agent and its ids do not.
    #[must_use]
    pub fn of_conversation(mut self, conversation: &'a Conversation) -> Self {
        let customer = &conversation.customer;
        self.team = conversation.team.as_deref();
        self.names.kept.extend(self.team);
        self.names.kept.extend([conversation.account.as_str(), &conversation.account_name]);
        let authors: BTreeSet<_> = conversation.messages.iter().map(|message| message.author.as_str()).collect();
        let named = [&customer.name, &customer.email, &customer.phone, &conversation.agent];
        let named = named.into_iter().flatten().map(String::as_str);
        let taken = named.chain([customer.id.as_str(), conversation.id.as_str()]).chain(authors);
        self.names.taken.extend(taken.filter(|name| name.chars().count() >= SHORTEST_NAME));
        self
    }

    /// The queue that it was to go to; it belongs to the cause where the words name it.
    #[must_use]
    pub fn to_queue(mut self, queue: &'a str) -> Self {
        self.queue = Some(queue);
        self.names.kept.push(queue);
        self
    }

    /// The organization.
    pub(super) const fn org(&self) -> &'a OrgId {
        self.org
    }

    /// The refusal.
    pub(super) const fn refusal(&self) -> &'a Refusal {
        self.refusal
    }

    /// What it is known by: the fingerprint of organization, class, code, fields, the policy at fault with what it was
    /// asked, and the words without what differs from one conversation to the next.
    #[must_use]
    pub fn identify(&self) -> Identity {
        let Refusal { class, code, fields, blame, text, .. } = self.refusal;
        let mut names = self.names.clone();
        names.taken.retain(|name| !names.kept.contains(name));
        let text = mask(&words(text), &names);
        let (rule, question) = (RULE.to_string(), blame.as_ref().map(|blame| blame.question.to_string()));
        let policy = blame.as_ref().map_or("", |blame| blame.policy.name.as_str());
        let fields: BTreeSet<_> = fields.iter().map(String::as_str).collect();
        let count = fields.len().to_string();
        let head = [&rule, self.org.as_str(), class.as_str(), code, policy, question.as_deref().unwrap_or_default()];
        let parts = head.into_iter().chain([count.as_str()]).chain(fields).chain([text.as_str()]);
        let id = Fingerprint::of(parts);
        Identity { id, title: title::of(self.refusal, self.team, self.queue, &text), text }
    }
}

/// The words that say what is wrong: those of its messages in an answer of JSON that was kept as it came, and in what
/// Salesforce says of a query those after the query and the place in it; else the text itself.
fn words(text: &str) -> String {
    let json = if text.starts_with(['{', '[']) { serde_json::from_str::<Value>(text).ok() } else { None };
    let mut found = Vec::new();
    collect(&json.unwrap_or_default(), DEPTH, &mut found);
    let text = if found.is_empty() { text.to_owned() } else { found.join("; ") };
    let of_query = text.split_once("ERROR at Row:").and_then(|(_, rest)| rest.split_once('\n'));
    match of_query.map(|(_, words)| words.trim()) {
        Some(words) if !words.is_empty() => words.to_owned(),
        _ => text,
    }
}

fn collect(json: &Value, depth: usize, found: &mut Vec<String>) {
    match json {
        Value::Object(fields) if depth > 0 => {
            for (key, value) in fields {
                match value {
                    Value::String(words) if matches!(key.as_str(), "message" | "error_description") => {
                        found.push(words.clone());
                    }
                    other => collect(other, depth - 1, found),
                }
            }
        }
        Value::Array(items) if depth > 0 => items.iter().for_each(|item| collect(item, depth - 1, found)),
        _ => {}
    }
}

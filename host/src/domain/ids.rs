//! Ids as types of their own, so that one cannot be given where another is meant.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The longest id that is accepted from outside, in bytes.
const LONGEST: usize = 128;

/// An id from outside that cannot be one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} `{value}` must be 1 to 128 characters of A-Z a-z 0-9 . _ : -")]
pub struct IdError {
    what: &'static str,
    value: String,
}

/// The alphabet is that of a URL's path segment and of a store's key: no id ever needs to be quoted.
fn check(what: &'static str, value: &str) -> Result<(), IdError> {
    let fits = !value.is_empty()
        && value.len() <= LONGEST
        && value != "."
        && value != ".."
        && value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b':' | b'-'));
    if fits {
        return Ok(());
    }
    Err(IdError { what, value: value.chars().take(LONGEST).collect() })
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(String);

        impl $name {
            /// Takes a text as an id if it can be one.
            ///
            /// # Errors
            /// When it is empty, longer than 128 bytes, or has a character outside `A-Z a-z 0-9 . _ : -`.
            pub fn new(value: impl AsRef<str>) -> Result<Self, IdError> {
                check($what, value.as_ref()).map(|()| Self(value.as_ref().to_owned()))
            }

            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(value: String) -> Result<Self, IdError> {
                check($what, &value).map(|()| Self(value))
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;
            fn from_str(value: &str) -> Result<Self, IdError> {
                Self::new(value)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// A connected Salesforce organization, by the name it has in the configuration.
    OrgId, "organization"
);
id!(
    /// Where conversations come from: an Alcmeon environment, or a source of the generic intake.
    SourceId, "source"
);
id!(
    /// A connected page or number of a source (Alcmeon: social account).
    AccountId, "account"
);
id!(
    /// A conversation, and its external id in Salesforce: at most 30 characters, see [`ConversationId::scoped`].
    ConversationId, "conversation"
);
id!(
    /// A message, unique over all sources, see [`MessageId::scoped`].
    MessageId, "message"
);
id!(
    /// A sync error, see [`SyncErrorId::of`].
    SyncErrorId, "sync error"
);
id!(
    /// An operation over many sync errors; it has the same id in every organization that it is about.
    OperationId, "operation"
);
id!(
    /// A token of the API; those of the configuration have one too.
    ApiTokenId, "token"
);
id!(
    /// A policy, by the name of its file.
    PolicyName, "policy"
);
id!(
    /// A plugin, by the name of its file.
    PluginName, "plugin"
);
id!(
    /// A Salesforce record, 15 or 18 characters.
    RecordId, "record"
);

impl ConversationId {
    /// The external id of a source's conversation.
    ///
    /// Salesforce keeps it in a Text(30) that ignores case, so what is longer, or uses other characters than
    /// lower-case ones that are safe in a URL, is replaced by 100 bits of its SHA-256.
    #[must_use]
    pub fn scoped(source: &SourceId, id: &str) -> Self {
        let plain = format!("{source}:{id}");
        let safe = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b':' | b'-');
        if plain.len() <= 30 && plain.bytes().all(safe) {
            return Self(plain);
        }
        let head: String = source.as_str().bytes().filter(|b| safe(*b)).take(8).map(char::from).collect();
        Self(format!("{head}:-{}", digest(&[source.as_str(), id])))
    }
}

impl ConversationId {
    /// The id that the source itself gave it; `None` where that cannot be told any more.
    #[must_use]
    pub fn within(&self, source: &SourceId) -> Option<&str> {
        let own = self.0.strip_prefix(source.as_str())?.strip_prefix(':')?;
        if own.starts_with('-') { None } else { Some(own) }
    }
}

impl MessageId {
    /// The id of a source's message.
    #[must_use]
    pub fn scoped(source: &SourceId, conversation: &str, id: &str) -> Self {
        match Self::new(format!("{source}:{id}")) {
            Ok(plain) => plain,
            Err(_) => Self(format!("m:-{}", digest(&[source.as_str(), conversation, id]))),
        }
    }
}

impl RecordId {
    /// Whether two ids name one record: the last three of 18 characters only repeat the case of the first 15.
    #[must_use]
    pub fn is_same(&self, other: &str) -> bool {
        let long_enough = |id: &str| matches!(id.len(), 15 | 18) && id.is_ascii();
        long_enough(&self.0) && long_enough(other) && self.0[..15] == other[..15]
    }
}

impl OperationId {
    /// The id of an operation that somebody begins at this time; the number tells it from others of the same moment.
    #[must_use]
    pub fn begun(at: super::Timestamp, number: u64) -> Self {
        Self(format!("op-{}", digest(&[&at.as_millis().to_string(), &number.to_string()])))
    }
}

impl ApiTokenId {
    /// The id of a token that somebody makes at this time; the number tells it from others. Later ones are greater.
    #[must_use]
    pub fn made(at: super::Timestamp, number: u64) -> Self {
        let drawn = digest(&[&at.as_millis().to_string(), &number.to_string()]);
        Self(format!("tok-{:011x}{}", at.as_millis(), &drawn[..10]))
    }

    /// The id of a token of the configuration: the one with this place (0 for the first) among those of its name.
    #[must_use]
    pub fn of_configuration(name: &str, place: usize) -> Self {
        Self(format!("file-{}", digest(&[name, &place.to_string()])))
    }
}

impl SyncErrorId {
    /// The sync error number `number` (1 for the first) of a conversation in an organization.
    #[must_use]
    pub fn of(org: &OrgId, conversation: &ConversationId, number: u32) -> Self {
        Self(format!("se-{}", digest(&[org.as_str(), conversation.as_str(), &number.to_string()])))
    }
}

/// 100 bits of SHA-256 over the parts, as 20 characters of base 32 in lower case.
pub(super) fn digest(parts: &[&str]) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part.len().to_be_bytes());
        hasher.update(part.as_bytes());
    }
    let hash = hasher.finalize();
    let mut bits: u128 = 0;
    for byte in hash.iter().take(16) {
        bits = bits << 8 | u128::from(*byte);
    }
    (0..20).map(|i| char::from(ALPHABET[usize::try_from(bits >> (123 - 5 * i) & 31).unwrap_or(0)])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_id_stays_readable_and_a_long_one_is_hashed_to_thirty_characters() {
        let source = SourceId::new("main").unwrap();
        assert_eq!(ConversationId::scoped(&source, "321").as_str(), "main:321");
        let long = ConversationId::scoped(&source, "009ab879-ab52-4507-979e-8bc92badecef");
        assert!(long.as_str().len() <= 30, "{long}");
        let upper = ConversationId::scoped(&source, "ABC");
        assert_ne!(upper, ConversationId::scoped(&source, "abc"), "the external id ignores case");
    }

    #[test]
    fn an_id_from_outside_never_carries_a_slash_or_a_blank() {
        for bad in ["", "a/b", "a b", "a\0b", "é", ".", "..", &"x".repeat(129)] {
            assert!(OrgId::new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_id_of_thirty_safe_characters_is_kept_and_a_longer_one_is_hashed_in_the_same_way_for_ever() {
        let source = SourceId::new("main").unwrap();
        let thirty = "a_1-b:c".to_owned() + &"x".repeat(18);
        assert_eq!(ConversationId::scoped(&source, &thirty).as_str(), format!("main:{thirty}"));
        assert!(ConversationId::scoped(&source, &(thirty + "x")).as_str().starts_with("main:-"));
        let long = ConversationId::scoped(&source, "009ab879-ab52-4507-979e-8bc92badecef");
        assert_eq!(long.as_str(), "main:-n5rpdfzsjkopgjzuy735");
        let first = SyncErrorId::of(&OrgId::new("acme").unwrap(), &"main:1".parse().unwrap(), 1);
        assert_eq!(first.as_str(), "se-hot2tfkz4kizswkageyp");
    }

    #[test]
    fn the_sources_own_id_is_told_unless_it_was_hashed() {
        let source = SourceId::new("main").unwrap();
        let own = |id: &str| ConversationId::scoped(&source, id);
        assert_eq!(own("321").within(&source), Some("321"));
        assert_eq!(own("ABC").within(&source), None, "it was hashed");
        assert_eq!(own("321").within(&SourceId::new("mai").unwrap()), None);
        assert_eq!(own("321").within(&SourceId::new("other").unwrap()), None);
    }

    #[test]
    fn two_ids_name_one_record_by_their_first_fifteen_characters() {
        let record = RecordId::new("00G000000000001").unwrap();
        assert!(record.is_same("00G000000000001") && record.is_same("00G000000000001AAA"));
        for other in ["00G000000000002", "00G000000000002AAA", "00G0000000000011", "00G00000000000", "00G00000000000éA"]
        {
            assert!(!record.is_same(other), "{other}");
        }
        let short = RecordId::new("00G").unwrap();
        assert!(!short.is_same("00G") && !short.is_same("00G000000000001"));
    }
}

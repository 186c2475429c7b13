//! Secrets at rest: sealed with the newest of the host's keys, opened with any of them.

use std::sync::Arc;

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::domain::Secret;
use crate::store::Error;

/// Bytes of a key.
const KEY_BYTES: usize = 32;

/// The host's keys, the newest first. Its `Debug` is mute.
#[derive(Clone, Default)]
pub struct Keys(Arc<[Key]>);

struct Key {
    /// Tells it from others without telling it.
    id: String,
    key: LessSafeKey,
}

/// A text that is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a key is 64 hexadecimal digits, such as `openssl rand -hex 32` prints")]
pub struct NotAKey;

/// A sealed secret, in hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sealed {
    /// The id of the key.
    key: String,
    nonce: String,
    text: String,
}

impl Keys {
    /// Takes the keys, the newest first.
    ///
    /// # Errors
    /// When one is not made of 64 hexadecimal digits.
    pub fn new<'a>(keys: impl IntoIterator<Item = &'a Secret>) -> Result<Self, NotAKey> {
        let read = |secret: &Secret| {
            let mut bytes = [0; KEY_BYTES];
            hex::decode_to_slice(secret.reveal().trim(), &mut bytes).map_err(|_| NotAKey)?;
            let id = hex::encode(&Sha256::digest([b"switchyard key ".as_slice(), &bytes].concat())[..4]);
            let key = UnboundKey::new(&CHACHA20_POLY1305, &bytes).map_err(|_| NotAKey)?;
            Ok(Key { id, key: LessSafeKey::new(key) })
        };
        keys.into_iter().map(read).collect::<Result<_, _>>().map(Self)
    }

    /// Whether it was sealed with the newest key.
    pub(super) fn is_newest(&self, sealed: &Sealed) -> bool {
        self.0.first().is_some_and(|key| key.id == sealed.key)
    }

    /// Seals a secret for one place: it cannot be opened as that of another.
    pub(super) fn seal(&self, place: &str, secret: &Secret) -> Result<Sealed, Error> {
        let key = self.0.first().ok_or(Error::NoKey)?;
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce).map_err(|error| Error::Failed(error.to_string()))?;
        let mut text = secret.reveal().as_bytes().to_vec();
        let aad = Aad::from(place.as_bytes());
        key.key
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut text)
            .map_err(|_| Error::Failed("a secret could not be sealed".to_owned()))?;
        Ok(Sealed { key: key.id.clone(), nonce: hex::encode(nonce), text: hex::encode(text) })
    }

    /// Opens what was sealed for this place.
    pub(super) fn open(&self, place: &str, sealed: &Sealed) -> Result<Secret, Error> {
        let key = self.0.iter().find(|key| key.id == sealed.key);
        let key = key.ok_or_else(|| Error::WrongKey { place: place.to_owned(), key: sealed.key.clone() })?;
        let damaged =
            || Error::Unreadable { key: place.to_owned(), reason: "it was changed since it was sealed".into() };
        let mut nonce = [0; NONCE_LEN];
        hex::decode_to_slice(&sealed.nonce, &mut nonce).map_err(|_| damaged())?;
        let mut text = hex::decode(&sealed.text).map_err(|_| damaged())?;
        let nonce = Nonce::assume_unique_for_key(nonce);
        let open = key.key.open_in_place(nonce, Aad::from(place.as_bytes()), &mut text).map_err(|_| damaged())?;
        String::from_utf8(open.to_vec()).map(Secret::new).map_err(|_| damaged())
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(digits: &[char]) -> Keys {
        let secrets: Vec<_> = digits.iter().map(|digit| Secret::new(digit.to_string().repeat(64))).collect();
        Keys::new(&secrets).unwrap()
    }

    #[test]
    fn the_newest_key_seals_and_every_key_opens() {
        let (token, old) = (Secret::new("token"), keys(&['a']));
        let sealed = old.seal("refresh-token/acme", &token).unwrap();
        assert!(!format!("{sealed:?}").contains("token\""));
        let both = keys(&['b', 'a']);
        assert_eq!(both.open("refresh-token/acme", &sealed).unwrap(), token);
        assert!(!both.is_newest(&sealed));
        assert!(both.is_newest(&both.seal("refresh-token/acme", &token).unwrap()));
        assert_ne!(old.seal("x", &token).unwrap(), old.seal("x", &token).unwrap(), "no nonce is used twice");
    }

    #[test]
    fn a_wrong_key_another_place_and_a_changed_text_are_told_apart_and_open_nothing() {
        let ours = keys(&['a']);
        let sealed = ours.seal("refresh-token/acme", &Secret::new("token")).unwrap();
        assert!(matches!(keys(&['b']).open("refresh-token/acme", &sealed), Err(Error::WrongKey { .. })));
        assert!(matches!(ours.open("refresh-token/other", &sealed), Err(Error::Unreadable { .. })));
        let mut changed = sealed;
        changed.text = changed.text.replacen(|c: char| c.is_ascii_digit(), "f", 1);
        assert!(matches!(ours.open("refresh-token/acme", &changed), Err(Error::Unreadable { .. })));
        assert!(matches!(Keys::default().seal("x", &Secret::new("token")), Err(Error::NoKey)));
    }

    #[test]
    fn what_is_no_key_is_refused_without_repeating_it() {
        for bad in ["", "short", &"g".repeat(64), &"a".repeat(63)] {
            assert_eq!(Keys::new([&Secret::new(bad)]).unwrap_err(), NotAKey);
        }
        assert_eq!(format!("{:?}", keys(&['a'])), "Keys(..)");
    }
}

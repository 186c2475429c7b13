//! Signs as minisign does, for hosts that take signed plugins only.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::signature::{Ed25519KeyPair, KeyPair as _};

/// Tells one pair of keys from another.
const ID: [u8; 8] = *b"test-key";

/// A pair of keys.
pub struct Keys(Ed25519KeyPair);

impl Default for Keys {
    fn default() -> Self {
        Self(Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("any seed will do"))
    }
}

impl Keys {
    /// The public key as `minisign -G` prints it.
    #[must_use]
    pub fn public(&self) -> String {
        BASE64.encode([b"Ed", &ID[..], self.0.public_key().as_ref()].concat())
    }

    /// What `minisign -S` writes beside a file.
    #[must_use]
    pub fn sign(&self, file: &[u8]) -> String {
        const COMMENT: &str = "made by a test";
        let signature = self.0.sign(blake2b_simd::blake2b(file).as_bytes());
        let over_both = self.0.sign(&[signature.as_ref(), COMMENT.as_bytes()].concat());
        let signature = BASE64.encode([b"ED", &ID[..], signature.as_ref()].concat());
        let over_both = BASE64.encode(over_both.as_ref());
        format!("untrusted comment: signed\n{signature}\ntrusted comment: {COMMENT}\n{over_both}\n")
    }
}

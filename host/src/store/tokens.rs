//! The one thing that a store knows of its content: a refresh token that is not sealed leaves no store.

use serde_json::Value;

/// What the keys of refresh tokens begin with.
pub const TOKENS: &str = "refresh-token/";

/// Whether a pair is a refresh token that is not sealed.
#[must_use]
pub fn is_in_the_clear(key: &[u8], value: &[u8]) -> bool {
    let sealed = || serde_json::from_slice::<Value>(value).is_ok_and(|token| token["2"]["sealed"].is_object());
    key.starts_with(TOKENS.as_bytes()) && !sealed()
}

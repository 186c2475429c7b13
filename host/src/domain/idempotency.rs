//! A key with which a client may send the same request again: what it asked for is done once.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

/// Bytes of a digest.
const BYTES: usize = 16;

/// The key of a request, and what the request was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// Who sent which key, as a digest in hexadecimal.
    pub id: String,
    /// What was asked for, as a digest in hexadecimal.
    pub request: String,
}

impl IdempotencyKey {
    /// The key that a caller has sent with a request. Keys of two callers are two.
    #[must_use]
    pub fn new(caller: &str, key: &str, request: [&[u8]; 3]) -> Self {
        Self { id: digest([caller.as_bytes(), key.as_bytes()]), request: digest(request) }
    }
}

fn digest<const N: usize>(parts: [&[u8]; N]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part.len().to_be_bytes());
        hasher.update(part);
    }
    hasher.finalize().iter().take(BYTES).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_its_callers_and_a_request_is_all_of_its_parts() {
        let of = |caller, key, path: &str, body: &str| {
            IdempotencyKey::new(caller, key, [b"POST", path.as_bytes(), body.as_bytes()])
        };
        let one = of("ann", "k", "/a", "b");
        assert_eq!(one, of("ann", "k", "/a", "b"));
        assert_ne!(one.id, of("bob", "k", "/a", "b").id);
        assert_ne!(one.id, of("an", "nk", "/a", "b").id);
        assert_ne!(one.request, of("ann", "k", "/ab", "").request);
        assert_eq!((one.id.len(), one.request.len()), (2 * BYTES, 2 * BYTES));
    }
}

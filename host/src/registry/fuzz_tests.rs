//! Hands bytes in as what a registry answers: a manifest, or how it wants to be told who asks.

use reqwest::header::{HeaderMap, HeaderValue, WWW_AUTHENTICATE};

use super::asking::{Challenge, gives_tokens_for};
use super::manifest::Manifest;
use crate::fuzz_tests::REASON;

/// The first byte chooses: a manifest, or a challenge.
///
/// # Panics
/// When a reason has no end, or what is taken is none of what was asked for.
pub fn registry(bytes: &[u8]) {
    match bytes.split_first() {
        Some((first, rest)) if first % 2 == 0 => manifest(rest),
        Some((_, rest)) => challenge(rest),
        None => {}
    }
}

fn manifest(text: &[u8]) {
    let read = Manifest::read(text).and_then(|manifest| {
        assert!(!manifest.component()?.digest.is_empty(), "it has no digest");
        manifest.signature()
    });
    match read {
        Ok(signature) => assert!(signature.is_none_or(|text| text.len() <= 16 << 10), "a signature without an end"),
        Err(error) => assert!(error.to_string().len() < REASON, "a reason without an end"),
    }
}

fn challenge(text: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(text) else { return };
    let registry = "https://registry.example.com/v2/".parse().expect("an address");
    if let Some(Challenge::Bearer { realm, .. }) = Challenge::of(&HeaderMap::from_iter([(WWW_AUTHENTICATE, value)])) {
        match gives_tokens_for(&registry, &realm) {
            Ok(url) => {
                let host = url.host_str().expect("a host");
                assert!(host == "example.com" || host.ends_with(".example.com"), "{url} is asked for a token");
                assert!(url.scheme() == "https" && url.username().is_empty() && url.password().is_none(), "{url}");
            }
            Err(error) => assert!(error.to_string().len() < REASON, "a reason without an end"),
        }
    }
}

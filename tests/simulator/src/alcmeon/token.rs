//! Bearer tokens: JSON Web Tokens signed with the application's secret, so that nothing has to be remembered.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

/// A token of an instance, valid until the given second of the epoch.
pub(crate) fn issue(secret: &str, instance: &str, expires_s: i64) -> String {
    let header = URL_SAFE_NO_PAD.encode(json!({"alg": "HS256", "typ": "JWT"}).to_string());
    let claims = URL_SAFE_NO_PAD.encode(json!({"sub": instance, "exp": expires_s}).to_string());
    let signed = format!("{header}.{claims}");
    let signature = URL_SAFE_NO_PAD.encode(sign(secret, &signed));
    format!("{signed}.{signature}")
}

/// The instance a token says it is of. Nothing is checked yet.
pub(crate) fn instance(token: &str) -> Option<String> {
    Some(claims(token)?["sub"].as_str()?.to_owned())
}

/// Whether the token is signed with the secret and not over.
pub(crate) fn valid(token: &str, secret: &str, now_s: i64) -> bool {
    let Some((signed, signature)) = token.rsplit_once('.') else { return false };
    let alive = claims(token).and_then(|claims| claims["exp"].as_i64()).is_some_and(|at| now_s < at);
    alive && URL_SAFE_NO_PAD.decode(signature).is_ok_and(|given| given == sign(secret, signed))
}

fn claims(token: &str) -> Option<Value> {
    let claims = token.split('.').nth(1)?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
}

fn sign(secret: &str, text: &str) -> Vec<u8> {
    // HMAC takes a key of any length.
    Hmac::<Sha256>::new_from_slice(secret.as_bytes())
        .map(|mut mac| {
            mac.update(text.as_bytes());
            mac.finalize().into_bytes().to_vec()
        })
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{instance, issue, valid};

    #[test]
    fn a_token_is_good_for_its_secret_and_its_hour() {
        let token = issue("aa", "42", 100);
        assert_eq!(instance(&token).as_deref(), Some("42"));
        assert!(valid(&token, "aa", 99));
        assert!(!valid(&token, "aa", 100));
        assert!(!valid(&token, "bb", 99));
    }
}

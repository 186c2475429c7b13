//! Assertions of the JWT bearer flow: signed RS256 by the app's key, for one user, for a few minutes.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, SubjectPublicKeyInfoDer};
use serde_json::Value;
use webpki::ring::RSA_PKCS1_2048_8192_SHA256;
use webpki::{EndEntityCert, RawPublicKeyEntity};

use super::oauth;
use super::org::Org;
use super::schema::object;

/// The grant's name.
pub(crate) const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// The longest life of an assertion, in seconds.
const LONGEST_S: i64 = 300;

/// What an assertion claims. Nothing is checked yet.
pub(crate) fn claims(assertion: &str) -> Option<Value> {
    part(assertion.split('.').nth(1)?)
}

fn part(encoded: &str) -> Option<Value> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(encoded).ok()?).ok()
}

/// Checks an assertion; the name of the refusal when it is not good.
pub(crate) fn check(org: &Org, base: &str, assertion: &str, claims: &Value, now_ms: i64) -> Result<(), &'static str> {
    let (signed, signature) = assertion.rsplit_once('.').ok_or("invalid_assertion")?;
    let rsa = signed.split('.').next().and_then(part).is_some_and(|header| header["alg"] == "RS256");
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| "invalid_assertion")?;
    let key = org.config.jwt_certificate.as_deref().ok_or("invalid_assertion")?;
    if !rsa || verify(key, signed.as_bytes(), &signature).is_none() {
        return Err("invalid_assertion");
    }
    let login = if org.config.sandbox { "https://test.salesforce.com" } else { "https://login.salesforce.com" };
    if !claims["aud"].as_str().is_some_and(|aud| aud == login || aud == base) {
        return Err("wrong_audience");
    }
    let expires_s = match &claims["exp"] {
        Value::Number(number) => number.as_i64(),
        // Clients are known that send the digits as text.
        Value::String(digits) => digits.parse().ok(),
        _ => None,
    };
    let left_s = expires_s.ok_or("invalid_assertion")? - now_ms / 1000;
    if !(0..=LONGEST_S).contains(&left_s) {
        return Err("invalid_assertion");
    }
    let user = claims["sub"].as_str().and_then(|name| org.find(object::USER, "Username", name));
    match user {
        Some(user) if org.config.jwt_approved => {
            if oauth::is_active(org, user) {
                Ok(())
            } else {
                Err("inactive_user")
            }
        }
        _ => Err("not_approved"),
    }
}

/// Whether the signature is that of the certificate's or the public key's owner.
fn verify(pem: &str, signed: &[u8], signature: &[u8]) -> Option<()> {
    if let Ok(certificate) = CertificateDer::from_pem_slice(pem.as_bytes()) {
        let owner = EndEntityCert::try_from(&certificate).ok()?;
        return owner.verify_signature(RSA_PKCS1_2048_8192_SHA256, signed, signature).ok();
    }
    let key = SubjectPublicKeyInfoDer::from_pem_slice(pem.as_bytes()).ok()?;
    let owner = RawPublicKeyEntity::try_from(&key).ok()?;
    owner.verify_signature(RSA_PKCS1_2048_8192_SHA256, signed, signature).ok()
}

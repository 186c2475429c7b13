//! The signed assertion of the JWT bearer flow: RS256 over who asks, as whom, of whom, and until when.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use rustls::SignatureScheme;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use serde_json::json;

use super::error::Error;
use crate::domain::{Secret, Timestamp};

/// How long an assertion is good for, in seconds; Salesforce takes no more than some minutes.
const GOOD_FOR_S: u64 = 180;

/// Signs with a private key. Its `Debug` is that of the library, which tells nothing of the key.
#[derive(Debug)]
pub(super) struct Signer(Box<dyn rustls::sign::Signer>);

impl Signer {
    /// Reads an RSA key (PKCS #8 or PKCS #1) as PEM.
    pub(super) fn new(pem: &Secret) -> Result<Self, Error> {
        let wrong = |what: &str| Error::PrivateKey(what.to_owned());
        let key = PrivateKeyDer::from_pem_slice(pem.reveal().as_bytes())
            .map_err(|_| wrong("it is not a PEM of a private key (without a password)"))?;
        let key =
            any_supported_type(&key).map_err(|_| wrong("its key cannot be used; RSA of 2048 bits or more can"))?;
        let signer = key.choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA256]);
        signer.map(Self).ok_or_else(|| wrong("its key is not an RSA key"))
    }

    /// `issuer` is the consumer key, `user` the name of the user to act as.
    pub(super) fn assertion(
        &self,
        issuer: &str,
        user: &str,
        audience: &str,
        now: Timestamp,
    ) -> Result<Secret, rustls::Error> {
        let until = now.as_millis() / 1000 + GOOD_FOR_S;
        let head = BASE64.encode(json!({"alg": "RS256", "typ": "JWT"}).to_string());
        let claims = json!({"iss": issuer, "sub": user, "aud": audience, "exp": until});
        let signed = format!("{head}.{}", BASE64.encode(claims.to_string()));
        let signature = self.0.sign(signed.as_bytes())?;
        Ok(Secret::new(format!("{signed}.{}", BASE64.encode(signature))))
    }
}

#[cfg(test)]
mod tests {
    use ring::signature::{KeyPair, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
    use serde_json::Value;

    use super::*;

    const PEM: &str = include_str!("testdata/not-a-secret.pem");

    #[test]
    fn an_assertion_says_who_asks_as_whom_and_until_when_and_its_signature_holds() {
        let signer = Signer::new(&Secret::new(PEM)).unwrap();
        let now = Timestamp::from_millis(1_790_000_000_500);
        let token = signer.assertion("key", "sync@acme.example", "https://login.salesforce.com", now).unwrap();
        let parts: Vec<_> = token.reveal().split('.').collect();
        let read = |part: &str| serde_json::from_slice::<Value>(&BASE64.decode(part).unwrap()).unwrap();
        assert_eq!(read(parts[0])["alg"], "RS256");
        assert_eq!(
            read(parts[1]),
            json!({"iss": "key", "sub": "sync@acme.example", "aud": "https://login.salesforce.com", "exp": 1_790_000_180})
        );
        let PrivateKeyDer::Pkcs8(der) = PrivateKeyDer::from_pem_slice(PEM.as_bytes()).unwrap() else {
            panic!("PKCS #8")
        };
        let pair = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).unwrap();
        let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key().as_ref());
        let signed = format!("{}.{}", parts[0], parts[1]);
        public.verify(signed.as_bytes(), &BASE64.decode(parts[2]).unwrap()).unwrap();
    }

    #[test]
    fn what_is_no_private_key_is_refused_without_repeating_it() {
        for bad in ["", "hush-hush", "-----BEGIN PRIVATE KEY-----\naHVzaC1odXNo\n-----END PRIVATE KEY-----\n"] {
            let error = Signer::new(&Secret::new(bad)).unwrap_err().to_string();
            assert!(error.contains("private_key") && !error.contains("hush") && !error.contains("aHVz"), "{error}");
        }
    }
}

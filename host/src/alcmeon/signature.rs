//! The signature of a notification: HMAC-SHA256 over path, one space and body.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::domain::Secret;

/// The header `X-Alcmeon-Webhook-Signature`.
pub struct Signature([u8; 32]);

impl Signature {
    /// Reads the header; `None` where it is none, whatever was signed.
    #[must_use]
    pub fn read(header_hex: &str) -> Option<Self> {
        let mut signature = [0; 32];
        hex::decode_to_slice(header_hex.trim(), &mut signature).ok()?;
        Some(Self(signature))
    }

    /// Whether it was made with this secret; compared in constant time. Nothing fits a secret that everybody knows: none.
    ///
    /// `path` is the URL's path as it was asked for, without host and query. The scheme has no time in it, so an old
    /// notification may be sent again by whoever has seen it: a notification is stored by its id and never acted on twice.
    #[must_use]
    pub fn fits(&self, secret: &Secret, path: &str, body: &[u8]) -> bool {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.reveal().as_bytes()) else { return false };
        mac.update(path.as_bytes());
        mac.update(b" ");
        mac.update(body);
        mac.verify_slice(&self.0).is_ok() && !secret.is_blank()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &str = "/alcmeon/start";
    const BODY: &str = r#"{"backend": "whatsapp", "parameters": [], "user_external_id": "33671485945", "user_name": "Germain", "event": {"type": "text", "text": {"body": "Bonjour"}}, "global_variables": {}}"#;
    const SIGNATURE: &str = "4d737b25de54f0ec47bc9b5fee2b3baf7231733cabe7731830912bb9c0c548a9";

    fn verify(secret: &Secret, path: &str, body: &[u8], header: &str) -> bool {
        Signature::read(header).is_some_and(|signature| signature.fits(secret, path, body))
    }

    fn secret() -> Secret {
        Secret::new("1309768d3f6f8462")
    }

    #[test]
    fn the_published_example_is_accepted() {
        assert!(verify(&secret(), PATH, BODY.as_bytes(), SIGNATURE));
    }

    #[test]
    fn nothing_that_differs_in_one_place_is_accepted() {
        let cut = &SIGNATURE[..62];
        assert!(!verify(&Secret::new("1309768d3f6f8463"), PATH, BODY.as_bytes(), SIGNATURE));
        assert!(!verify(&secret(), "/alcmeon/start/", BODY.as_bytes(), SIGNATURE));
        assert!(!verify(&secret(), PATH, b"{}", SIGNATURE));
        for bad in ["", "zz", cut, &SIGNATURE.replace('4', "5"), &format!("{SIGNATURE}00")] {
            assert!(!verify(&secret(), PATH, BODY.as_bytes(), bad), "{bad}");
        }
    }

    #[test]
    fn who_signs_with_no_secret_at_all_is_never_believed() {
        for blank in ["", " ", "\t\n"] {
            let mut mac = Hmac::<Sha256>::new_from_slice(blank.as_bytes()).unwrap();
            mac.update(format!("{PATH} {BODY}").as_bytes());
            let signed = hex::encode(mac.finalize().into_bytes());
            assert!(!verify(&Secret::new(blank), PATH, BODY.as_bytes(), &signed), "{blank:?}");
        }
    }
}

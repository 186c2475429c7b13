//! Signatures of plugins: where the host names keys, a component has to be signed with one of them.

use minisign_verify::{PublicKey, Signature};

use crate::policy::Error;

/// Public keys of minisign. With none, every plugin is taken; else those that one of them signed.
#[derive(Debug, Default)]
pub(crate) struct TrustedKeys(Vec<PublicKey>);

impl TrustedKeys {
    /// Public keys as `minisign -G` prints them.
    pub(crate) fn new(keys: &[String]) -> Result<Self, Error> {
        let key = |text: &String| {
            PublicKey::from_base64(text)
                .map_err(|_| Error::Config(format!("plugin_keys: `{text}` is no public key of minisign")))
        };
        keys.iter().map(key).collect::<Result<_, _>>().map(Self)
    }

    /// Whether a component is to be taken; `signature` is the text of its `.minisig` file.
    pub(crate) fn check(&self, component: &[u8], signature: Option<&str>) -> Result<(), String> {
        if self.0.is_empty() {
            return Ok(());
        }
        let signature = signature.ok_or("it is not signed, and this host takes signed plugins only")?;
        let signature = Signature::decode(signature).map_err(|_| "its signature is none of minisign's")?;
        let signed = self.0.iter().any(|key| key.verify(component, &signature, false).is_ok());
        if signed { Ok(()) } else { Err("it was altered, or signed with a key that this host does not know".into()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An empty component, and what `minisign -S` made of it.
    const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";
    const KEY: &str = "RWQ93KhNG78sLuJnWgkkdcoQcsuzPBGgvuzM4eFUC33grAXVlpHgnzcU";
    const OTHER: &str = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";
    const SIGNATURE: &str = "untrusted comment: signature from minisign secret key
RUQ93KhNG78sLjADaroIAkeWI26DZIEL8alGmYx7NwKLP9IOmSXOW9UGhsHTOjB8uopmbCUeXuf19jDGZbg/iFR3ILwNjQyjJww=
trusted comment: an empty component
JVmQwYx2D0Yz6uQY2/iINt29GwWchO+viq2G5gQH6DqDOqLN+ExvTTAGxL6CsDrIf9ARk2plVbXGNLLHZvRJBA==
";

    #[test]
    fn a_plugin_is_taken_when_one_of_the_keys_signed_it_as_it_is() {
        let keys = TrustedKeys::new(&[OTHER.to_owned(), KEY.to_owned()]).unwrap();
        keys.check(COMPONENT, Some(SIGNATURE)).unwrap();
        assert!(keys.check(COMPONENT, None).unwrap_err().contains("not signed"));
        assert!(keys.check(b"\0asm\x0d\0\x01\0 ", Some(SIGNATURE)).unwrap_err().contains("altered"));
        assert!(keys.check(COMPONENT, Some(&SIGNATURE.replace("empty", "full"))).is_err(), "the comment is signed too");
        assert!(keys.check(COMPONENT, Some("RWQ")).is_err());
        let other = TrustedKeys::new(&[OTHER.to_owned()]).unwrap();
        assert!(other.check(COMPONENT, Some(SIGNATURE)).is_err());
        TrustedKeys::default().check(COMPONENT, None).unwrap();
        assert!(TrustedKeys::new(&["RWQ".to_owned()]).unwrap_err().to_string().contains("`RWQ`"));
    }
}

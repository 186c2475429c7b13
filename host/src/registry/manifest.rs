//! A manifest, as far as a plugin needs it: the one layer that is a component, and its signature.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Error, words};

/// What a component is called in a manifest: by the convention for components, and by older tools.
const COMPONENT: [&str; 2] = ["application/wasm", "application/vnd.wasm.content.layer.v1+wasm"];
/// The annotation of a manifest that holds the text of the component's `.minisig` file.
const SIGNATURE: &str = "minisign.signature";
/// As long as a `.minisig` file may be.
const SIGNATURE_BYTES: usize = 16 << 10;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Manifest {
    schema_version: u32,
    #[serde(default)]
    layers: Vec<Layer>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

/// Something that a manifest names. It may name other servers to fetch it from as well; those are nobody's choice here.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Layer {
    media_type: String,
    /// Its digest.
    pub(super) digest: String,
    /// How many bytes it has.
    pub(super) size: u64,
}

impl Manifest {
    pub(super) fn read(text: &[u8]) -> Result<Self, Error> {
        let manifest: Self = serde_json::from_slice(text)
            .map_err(|error| Error::Unfit(format!("its manifest cannot be read: {}", words(&error))))?;
        if manifest.schema_version != 2 {
            return Err(Error::Unfit(format!("its manifest is of version {}, not 2", manifest.schema_version)));
        }
        Ok(manifest)
    }

    /// The one layer that is a component, named by a SHA-256 digest.
    pub(super) fn component(&self) -> Result<&Layer, Error> {
        let components: Vec<_> =
            self.layers.iter().filter(|layer| COMPONENT.contains(&layer.media_type.as_str())).collect();
        match components[..] {
            [one] if is_sha256(&one.digest) => Ok(one),
            [_] => Err(Error::Unfit("its manifest names the layer by no SHA-256 digest".to_owned())),
            ref found => {
                let found = found.len();
                let wanted = COMPONENT.join(" or ");
                Err(Error::Unfit(format!("its manifest has {found} layers of type {wanted}, not one")))
            }
        }
    }

    /// The text of the component's `.minisig` file.
    pub(super) fn signature(mut self) -> Result<Option<String>, Error> {
        let signature = self.annotations.remove(SIGNATURE);
        match signature.as_ref().map(String::len).filter(|bytes| *bytes > SIGNATURE_BYTES) {
            Some(bytes) => Err(Error::Unfit(format!("its signature has {bytes} bytes; {SIGNATURE_BYTES} are allowed"))),
            None => Ok(signature),
        }
    }
}

fn is_sha256(digest: &str) -> bool {
    let hex = digest.strip_prefix("sha256:");
    hex.is_some_and(|hex| hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;
    use sha2::{Digest as _, Sha256};

    use super::*;

    fn digest(of: &str) -> String {
        format!("sha256:{}", hex::encode(Sha256::digest(of)))
    }

    fn text(annotations: &serde_json::Value) -> String {
        let layer = json!({"mediaType": COMPONENT[0], "digest": digest("one"), "size": 7});
        json!({"schemaVersion": 2, "layers": [layer], "annotations": annotations}).to_string()
    }

    #[test]
    fn a_reason_is_short_whatever_stands_where_a_number_should() {
        let long = text(&json!({})).replace(":2,", &format!(":\"{}\",", "x".repeat(10_000)));
        let error = Manifest::read(long.as_bytes()).unwrap_err().to_string();
        assert!(error.contains("invalid type") && error.len() < 1_000, "{} bytes", error.len());
    }

    #[test]
    fn a_component_is_named_by_a_digest_that_can_be_compared() {
        let of = |digest: &str| {
            let layer = json!({"mediaType": COMPONENT[0], "digest": digest, "size": 7});
            let text = json!({"schemaVersion": 2, "layers": [layer]}).to_string();
            Manifest::read(text.as_bytes()).unwrap().component().map(|layer| layer.digest.clone())
        };
        assert_eq!(of(&digest("one")).unwrap(), digest("one"));
        for bad in ["", "sha256:", "sha256:0a", "sha512:00", &digest("one")[7..], &format!("{}0", digest("one"))] {
            assert!(of(bad).unwrap_err().to_string().contains("no SHA-256 digest"), "{bad}");
        }
    }

    #[test]
    fn a_signature_may_be_as_long_as_its_file() {
        let signature = |bytes| {
            let annotations = json!({ SIGNATURE: "x".repeat(bytes) });
            Manifest::read(text(&annotations).as_bytes()).unwrap().signature()
        };
        assert_eq!(signature(SIGNATURE_BYTES).unwrap().unwrap().len(), SIGNATURE_BYTES);
        assert!(signature(SIGNATURE_BYTES + 1).unwrap_err().to_string().contains("16385 bytes"));
    }

    proptest! {
        #[test]
        fn no_answer_makes_it_panic_or_talk_without_end(
            choice in any::<u8>(),
            bytes in prop_oneof![
                prop::collection::vec(any::<u8>(), 0..300),
                "(\\{|\\}|\\[|\\]|:|,|\"(schemaVersion|layers|mediaType|digest|size|annotations|application/wasm|x{1,600})\"|2|-1|1e9|null){0,40}"
                    .prop_map(String::into_bytes),
                "(Bearer |Basic |realm=|service=|\"|,|https://|http://|[a-z]{1,5}|\\.|example\\.com|@|:|/){0,20}".prop_map(String::into_bytes),
            ],
        ) {
            super::super::fuzz_tests::registry(&[&[choice], bytes.as_slice()].concat());
        }

        #[test]
        fn one_component_is_taken_whatever_stands_beside_it(others in prop::collection::vec("[a-z/.+-]{0,40}", 0..5), at in any::<prop::sample::Index>()) {
            let layer = |kind: &str| json!({"mediaType": kind, "digest": digest(kind), "size": 7});
            let mut layers: Vec<_> = others.iter().filter(|kind| !COMPONENT.contains(&kind.as_str())).map(|kind| layer(kind)).collect();
            layers.insert(at.index(layers.len() + 1), layer(COMPONENT[1]));
            let read = Manifest::read(json!({"schemaVersion": 2, "layers": layers}).to_string().as_bytes()).unwrap();
            prop_assert_eq!(&read.component().unwrap().digest, &digest(COMPONENT[1]));
        }
    }
}

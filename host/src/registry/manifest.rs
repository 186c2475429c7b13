//! A manifest, as far as a plugin needs it: the one layer that is a component, and its signature.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Error;

/// What a component is called in a manifest: by the convention for components, and by older tools.
const COMPONENT: [&str; 2] = ["application/wasm", "application/vnd.wasm.content.layer.v1+wasm"];
/// The annotation of a manifest that holds the text of the component's `.minisig` file.
const SIGNATURE: &str = "minisign.signature";

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
            .map_err(|error| Error::Unfit(format!("its manifest cannot be read: {error}")))?;
        if manifest.schema_version != 2 {
            return Err(Error::Unfit(format!("its manifest is of version {}, not 2", manifest.schema_version)));
        }
        Ok(manifest)
    }

    /// The one layer that is a component.
    pub(super) fn component(&self) -> Result<&Layer, Error> {
        let components: Vec<_> =
            self.layers.iter().filter(|layer| COMPONENT.contains(&layer.media_type.as_str())).collect();
        match components[..] {
            [one] => Ok(one),
            ref found => {
                let found = found.len();
                let wanted = COMPONENT.join(" or ");
                Err(Error::Unfit(format!("its manifest has {found} layers of type {wanted}, not one")))
            }
        }
    }

    /// The text of the component's `.minisig` file.
    pub(super) fn signature(mut self) -> Option<String> {
        self.annotations.remove(SIGNATURE)
    }
}

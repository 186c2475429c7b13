//! The plugins and the policy that are part of the program, for whoever starts a policy host.

use std::collections::BTreeMap;

use crate::domain::{Origin, PluginName, PolicyName, PolicySource, Timestamp};
use crate::policy::{DEFAULT_POLICY, PolicyHost};

/// Not a constant: that would be in the binary once for each place that reads it.
static PLUGINS: [(&str, &[u8]); 2] = [
    ("script", include_bytes!("../../../plugins/prebuilt/script.wasm")),
    ("keyword-router", include_bytes!("../../../plugins/prebuilt/keyword-router.wasm")),
];
const DEFAULT_TOML: &str = include_str!("../../../policies/default.toml");
const DEFAULT_RHAI: &str = include_str!("../../../policies/default.rhai");

/// Adds the plugins; one that is added later under the same name takes the place of its namesake.
pub(crate) async fn add_plugins(host: &PolicyHost) -> anyhow::Result<()> {
    for (name, bytes) in PLUGINS {
        host.add_plugin(PluginName::new(name)?, bytes.to_vec(), Origin::Embedded).await?;
    }
    Ok(())
}

/// Puts the default policy in force, with the plugins as they are by now.
pub(crate) async fn apply_default(host: &PolicyHost, at: Timestamp) -> anyhow::Result<()> {
    let source = PolicySource {
        toml: DEFAULT_TOML.to_owned(),
        scripts: BTreeMap::from([("default.rhai".to_owned(), DEFAULT_RHAI.to_owned())]),
        origin: Origin::Embedded,
        at,
    };
    host.apply(PolicyName::new(DEFAULT_POLICY)?, source).await?;
    Ok(())
}

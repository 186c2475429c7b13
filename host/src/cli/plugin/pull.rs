//! Has a running host pull a plugin.

use anyhow::bail;
use reqwest::Method;
use serde_json::{Value, json};

use super::super::remote::Remote;
use crate::cli::out::say;
use crate::domain::PluginName;
use crate::registry::Reference;

pub(super) const EXAMPLES: &str = "\
Examples:
  switchyard plugin pull ghcr.io/acme/my-router:1.2
  switchyard plugin pull ghcr.io/acme/my-router:1.3 --name router

The host pulls it by its own account at the registry, and keeps it. The exit code is 1 when it does not take the plugin, or
when a policy that names it is refused; then what was in force before stays.";

pub(super) async fn run(reference: &Reference, name: Option<PluginName>, remote: &Remote) -> anyhow::Result<()> {
    let name = match name {
        Some(name) => name,
        None => PluginName::new(reference.last_part())?,
    };
    let body = json!({ "reference": reference });
    let taken = remote.call(Method::POST, &format!("/v1/plugins/{name}/pull"), Some(body)).await?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    say!("{name} is sha256:{}", text(&taken["digest"]));
    for policy in taken["applied"].as_array().into_iter().flatten() {
        say!("policy {} decides by it", text(policy));
    }
    let refused: Vec<_> = taken["refused"].as_array().into_iter().flatten().collect();
    for rejection in &refused {
        say!("policy {} is refused: {}", text(&rejection["policy"]), text(&rejection["problems"][0]["message"]));
    }
    match refused.len() {
        0 => Ok(()),
        count => bail!("{count} policies are refused; what was in force before stays"),
    }
}

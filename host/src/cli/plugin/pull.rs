//! Has a running host pull a plugin.

use anyhow::bail;
use reqwest::Method;
use serde_json::json;

use super::super::remote::{Remote, known};
use crate::cli::out::say;
use crate::cli::table::plain;
use crate::domain::PluginName;
use crate::http::api::TakenPlugin;
use crate::registry::Reference;

pub(super) const EXAMPLES: &str = "\
Examples:
  switchyard plugin pull ghcr.io/acme/my-router:1.2
  switchyard plugin pull ghcr.io/acme/my-router:1.3 --name router

The host pulls it by its own account at the registry, and keeps it. The exit code is 1 when it does not take the plugin, or
when a policy that names it is refused; then what was in force before stays.";

pub(super) async fn run(
    reference: &Reference,
    name: Option<PluginName>,
    as_json: bool,
    remote: &Remote,
) -> anyhow::Result<()> {
    let name = match name {
        Some(name) => name,
        None => PluginName::new(reference.last_part())?,
    };
    let body = json!({ "reference": reference });
    let taken = remote.call(Method::POST, &format!("/v1/plugins/{name}/pull"), Some(body)).await?;
    let TakenPlugin { plugin, applied, refused } = known(&taken)?;
    if as_json {
        say!("{}", serde_json::to_string_pretty(&taken)?);
    } else {
        say!("{name} is sha256:{}", plugin.digest);
        applied.iter().for_each(|policy| say!("policy {policy} decides by it"));
        for rejection in &refused {
            let why = rejection.problems.first().map(|problem| plain(&problem.message)).unwrap_or_default();
            say!("policy {} is refused: {why}", rejection.policy);
        }
    }
    match refused.len() {
        0 => Ok(()),
        count => bail!("{count} policies are refused; what was in force before stays"),
    }
}

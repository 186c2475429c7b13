//! Plugins: which there are, and how another one is handed in.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::{Extension, Json};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use super::App;
use super::access::Caller;
use super::extract::{Body, Id};
use super::files;
use super::problem::Problem;
use crate::domain::{Origin, PluginName};
use crate::policy::PluginStatus;

/// All plugins.
pub(super) async fn list(State(app): State<App>) -> Json<Value> {
    Json(json!({ "plugins": app.parts.policies.plugins() }))
}

/// The signature of a plugin that is handed in: its `.minisig` file in base64.
const SIGNATURE: &str = "x-plugin-signature";

/// Takes a component as a plugin, and keeps it in the folder of plugins. Policies in force go on with the one they have
/// until they are applied again.
pub(super) async fn put(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(name): Id<PluginName>,
    headers: HeaderMap,
    Body(bytes): Body,
) -> Result<Json<PluginStatus>, Problem> {
    let origin = Origin::Api { by: caller.name };
    let signature = headers.get(SIGNATURE).map(|value| signature(value.as_bytes())).transpose()?;
    let policies = &app.parts.policies;
    let added = policies.add_signed_plugin(name.clone(), bytes.to_vec(), signature.as_deref(), origin).await;
    let status = added.map_err(|error| Problem::invalid(error.to_string()))?;
    let folder = app.parts.plugins_folder.clone();
    let keep = move || {
        std::fs::create_dir_all(&folder)?;
        if let Some(signature) = signature {
            files::replace(&folder, &format!("{name}.wasm.minisig"), signature.as_bytes())?;
        }
        files::replace(&folder, &format!("{name}.wasm"), &bytes)?;
        files::sync(&folder)
    };
    let kept = tokio::task::spawn_blocking(keep).await;
    if let Err(error) = kept.unwrap_or_else(|error| Err(std::io::Error::other(error))) {
        tracing::error!(%error, "a plugin was taken but could not be kept");
        return Err(Problem::unavailable(
            "the plugin was taken, but its file could not be written: a restart loses it",
        ));
    }
    Ok(Json(status))
}

fn signature(base64: &[u8]) -> Result<String, Problem> {
    let text = BASE64.decode(base64).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    text.ok_or_else(|| Problem::bad_request(format!("{SIGNATURE} is not a .minisig file in base64")))
}

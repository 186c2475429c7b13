//! Plugins: which there are, and how another one is handed in.

use std::path::PathBuf;
use std::sync::Arc;

use axum::body::HttpBody;
use axum::extract::{FromRequest, Request, State};
use axum::{Extension, Json};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::App;
use super::access::Caller;
use super::extract::{self, Body, Id};
use super::files;
use super::problem::Problem;
use crate::domain::{Origin, PluginName, PolicyName};
use crate::policy::{PluginStatus, Rejection};
use crate::registry::Reference;

/// All plugins, and those that could not be taken.
pub(super) async fn list(State(app): State<App>) -> Json<Value> {
    let policies = &app.parts.policies;
    Json(json!({ "plugins": policies.plugins(), "troubles": policies.troubles() }))
}

/// The signature of a plugin that is handed in: its `.minisig` file in base64.
const SIGNATURE: &str = "x-plugin-signature";

/// A plugin that was taken, and what came of it.
#[derive(Serialize)]
pub(super) struct Taken {
    #[serde(flatten)]
    plugin: PluginStatus,
    /// Policies that decide by it from now on.
    applied: Vec<PolicyName>,
    /// Policies that do not: what was in force before stays.
    refused: Vec<Rejection>,
}

/// Takes a component as a plugin, keeps it in the folder of plugins, and applies the policies again that name it.
pub(super) async fn put(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(name): Id<PluginName>,
    request: Request,
) -> Result<Json<Taken>, Problem> {
    let most_bytes = app.parts.policies.plugin_bytes();
    // A body that says beforehand that it is too long is not read at all.
    if request.body().size_hint().lower() > most_bytes as u64 {
        return Err(Problem::too_large(format!("a plugin may have {most_bytes} bytes")));
    }
    let signature = request.headers().get(SIGNATURE).map(|value| signature(value.as_bytes())).transpose()?;
    let Body(bytes) = Body::from_request(request, &app).await?;
    let folder = app.parts.plugins_folder.alone().await;
    let plugin = add(&app, &name, bytes.to_vec(), signature.as_deref(), Origin::Api { by: caller.name }).await?;
    keep(folder.clone(), &name, bytes, signature).await?;
    let taken = taken(&app, plugin).await;
    drop(folder);
    Ok(Json(taken))
}

/// Which component is wanted; the one that the configuration names where nothing is said.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    #[serde(default)]
    reference: Option<Reference>,
}

/// Pulls a component from an OCI registry, and goes on as with one that was handed in.
pub(super) async fn pull(
    State(app): State<App>,
    Id(name): Id<PluginName>,
    extract::Json(Wanted { reference }): extract::Json<Wanted>,
) -> Result<Json<Taken>, Problem> {
    let configured = app.parts.oci.get(&name);
    let reference = match (reference, configured) {
        (Some(given), Some(configured)) if given != *configured => {
            let why = format!("the configuration names {configured} for {name}; a restart would bring that one back");
            return Err(Problem::conflict(why));
        }
        (Some(reference), _) => reference,
        (None, Some(configured)) => configured.clone(),
        (None, None) => return Err(Problem::invalid(format!("the configuration names no reference for {name}"))),
    };
    let pulled = app.parts.registry.pull(&reference).await?;
    let origin = Origin::Registry { reference: reference.to_string() };
    let (component, signature) = (pulled.component.clone(), pulled.signature.clone());
    let folder = app.parts.plugins_folder.alone().await;
    let plugin = add(&app, &name, component, signature.as_deref(), origin).await?;
    if configured.is_some() {
        let (registry, name) = (Arc::clone(&app.parts.registry), name.clone());
        written(move || registry.keep(&name, &reference, &pulled)).await?;
    } else {
        keep(folder.clone(), &name, pulled.component.into(), pulled.signature).await?;
    }
    let taken = taken(&app, plugin).await;
    drop(folder);
    Ok(Json(taken))
}

async fn add(
    app: &App,
    name: &PluginName,
    component: Vec<u8>,
    signature: Option<&str>,
    origin: Origin,
) -> Result<PluginStatus, Problem> {
    let added = app.parts.policies.add_signed_plugin(name.clone(), component, signature, origin).await;
    added.map_err(|error| Problem::invalid(error.to_string()))
}

async fn taken(app: &App, plugin: PluginStatus) -> Taken {
    let (mut applied, mut refused) = (Vec::new(), Vec::new());
    for answer in app.parts.policies.apply_again(&plugin.name, true, app.parts.clock.now()).await {
        match answer {
            Ok(policy) => applied.push(policy.name),
            Err(rejection) => refused.push(rejection),
        }
    }
    Taken { plugin, applied, refused }
}

/// Keeps a plugin in the folder. The component first: whoever watches the folder knows it already, and looks no further.
async fn keep(folder: PathBuf, name: &PluginName, bytes: Bytes, signature: Option<String>) -> Result<(), Problem> {
    let name = name.clone();
    written(move || {
        std::fs::create_dir_all(&folder)?;
        files::replace(&folder, &format!("{name}.wasm"), &bytes)?;
        if let Some(signature) = signature {
            files::replace(&folder, &format!("{name}.wasm.minisig"), signature.as_bytes())?;
        }
        files::sync(&folder)
    })
    .await
}

async fn written(write: impl FnOnce() -> std::io::Result<()> + Send + 'static) -> Result<(), Problem> {
    let written = tokio::task::spawn_blocking(write).await;
    written.unwrap_or_else(|error| Err(std::io::Error::other(error))).map_err(|error| {
        tracing::error!(%error, "a plugin was taken but could not be kept");
        Problem::unavailable("the plugin was taken, but its file could not be written: a restart loses it")
    })
}

fn signature(base64: &[u8]) -> Result<String, Problem> {
    let text = BASE64.decode(base64).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    text.ok_or_else(|| Problem::bad_request(format!("{SIGNATURE} is not a .minisig file in base64")))
}

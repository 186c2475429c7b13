//! Plugins: which there are, and how another one is handed in.

use std::path::Path;
use std::sync::Arc;

use axum::body::HttpBody;
use axum::extract::{FromRequest, Request, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;

use super::App;
use super::access::Caller;
use super::actions::record;
use super::api::{Conflict, Plugin as View, PluginList, PluginPull, RefusedPlugin, TakenPlugin as Taken};
use super::extract::{self, Body, Id, NewId};
use super::problem::Problem;
use crate::disk::{replace, sync_names};
use crate::domain::{Deed, Origin, PluginName, PolicyName};
use crate::folders::Folder;
use crate::policy::PluginStatus;

/// List plugins
///
/// And those that could not be taken.
#[utoipa::path(get, path = "/v1/plugins", operation_id = "list_plugins", tag = "plugins",
    responses((status = 200, description = "All plugins.", body = PluginList)))]
pub(super) async fn list(State(app): State<App>) -> Json<PluginList> {
    let policies = &app.parts.policies;
    let plugins = policies.plugins().into_iter().map(View::from).collect();
    Json(PluginList { plugins, troubles: policies.troubles().into_iter().map(RefusedPlugin::from).collect() })
}

/// The signature of a plugin that is handed in: its `.minisig` file in base64.
const SIGNATURE: &str = "x-plugin-signature";

/// Hand in a plugin
///
/// A component, which is kept; the policies that name it are applied again.
#[utoipa::path(put, path = "/v1/plugins/{name}", operation_id = "put_plugin", tag = "plugins",
    params(("name" = PluginName, Path),
        ("x-plugin-signature" = Option<String>, Header, description = "Its `.minisig` file in base64.")),
    request_body(content = String, content_type = "application/wasm"),
    responses((status = 200, description = "It was taken.", body = Taken)))]
pub(super) async fn put(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    NewId(name): NewId<PluginName>,
    request: Request,
) -> Result<Json<Taken>, Problem> {
    let most_bytes = app.parts.policies.plugin_bytes();
    // A body that says beforehand that it is too long is not read at all.
    if request.body().size_hint().lower() > most_bytes as u64 {
        return Err(Problem::too_large(format!("a plugin may have {most_bytes} bytes")));
    }
    let signature = request.headers().get(SIGNATURE).map(|value| signature(value.as_bytes())).transpose()?;
    let Body(bytes) = Body::from_request(request, &app).await?;
    take(&app, &caller, &name, bytes, signature).await.map(Json)
}

/// Takes a plugin, with the text of its signature, keeps it and applies the policies that name it again.
pub(super) async fn take(
    app: &App,
    caller: &Caller,
    name: &PluginName,
    bytes: Bytes,
    signature: Option<String>,
) -> Result<Taken, Problem> {
    let folder = app.parts.plugins_folder.alone().await;
    let origin = Origin::Api { by: caller.name.clone() };
    let plugin = add(app, name, bytes.to_vec(), signature.as_deref(), origin).await?;
    keep(&folder, name, bytes, signature).await?;
    let taken = taken(app, plugin).await;
    drop(folder);
    record(app, caller, Deed::PluginPut, |action| action.about(name)).await?;
    Ok(taken)
}

/// Pull a plugin
///
/// A component from an OCI registry; then as with one that is handed in.
#[utoipa::path(post, path = "/v1/plugins/{name}/pull", operation_id = "pull_plugin", tag = "plugins",
    params(("name" = PluginName, Path)), request_body = PluginPull,
    responses((status = 200, description = "It was taken.", body = Taken), (status = 409, response = Conflict)))]
pub(super) async fn pull(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    NewId(name): NewId<PluginName>,
    extract::Json(PluginPull { reference }): extract::Json<PluginPull>,
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
        let kept = tokio::task::spawn_blocking(move || registry.keep(&name, &reference, &pulled)).await;
        written(kept.unwrap_or_else(|error| Err(std::io::Error::other(error))))?;
    } else {
        keep(&folder, &name, pulled.component.into(), pulled.signature).await?;
    }
    let taken = taken(&app, plugin).await;
    drop(folder);
    record(&app, &caller, Deed::PluginPull, |action| action.about(&name)).await?;
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
            Err(rejection) => refused.push(rejection.into()),
        }
    }
    Taken { plugin: plugin.into(), applied, refused }
}

/// Keeps a plugin in the folder. The component first: whoever watches the folder knows it already, and looks no further.
async fn keep(folder: &Folder, name: &PluginName, bytes: Bytes, signature: Option<String>) -> Result<(), Problem> {
    let name = name.clone();
    let kept = folder.work(move |folder| {
        std::fs::create_dir_all(folder)?;
        replace(folder, &format!("{name}.wasm"), &bytes)?;
        if let Some(signature) = signature {
            replace(folder, &format!("{name}.wasm.minisig"), signature.as_bytes())?;
        }
        sync_names(folder)
    });
    written(kept.await)
}

fn written(written: std::io::Result<()>) -> Result<(), Problem> {
    written.map_err(|error| {
        tracing::error!(%error, "a plugin was taken but could not be kept");
        Problem::unavailable("the plugin was taken, but its file could not be written: a restart loses it")
    })
}

/// Delete a plugin
///
/// One that no policy uses, with its file and its signature.
#[utoipa::path(delete, path = "/v1/plugins/{name}", operation_id = "delete_plugin", tag = "plugins",
    params(("name" = PluginName, Path)),
    responses((status = 204, description = "It is gone."), (status = 409, response = Conflict)))]
pub(super) async fn delete(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(name): Id<PluginName>,
) -> Result<StatusCode, Problem> {
    let policies = &app.parts.policies;
    let users = policies.users(&name);
    if !users.is_empty() {
        let users = users.iter().map(PolicyName::as_str).collect::<Vec<_>>().join(" and ");
        return Err(Problem::conflict(format!("the policies {users} use it: change or delete them first")));
    }
    if let Some(reference) = app.parts.oci.get(&name) {
        let why = format!("the configuration names {reference} for {name}; a restart would bring it back");
        return Err(Problem::conflict(why));
    }
    if policies.plugins().iter().any(|plugin| plugin.name == name && plugin.origin == Origin::Embedded) {
        return Err(Problem::conflict(format!("{name} is part of the program")));
    }
    let folder = app.parts.plugins_folder.alone().await;
    let of = name.clone();
    let deleted = folder.work(move |folder| {
        let deleted = remove(&folder.join(format!("{of}.wasm")))?;
        let signature = remove(&folder.join(format!("{of}.wasm.minisig")))?;
        if deleted || signature {
            sync_names(folder)?;
        }
        Ok(deleted)
    });
    let had_a_file = deleted.await.map_err(|error| {
        Problem::unavailable(format!("its file cannot be deleted, so that a restart would bring it back: {error}"))
    })?;
    if !policies.remove_plugin(&name) && !had_a_file {
        return Err(Problem::not_found(format!("there is no plugin {name}")));
    }
    record(&app, &caller, Deed::PluginDelete, |action| action.about(&name)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Removes a file; `false` when there was none.
fn remove(path: &Path) -> std::io::Result<bool> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        removed => removed.map(|()| true),
    }
}

fn signature(base64: &[u8]) -> Result<String, Problem> {
    let text = BASE64.decode(base64).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    text.ok_or_else(|| Problem::bad_request(format!("{SIGNATURE} is not a .minisig file in base64")))
}

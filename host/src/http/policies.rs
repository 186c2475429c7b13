//! Policies: what is in force, what was, what would be, and how to put another one there.

use std::collections::BTreeMap;
use std::path::Path;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::App;
use super::access::Caller;
use super::extract::{self, Id, Ids};
use super::files;
use super::problem::Problem;
use crate::domain::{Origin, PolicyName, PolicyRevision, PolicySource};
use crate::engine;
use crate::policy::PolicyStatus;

/// The texts of a policy.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Texts {
    /// The text of NAME.toml.
    toml: String,
    /// Scripts by file name.
    #[serde(default)]
    scripts: BTreeMap<String, String>,
}

impl Texts {
    fn source(&self, app: &App, caller: Caller) -> Result<PolicySource, Problem> {
        if let Some(bad) = self.scripts.keys().find(|file| !is_file_name(file)) {
            return Err(Problem::invalid(format!("scripts: `{bad}` is not a plain file name ending in .rhai")));
        }
        let (toml, scripts) = (self.toml.clone(), self.scripts.clone());
        Ok(PolicySource { toml, scripts, origin: Origin::Api { by: caller.name }, at: app.parts.clock.now() })
    }
}

#[derive(Serialize)]
pub(super) struct View {
    #[serde(flatten)]
    status: PolicyStatus,
    source: Option<Texts>,
}

/// All policies.
pub(super) async fn list(State(app): State<App>) -> Json<Value> {
    Json(json!({ "policies": app.parts.policies.policies() }))
}

/// One policy, with its texts.
pub(super) async fn show(State(app): State<App>, Id(name): Id<PolicyName>) -> Result<Json<View>, Problem> {
    let status = app.parts.policies.policies().into_iter().find(|status| status.name == name);
    let status = status.ok_or_else(|| Problem::not_found(format!("there is no policy {name}")))?;
    let source = app.parts.policies.source(&name);
    Ok(Json(View { status, source: source.map(|source| Texts { toml: source.toml, scripts: source.scripts }) }))
}

/// Puts a policy in force for the next decision; what is not accepted changes nothing.
pub(super) async fn apply(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(name): Id<PolicyName>,
    extract::Json(texts): extract::Json<Texts>,
) -> Result<Json<PolicyStatus>, Problem> {
    put(&app, caller, name, texts).await
}

/// Puts texts in force, and keeps them as files where there is a folder of policies.
async fn put(app: &App, caller: Caller, name: PolicyName, texts: Texts) -> Result<Json<PolicyStatus>, Problem> {
    let source = texts.source(app, caller)?;
    let folder = match &app.parts.policies_folder {
        Some(folder) => Some(folder.alone().await),
        None => None,
    };
    let status = app.parts.policies.apply(name.clone(), source).await?;
    if let Some(folder) = folder {
        let kept = tokio::task::spawn_blocking(move || keep(&folder, &name, &texts.toml, &texts.scripts)).await;
        if let Err(error) = kept.unwrap_or_else(|error| Err(std::io::Error::other(error))) {
            tracing::error!(%error, "a policy is in force but could not be kept");
            return Err(Problem::unavailable(
                "the policy is in force, but its files could not be written: a restart would undo it",
            ));
        }
    }
    Ok(Json(status))
}

/// The revisions of a policy, newest first, without their texts.
pub(super) async fn revisions(State(app): State<App>, Id(name): Id<PolicyName>) -> Result<Json<Value>, Problem> {
    let revisions = app.parts.policies.revisions(&name);
    if revisions.is_empty() {
        return Err(Problem::not_found(format!("there is no policy {name}")));
    }
    let listed: Vec<_> = revisions.iter().rev().map(summary).collect();
    Ok(Json(json!({ "policy": name, "revisions": listed })))
}

/// One revision, with its texts.
pub(super) async fn revision(
    State(app): State<App>,
    Ids(name, number): Ids<PolicyName, u32>,
) -> Result<Json<Value>, Problem> {
    let revision = numbered(&app, &name, number)?;
    let mut view = summary(&revision);
    view["source"] = json!(Texts { toml: revision.source.toml, scripts: revision.source.scripts });
    Ok(Json(view))
}

/// Puts an earlier revision in force again.
pub(super) async fn restore(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Ids(name, number): Ids<PolicyName, u32>,
) -> Result<Json<PolicyStatus>, Problem> {
    let PolicySource { toml, scripts, .. } = numbered(&app, &name, number)?.source;
    put(&app, caller, name, Texts { toml, scripts }).await
}

/// What would change if these texts were in force. Nothing is written anywhere.
pub(super) async fn preview(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(name): Id<PolicyName>,
    extract::Json(texts): extract::Json<Texts>,
) -> Result<Json<engine::Preview>, Problem> {
    let candidate = app.parts.policies.candidate(name.clone(), texts.source(&app, caller)?).await?;
    Ok(Json(app.parts.engine.preview(&name, &candidate).await?))
}

/// Lets these texts answer beside the policy in force, to be compared.
pub(super) async fn start_shadow(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(name): Id<PolicyName>,
    extract::Json(texts): extract::Json<Texts>,
) -> Result<Json<PolicyStatus>, Problem> {
    Ok(Json(app.parts.policies.start_shadow(name, texts.source(&app, caller)?).await?))
}

/// Ends the shadow of a policy.
pub(super) async fn end_shadow(State(app): State<App>, Id(name): Id<PolicyName>) -> Result<StatusCode, Problem> {
    if app.parts.policies.end_shadow(&name, app.parts.clock.now()).await {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(Problem::not_found(format!("policy {name} has no shadow")))
}

/// Teams, channels and tags that were seen lately and that the policy refuses to route.
pub(super) async fn coverage(
    State(app): State<App>,
    Id(name): Id<PolicyName>,
) -> Result<Json<engine::Coverage>, Problem> {
    Ok(Json(app.parts.engine.coverage(&name).await?))
}

fn numbered(app: &App, name: &PolicyName, number: u32) -> Result<PolicyRevision, Problem> {
    let found = app.parts.policies.revisions(name).into_iter().find(|revision| revision.number == number);
    found.ok_or_else(|| Problem::not_found(format!("policy {name} has no revision {number}")))
}

fn summary(revision: &PolicyRevision) -> Value {
    json!({
        "number": revision.number,
        "state": revision.state,
        "reason": revision.reason,
        "changed_at": revision.changed_at,
        "applied_at": revision.source.at,
        "origin": revision.source.origin,
        "digest": revision.digest,
        "plugins": revision.plugins,
    })
}

fn is_file_name(name: &str) -> bool {
    name.strip_suffix(".rhai").is_some_and(|stem| PolicyName::new(stem).is_ok())
}

/// Scripts first: the watcher of the folder must never see a policy without its script.
fn keep(folder: &Path, name: &PolicyName, toml: &str, scripts: &BTreeMap<String, String>) -> std::io::Result<()> {
    for (file, text) in scripts {
        files::replace(folder, file, text.as_bytes())?;
    }
    files::replace(folder, &format!("{name}.toml"), toml.as_bytes())?;
    files::sync(folder)
}

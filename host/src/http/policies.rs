//! Policies and plugins: what is in force, and how to put another one there.

use std::collections::BTreeMap;
use std::path::Path;

use axum::extract::State;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::App;
use super::access::Caller;
use super::extract::{self, Id};
use super::problem::Problem;
use crate::domain::PolicyName;
use crate::policy::{Origin, PolicySource, PolicyStatus};

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

/// All plugins.
pub(super) async fn plugins(State(app): State<App>) -> Json<Value> {
    Json(json!({ "plugins": app.parts.policies.plugins() }))
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
    extract::Json(Texts { toml, scripts }): extract::Json<Texts>,
) -> Result<Json<PolicyStatus>, Problem> {
    if let Some(bad) = scripts.keys().find(|file| !is_file_name(file)) {
        return Err(Problem::invalid(format!("scripts: `{bad}` is not a plain file name ending in .rhai")));
    }
    let source = PolicySource {
        toml: toml.clone(),
        scripts: scripts.clone(),
        origin: Origin::Api { by: caller.name },
        at: app.parts.clock.now(),
    };
    let status = app.parts.policies.apply(name.clone(), source).await?;
    if let Some(folder) = app.parts.policies_folder.clone() {
        let kept = tokio::task::spawn_blocking(move || keep(&folder, &name, &toml, &scripts)).await;
        if let Err(error) = kept.unwrap_or_else(|error| Err(std::io::Error::other(error))) {
            tracing::error!(%error, "a policy is in force but could not be kept");
            return Err(Problem::unavailable(
                "the policy is in force, but its files could not be written: a restart would undo it",
            ));
        }
    }
    Ok(Json(status))
}

fn is_file_name(name: &str) -> bool {
    name.strip_suffix(".rhai").is_some_and(|stem| PolicyName::new(stem).is_ok())
}

/// Scripts first: the watcher of the folder must never see a policy without its script.
fn keep(folder: &Path, name: &PolicyName, toml: &str, scripts: &BTreeMap<String, String>) -> std::io::Result<()> {
    let write = |file: &str, text: &str| {
        let draft = folder.join(format!(".{file}.draft"));
        std::fs::write(&draft, text)?;
        std::fs::File::open(&draft)?.sync_all()?;
        std::fs::rename(draft, folder.join(file))
    };
    for (file, text) in scripts {
        write(file, text)?;
    }
    write(&format!("{name}.toml"), toml)?;
    std::fs::File::open(folder)?.sync_all()
}

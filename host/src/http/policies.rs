//! Policies: what is in force, what was, what would be, and how to put another one there.

use std::collections::BTreeMap;
use std::path::Path;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::App;
use super::access::{Caller, Scope};
use super::actions::record;
use super::etag::{IfMatch, Tagged};
use super::extract::{self, Id, Ids, NewId};
use super::problem::Problem;
use crate::domain::{Deed, Expected, Origin, PolicyName, PolicyRevision, PolicySource};
use crate::engine;
use crate::folders::{self, Draft};
use crate::policy::{DEFAULT_POLICY, PolicyStatus, is_script_file, scripts_named};

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
    pub(super) fn source(&self, app: &App, caller: &Caller) -> Result<PolicySource, Problem> {
        if let Some(bad) = self.scripts.keys().find(|file| !is_script_file(file)) {
            return Err(Problem::invalid(format!("scripts: `{bad}` is not a plain file name ending in .rhai")));
        }
        let (toml, mut scripts) = (self.toml.clone(), self.scripts.clone());
        let named = scripts_named(&toml);
        scripts.retain(|file, _| named.contains(file));
        Ok(PolicySource { toml, scripts, origin: Origin::Api { by: caller.name.clone() }, at: app.parts.clock.now() })
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
pub(super) async fn show(State(app): State<App>, Id(name): Id<PolicyName>) -> Result<Tagged<Json<View>>, Problem> {
    let status = app.parts.policies.policy(&name);
    let status = status.ok_or_else(|| Problem::not_found(format!("there is no policy {name}")))?;
    let source = app.parts.policies.source(&name);
    let source = source.map(|source| Texts { toml: source.toml, scripts: source.scripts });
    Ok(Tagged(tag(&status), Json(View { status, source })))
}

/// Puts a policy in force for the next decision; what is not accepted changes nothing.
pub(super) async fn apply(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    NewId(name): NewId<PolicyName>,
    IfMatch(expected): IfMatch,
    extract::Json(texts): extract::Json<Texts>,
) -> Result<Tagged<Json<PolicyStatus>>, Problem> {
    let status = put(&app, &caller, name.clone(), &expected, texts).await?;
    record(&app, &caller, Deed::PolicyPut, |action| action.about(&name)).await?;
    Ok(told(status, &caller))
}

/// Puts texts in force, and keeps them as files where there is a folder of policies. They are written before they are in
/// force, and only then in their places: what cannot be kept changes nothing.
async fn put(
    app: &App,
    caller: &Caller,
    name: PolicyName,
    expected: &Expected,
    texts: Texts,
) -> Result<PolicyStatus, Problem> {
    let source = texts.source(app, caller)?;
    let kept = folders::Texts { toml: source.toml.clone(), scripts: source.scripts.clone() };
    let folder = app.parts.policies_folder.alone().await;
    // Whoever else changes it waits for the folder.
    expected.check(app.parts.policies.policy(&name).as_ref().and_then(tag).as_deref())?;
    let (of, most_bytes) = (name.clone(), app.parts.policies.source_bytes());
    let before = app.parts.policies.source(&name);
    let came_from_a_file = before.is_some_and(|before| matches!(before.origin, Origin::File { .. }));
    let drafted = folder.work(move |folder| match draft(folder, &of, &kept, most_bytes) {
        // When it is there again, so is the file that this was to replace.
        Ok(Ok(None)) if came_from_a_file => Err(std::io::Error::other("it is not there")),
        drafted => drafted,
    });
    let draft = drafted.await.map_err(|error| not_kept(&error))??;
    let status = match app.parts.policies.apply(name, source).await {
        Ok(status) => status,
        Err(rejection) => {
            // Its files are removed where a disk may take its time.
            let removed = move |_: &Path| {
                drop(draft);
                Ok(())
            };
            let _ = folder.work(removed).await;
            return Err(rejection.into());
        }
    };
    let put = folder.work(move |_| draft.map_or(Ok(()), Draft::put)).await;
    put.map_err(|error| {
        tracing::error!(%error, "a policy is in force but its files are not all in their places");
        let why =
            format!("the policy is in force, but its files are not in their places: {error}; a restart may undo it");
        Problem::unavailable(why)
    })?;
    Ok(status)
}

/// How a policy stands, for whoever changed it: a policy can answer with a customer's words, and examples have answers.
fn told(mut status: PolicyStatus, caller: &Caller) -> Tagged<Json<PolicyStatus>> {
    if let Some(shadow) = status.shadow.as_mut().filter(|_| !caller.may(Scope::Read)) {
        shadow.examples.clear();
    }
    Tagged(tag(&status), Json(status))
}

/// The version of a policy: its texts and plugins in force.
fn tag(status: &PolicyStatus) -> Option<String> {
    status.in_force.as_ref().map(|in_force| in_force.digest.clone())
}

/// Writes texts where there is a folder, unless they would change a script of another policy.
fn draft(
    folder: &Path,
    name: &PolicyName,
    texts: &folders::Texts,
    most_bytes: usize,
) -> std::io::Result<Result<Option<Draft>, Problem>> {
    if !folder.is_dir() {
        return Ok(Ok(None));
    }
    let others = folders::in_others(folder, name, most_bytes)?;
    for (script, text) in &texts.scripts {
        if let Some(other) = others.get(script)
            && folders::read_text(folder, script, most_bytes).ok().flatten().as_ref() != Some(text)
        {
            let why =
                format!("{script} is the script of {other}.toml as well, and would be another one for both of them");
            return Ok(Err(Problem::conflict(format!("{why}: give the script of {name} a name of its own"))));
        }
    }
    Draft::write(folder, name, texts).map(|draft| Ok(Some(draft)))
}

fn not_kept(error: &std::io::Error) -> Problem {
    tracing::error!(%error, "a policy cannot be kept");
    Problem::unavailable(format!("nothing is changed: the folder of policies cannot be written: {error}"))
}

/// Deletes a policy that no organization uses, with its file and the scripts that no other one names. Its revisions are kept.
pub(super) async fn delete(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(name): Id<PolicyName>,
    IfMatch(expected): IfMatch,
) -> Result<StatusCode, Problem> {
    let users: Vec<_> = app.parts.engine.orgs().into_iter().filter(|(org, _)| org.policy == name).collect();
    if !users.is_empty() {
        let users = users.iter().map(|(org, _)| org.id.as_str()).collect::<Vec<_>>().join(" and ");
        return Err(Problem::conflict(format!("{users} use it: give them another policy in the configuration first")));
    }
    if name.as_str() == DEFAULT_POLICY {
        return Err(Problem::conflict("the default policy answers what others leave open"));
    }
    let folder = app.parts.policies_folder.alone().await;
    expected.check(app.parts.policies.policy(&name).as_ref().and_then(tag).as_deref())?;
    let (of, most_bytes) = (name.clone(), app.parts.policies.source_bytes());
    let deleted = folder.work(move |folder| {
        // What was put and is not in its place yet goes too.
        folders::forget(folder, &of)?;
        folders::delete(folder, &of, most_bytes)
    });
    let had_a_file = deleted.await.map_err(|error| {
        Problem::unavailable(format!("its file cannot be deleted, so that a restart would bring it back: {error}"))
    })?;
    let retired = app.parts.policies.retire(&name, app.parts.clock.now()).await;
    let was_known = retired.map_err(|why| Problem::unavailable(format!("that could not be kept: {why}")))?;
    if !had_a_file && !was_known {
        return Err(Problem::not_found(format!("there is no policy {name}")));
    }
    record(&app, &caller, Deed::PolicyDelete, |action| action.about(&name)).await?;
    Ok(StatusCode::NO_CONTENT)
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
    IfMatch(expected): IfMatch,
) -> Result<Tagged<Json<PolicyStatus>>, Problem> {
    let PolicySource { toml, scripts, .. } = numbered(&app, &name, number)?.source;
    let status = put(&app, &caller, name.clone(), &expected, Texts { toml, scripts }).await?;
    let subject = format!("{name} revision {number}");
    record(&app, &caller, Deed::PolicyRestore, |action| action.about(subject)).await?;
    Ok(told(status, &caller))
}

/// Lets these texts answer beside the policy in force, to be compared.
pub(super) async fn start_shadow(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    NewId(name): NewId<PolicyName>,
    extract::Json(texts): extract::Json<Texts>,
) -> Result<Tagged<Json<PolicyStatus>>, Problem> {
    let status = app.parts.policies.start_shadow(name.clone(), texts.source(&app, &caller)?).await?;
    record(&app, &caller, Deed::ShadowStart, |action| action.about(&name)).await?;
    Ok(told(status, &caller))
}

/// Ends the shadow of a policy.
pub(super) async fn end_shadow(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(name): Id<PolicyName>,
) -> Result<StatusCode, Problem> {
    if app.parts.policies.end_shadow(&name, app.parts.clock.now()).await {
        record(&app, &caller, Deed::ShadowEnd, |action| action.about(&name)).await?;
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
    let found = app.parts.policies.revision(name, number);
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

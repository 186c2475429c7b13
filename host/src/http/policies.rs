//! Policies: what is in force, what was, what would be, and how to put another one there.

mod keeping;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};

use self::keeping::put;
use super::App;
use super::access::{Caller, Scope};
use super::actions::record;
use super::api::{
    Conflict, Coverage, Policy, PolicyList, PolicyStatus as View, PolicyTexts as Texts, Revision, RevisionList, Stale,
};
use super::etag::{IfMatch, Tagged};
use super::extract::{self, Id, Ids, NewId};
use super::problem::Problem;
use crate::domain::{Deed, Origin, PolicyName, PolicyRevision, PolicySource};
use crate::folders;
use crate::policy::{DEFAULT_POLICY, PolicyStatus, is_script_file, scripts_named};

/// Texts as they are kept, of whoever gives them.
pub(super) fn source_of(texts: &Texts, app: &App, caller: &Caller) -> Result<PolicySource, Problem> {
    if let Some(bad) = texts.scripts.keys().find(|file| !is_script_file(file)) {
        return Err(Problem::invalid(format!("scripts: `{bad}` is not a plain file name ending in .rhai")));
    }
    let (toml, mut scripts) = (texts.toml.clone(), texts.scripts.clone());
    let named = scripts_named(&toml);
    scripts.retain(|file, _| named.contains(file));
    Ok(PolicySource { toml, scripts, origin: Origin::Api { by: caller.name.clone() }, at: app.parts.clock.now() })
}

/// List policies
///
/// Revisions in force, who answers what, the last rejection.
#[utoipa::path(get, path = "/v1/policies", operation_id = "list_policies", tag = "policies",
    responses((status = 200, description = "All policies.", body = PolicyList)))]
pub(super) async fn list(State(app): State<App>) -> Json<PolicyList> {
    Json(PolicyList { policies: app.parts.policies.policies().into_iter().map(View::from).collect() })
}

/// Look at a policy
///
/// With its texts. Its `ETag` is that of the texts and plugins in force.
#[utoipa::path(get, path = "/v1/policies/{name}", operation_id = "get_policy", tag = "policies",
    params(("name" = PolicyName, Path)), responses((status = 200, description = "The policy.", body = Policy)))]
pub(super) async fn show(State(app): State<App>, Id(name): Id<PolicyName>) -> Result<Tagged<Json<Policy>>, Problem> {
    let status = app.parts.policies.policy(&name);
    let status = status.ok_or_else(|| Problem::not_found(format!("there is no policy {name}")))?;
    let source = app.parts.policies.source(&name);
    let source = source.map(|source| Texts { toml: source.toml, scripts: source.scripts });
    Ok(Tagged(tag(&status), Json(Policy { status: status.into(), source })))
}

/// Put a policy in force
///
/// For the next decision; what is not accepted changes nothing.
#[utoipa::path(put, path = "/v1/policies/{name}", operation_id = "put_policy", tag = "policies",
    params(("name" = PolicyName, Path), IfMatch), request_body = Texts,
    responses((status = 200, description = "It is in force.", body = View), (status = 409, response = Conflict),
        (status = 412, response = Stale)))]
pub(super) async fn apply(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    NewId(name): NewId<PolicyName>,
    IfMatch(expected): IfMatch,
    extract::Json(texts): extract::Json<Texts>,
) -> Result<Tagged<Json<View>>, Problem> {
    let status = put(&app, &caller, name.clone(), &expected, texts).await?;
    record(&app, &caller, Deed::PolicyPut, |action| action.about(&name)).await?;
    Ok(told(status, &caller))
}

/// How a policy stands, for whoever changed it: a policy can answer with a customer's words, and examples have answers.
fn told(mut status: PolicyStatus, caller: &Caller) -> Tagged<Json<View>> {
    if let Some(shadow) = status.shadow.as_mut().filter(|_| !caller.may(Scope::Read)) {
        shadow.examples.clear();
    }
    Tagged(tag(&status), Json(status.into()))
}

/// The version of a policy: its texts and plugins in force.
fn tag(status: &PolicyStatus) -> Option<String> {
    status.in_force.as_ref().map(|in_force| in_force.digest.clone())
}

/// Delete a policy
///
/// One that no organization uses, with its file and the scripts that no other one names. Its revisions are kept.
#[utoipa::path(delete, path = "/v1/policies/{name}", operation_id = "delete_policy", tag = "policies",
    params(("name" = PolicyName, Path), IfMatch),
    responses((status = 204, description = "It is gone."), (status = 409, response = Conflict),
        (status = 412, response = Stale)))]
pub(super) async fn delete(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(name): Id<PolicyName>,
    IfMatch(expected): IfMatch,
) -> Result<StatusCode, Problem> {
    let users: Vec<_> = app.parts.engine.connected().into_iter().filter(|org| org.policy() == name).collect();
    if !users.is_empty() {
        let users = users.iter().map(|org| org.id.as_str()).collect::<Vec<_>>().join(" and ");
        return Err(Problem::conflict(format!("{users} use it: give them another policy first, among their settings")));
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

/// List the revisions of a policy
///
/// Newest first, without their texts.
#[utoipa::path(get, path = "/v1/policies/{name}/revisions", operation_id = "list_revisions", tag = "policies",
    params(("name" = PolicyName, Path)), responses((status = 200, description = "The revisions.", body = RevisionList)))]
pub(super) async fn revisions(State(app): State<App>, Id(name): Id<PolicyName>) -> Result<Json<RevisionList>, Problem> {
    let revisions = app.parts.policies.revisions(&name);
    if revisions.is_empty() {
        return Err(Problem::not_found(format!("there is no policy {name}")));
    }
    let revisions = revisions.into_iter().rev().map(|revision| Revision::of(revision, false)).collect();
    Ok(Json(RevisionList { policy: name, revisions }))
}

/// Look at a revision of a policy
///
/// With its texts.
#[utoipa::path(get, path = "/v1/policies/{name}/revisions/{number}", operation_id = "get_revision", tag = "policies",
    params(("name" = PolicyName, Path), ("number" = u32, Path)),
    responses((status = 200, description = "The revision.", body = Revision)))]
pub(super) async fn revision(
    State(app): State<App>,
    Ids(name, number): Ids<PolicyName, u32>,
) -> Result<Json<Revision>, Problem> {
    Ok(Json(Revision::of(numbered(&app, &name, number)?, true)))
}

/// Restore a revision of a policy
///
/// Its texts are put in force again, as a new revision.
#[utoipa::path(post, path = "/v1/policies/{name}/revisions/{number}/restore", operation_id = "restore_revision",
    tag = "policies", params(("name" = PolicyName, Path), ("number" = u32, Path), IfMatch),
    responses((status = 200, description = "They are in force.", body = View), (status = 409, response = Conflict),
        (status = 412, response = Stale)))]
pub(super) async fn restore(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Ids(name, number): Ids<PolicyName, u32>,
    IfMatch(expected): IfMatch,
) -> Result<Tagged<Json<View>>, Problem> {
    let PolicySource { toml, scripts, .. } = numbered(&app, &name, number)?.source;
    let status = put(&app, &caller, name.clone(), &expected, Texts { toml, scripts }).await?;
    let subject = format!("{name} revision {number}");
    record(&app, &caller, Deed::PolicyRestore, |action| action.about(subject)).await?;
    Ok(told(status, &caller))
}

/// Start a shadow of a policy
///
/// These texts answer beside the policy in force, to be compared.
#[utoipa::path(put, path = "/v1/policies/{name}/shadow", operation_id = "start_shadow", tag = "policies",
    params(("name" = PolicyName, Path)), request_body = Texts,
    responses((status = 200, description = "It is asked from now on.", body = View)))]
pub(super) async fn start_shadow(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    NewId(name): NewId<PolicyName>,
    extract::Json(texts): extract::Json<Texts>,
) -> Result<Tagged<Json<View>>, Problem> {
    let status = app.parts.policies.start_shadow(name.clone(), source_of(&texts, &app, &caller)?).await?;
    record(&app, &caller, Deed::ShadowStart, |action| action.about(&name)).await?;
    Ok(told(status, &caller))
}

/// End the shadow of a policy
#[utoipa::path(delete, path = "/v1/policies/{name}/shadow", operation_id = "end_shadow", tag = "policies",
    params(("name" = PolicyName, Path)), responses((status = 204, description = "It has ended.")))]
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

/// Let go of why the newest change of a policy was refused
///
/// It is not shown any more, and a change that waits for a plugin waits no more. Where nothing is in force it stays: it says why.
#[utoipa::path(delete, path = "/v1/policies/{name}/rejection", operation_id = "forget_rejection", tag = "policies",
    params(("name" = PolicyName, Path)),
    responses((status = 204, description = "It is gone."), (status = 409, response = Conflict)))]
pub(super) async fn forget_rejection(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(name): Id<PolicyName>,
) -> Result<StatusCode, Problem> {
    let status = app.parts.policies.policy(&name);
    if status.is_some_and(|status| status.in_force.is_none()) {
        return Err(Problem::conflict("nothing is in force, and this says why: put texts in force that are accepted"));
    }
    if app.parts.policies.forget_rejection(&name) {
        record(&app, &caller, Deed::RejectionForget, |action| action.about(&name)).await?;
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(Problem::not_found(format!("no change of policy {name} is refused")))
}

/// Look at what a policy covers
///
/// Teams, channels and tags that were seen lately and that it refuses to route.
#[utoipa::path(get, path = "/v1/policies/{name}/coverage", operation_id = "get_coverage", tag = "policies",
    params(("name" = PolicyName, Path)), responses((status = 200, description = "What it refuses.", body = Coverage)))]
pub(super) async fn coverage(State(app): State<App>, Id(name): Id<PolicyName>) -> Result<Json<Coverage>, Problem> {
    Ok(Json(app.parts.engine.coverage(&name).await?.into()))
}

fn numbered(app: &App, name: &PolicyName, number: u32) -> Result<PolicyRevision, Problem> {
    let found = app.parts.policies.revision(name, number);
    found.ok_or_else(|| Problem::not_found(format!("policy {name} has no revision {number}")))
}

//! What is asked of many sync errors at once: what it would do, its beginning, and how it goes on.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Deserialize;
use utoipa::IntoParams;

use super::App;
use super::access::Caller;
use super::api::{Conflict, DryRun, Operation as View, OperationList, OperationRequest};
use super::caller::no_such_org;
use super::error_query::PAGE;
use super::extract::{self, Asked, Id, page_size};
use super::problem::Problem;
use super::wanted::{Wanted, begun_as};
use crate::domain::{Operation, OperationId, OperationStatus, OrgId};

/// Operations of a list.
const MOST: usize = 500;

/// Begin an operation
///
/// Retries, ignores, reopens or assigns all sync errors that a query matches, or sends what got through once more. What matches is
/// frozen at this moment; the operation survives restarts and goes behind new conversations. With `dry_run` nothing is begun, and
/// the answer tells what it would be about.
#[utoipa::path(post, path = "/v1/operations", operation_id = "begin_operation", tag = "operations",
    request_body(content = OperationRequest, example = json!({"task": "retry", "query": {"org": "travel"}, "dry_run": true})),
    responses((status = 202, description = "It has begun.", body = View),
        (status = 200, description = "Of a `dry_run`: what it would be about.", body = DryRun)))]
pub(super) async fn begin(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    extract::Json(asked): extract::Json<OperationRequest>,
) -> Result<Response, Problem> {
    let wanted = Wanted::of(&app, &caller, &asked)?;
    if asked.dry_run {
        return Ok(Json(wanted.plan(&app).await?).into_response());
    }
    accepted(wanted.begin(&app, &caller).await?)
}

fn accepted(view: View) -> Result<Response, Problem> {
    Ok((StatusCode::ACCEPTED, Json(view)).into_response())
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Of this organization only.
    pub(super) org: Option<OrgId>,
    /// How many; 50 without it.
    #[param(minimum = 1, maximum = 500)]
    pub(super) limit: Option<usize>,
}

/// List operations
///
/// The newest ones, those that go on first.
#[utoipa::path(get, path = "/v1/operations", operation_id = "list_operations", tag = "operations", params(Which),
    responses((status = 200, description = "Operations.", body = OperationList)))]
pub(super) async fn list(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Asked(which): Asked<Which>,
) -> Result<Json<OperationList>, Problem> {
    Ok(Json(listed(&app, &caller, which).await?))
}

/// The newest operations, those that go on first, as far as they are about the caller's organizations.
pub(super) async fn listed(app: &App, caller: &Caller, which: Which) -> Result<OperationList, Problem> {
    let limit = page_size(which.limit, PAGE, MOST)?;
    let engine = &app.parts.engine;
    let orgs = match which.org {
        Some(org) if !caller.sees(&org) || !engine.knows(&org) => return Err(no_such_org(&org)),
        Some(org) => vec![org],
        None => engine.ledger().orgs().await?.into_iter().filter(|org| caller.sees(org)).collect(),
    };
    let mut by_id: Vec<(OperationId, Vec<(OrgId, Operation)>)> = Vec::new();
    for (org, _, operation) in engine.ledger().newest_operations(&orgs, limit).await? {
        match by_id.iter_mut().find(|(id, _)| *id == operation.id) {
            Some((_, all)) => all.push((org, operation)),
            None => by_id.push((operation.id.clone(), vec![(org, operation)])),
        }
    }
    let now = app.parts.clock.now();
    let operations: Vec<_> = by_id.into_iter().map(|(id, all)| View::of(id, all, now)).collect();
    Ok(OperationList { operations })
}

/// Look at an operation
///
/// How far it is, what passed, and what failed again.
#[utoipa::path(get, path = "/v1/operations/{id}", operation_id = "get_operation", tag = "operations",
    params(("id" = OperationId, Path)),
    responses((status = 200, description = "The operation as it is now.", body = View)))]
pub(super) async fn show(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<OperationId>,
) -> Result<Json<View>, Problem> {
    seen(&app, &caller, id).await.map(Json)
}

/// An operation, as far as it is about the caller's organizations.
pub(super) async fn seen(app: &App, caller: &Caller, id: OperationId) -> Result<View, Problem> {
    let mut found = app.parts.engine.ledger().operation(&id).await?;
    found.retain(|(org, ..)| caller.sees(org));
    if found.is_empty() {
        return Err(Problem::not_found(format!("there is no operation {id}")));
    }
    let all = found.into_iter().map(|(org, _, operation)| (org, operation)).collect();
    Ok(View::of(id, all, app.parts.clock.now()))
}

/// Whether a caller may change an operation: it is about the caller's organizations, and about no others.
async fn changes(app: &App, caller: &Caller, id: &OperationId) -> Result<(), Problem> {
    if caller.orgs().is_none() {
        return Ok(());
    }
    let all = app.parts.engine.ledger().operation(id).await?;
    let own = all.iter().filter(|(org, ..)| caller.sees(org)).count();
    match own {
        0 => Err(Problem::not_found(format!("there is no operation {id}"))),
        own if own < all.len() => Err(Problem::forbidden("this operation is about other organizations as well")),
        _ => Ok(()),
    }
}

/// Pauses an operation, lets it go on, or ends it; answers how it stands then.
pub(super) async fn change(
    app: &App,
    caller: &Caller,
    id: OperationId,
    status: OperationStatus,
) -> Result<View, Problem> {
    changes(app, caller, &id).await?;
    app.parts.engine.change_operation(&id, status, &caller.asker()).await?;
    seen(app, caller, id).await
}

/// Pause an operation
///
/// It does not go on until it is resumed. What is on its way comes to its end.
#[utoipa::path(post, path = "/v1/operations/{id}/pause", operation_id = "pause_operation", tag = "operations",
    params(("id" = OperationId, Path)),
    responses((status = 200, description = "The operation as it is now.", body = View), (status = 409, response = Conflict)))]
pub(super) async fn pause(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<OperationId>,
) -> Result<Json<View>, Problem> {
    change(&app, &caller, id, OperationStatus::Paused).await.map(Json)
}

/// Resume an operation
///
/// It goes on; of what a policy ignores by itself, the brake is released.
#[utoipa::path(post, path = "/v1/operations/{id}/resume", operation_id = "resume_operation", tag = "operations",
    params(("id" = OperationId, Path)),
    responses((status = 200, description = "The operation as it is now.", body = View), (status = 409, response = Conflict)))]
pub(super) async fn resume(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<OperationId>,
) -> Result<Json<View>, Problem> {
    change(&app, &caller, id, OperationStatus::Running).await.map(Json)
}

/// Cancel an operation
///
/// It ends; what it has done stays.
#[utoipa::path(post, path = "/v1/operations/{id}/cancel", operation_id = "cancel_operation", tag = "operations",
    params(("id" = OperationId, Path)),
    responses((status = 200, description = "The operation as it is now.", body = View), (status = 409, response = Conflict)))]
pub(super) async fn cancel(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<OperationId>,
) -> Result<Json<View>, Problem> {
    change(&app, &caller, id, OperationStatus::Cancelled).await.map(Json)
}

/// Undo an operation that ignored
///
/// What it ignored waits for a person again, where nobody has changed it since. That is an operation of its own.
#[utoipa::path(post, path = "/v1/operations/{id}/undo", operation_id = "undo_operation", tag = "operations",
    params(("id" = OperationId, Path)),
    responses((status = 202, description = "The operation that undoes it.", body = View),
        (status = 409, response = Conflict)))]
pub(super) async fn undo(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<OperationId>,
) -> Result<Response, Problem> {
    accepted(take_back(&app, &caller, &id).await?)
}

/// Takes back what an operation ignored; answers the operation that does it.
pub(super) async fn take_back(app: &App, caller: &Caller, id: &OperationId) -> Result<View, Problem> {
    changes(app, caller, id).await?;
    let (id, begun) = app.parts.engine.undo_operation(id, &caller.asker()).await?;
    begun_as(app, id, begun)
}

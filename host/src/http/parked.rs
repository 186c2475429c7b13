//! Conversations that wait for the end of an incident of their organization.

use axum::extract::{Path, State};
use axum::{Extension, Json};
use serde::Deserialize;
use utoipa::IntoParams;

use super::App;
use super::access::Caller;
use super::api::{Conflict, Ignore, Parked, ParkedList, SyncError as View};
use super::error_query::{LARGEST_PAGE, PAGE};
use super::extract::{self, Asked, Id, page_size};
use super::problem::Problem;
use super::sync_errors::a_reason;
use crate::domain::{ConversationId, OrgId};
use crate::ledger::Queued;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Query {
    /// How many; 50 without it.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<usize>,
}

/// List parked conversations
///
/// The newest ones that wait for the end of the organization's incident.
#[utoipa::path(get, path = "/v1/orgs/{org}/parked", operation_id = "list_parked", tag = "organizations",
    params(("org" = OrgId, Path), Query), responses((status = 200, description = "Parked conversations.", body = ParkedList)))]
pub(super) async fn list(
    State(app): State<App>,
    Id(id): Id<OrgId>,
    Asked(query): Asked<Query>,
) -> Result<Json<ParkedList>, Problem> {
    let limit = page_size(query.limit, PAGE, LARGEST_PAGE)?;
    let (_, health) = app.parts.engine.org(&id)?;
    let found = app.parts.engine.ledger().queued(&id, Queued::Parked, limit).await?;
    let parked = found.into_iter().map(|(since, conversation)| Parked { conversation, since }).collect();
    Ok(Json(ParkedList { total: health.parked, parked }))
}

/// Ignore a parked conversation
///
/// No further synchronization is expected of it, and why. The answer is its sync error.
#[utoipa::path(post, path = "/v1/orgs/{org}/parked/{conversation}/ignore", operation_id = "ignore_parked",
    tag = "organizations", params(("org" = OrgId, Path), ("conversation" = ConversationId, Path)), request_body = Ignore,
    responses((status = 200, description = "Its sync error.", body = View), (status = 409, response = Conflict)))]
pub(super) async fn ignore(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Path((org, conversation)): Path<(String, String)>,
    extract::Json(Ignore { reason }): extract::Json<Ignore>,
) -> Result<Json<View>, Problem> {
    let no = |error: crate::domain::IdError| Problem::not_found(error.to_string());
    let org = OrgId::new(org).map_err(no)?;
    let conversation = ConversationId::new(conversation).map_err(no)?;
    let ignored = app.parts.engine.ignore_parked(&org, &conversation, &caller.asker(), a_reason(&reason)?).await?;
    Ok(Json(ignored.into()))
}

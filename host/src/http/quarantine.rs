//! The quarantine: records that could not be read or kept, one by one, and what can be done about each.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::Deserialize;
use utoipa::IntoParams;

use super::App;
use super::access::Caller;
use super::api::{Conflict, QuarantineEntry as View, QuarantineList as List, Quarantined};
use super::error_query::{LARGEST_PAGE, PAGE};
use super::extract::{Asked, page_size};
use super::problem::Problem;
use crate::domain::Deed;
use crate::ledger::{self, is_quarantine_cursor};

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Query {
    /// Entries of a page; 50 without it.
    #[param(minimum = 1, maximum = 500)]
    pub(super) limit: Option<usize>,
    /// The `next_cursor` of a page.
    pub(super) cursor: Option<String>,
}

/// List what is in the quarantine
///
/// Records that could not be read or kept, and what came from outside and could not be used, with the reason, in pages. What an
/// entry holds may be personal data: lists leave it out.
#[utoipa::path(get, path = "/v1/quarantine", operation_id = "list_quarantine", tag = "quarantine", params(Query),
    responses((status = 200, description = "A page of entries.", body = List)))]
pub(super) async fn list(State(app): State<App>, Asked(query): Asked<Query>) -> Result<Json<List>, Problem> {
    page(&app, &query).await.map(Json)
}

pub(super) async fn page(app: &App, query: &Query) -> Result<List, Problem> {
    let limit = page_size(query.limit, PAGE, LARGEST_PAGE)?;
    let cursor = query.cursor.as_deref().filter(|cursor| !cursor.is_empty());
    if let Some(cursor) = cursor.filter(|cursor| !is_quarantine_cursor(cursor)) {
        return Err(Problem::bad_request(format!("cursor: `{cursor}` is not one that a list gave as its next_cursor")));
    }
    let page = app.parts.engine.ledger().quarantine(cursor, limit).await?;
    Ok(List { quarantine: page.entries.into_iter().map(Quarantined::from).collect(), next_cursor: page.next })
}

/// Look at an entry of the quarantine
///
/// With what it holds.
#[utoipa::path(get, path = "/v1/quarantine/{id}", operation_id = "get_quarantined", tag = "quarantine",
    params(("id" = String, Path)), responses((status = 200, description = "The entry.", body = View)))]
pub(super) async fn show(State(app): State<App>, Path(id): Path<String>) -> Result<Json<View>, Problem> {
    Ok(Json(find(&app, &id).await?.into()))
}

pub(super) async fn find(app: &App, id: &str) -> Result<ledger::Quarantined, Problem> {
    let entry = app.parts.engine.ledger().quarantined(id).await?;
    entry.ok_or_else(|| Problem::not_found(format!("the quarantine has no {id}")))
}

/// Put an entry of the quarantine back
///
/// Under its key, where it is read again.
#[utoipa::path(post, path = "/v1/quarantine/{id}/retry", operation_id = "retry_quarantined", tag = "quarantine",
    params(("id" = String, Path)),
    responses((status = 202, description = "It is back.", body = Quarantined), (status = 409, response = Conflict)))]
pub(super) async fn retry(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<Quarantined>), Problem> {
    Ok((StatusCode::ACCEPTED, Json(put_back(&app, &caller, &id).await?.into())))
}

pub(super) async fn put_back(app: &App, caller: &Caller, id: &str) -> Result<ledger::Quarantined, Problem> {
    let entry = find(app, id).await?;
    app.parts.engine.put_back(entry.clone(), &caller.asker()).await?;
    Ok(entry)
}

/// Drop an entry of the quarantine
///
/// It is forgotten, with what it holds.
#[utoipa::path(delete, path = "/v1/quarantine/{id}", operation_id = "drop_quarantined", tag = "quarantine",
    params(("id" = String, Path)), responses((status = 204, description = "It is gone.")))]
pub(super) async fn delete(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    forget(&app, &caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn forget(app: &App, caller: &Caller, id: &str) -> Result<(), Problem> {
    let entry = find(app, id).await?;
    let action = app.parts.engine.action(&caller.asker(), Deed::QuarantineDrop).about(id);
    let action = match &entry.org {
        Some(org) => action.of(org),
        None => action,
    };
    Ok(app.parts.engine.ledger().drop_quarantined(&entry, Some(&action)).await?)
}

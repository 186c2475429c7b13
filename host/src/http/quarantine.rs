//! The quarantine: records that could not be read or kept, one by one, and what can be done about each.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};

use super::App;
use super::access::Caller;
use super::error_query::{LARGEST_PAGE, PAGE};
use super::extract::Asked;
use super::problem::Problem;
use crate::domain::Deed;
use crate::ledger::{Quarantined, is_quarantine_cursor};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Query {
    pub(super) limit: Option<usize>,
    pub(super) cursor: Option<String>,
}

#[derive(Serialize)]
pub(super) struct List {
    pub(super) quarantine: Vec<Quarantined>,
    /// Asks for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next_cursor: Option<String>,
}

/// What was set aside, in pages. What it holds may be personal data: lists leave it out.
pub(super) async fn list(State(app): State<App>, Asked(query): Asked<Query>) -> Result<Json<List>, Problem> {
    page(&app, &query).await.map(Json)
}

pub(super) async fn page(app: &App, query: &Query) -> Result<List, Problem> {
    let limit = query.limit.unwrap_or(PAGE);
    if !(1..=LARGEST_PAGE).contains(&limit) {
        return Err(Problem::bad_request(format!("limit: {limit} is not from 1 to {LARGEST_PAGE}")));
    }
    if let Some(cursor) = query.cursor.as_deref().filter(|cursor| !is_quarantine_cursor(cursor)) {
        return Err(Problem::bad_request(format!("cursor: `{cursor}` is not one that a list gave as its next_cursor")));
    }
    let page = app.parts.engine.ledger().quarantine(query.cursor.as_deref(), limit).await?;
    Ok(List { quarantine: page.entries, next_cursor: page.next })
}

#[derive(Serialize)]
pub(super) struct View {
    #[serde(flatten)]
    entry: Quarantined,
    /// What it holds; `null` where that is no text.
    value: Option<String>,
}

/// One entry, with what it holds.
pub(super) async fn show(State(app): State<App>, Path(id): Path<String>) -> Result<Json<View>, Problem> {
    let entry = find(&app, &id).await?;
    let value = String::from_utf8(entry.value.clone()).ok();
    Ok(Json(View { entry, value }))
}

async fn find(app: &App, id: &str) -> Result<Quarantined, Problem> {
    let entry = app.parts.engine.ledger().quarantined(id).await?;
    entry.ok_or_else(|| Problem::not_found(format!("the quarantine has no {id}")))
}

/// Puts an entry back under its key, where its organization's lane reads it again.
pub(super) async fn retry(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<Quarantined>), Problem> {
    Ok((StatusCode::ACCEPTED, Json(put_back(&app, &caller, &id).await?)))
}

pub(super) async fn put_back(app: &App, caller: &Caller, id: &str) -> Result<Quarantined, Problem> {
    let entry = find(app, id).await?;
    app.parts.engine.put_back(entry.clone(), &caller.asker()).await?;
    Ok(entry)
}

/// Forgets an entry with what it holds.
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

//! The log of mails: what was sent about which organization to whom, and what the mail server said.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::{Extension, Json};
use serde::Deserialize;
use utoipa::IntoParams;

use super::App;
use super::access::Caller;
use super::api::MailList;
use super::error_query::{LARGEST_PAGE, PAGE, not_empty};
use super::extract::{Asked, page_size};
use super::problem::Problem;
use crate::domain::OrgId;
use crate::ledger::{MailPage, is_action_id};

#[derive(Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Query {
    /// About this organization only.
    #[param(value_type = Option<OrgId>)]
    pub(super) org: Option<String>,
    /// Of a page; 50 without it.
    #[param(minimum = 1, maximum = 500)]
    pub(super) limit: Option<usize>,
    /// The `next_cursor` of a page.
    pub(super) cursor: Option<String>,
}

/// List mails
///
/// What was sent to recipients, the newest first, in pages: the newest thousand about each organization.
#[utoipa::path(get, path = "/v1/mails", operation_id = "list_mails", tag = "organizations", params(Query),
    responses((status = 200, description = "A page of mails.", body = MailList)))]
pub(super) async fn list(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Asked(query): Asked<Query>,
) -> Result<Json<MailList>, Problem> {
    not_empty(query.org.as_deref())?;
    let page = page(&app, &caller, &query).await?;
    Ok(Json(MailList { mails: page.mails.into_iter().map(Into::into).collect(), next_cursor: page.next }))
}

/// A page of what a caller may see.
pub(super) async fn page(app: &App, caller: &Caller, query: &Query) -> Result<MailPage, Problem> {
    let limit = page_size(query.limit, PAGE, LARGEST_PAGE)?;
    let cursor = query.cursor.as_deref().filter(|cursor| !cursor.is_empty());
    if let Some(cursor) = cursor.filter(|cursor| !is_action_id(cursor)) {
        return Err(Problem::bad_request(format!("cursor: `{cursor}` is not one that a list gave as its next_cursor")));
    }
    let org = query.org.as_deref().filter(|org| !org.is_empty()).map(str::parse::<OrgId>).transpose();
    let org = org.map_err(|error| Problem::bad_request(format!("org: {error}")))?;
    let mut orgs: BTreeSet<_> = org.into_iter().collect();
    caller.narrow(app, &mut orgs)?;
    let engine = &app.parts.engine;
    if orgs.is_empty() {
        orgs.extend(engine.connected().into_iter().map(|org| org.id.clone()));
        orgs.extend(engine.departed().into_iter().map(|(id, _)| id));
    }
    let orgs: Vec<_> = orgs.into_iter().collect();
    Ok(engine.ledger().mails(&orgs, cursor, limit).await?)
}

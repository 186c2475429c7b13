//! Conversations that wait for the end of an incident of their organization.

use axum::extract::{Path, State};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};

use super::App;
use super::access::Caller;
use super::error_query::{LARGEST_PAGE, PAGE};
use super::extract::{self, Asked, Id};
use super::problem::Problem;
use super::sync_errors::{Ignore, View, a_reason};
use crate::domain::{ConversationId, OrgId, Timestamp};
use crate::ledger::Queued;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Query {
    limit: Option<usize>,
}

#[derive(Serialize)]
pub(super) struct List {
    /// How many there are in all.
    total: u64,
    /// The newest ones.
    parked: Vec<Parked>,
}

#[derive(Serialize)]
struct Parked {
    conversation: ConversationId,
    /// Since when, or since its newest message.
    since: Timestamp,
}

/// The newest parked conversations of an organization.
pub(super) async fn list(
    State(app): State<App>,
    Id(id): Id<OrgId>,
    Asked(query): Asked<Query>,
) -> Result<Json<List>, Problem> {
    let limit = query.limit.unwrap_or(PAGE);
    if !(1..=LARGEST_PAGE).contains(&limit) {
        return Err(Problem::bad_request(format!("limit: {limit} is not from 1 to {LARGEST_PAGE}")));
    }
    let (_, health) = app.parts.engine.org(&id)?;
    let found = app.parts.engine.ledger().queued(&id, Queued::Parked, limit).await?;
    let parked = found.into_iter().map(|(since, conversation)| Parked { conversation, since }).collect();
    Ok(Json(List { total: health.parked, parked }))
}

/// No further synchronization is expected of one of them, and why. Answers its sync error.
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

//! The error registry: lists, one by one, and what can be done about each.

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};

use super::App;
use super::access::Caller;
use super::extract::{self, Asked, Id};
use super::problem::Problem;
use crate::domain::{Advice, Class, OrgId, State as ErrorState, SyncError, SyncErrorId};
use crate::salesforce;
use crate::store::ErrorFilter;

/// A page without a `limit`, and the largest.
pub(super) const PAGE: usize = 50;
const LARGEST_PAGE: usize = 500;
/// The longest reason, in characters.
pub(super) const REASON: usize = 500;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Query {
    pub(super) org: Option<String>,
    pub(super) state: Option<String>,
    pub(super) class: Option<String>,
    pub(super) cursor: Option<String>,
    pub(super) limit: Option<usize>,
}

impl Query {
    /// An empty value narrows nothing, as an empty choice of a form.
    pub(super) fn filter(&self) -> Result<ErrorFilter, Problem> {
        fn given<T: std::str::FromStr<Err: ToString>>(name: &str, text: Option<&String>) -> Result<Option<T>, Problem> {
            let text = text.filter(|text| !text.is_empty());
            let parsed = text.map(|text| text.parse()).transpose();
            parsed.map_err(|error: T::Err| Problem::bad_request(format!("{name}: {}", error.to_string())))
        }
        Ok(ErrorFilter {
            org: given::<OrgId>("org", self.org.as_ref())?,
            state: given::<ErrorState>("state", self.state.as_ref())?,
            class: given::<Class>("class", self.class.as_ref())?,
        })
    }
}

#[derive(Serialize)]
pub(super) struct View {
    #[serde(flatten)]
    error: SyncError,
    /// What happened, what to check, and what follows by itself.
    advice: Advice,
}

impl From<SyncError> for View {
    fn from(mut error: SyncError) -> Self {
        error.refusal.choice = None;
        Self { advice: salesforce::advice(&error.refusal), error }
    }
}

#[derive(Serialize)]
pub(super) struct List {
    sync_errors: Vec<View>,
    /// Asks for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// Sync errors by organization, state and class, in pages.
pub(super) async fn list(State(app): State<App>, Asked(query): Asked<Query>) -> Result<Json<List>, Problem> {
    let limit = query.limit.unwrap_or(PAGE);
    if !(1..=LARGEST_PAGE).contains(&limit) {
        return Err(Problem::bad_request(format!("limit: {limit} is not from 1 to {LARGEST_PAGE}")));
    }
    let filter = query.filter()?;
    if let Some(cursor) = query.cursor.as_deref().filter(|cursor| !is_cursor(cursor)) {
        return Err(Problem::bad_request(format!("cursor: `{cursor}` is not one that a list gave as its next_cursor")));
    }
    let page = app.parts.engine.records().sync_errors(&filter, query.cursor.as_deref(), limit)?;
    Ok(Json(List { sync_errors: page.items.into_iter().map(View::from).collect(), next_cursor: page.next }))
}

/// Whether it has the form of a cursor: state, organization and place, as a list gives them.
fn is_cursor(text: &str) -> bool {
    let parts: Vec<_> = text.split('~').collect();
    matches!(parts[..], [state, _, _] if ErrorState::ALL.iter().any(|known| known.as_str() == state))
}

/// One sync error.
pub(super) async fn show(State(app): State<App>, Id(id): Id<SyncErrorId>) -> Result<Json<View>, Problem> {
    find(&app, &id).map(|error| Json(error.into()))
}

pub(super) fn find(app: &App, id: &SyncErrorId) -> Result<SyncError, Problem> {
    let error = app.parts.engine.records().sync_error(id)?;
    error.ok_or_else(|| Problem::not_found(format!("there is no sync error {id}")))
}

/// Another attempt.
pub(super) async fn retry(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<SyncErrorId>,
) -> Result<(StatusCode, Json<View>), Problem> {
    app.parts.engine.retry(&id, &caller.name).await?;
    Ok((StatusCode::ACCEPTED, Json(find(&app, &id)?.into())))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ignore {
    reason: String,
}

/// No further synchronization is expected, and why.
pub(super) async fn ignore(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<SyncErrorId>,
    extract::Json(Ignore { reason }): extract::Json<Ignore>,
) -> Result<Json<View>, Problem> {
    ignore_because(&app, &caller, &id, &reason).await?;
    Ok(Json(find(&app, &id)?.into()))
}

pub(super) async fn ignore_because(app: &App, caller: &Caller, id: &SyncErrorId, reason: &str) -> Result<(), Problem> {
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > REASON {
        return Err(Problem::invalid(format!("reason: say in 1 to {REASON} characters why it is ignored")));
    }
    Ok(app.parts.engine.ignore(id, &caller.name, reason).await?)
}

/// An ignored one is pending again.
pub(super) async fn reopen(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<SyncErrorId>,
) -> Result<Json<View>, Problem> {
    app.parts.engine.reopen(&id, &caller.name).await?;
    Ok(Json(find(&app, &id)?.into()))
}

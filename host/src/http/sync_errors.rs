//! The error registry: lists, one by one, and what can be done about each.

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};

use super::App;
use super::access::Caller;
use super::api::{Conflict, Ignore, SyncError as View, SyncErrorList as List};
use super::error_query::ListAsked;
use super::extract::{self, Id};
use super::filters::Listed;
use super::problem::Problem;
use crate::domain::{SyncError, SyncErrorId, is_hidden};

/// The longest reason, in characters.
pub(super) const REASON: usize = 500;

/// List sync errors
///
/// Those that match, in pages, the newest first.
#[utoipa::path(get, path = "/v1/sync-errors", operation_id = "list_sync_errors", tag = "sync errors", params(Listed),
    responses((status = 200, description = "A page of sync errors.", body = List)))]
pub(super) async fn list(State(app): State<App>, asked: ListAsked) -> Result<Json<List>, Problem> {
    let page = app.parts.engine.ledger().sync_errors(&asked.query, &asked.paging()?).await?;
    Ok(Json(List {
        sync_errors: page.items.into_iter().map(View::from).collect(),
        next_cursor: page.next.map(|cursor| cursor.to_string()),
        previous_cursor: page.previous.map(|cursor| cursor.to_string()),
        total: page.total,
        scanned: page.scanned,
    }))
}

pub(super) async fn find(app: &App, caller: &Caller, id: &SyncErrorId) -> Result<SyncError, Problem> {
    let error = app.parts.engine.ledger().sync_error(id).await?;
    error
        .filter(|error| caller.sees(&error.org))
        .ok_or_else(|| Problem::not_found(format!("there is no sync error {id}")))
}

/// Whether a caller may do something about a sync error: to others it is not there.
pub(super) async fn sees(app: &App, caller: &Caller, id: &SyncErrorId) -> Result<(), Problem> {
    if caller.orgs().is_some() {
        find(app, caller, id).await?;
    }
    Ok(())
}

/// Retry a sync error
///
/// Another attempt with the conversation's newest state. The answer is the sync error as of that.
#[utoipa::path(post, path = "/v1/sync-errors/{id}/retry", operation_id = "retry_sync_error", tag = "sync errors",
    params(("id" = SyncErrorId, Path)),
    responses((status = 202, description = "It is retried.", body = View), (status = 409, response = Conflict)))]
pub(super) async fn retry(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<SyncErrorId>,
) -> Result<(StatusCode, Json<View>), Problem> {
    sees(&app, &caller, &id).await?;
    Ok((StatusCode::ACCEPTED, Json(app.parts.engine.retry(&id, &caller.asker()).await?.into())))
}

/// Ignore a sync error
///
/// No further synchronization is expected, and why.
#[utoipa::path(post, path = "/v1/sync-errors/{id}/ignore", operation_id = "ignore_sync_error", tag = "sync errors",
    params(("id" = SyncErrorId, Path)), request_body = Ignore,
    responses((status = 200, description = "It is ignored.", body = View), (status = 409, response = Conflict)))]
pub(super) async fn ignore(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<SyncErrorId>,
    extract::Json(Ignore { reason }): extract::Json<Ignore>,
) -> Result<Json<View>, Problem> {
    Ok(Json(ignore_because(&app, &caller, &id, &reason).await?.into()))
}

pub(super) async fn ignore_because(
    app: &App,
    caller: &Caller,
    id: &SyncErrorId,
    reason: &str,
) -> Result<SyncError, Problem> {
    let reason = a_reason(reason)?;
    sees(app, caller, id).await?;
    Ok(app.parts.engine.ignore(id, &caller.asker(), reason).await?)
}

/// A reason as it is kept: one line that shows all that it says.
pub(super) fn a_reason(reason: &str) -> Result<&str, Problem> {
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > REASON {
        return Err(Problem::invalid(format!("reason: say in 1 to {REASON} characters why it is ignored")));
    }
    if let Some(hidden) = reason.chars().find(|character| is_hidden(*character)) {
        let code = u32::from(hidden);
        return Err(Problem::invalid(format!("reason: U+{code:04X} is a control character; say it in plain text")));
    }
    Ok(reason)
}

/// Reopen a sync error
///
/// One that is ignored is pending again.
#[utoipa::path(post, path = "/v1/sync-errors/{id}/reopen", operation_id = "reopen_sync_error", tag = "sync errors",
    params(("id" = SyncErrorId, Path)),
    responses((status = 200, description = "It is pending.", body = View), (status = 409, response = Conflict)))]
pub(super) async fn reopen(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<SyncErrorId>,
) -> Result<Json<View>, Problem> {
    sees(&app, &caller, &id).await?;
    Ok(Json(app.parts.engine.reopen(&id, &caller.asker()).await?.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_has_no_control_characters() {
        assert_eq!(a_reason(" spam, déjà vu 🙂 ").ok(), Some("spam, déjà vu 🙂"));
        for hidden in ["a\0b", "a\u{1b}[31mb", "a\r\nb", "a\u{202e}b", "a\u{2067}b", "a\u{85}b", " "] {
            assert_eq!(a_reason(hidden).unwrap_err().status(), StatusCode::UNPROCESSABLE_ENTITY, "{hidden:?}");
        }
    }
}

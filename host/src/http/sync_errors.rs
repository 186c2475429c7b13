//! The error registry: lists, one by one, and what can be done about each.

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};

use super::App;
use super::access::Caller;
use super::error_query::ListAsked;
use super::extract::{self, Id};
use super::problem::Problem;
use crate::domain::{Advice, SyncError, SyncErrorId, is_hidden};
use crate::salesforce;

/// The longest reason, in characters.
pub(super) const REASON: usize = 500;

#[derive(Serialize)]
pub(super) struct View {
    #[serde(flatten)]
    error: SyncError,
    /// What happened, what to check, and what follows by itself.
    advice: Advice,
}

impl From<SyncError> for View {
    /// As lists have it: without the answer, which can be long, and without what a policy chose among.
    fn from(mut error: SyncError) -> Self {
        (error.refusal.choice, error.refusal.answer) = (None, None);
        Self { advice: salesforce::advice(&error.refusal), error }
    }
}

#[derive(Serialize)]
pub(super) struct List {
    sync_errors: Vec<View>,
    /// Asks for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
    /// Asks for the page before; absent on the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_cursor: Option<String>,
    /// How many match in all; absent where only a walk over them could tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<u64>,
    /// How many were looked at for this page. One that is not full and has a `next_cursor` ended where its time was used up.
    scanned: usize,
}

/// Sync errors that match, in pages.
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

pub(super) async fn find(app: &App, id: &SyncErrorId) -> Result<SyncError, Problem> {
    let error = app.parts.engine.ledger().sync_error(id).await?;
    error.ok_or_else(|| Problem::not_found(format!("there is no sync error {id}")))
}

/// Another attempt.
pub(super) async fn retry(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<SyncErrorId>,
) -> Result<(StatusCode, Json<View>), Problem> {
    Ok((StatusCode::ACCEPTED, Json(app.parts.engine.retry(&id, &caller.asker()).await?.into())))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ignore {
    pub(super) reason: String,
}

/// No further synchronization is expected, and why.
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
    Ok(app.parts.engine.ignore(id, &caller.asker(), a_reason(reason)?).await?)
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

/// An ignored one is pending again.
pub(super) async fn reopen(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<SyncErrorId>,
) -> Result<Json<View>, Problem> {
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

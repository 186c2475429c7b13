//! The error registry: lists, one by one, and what can be done about each.

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};

use super::App;
use super::access::Caller;
use super::extract::{self, Asked, Id};
use super::problem::Problem;
use crate::domain::{Advice, Class, Fingerprint, OrgId, State as ErrorState, SyncError, SyncErrorId, is_hidden};
use crate::ledger::{ErrorFilter, is_cursor};
use crate::salesforce;

/// A page without a `limit`, and the largest.
pub(super) const PAGE: usize = 50;
pub(super) const LARGEST_PAGE: usize = 500;
/// The longest reason, in characters.
pub(super) const REASON: usize = 500;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Query {
    pub(super) org: Option<String>,
    pub(super) state: Option<String>,
    pub(super) class: Option<String>,
    pub(super) group: Option<String>,
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
            group: given::<Fingerprint>("group", self.group.as_ref())?,
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
}

/// Sync errors by organization, state and class, in pages.
pub(super) async fn list(State(app): State<App>, Asked(query): Asked<Query>) -> Result<Json<List>, Problem> {
    let limit = query.limit.unwrap_or(PAGE);
    if !(1..=LARGEST_PAGE).contains(&limit) {
        return Err(Problem::bad_request(format!("limit: {limit} is not from 1 to {LARGEST_PAGE}")));
    }
    let filter = query.filter()?;
    if let Some(cursor) = query.cursor.as_deref().filter(|cursor| !is_cursor(cursor, &filter)) {
        return Err(Problem::bad_request(format!(
            "cursor: `{cursor}` is not one that a list of this filter gave as its next_cursor"
        )));
    }
    let page = app.parts.engine.ledger().sync_errors(&filter, query.cursor.as_deref(), limit).await?;
    Ok(Json(List { sync_errors: page.items.into_iter().map(View::from).collect(), next_cursor: page.next }))
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
    Ok((StatusCode::ACCEPTED, Json(app.parts.engine.retry(&id, &caller.name).await?.into())))
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
    Ok(app.parts.engine.ignore(id, &caller.name, a_reason(reason)?).await?)
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
    Ok(Json(app.parts.engine.reopen(&id, &caller.name).await?.into()))
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

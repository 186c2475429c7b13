//! A backup of the store that is read while the host runs.

use std::sync::Arc;
use std::task::Poll;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use futures_util::stream;

use super::App;
use super::access::Caller;
use super::actions::record;
use super::api::Conflict;
use super::problem::Problem;
use crate::domain::Deed;
use crate::store::{Error, backup};

/// Back up everything that is kept
///
/// All records as the lines of an export, which `switchyard store import` takes. The answer ends early, without its last line,
/// where it cannot go on.
#[utoipa::path(post, path = "/v1/backup", operation_id = "back_up", tag = "host",
    responses((status = 200, description = "All records.", body = String, content_type = "application/x-ndjson"),
        (status = 409, response = Conflict)))]
pub(super) async fn read(State(app): State<App>, Extension(caller): Extension<Caller>) -> Result<Response, Problem> {
    let store = Arc::clone(app.parts.engine.ledger().store());
    let mut pieces = backup(store).map_err(|error| match error {
        Error::Busy => Problem::conflict(error.to_string()),
        error => error.into(),
    })?;
    let caller = caller.without_key();
    record(&app, &caller, Deed::Backup, |action| action).await?;
    let body = Body::from_stream(stream::poll_fn(move |context| match app.access.stands(&caller) {
        true => pieces.poll_recv(context),
        false => Poll::Ready(Some(Err(Error::Failed("the token was revoked or has expired".to_owned())))),
    }));
    Ok(([(CONTENT_TYPE, "application/x-ndjson")], body).into_response())
}

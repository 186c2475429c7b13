//! A recount of the store's indexes and counts, one at a time.

use axum::extract::State;
use axum::{Extension, Json};

use super::App;
use super::access::Caller;
use super::actions::record;
use super::api::{Conflict, Recount};
use super::problem::{Kind, Problem};
use crate::domain::Deed;

/// Recount the store
///
/// Every index and count, and what differs; nothing is changed.
#[utoipa::path(post, path = "/v1/store/verify", operation_id = "verify_store", tag = "host",
    responses((status = 200, description = "What was found.", body = Recount), (status = 409, response = Conflict)))]
pub(super) async fn verify(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Recount>, Problem> {
    let Ok(_alone) = app.recount.try_lock() else {
        let detail = "the store is being recounted for somebody else; ask again when that is over";
        return Err(Problem::new(Kind::Busy, detail));
    };
    record(&app, &caller.without_key(), Deed::Recount, |action| action).await?;
    Ok(Json(app.parts.engine.ledger().verify(|_| ()).await?.into()))
}

//! A recount of the store's indexes and counts, one at a time.

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};

use super::App;
use super::access::Caller;
use super::actions::record;
use super::problem::Problem;
use crate::domain::Deed;
use crate::ledger::Verified;

/// Recounts every index and count, and says what differs; nothing is changed.
pub(super) async fn verify(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Verified>, Problem> {
    let Ok(_alone) = app.recount.try_lock() else {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "busy",
            "A recount is under way",
            "the store is being recounted for somebody else; ask again when that is over",
        ));
    };
    record(&app, &caller, Deed::Recount, |action| action).await?;
    Ok(Json(app.parts.engine.ledger().verify(|_| ()).await?))
}

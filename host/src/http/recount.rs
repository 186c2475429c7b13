//! A recount of the store's indexes and counts, one at a time.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::App;
use super::problem::Problem;
use crate::ledger::Verified;

/// Recounts every index and count, and says what differs; nothing is changed.
pub(super) async fn verify(State(app): State<App>) -> Result<Json<Verified>, Problem> {
    let Ok(_alone) = app.recount.try_lock() else {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "busy",
            "A recount is under way",
            "the store is being recounted for somebody else; ask again when that is over",
        ));
    };
    Ok(Json(app.parts.engine.ledger().verify(|_| ()).await?))
}

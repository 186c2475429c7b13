//! The troubles: what is wrong that an operator can cure, since when, and what to do.

use axum::Json;
use axum::extract::State;

use super::App;
use super::api::{Trouble, TroubleList as List};

/// List troubles
///
/// All that is wrong at present and that an operator can cure, by kind. What is cured is gone.
#[utoipa::path(get, path = "/v1/troubles", operation_id = "list_troubles", tag = "host",
    responses((status = 200, description = "All troubles.", body = List)))]
pub(super) async fn list(State(app): State<App>) -> Json<List> {
    let (troubles, left_out) = app.parts.troubles.list();
    Json(List { troubles: troubles.into_iter().map(Trouble::from).collect(), left_out })
}

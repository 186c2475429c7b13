//! The troubles: what is wrong that an operator can cure, since when, and what to do.

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use super::App;
use crate::troubles::Trouble;

#[derive(Serialize)]
pub(super) struct List {
    troubles: Vec<Trouble>,
    /// How many more there are of kinds that have too many.
    left_out: usize,
}

/// All that is wrong at present, by kind. What is cured is gone.
pub(super) async fn list(State(app): State<App>) -> Json<List> {
    let (troubles, left_out) = app.parts.troubles.list();
    Json(List { troubles, left_out })
}

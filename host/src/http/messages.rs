//! The audit of a message.

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use super::App;
use super::extract::Id;
use super::problem::Problem;
use crate::domain::{AuditEntry, MessageId};

#[derive(Serialize)]
pub(super) struct Audit {
    message: MessageId,
    entries: Vec<AuditEntry>,
}

/// Everything that happened to a message, oldest first.
pub(super) async fn audit(State(app): State<App>, Id(id): Id<MessageId>) -> Result<Json<Audit>, Problem> {
    let entries = app.parts.engine.ledger().audit(&id).await?;
    if entries.is_empty() {
        return Err(Problem::not_found(format!("nothing is known of message {id}")));
    }
    Ok(Json(Audit { message: id, entries }))
}

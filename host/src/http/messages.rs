//! The audit of a message.

use axum::extract::State;
use axum::{Extension, Json};

use super::App;
use super::access::Caller;
use super::api::{Audit, AuditEntry};
use super::extract::Id;
use super::problem::Problem;
use crate::domain::MessageId;

/// Look at the audit of a message
///
/// Everything that happened to it, oldest first.
#[utoipa::path(get, path = "/v1/messages/{id}/audit", operation_id = "get_message_audit", tag = "conversations",
    params(("id" = MessageId, Path)),
    responses((status = 200, description = "The audit.", body = Audit)))]
pub(super) async fn audit(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<MessageId>,
) -> Result<Json<Audit>, Problem> {
    let entries = app.parts.engine.ledger().audit(&id, |org| caller.sees(org)).await?;
    if entries.is_empty() {
        return Err(Problem::not_found(format!("nothing is known of message {id}")));
    }
    Ok(Json(Audit { message: id, entries: entries.into_iter().map(AuditEntry::from).collect() }))
}

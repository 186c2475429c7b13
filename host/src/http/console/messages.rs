//! The audit of a message as a timeline.

use axum::Extension;
use axum::extract::State;
use maud::{Markup, html};

use super::conversation::timeline;
use super::parts::{Section, Visit};
use crate::domain::MessageId;
use crate::http::App;
use crate::http::access::Caller;
use crate::http::api::AuditEntry;
use crate::http::extract::Id;
use crate::http::problem::Problem;

/// Everything that happened to one message.
pub(super) async fn show(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<MessageId>,
) -> Result<Markup, Problem> {
    let entries = app.parts.engine.ledger().audit(&id, |org| caller.sees(org)).await?;
    if entries.is_empty() {
        return Err(Problem::not_found(format!("nothing is known of message {id}")));
    }
    let content = html! {
        h1 { "Message " code { (id) } }
        p.hint { "Everything that happened to it, oldest first." }
        (timeline(&entries.into_iter().map(AuditEntry::from).collect::<Vec<_>>()))
    };
    Ok(visit.page(&format!("Message {id}"), Section::Other, &content))
}

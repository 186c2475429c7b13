//! Alcmeon's notifications: checked, made durable, and only then acknowledged.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use serde_json::{Value, json};

use super::App;
use super::extract::{Body, Id};
use super::problem::Problem;
use crate::alcmeon;
use crate::domain::SourceId;
use crate::ledger::Quarantined;

const SIGNATURE: &str = "x-alcmeon-webhook-signature";
/// Alcmeon gives up after one second; an answer that comes later says nothing to it.
const PATIENCE: Duration = Duration::from_millis(900);

/// Takes one notification. 200 says that it survives a power cut; Alcmeon sends it once, so nothing else may say so.
pub(super) async fn notify(
    State(app): State<App>,
    Id(environment): Id<SourceId>,
    address: Uri,
    headers: HeaderMap,
    Body(body): Body,
) -> Result<Json<Value>, Problem> {
    let known = app.parts.environments.get(&environment);
    let config = known.ok_or_else(|| Problem::not_found(format!("there is no Alcmeon environment {environment}")))?;
    let signature = headers.get(SIGNATURE).and_then(|value| value.to_str().ok());
    let signature = signature.ok_or_else(|| Problem::unauthorized(format!("the header {SIGNATURE} is missing")))?;
    if !alcmeon::verify(&config.secret, address.path(), &body, signature) {
        return Err(Problem::unauthorized("the signature does not match path and body"));
    }
    // Alcmeon switches a webhook off that fails, for all conversations: what nobody can use is set aside, and acknowledged.
    let (id, arrivals, set_aside) = match alcmeon::notification(&body, config, &environment) {
        Ok((id, arrival)) => (Some(id), vec![arrival], Vec::new()),
        Err(why) => {
            tracing::warn!(source = %environment, %why, "a notification cannot be used");
            let (now, why) = (app.parts.clock.now(), why.to_string());
            (None, Vec::new(), vec![Quarantined::sent(&environment, "notification", &body, why, now)])
        }
    };
    let stored = tokio::time::timeout(PATIENCE, app.parts.engine.accept(arrivals, set_aside, None)).await;
    let accepted = stored.map_err(|_| Problem::unavailable("the store is too slow; nothing was acknowledged"))??;
    Ok(Json(json!({ "notification": id, "linked": accepted.linked == 1 })))
}

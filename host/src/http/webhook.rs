//! Alcmeon's notifications: checked, made durable, and only then acknowledged.

use std::time::Duration;

use axum::Json;
use axum::body::HttpBody;
use axum::extract::{Request, State};
use bytes::Bytes;

use super::App;
use super::api::NotificationReceipt;
use super::extract::Id;
use super::problem::Problem;
use super::seats::Visitor;
use crate::alcmeon;
use crate::domain::{Arrival, SourceId, Timestamp};
use crate::ledger::Quarantined;
use crate::troubles::Trouble;

/// The kind of trouble that an environment has whose notifications are signed with another key.
const TROUBLE: &str = "webhook-signature";
const SIGNATURE: &str = "x-alcmeon-webhook-signature";
/// Notifications carry attachments inline, in bytes.
pub(super) const MOST_BYTES: usize = 16 * 1024 * 1024;
/// Alcmeon gives up after one second; an answer that comes later says nothing to it.
const PATIENCE: Duration = Duration::from_millis(900);
/// A notification of more bytes is read where it holds up nothing else.
const LONG: usize = 64 * 1024;

/// Take a notification of Alcmeon
///
/// 200 says that it survives a power cut; Alcmeon sends it once, so nothing else may say so. One that nobody can use is set aside,
/// and acknowledged.
#[utoipa::path(post, path = "/alcmeon/{environment}/notify", operation_id = "notify", tag = "intake",
    params(("environment" = SourceId, Path),
        ("x-alcmeon-webhook-signature" = String, Header, description = "HMAC-SHA256 of path and body, in hexadecimal.")),
    request_body = serde_json::Value,
    responses((status = 200, description = "It is kept.", body = NotificationReceipt)))]
pub(super) async fn notify(
    State(app): State<App>,
    Id(environment): Id<SourceId>,
    request: Request,
) -> Result<Json<NotificationReceipt>, Problem> {
    // First what costs nothing: no byte is read for an environment that is not there, or without a signature.
    let known = app.parts.environments.get(&environment);
    let config = known.ok_or_else(|| Problem::not_found(format!("there is no Alcmeon environment {environment}")))?;
    let signature = request.headers().get(SIGNATURE).and_then(|value| value.to_str().ok());
    let signature = signature.ok_or_else(|| Problem::unauthorized(format!("the header {SIGNATURE} is missing")))?;
    let signature = alcmeon::Signature::read(signature)
        .ok_or_else(|| Problem::unauthorized(format!("the header {SIGNATURE} is no HMAC-SHA256 in hexadecimal")))?;
    if request.body().size_hint().lower() > MOST_BYTES as u64 {
        return Err(Problem::too_large(format!("a notification may have {MOST_BYTES} bytes")));
    }
    let path = request.uri().path().to_owned();
    let visitor = request.extensions().get::<Visitor>().cloned();
    let body = app.bodies.read(request).await?;
    let (config, source, now) = (config.clone(), environment.clone(), app.parts.clock.now());
    let long = body.len() > LONG;
    let read = move || {
        if !signature.fits(&config.secret, &path, &body) {
            return Err(Problem::unauthorized("the signature does not match path and body"));
        }
        Ok(told(&body, &config, &environment, now))
    };
    let told = if long { tokio::task::spawn_blocking(read).await.map_err(|_| broke_off())? } else { read() };
    note_signature(&app, &source, told.is_ok(), now);
    let Told { id, arrivals, set_aside } = told?;
    if let Some(visitor) = visitor {
        visitor.is_known();
    }
    let stored = tokio::time::timeout(PATIENCE, app.parts.engine.accept(arrivals, set_aside, None)).await;
    let accepted = stored.map_err(|_| Problem::unavailable("the store is too slow; nothing was acknowledged"))??;
    Ok(Json(NotificationReceipt { notification: id, linked: accepted.linked == 1 }))
}

/// Shows operators that notifications are signed with another key, until one comes that is signed rightly.
fn note_signature(app: &App, source: &SourceId, fits: bool, now: Timestamp) {
    let troubles = &app.parts.troubles;
    if fits {
        return troubles.cure(TROUBLE, None, source.as_str());
    }
    let what = "a notification came that is signed with another key than the environment's `secret`";
    let cure = "compare `secret` with the application's in Alcmeon; if they are the same, somebody else sent it";
    troubles.raise(Trouble::new(TROUBLE, source.as_str(), what, cure, now));
}

/// What a notification tells.
struct Told {
    /// Its own id, where it can be used.
    id: Option<u64>,
    arrivals: Vec<Arrival>,
    set_aside: Vec<Quarantined>,
}

/// Alcmeon switches a webhook off that fails, for all conversations: what nobody can use is set aside, and acknowledged.
fn told(body: &Bytes, config: &alcmeon::Config, environment: &SourceId, now: Timestamp) -> Told {
    match alcmeon::notification(body, config, environment) {
        Ok((id, arrival)) => Told { id: Some(id), arrivals: vec![arrival], set_aside: Vec::new() },
        Err(why) => {
            tracing::warn!(source = %environment, %why, "a notification cannot be used");
            let set_aside = vec![Quarantined::sent(environment, "notification", body, why.to_string(), now)];
            Told { id: None, arrivals: Vec::new(), set_aside }
        }
    }
}

fn broke_off() -> Problem {
    Problem::unavailable("the host is stopping; nothing was acknowledged")
}

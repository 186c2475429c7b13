//! The documented API: actions, teams, tokens and the webhook's switch.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::environment::Environment;
use super::{Alcmeon, Shared, fields, push, render, token};
use crate::journal::lock;
use crate::{clock, web};

/// Actions in one answer.
const PAGE: usize = 10;
/// How long a bearer token is valid.
const HOUR_S: i64 = 3_600;

/// Why a call is refused.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    /// The caller has to call differently.
    #[error("bad-request")]
    Bad(&'static str),
    /// The caller has to prove who he is.
    #[error("unauthorized")]
    Unauthorized,
    /// The caller may not do it.
    #[error("forbidden")]
    Forbidden,
    /// There is no such thing.
    #[error("not-found")]
    Unknown,
    /// The caller has to wait until this instant, in milliseconds of the epoch.
    #[error("rate-limited")]
    TooMany(i64),
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, details) = match &self {
            Self::Bad(details) => (400, (*details).to_owned()),
            Self::Unauthorized => (401, "wrong instance id, secret or token".to_owned()),
            Self::Forbidden => (403, "the field is not editable".to_owned()),
            Self::Unknown => (404, "there is no such object".to_owned()),
            Self::TooMany(until_ms) => {
                let until = clock::utc(*until_ms).strftime("%Y-%m-%dT%H:%M:%SZ");
                // A text that looks like a Python dictionary, as the service answers.
                (429, format!("{{'rate_limited_until': '{until}'}}"))
            }
        };
        web::json(status, &json!({"error": self.to_string(), "details": details}))
    }
}

pub(super) type Answer = Result<Json<Value>, Refusal>;

pub(crate) fn router() -> Router<Arc<Alcmeon>> {
    Router::new()
        .route("/actions", get(actions))
        .route("/actions/conversations/{id}", get(of_conversation))
        .route("/teams", get(teams))
        .route("/v1/oauth2/token", post(issue_token))
        .route("/application/webhook", get(webhook).post(switch_webhook))
        .route("/application/errors", get(errors))
        .route("/v1/social-accounts", get(social_accounts))
        .route("/v1/social-accounts/", get(social_accounts))
        .route("/custom-field/users/fields", get(fields::list))
        .route("/custom-field/{of}/{id}", get(fields::read).put(fields::write))
}

/// The environment of the caller, who has proved himself and is not too fast.
pub(super) fn caller(alcmeon: &Alcmeon, headers: &HeaderMap) -> Result<Arc<Shared>, Refusal> {
    let now_ms = alcmeon.clock.now_ms();
    let found = match (web::basic(headers), web::credentials(headers, "Bearer")) {
        (Some((id, secret)), _) => alcmeon.find(&id).filter(|found| lock(&found.environment).settings.secret == secret),
        (None, Some(bearer)) => {
            let found = token::instance(bearer).and_then(|id| alcmeon.find(&id));
            found.filter(|found| token::valid(bearer, &lock(&found.environment).settings.secret, now_ms / 1_000))
        }
        (None, None) => None,
    };
    let found = found.ok_or(Refusal::Unauthorized)?;
    lock(&found.environment).call(now_ms).map_err(Refusal::TooMany)?;
    Ok(found)
}

async fn actions(State(alcmeon): State<Arc<Alcmeon>>, RawQuery(query): RawQuery, headers: HeaderMap) -> Answer {
    let shared = caller(&alcmeon, &headers)?;
    let query = web::pairs(query.as_deref().unwrap_or_default());
    let number = |name| web::value(&query, name).map(str::parse::<usize>).transpose();
    let wrong = |_| Refusal::Bad("action ids are integers");
    let after = number("min_action_id").map_err(wrong)?.ok_or(Refusal::Bad("min_action_id is required"))?;
    let last = number("max_action_id").map_err(wrong)?.unwrap_or(usize::MAX);
    let environment = lock(&shared.environment);
    let end = last.min(environment.actions.len()).min(after.saturating_add(PAGE));
    Ok(Json((after..end).map(|at| render::action(&environment, at)).collect()))
}

async fn of_conversation(State(alcmeon): State<Arc<Alcmeon>>, Path(id): Path<u32>, headers: HeaderMap) -> Answer {
    let shared = caller(&alcmeon, &headers)?;
    let environment = lock(&shared.environment);
    let position = id.checked_sub(1).filter(|at| (*at as usize) < environment.conversations.len());
    let position = position.ok_or(Refusal::Unknown)?;
    let actions: Vec<Value> = (0..environment.actions.len())
        .filter(|at| environment.actions[*at].conversation == position)
        .map(|at| render::action(&environment, at))
        .collect();
    Ok(Json(json!([{"id": id, "actions": actions}])))
}

async fn teams(State(alcmeon): State<Arc<Alcmeon>>, headers: HeaderMap) -> Answer {
    let shared = caller(&alcmeon, &headers)?;
    let environment = lock(&shared.environment);
    Ok(Json(environment.teams.all().map(|(id, name)| json!({"id": id, "name": name})).collect()))
}

/// Failed pushes, newest first.
async fn errors(State(alcmeon): State<Arc<Alcmeon>>, headers: HeaderMap) -> Answer {
    let shared = caller(&alcmeon, &headers)?;
    let environment = lock(&shared.environment);
    Ok(Json(environment.errors.iter().rev().cloned().collect()))
}

/// The accounts that conversations came in on.
async fn social_accounts(State(alcmeon): State<Arc<Alcmeon>>, RawQuery(query): RawQuery, headers: HeaderMap) -> Answer {
    let shared = caller(&alcmeon, &headers)?;
    let query = web::pairs(query.as_deref().unwrap_or_default());
    let number = |name, most: usize| web::value(&query, name).and_then(|text| text.parse().ok()).unwrap_or(most);
    let (limit, page) = (number("limit", 20).clamp(1, 100), number("page", 0));
    let environment = lock(&shared.environment);
    let accounts: BTreeMap<u64, Value> = environment
        .conversations
        .iter()
        .map(|conversation| {
            let account = &conversation.account;
            let shown = json!({
                "id": account.id,
                "name": account.name,
                "type": conversation.channel,
                "enabled": true,
                "created_at": "2026-01-01T00:00:00+00:00",
                "group_id": null,
            });
            (account.id, shown)
        })
        .collect();
    let more = accounts.len() > page.saturating_add(1).saturating_mul(limit);
    let next = more.then(|| format!("/v1/social-accounts/?limit={limit}&page={}", page + 1));
    let shown: Vec<&Value> = accounts.values().skip(page.saturating_mul(limit)).take(limit).collect();
    Ok(Json(json!({"data": shown, "next": next})))
}

/// Takes the credentials of the body; Basic ones may come along and are not needed.
async fn issue_token(State(alcmeon): State<Arc<Alcmeon>>, body: Bytes) -> Answer {
    let body: Value = serde_json::from_slice(&body).map_err(|_| Refusal::Bad("the body is not JSON"))?;
    if body["grant_type"] != "client_credentials" {
        return Err(Refusal::Bad("grant_type has to be client_credentials"));
    }
    let id = match &body["client_id"] {
        Value::String(id) => id.clone(),
        Value::Number(id) => id.to_string(),
        _ => return Err(Refusal::Bad("client_id is required")),
    };
    let secret = body["client_secret"].as_str().ok_or(Refusal::Bad("client_secret is required"))?;
    let shared = alcmeon.find(&id).ok_or(Refusal::Unauthorized)?;
    if lock(&shared.environment).settings.secret != secret {
        return Err(Refusal::Unauthorized);
    }
    let expires_ms = alcmeon.clock.now_ms() + HOUR_S * 1_000;
    Ok(Json(json!({
        "access_token": token::issue(secret, &id, expires_ms / 1_000),
        "token_type": "Bearer",
        "expires_in": HOUR_S,
        "expires_at": clock::utc(expires_ms).strftime("%Y-%m-%dT%H:%M:%S%.6f+00:00").to_string(),
    })))
}

async fn webhook(State(alcmeon): State<Arc<Alcmeon>>, headers: HeaderMap) -> Answer {
    let shared = caller(&alcmeon, &headers)?;
    let environment = lock(&shared.environment);
    Ok(Json(shown_webhook(&environment)))
}

async fn switch_webhook(State(alcmeon): State<Arc<Alcmeon>>, headers: HeaderMap, body: Bytes) -> Answer {
    let shared = caller(&alcmeon, &headers)?;
    let body: Value = serde_json::from_slice(&body).map_err(|_| Refusal::Bad("the body is not JSON"))?;
    let enable = body["enable"].as_bool().ok_or(Refusal::Bad("enable is required"))?;
    let shown = {
        let mut environment = lock(&shared.environment);
        environment.enabled = enable;
        environment.failures_in_a_row = 0;
        shown_webhook(&environment)
    };
    push::wake(&shared.changed);
    Ok(Json(shown))
}

fn shown_webhook(environment: &Environment) -> Value {
    environment.push.iter().map(|push| json!({"url": push.url, "enabled": u8::from(environment.enabled)})).collect()
}

//! The control API of the Alcmeon server.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde_json::{Map, Value, json};

use super::environment::{Environment, Push, Settings};
use super::log::Fault;
use super::{Alcmeon, Shared, push, render, seed};
use crate::journal::lock;
use crate::web;

/// Conversations in one answer of `newest`, unless the caller asks for fewer.
const PAGE: usize = 50_000;

/// Why a control call is refused.
#[derive(Debug, thiserror::Error)]
enum Error {
    /// The environment has to be made first.
    #[error("there is no environment {0}")]
    Unknown(String),
    /// The caller's body is wrong.
    #[error("the body is wrong: {0}")]
    Body(#[from] serde_json::Error),
    /// Pushing cannot begin.
    #[error(transparent)]
    Push(#[from] push::Error),
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let status = if matches!(self, Self::Unknown(_)) { 404 } else { 400 };
        web::json(status, &json!({"error": self.to_string()}))
    }
}

type Server = State<Arc<Alcmeon>>;
type Answer = Result<Json<Value>, Error>;

pub(crate) fn router() -> Router<Arc<Alcmeon>> {
    Router::new()
        .route("/environments/{id}", put(define).patch(change))
        .route("/environments/{id}/conversations", post(plant))
        .route("/environments/{id}/push", put(start_push).delete(stop_push))
        .route("/environments/{id}/status", get(status))
        .route("/environments/{id}/newest", get(newest))
        .route("/environments/{id}/anonymize", post(anonymize))
        .route("/faults", post(order).delete(calm))
        .route("/calls", get(calls))
        .route("/clock", put(set_clock))
}

fn find(alcmeon: &Alcmeon, id: &str) -> Result<Arc<Shared>, Error> {
    alcmeon.find(id).ok_or_else(|| Error::Unknown(id.to_owned()))
}

/// Makes an environment, in place of one of this id unless `if_absent=true`.
async fn define(State(alcmeon): Server, Path(id): Path<String>, RawQuery(query): RawQuery, body: Bytes) -> Answer {
    let keep = query.is_some_and(|query| query == "if_absent=true");
    let settings: Settings = serde_json::from_slice(&body)?;
    let mut environments = alcmeon.environments.write().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = environments.get(&id) {
        if keep {
            return Ok(Json(shown(&lock(&known.environment))));
        }
        lock(&known.pushers).take();
    }
    alcmeon.journal(json!({"env": id, "define": settings}));
    let environment = Environment::new(&id, settings);
    let answer = shown(&environment);
    environments.insert(id, Arc::new(Shared::new(environment)));
    Ok(Json(answer))
}

/// Changes the settings given, keeps the others.
async fn change(State(alcmeon): Server, Path(id): Path<String>, Json(changes): Json<Map<String, Value>>) -> Answer {
    let shared = find(&alcmeon, &id)?;
    let mut environment = lock(&shared.environment);
    let mut settings = serde_json::to_value(&environment.settings)?;
    for (key, value) in changes {
        settings[key] = value;
    }
    alcmeon.journal(json!({"env": id, "settings": settings}));
    environment.configure(serde_json::from_value(settings)?);
    Ok(Json(shown(&environment)))
}

/// Takes conversations: a JSON array, or one JSON object a line. `interleave=true` lets them take turns.
async fn plant(State(alcmeon): Server, Path(id): Path<String>, RawQuery(query): RawQuery, body: Bytes) -> Answer {
    let shared = find(&alcmeon, &id)?;
    let interleave = query.is_some_and(|query| query == "interleave=true");
    let inputs = seed::read(&body)?;
    let answer = {
        let mut environment = lock(&shared.environment);
        if alcmeon.journal.is_some() {
            alcmeon.journal(json!({"env": id, "seed": inputs, "interleave": interleave}));
        }
        let from = environment.actions.len();
        let made = seed::plant(&mut environment, &inputs, interleave);
        environment.queue(from);
        json!({"conversations": inputs.len(), "actions": made, "last_action_id": environment.actions.len()})
    };
    push::wake(&shared.changed);
    Ok(Json(answer))
}

async fn start_push(State(alcmeon): Server, Path(id): Path<String>, body: Bytes) -> Answer {
    let shared = find(&alcmeon, &id)?;
    let push: Push = serde_json::from_slice(&body)?;
    let mut pushers = lock(&shared.pushers);
    // The former ones end before new ones begin, or a conversation would have two.
    pushers.take();
    *pushers = Some(push::start(&alcmeon, &shared, push)?);
    Ok(Json(shown(&lock(&shared.environment))))
}

async fn stop_push(State(alcmeon): Server, Path(id): Path<String>) -> Answer {
    let shared = find(&alcmeon, &id)?;
    lock(&shared.pushers).take();
    let mut environment = lock(&shared.environment);
    environment.push = None;
    environment.enabled = false;
    environment.lanes.clear();
    Ok(Json(shown(&environment)))
}

/// Erases the conversations of these keys, as when their retention is over.
async fn anonymize(State(alcmeon): Server, Path(id): Path<String>, body: Bytes) -> Answer {
    let shared = find(&alcmeon, &id)?;
    let keys: Vec<String> = serde_json::from_slice(&body)?;
    let at_ms = alcmeon.clock.now_ms();
    let erased = {
        let mut environment = lock(&shared.environment);
        let from = environment.actions.len();
        let found: Vec<u32> = keys.iter().filter_map(|key| environment.keys.get(key).copied()).collect();
        for at in &found {
            environment.anonymize(*at, at_ms);
            alcmeon.journal(json!({"env": id, "anonymize": at, "at_ms": at_ms}));
        }
        environment.queue(from);
        found.len()
    };
    push::wake(&shared.changed);
    Ok(Json(json!({"conversations": erased})))
}

/// Makes the API fail or be late.
async fn order(State(alcmeon): Server, body: Bytes) -> Answer {
    let fault: Fault = serde_json::from_slice(&body)?;
    lock(&alcmeon.watch).order(fault);
    Ok(Json(Value::Null))
}

async fn calm(State(alcmeon): Server) -> Answer {
    lock(&alcmeon.watch).calm();
    Ok(Json(Value::Null))
}

/// The calls of the API past the number `after=`.
async fn calls(State(alcmeon): Server, RawQuery(query): RawQuery) -> Answer {
    let query = web::pairs(query.as_deref().unwrap_or_default());
    let after = web::value(&query, "after").and_then(|text| text.parse().ok()).unwrap_or(0);
    Ok(Json(json!(lock(&alcmeon.watch).entries(after))))
}

/// Moves the clock by `advance_ms`.
async fn set_clock(State(alcmeon): Server, body: Bytes) -> Answer {
    let body: Value = serde_json::from_slice(&body)?;
    alcmeon.clock.advance(body["advance_ms"].as_i64().unwrap_or_default());
    Ok(Json(json!({"now_ms": alcmeon.clock.now_ms()})))
}

/// Counts. With `settled_ms=` it answers as soon as nothing is pending, or after so long.
async fn status(State(alcmeon): Server, Path(id): Path<String>, RawQuery(query): RawQuery) -> Answer {
    let shared = find(&alcmeon, &id)?;
    let query = web::pairs(query.as_deref().unwrap_or_default());
    if let Some(wait_ms) = web::value(&query, "settled_ms").and_then(|text| text.parse().ok()) {
        let mut settled = shared.settled.subscribe();
        let nothing_pending = settled.wait_for(|_| lock(&shared.environment).pending() == 0);
        // Whether or not it came to that, the counts tell.
        let _ = tokio::time::timeout(Duration::from_millis(wait_ms), nothing_pending).await;
    }
    let environment = lock(&shared.environment);
    Ok(Json(shown(&environment)))
}

fn shown(environment: &Environment) -> Value {
    json!({
        "conversations": environment.conversations.len(),
        "messages": environment.messages,
        "actions": environment.actions.len(),
        "acknowledged": environment.acknowledged,
        "failed": environment.failed,
        "pending": environment.pending(),
        "enabled": environment.enabled,
    })
}

/// One JSON line for every conversation a customer has written in: what a synced record would have to show.
/// `after=` is the conversation id to go on from, `limit=` the most lines.
async fn newest(State(alcmeon): Server, Path(id): Path<String>, RawQuery(query): RawQuery) -> Result<Response, Error> {
    let shared = find(&alcmeon, &id)?;
    let query = web::pairs(query.as_deref().unwrap_or_default());
    let number = |name| web::value(&query, name).and_then(|text| text.parse::<usize>().ok());
    let environment = lock(&shared.environment);
    let lines: String = (1usize..)
        .zip(&environment.conversations)
        .skip(number("after").unwrap_or(0))
        .filter_map(|(id, conversation)| {
            let message = conversation.newest()?;
            let line = json!({
                "conversation_id": id,
                "key": conversation.key,
                "url": render::url(&environment, message),
                "team": conversation.team,
                "closed": conversation.closed,
                "messages": conversation.messages.len(),
            });
            Some(format!("{line}\n"))
        })
        .take(number("limit").unwrap_or(PAGE))
        .collect();
    Ok(web::answer(200, "application/x-ndjson", lines))
}

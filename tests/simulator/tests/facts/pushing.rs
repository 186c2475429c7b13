//! The webhook: signed, in order within a conversation, lost or retried when it is refused.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::task::JoinHandle;

use crate::world::{World, reply};

/// A webhook that remembers what came.
pub(crate) struct Hook {
    pub(crate) url: String,
    state: Arc<HookState>,
    server: JoinHandle<()>,
}

struct HookState {
    seen: Mutex<Vec<Value>>,
    /// Status for the n-th request, from 1.
    answer: Box<dyn Fn(usize) -> u16 + Send + Sync>,
    unsigned: Mutex<usize>,
}

impl Hook {
    pub(crate) async fn start(answer: impl Fn(usize) -> u16 + Send + Sync + 'static) -> Self {
        let state = Arc::new(HookState { seen: Mutex::default(), answer: Box::new(answer), unsigned: Mutex::new(0) });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/hook/42?x=1", listener.local_addr().expect("an address"));
        let router = Router::new().route("/hook/42", post(take)).with_state(Arc::clone(&state));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.expect("served") });
        Self { url, state, server }
    }

    fn seen(&self) -> Vec<Value> {
        self.state.seen.lock().expect("not poisoned").clone()
    }
}

impl Drop for Hook {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn take(State(state): State<Arc<HookState>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let mut mac = Hmac::<Sha256>::new_from_slice(b"aa").expect("a key");
    mac.update(b"/hook/42 ");
    mac.update(&body);
    let signature = hex::encode(mac.finalize().into_bytes());
    if headers.get("X-Alcmeon-Webhook-Signature").is_none_or(|given| given != signature.as_str()) {
        *state.unsigned.lock().expect("not poisoned") += 1;
    }
    let mut seen = state.seen.lock().expect("not poisoned");
    seen.push(serde_json::from_slice(&body).expect("JSON"));
    StatusCode::from_u16((state.answer)(seen.len())).expect("a status")
}

async fn world(conversations: usize, messages: usize) -> World {
    let world = World::start().await;
    world.alcmeon(Method::PUT, "42", json!({"secret": "aa"})).await;
    let message = |at: usize| json!({"direction": "inbound", "body": at.to_string()});
    let conversation = |at: usize| {
        json!({
            "key": format!("k{at}"), "channel": "whatsapp", "account": {"id": 1, "name": "A"},
            "messages": (0..messages).map(message).collect::<Vec<_>>(),
        })
    };
    let seed = (0..conversations).map(conversation).collect::<Vec<_>>();
    world.alcmeon(Method::POST, "42/conversations?interleave=true", json!(seed)).await;
    world
}

async fn settled(world: &World) -> Value {
    world.alcmeon(Method::GET, "42/status?settled_ms=60000", json!(null)).await
}

#[tokio::test]
async fn every_action_is_pushed_once_signed_and_in_order_within_its_conversation() {
    let world = world(30, 10).await;
    let hook = Hook::start(|_| 200).await;
    world.alcmeon(Method::PUT, "42/push", json!({"url": hook.url, "pushers": 8})).await;
    let status = settled(&world).await;
    assert_eq!((&status["acknowledged"], &status["pending"]), (&json!(300), &json!(0)));
    let seen = hook.seen();
    assert_eq!(seen.len(), 300);
    assert_eq!(*hook.state.unsigned.lock().expect("not poisoned"), 0);
    let mut last = std::collections::HashMap::new();
    for notification in &seen {
        assert_eq!(notification["id"], notification["action"]["id"]);
        let conversation = notification["action"]["task"]["conversation_id"].as_u64();
        let id = notification["id"].as_u64();
        assert!(last.insert(conversation, id).is_none_or(|before| before < id));
    }
}

#[tokio::test]
async fn without_retries_a_refused_action_is_lost_and_the_next_one_comes() {
    let world = world(1, 5).await;
    let hook = Hook::start(|number| if number == 2 { 503 } else { 200 }).await;
    world.alcmeon(Method::PUT, "42/push", json!({"url": hook.url})).await;
    let status = settled(&world).await;
    assert_eq!((&status["acknowledged"], &status["failed"]), (&json!(4), &json!(1)));
    assert_eq!(hook.seen().len(), 5);
}

#[tokio::test]
async fn with_retries_a_refused_action_comes_again_before_the_next_one() {
    let world = world(1, 3).await;
    let hook = Hook::start(|number| if number == 2 { 503 } else { 200 }).await;
    world.alcmeon(Method::PUT, "42/push", json!({"url": hook.url, "retries": true})).await;
    let status = settled(&world).await;
    assert_eq!((&status["acknowledged"], &status["failed"]), (&json!(3), &json!(0)));
    let ids: Vec<Value> = hook.seen().iter().map(|notification| notification["id"].clone()).collect();
    assert_eq!(ids, [json!(1), json!(2), json!(2), json!(3)]);
}

#[tokio::test]
async fn a_webhook_that_fails_too_often_is_disabled_until_it_is_switched_on() {
    let world = world(1, 5).await;
    let hook = Hook::start(|number| if number <= 2 { 500 } else { 200 }).await;
    world.alcmeon(Method::PUT, "42/push", json!({"url": hook.url, "disable_after": 2})).await;
    let status = settled(&world).await;
    assert_eq!((&status["failed"], &status["enabled"]), (&json!(5), &json!(false)));
    assert_eq!(hook.seen().len(), 2, "the others were never sent");
    let url = format!("{}/application/webhook", world.simulator.alcmeon);
    let asked = reply(world.http.get(&url).basic_auth("42", Some("aa"))).await;
    assert_eq!(asked.body, json!([{"url": hook.url, "enabled": 0}]));
    let errors = format!("{}/application/errors", world.simulator.alcmeon);
    let errors = reply(world.http.get(&errors).basic_auth("42", Some("aa"))).await.body;
    let last = &errors[0];
    assert_eq!((&last["id"], &last["status"], &last["direction"]), (&json!(2), &json!(500), &json!("outgoing")));
    let switched = world.http.post(&url).basic_auth("42", Some("aa")).json(&json!({"enable": true}));
    assert_eq!(reply(switched).await.body[0]["enabled"], 1);
    let more = json!([{
        "key": "k0", "channel": "whatsapp", "account": {"id": 1, "name": "A"}, "append": true,
        "messages": [{"direction": "inbound", "body": "again"}],
    }]);
    world.alcmeon(Method::POST, "42/conversations", more).await;
    assert_eq!(settled(&world).await["acknowledged"], 1);
}

#[tokio::test]
async fn an_answer_after_the_deadline_is_a_failure() {
    let world = world(1, 1).await;
    // It accepts connections and never answers.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/hook", silent.local_addr().expect("an address"));
    world.alcmeon(Method::PUT, "42/push", json!({"url": url, "timeout_ms": 50})).await;
    assert_eq!(settled(&world).await["failed"], 1);
}

#[tokio::test]
async fn pushing_to_a_new_address_goes_on_with_what_is_pending() {
    let world = world(3, 2).await;
    let broken = Hook::start(|_| 500).await;
    world.alcmeon(Method::PUT, "42/push", json!({"url": broken.url, "retries": true})).await;
    let hook = Hook::start(|_| 200).await;
    world.alcmeon(Method::PUT, "42/push", json!({"url": hook.url, "pushers": 2})).await;
    assert_eq!(settled(&world).await["acknowledged"], 6);
    assert_eq!(hook.seen().len(), 6);
}

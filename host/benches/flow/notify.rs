//! Alcmeon's side: signed notifications, each of a conversation of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;
use switchyard::clock::Stopwatch;

pub(crate) const SECRET: &str = "1309768d3f6f8462";
const PATH: &str = "/alcmeon/main/notify";

/// Notifies over so many connections as long as `still` says of the next number; how long each waited for its answer.
pub(crate) async fn all(
    address: &str,
    connections: usize,
    numbers: &Arc<AtomicU64>,
    still: impl Fn(u64) -> bool + Copy + Send + 'static,
) -> Vec<Duration> {
    let url = format!("http://{address}{PATH}");
    let one = |_| tokio::spawn(connection(url.clone(), Arc::clone(numbers), still));
    let running: Vec<_> = (0..connections).map(one).collect();
    let mut took = Vec::new();
    for running in running {
        took.extend(running.await.expect("a task that ends"));
    }
    took
}

async fn connection(url: String, numbers: Arc<AtomicU64>, still: impl Fn(u64) -> bool) -> Vec<Duration> {
    let (http, mut took) = (reqwest::Client::new(), Vec::new());
    loop {
        let number = numbers.fetch_add(1, Ordering::Relaxed);
        if !still(number) {
            return took;
        }
        let body = notification(number);
        let request = http.post(&url).header("x-alcmeon-webhook-signature", signature(&body)).body(body);
        let watch = Stopwatch::start();
        let answer = request.send().await.expect("an answer");
        took.push(watch.elapsed());
        assert!(answer.status().is_success(), "{}", answer.status());
    }
}

/// Each twentieth customer is called Bad.
fn notification(number: u64) -> String {
    let name = if number.is_multiple_of(20) { "Bad Egg" } else { "Jane Doe" };
    let task = json!({
        "id": number, "url": format!("https://alcmeon.example/{number}"), "conversation_id": number,
        "conversation": { "id": number, "custom_fields": [{ "field_id": 1, "field_value": "care" }] }, "tags": [],
        "message": {
            "id": number, "content": "Hello, where is my order 1234?", "date": "2026-09-21", "time": "10:00:00",
            "author": { "id": 88, "name": name },
        },
    });
    let action = json!({
        "id": number, "type": "task-create", "date": "2026-09-21", "time": "10:00:00",
        "account": { "id": 12, "name": "Acme page", "type": "whatsapp" }, "task": task,
    });
    json!({ "id": number, "action": action }).to_string()
}

fn signature(body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("any key fits");
    mac.update(format!("{PATH} {body}").as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

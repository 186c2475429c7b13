//! A signed notification as Alcmeon sends it, each of a conversation of its own.

use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;

pub(crate) const SECRET: &str = "1309768d3f6f8462";
pub(crate) const PATH: &str = "/alcmeon/main/notify";

/// Each twentieth customer is called Bad.
pub(crate) fn notification(number: u64) -> String {
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

pub(crate) fn signature(body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("any key fits");
    mac.update(format!("{PATH} {body}").as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

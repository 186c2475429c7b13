//! The benchmark's rule as an Extism plugin: keywords of the customer's newest message, then the team.

use extism_pdk::{FnResult, Json, config, plugin_fn};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
pub struct Conversation {
    team: Option<String>,
    messages: Vec<Message>,
}

#[derive(Deserialize)]
struct Message {
    direction: String,
    body: String,
}

#[derive(Serialize)]
pub struct Destination {
    queue: Option<String>,
}

#[plugin_fn]
pub fn route(Json(of): Json<Conversation>) -> FnResult<Json<Destination>> {
    let newest = of.messages.iter().rev().find(|message| message.direction == "inbound");
    let body = newest.map(|message| message.body.to_lowercase()).unwrap_or_default();
    let mut words = body.split(|c: char| !c.is_alphanumeric());
    let queue = match words.any(|word| matches!(word, "refund" | "chargeback")) {
        true => Some("Refunds".to_owned()),
        false => of.team.map(|team| config::get(team)).transpose()?.flatten(),
    };
    Ok(Json(Destination { queue }))
}

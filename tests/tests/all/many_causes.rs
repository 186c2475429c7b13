//! Customers whose words make a cause of each conversation: the causes that are kept apart stay bounded, and what is beyond is told.

use futures_util::stream::{self, StreamExt};
use reqwest::StatusCode;
use serde_json::{Value, json};
use switchyard::domain::{Fingerprint, GROUPS_KEPT};
use switchyard_tests::{Setup, TestHost};

/// A policy that repeats what the customer wrote: in its code, in its words, or in the name of a team.
const REPEATS: &str = r#"
fn route(conversation) {
    let said = conversation.messages[-1].body;
    switch conversation.channel {
        "code" => refuse(`BAD_${said}`, "That is no order."),
        "team" => refuse("TEAM_NOT_MAPPED", `No queue is mapped to team "${conversation.team}".`),
        _ => refuse("NO_ORDER", `Nobody can make anything of ${said}, whatever it is`),
    }
}
fn search(conversation) { [] }
fn choose(conversation, found) { none() }
fn judge(error) { as_usual() }
"#;

/// Conversations, each with a word of its own.
const COUNT: u64 = 10_000;
/// So many are handed in before it is waited for them.
const PART: u64 = 1_000;

/// A word of letters that no other number has.
fn word(number: u64) -> String {
    let letter = |place: u32| char::from(b'a' + u8::try_from(number / 26_u64.pow(place) % 26).unwrap());
    format!("qu{}x", (0..5).map(letter).collect::<String>())
}

/// Hands in a conversation as the platform of `acme` does.
async fn hand_in(host: &TestHost, number: u64) {
    let channel = ["code", "team", "words"][usize::try_from(number % 3).unwrap()];
    let conversation = json!({
        "id": number.to_string(), "account": "web", "channel": channel, "team": word(number), "customer": {},
        "messages": [{ "id": "1", "body": word(number), "sent_at": "2026-09-21T10:00:00Z" }],
    });
    let (status, answer) = host.post("/v1/intake/shop-acme", conversation).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
}

/// All causes, page by page.
async fn groups(host: &TestHost) -> Vec<Value> {
    let (mut all, mut next) = (Vec::new(), String::new());
    loop {
        let (status, page) = host.get(&format!("/v1/groups?org=acme&limit=500{next}")).await;
        assert_eq!((status, page["total"].as_u64()), (StatusCode::OK, Some(GROUPS_KEPT + 1)), "{}", page["total"]);
        all.extend(page["groups"].as_array().unwrap().clone());
        let Some(cursor) = page["next_cursor"].as_str() else { return all };
        next = format!("&cursor={cursor}");
    }
}

/// The one sync error with a code. A page looks at a bounded number of them.
async fn with_code(host: &TestHost, code: &str) -> Value {
    let mut next = String::new();
    loop {
        let (status, page) = host.get(&format!("/v1/sync-errors?org=acme&state=pending&code={code}{next}")).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        if page["sync_errors"][0].is_object() {
            return page["sync_errors"][0].clone();
        }
        next = format!("&cursor={}", page["next_cursor"].as_str().unwrap_or_else(|| panic!("{code} is nowhere")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cause_for_each_conversation_makes_no_more_causes_than_are_kept_apart_and_one_of_the_rest() {
    let host = TestHost::set_up(Setup { files: &[("acme.rhai", REPEATS.as_bytes())], ..Setup::default() }).await;
    for part in 0..COUNT / PART {
        let numbers = stream::iter(part * PART..(part + 1) * PART);
        numbers.for_each_concurrent(50, |number| hand_in(&host, number)).await;
        let all = (part + 1) * PART;
        host.until("they are on record", |health| health.sync_errors.pending == all && health.idle()).await;
    }
    let (rest, beyond) = (Fingerprint::unnamed(), COUNT - GROUPS_KEPT);
    let all = groups(&host).await;
    assert_eq!(all.len() as u64, GROUPS_KEPT + 1);
    for group in &all {
        let expected = if group["id"] == rest.as_str() { beyond } else { 1 };
        assert_eq!(group["counts"]["pending"], expected, "{group}");
    }
    let (status, told) = host.get(&format!("/v1/groups/{rest}")).await;
    assert_eq!((status, &told["title"]), (StatusCode::OK, &json!("More causes than are kept apart")), "{told}");

    // What is in the rest is found by its own code, and something is done with it like with any other.
    let last = (0..COUNT).rev().find(|number| number % 3 == 0).unwrap();
    let found = with_code(&host, &format!("BAD_{}", word(last))).await;
    assert_eq!(found["group"], rest.as_str(), "{found}");
    let id = found["id"].as_str().unwrap();
    host.post(&format!("/v1/sync-errors/{id}/ignore"), json!({ "reason": "nonsense" })).await;
    let begin = json!({ "task": "retry", "query": { "group": rest.as_str() }, "dry_run": true });
    let (_, dry) = host.post("/v1/operations", begin).await;
    assert_eq!((&dry["matched"], &dry["is_exact"]), (&json!(beyond - 1), &json!(true)), "{dry}");

    let (_, org) = host.get("/v1/orgs/acme").await;
    let all = groups(&host).await;
    for (state, expected) in [("pending", COUNT - 1), ("retrying", 0), ("ignored", 1), ("resolved", 0)] {
        let by_cause: u64 = all.iter().map(|group| group["counts"][state].as_u64().unwrap()).sum();
        assert_eq!((org["sync_errors"][state].as_u64(), by_cause), (Some(expected), expected), "{state}");
    }
    let (_, verified) = host.post("/v1/store/verify", json!({})).await;
    assert_eq!(verified["differences"], 0, "{verified}");
    host.stop().await;
}

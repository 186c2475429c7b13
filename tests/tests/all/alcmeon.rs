//! An Alcmeon environment in full: tokens, completion, the webhook's switch, teams, forgetting, and ids that are written back.

mod anonymized;

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use switchyard::store::Store;
use switchyard_tests::{SECRET, Setup, TestHost, received};

/// Longer than between two calls.
const TICK: Duration = Duration::from_secs(5);
const DAY: Duration = Duration::from_secs(86_400);
const RECORDS: &str = "SELECT Id, alcmeon__Contact__c FROM alcmeon__Conversation__c";

/// A conversation of two messages and an answer, seeded in Alcmeon.
fn seeded() -> Value {
    json!([{
        "key": "k1", "channel": "whatsapp", "account": { "id": 12, "name": "Acme page" }, "team": "care",
        "customer": { "name": "Jane", "email": "jane@example.com" },
        "messages": [
            { "direction": "inbound", "body": "hello" },
            { "direction": "outbound", "body": "how can I help?", "author": "Ann" },
            { "direction": "inbound", "body": "my order" },
        ],
    }])
}

/// Asks Alcmeon itself.
async fn ask(host: &TestHost, path: &str) -> Value {
    let request = host.http.get(format!("{}{path}", host.simulator.alcmeon)).basic_auth("main", Some(SECRET));
    request.send().await.unwrap().json().await.unwrap()
}

/// Everything that the host keeps, as one text.
fn kept(host: &TestHost) -> String {
    let pairs = host.store.scan(b"", None, usize::MAX).unwrap();
    pairs.into_iter().map(|(key, value)| String::from_utf8_lossy(&[key, value].concat()).into_owned()).collect()
}

fn facts(audit: &Value) -> Vec<&str> {
    audit["entries"].as_array().map_or_else(Vec::new, |entries| {
        entries.iter().map(|entry| entry["fact"]["what"].as_str().expect("what")).collect()
    })
}

/// The found words of a check of `acme`, and its verdict.
async fn check(host: &TestHost, name: &str) -> (Option<bool>, String) {
    let (_, report) = host.post("/v1/orgs/acme/checks", json!({})).await;
    let check = report["checks"].as_array().unwrap().iter().find(|check| check["name"] == name);
    let check = check.unwrap_or_else(|| panic!("{name} in {report}"));
    (check["ok"].as_bool(), check["found"].as_str().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_environment_is_asked_with_a_token_where_that_is_set() {
    let host = TestHost::set_up(Setup { alcmeon: "auth = 'oauth'", ..Setup::default() }).await;
    host.alcmeon(Method::POST, "/conversations", seeded()).await;
    host.clock.advance(TICK);
    host.seen("/v1/messages/main:3/audit", |audit| facts(audit).contains(&"DELIVERED")).await;
    let (_, environments) = host.get("/v1/environments").await;
    assert_eq!(environments["environments"][0]["trouble"], Value::Null, "{environments}");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_whose_beginning_was_missed_is_completed() {
    let host = TestHost::set_up(Setup { alcmeon: "poll = false\nkeep_webhook_on = false", ..Setup::default() }).await;
    host.alcmeon(Method::POST, "/conversations", seeded()).await;
    let told = ask(&host, "/actions/conversations/1").await;
    let actions = told[0]["actions"].as_array().unwrap();
    let answer = actions.iter().find(|action| action["type"] == "answer").expect("an answer");
    assert_eq!(host.notify(answer.clone()).await.0, StatusCode::OK);
    host.idle().await;
    assert_eq!(host.get("/v1/messages/main:3/audit").await.0, StatusCode::NOT_FOUND);
    host.clock.advance(TICK);
    let audit = host.seen("/v1/messages/main:3/audit", |audit| facts(audit).contains(&"DELIVERED")).await;
    assert_eq!(audit["entries"][0]["fact"]["by"], "completion", "{audit}");
    assert!(kept(&host).contains("my order") && !kept(&host).contains("gap/"));
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_alcmeon_disabled_is_switched_on_again_and_whoever_looks_sees_it() {
    let host = TestHost::set_up(Setup { alcmeon: "poll = false", ..Setup::default() }).await;
    let push = json!({ "url": format!("http://{}/alcmeon/main/notify", host.app.address), "disable_after": 1 });
    host.alcmeon(Method::PUT, "/push", push).await;
    host.fill_disk(true);
    host.alcmeon(Method::POST, "/conversations", seeded()).await;
    while ask(&host, "/application/webhook").await[0]["enabled"] == 1 {}
    host.fill_disk(false);
    host.clock.advance(Duration::from_secs(301));
    let looked =
        |of: &Value| of["environments"][0]["webhook"]["switched_on"].as_array().is_some_and(|on| on.len() == 1);
    host.seen("/v1/environments", looked).await;
    assert_eq!(ask(&host, "/application/webhook").await[0]["enabled"], 1);
    let (ok, found) = check(&host, "alcmeon").await;
    assert!(ok == Some(true) && found.contains("disabled them 1 times"), "{ok:?} {found}");
    let mut more = seeded();
    more[0]["key"] = json!("k2");
    host.alcmeon(Method::POST, "/conversations", more).await;
    host.until("it was notified", |health| health.idle()).await;
    host.seen("/v1/messages/main:6/audit", |audit| facts(audit).contains(&"DELIVERED")).await;
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn notifications_that_are_signed_with_another_key_are_a_trouble_until_one_comes_that_is_not() {
    let host = TestHost::set_up(Setup { alcmeon: "poll = false", ..Setup::default() }).await;
    let (status, _) = host.notify_raw("{}", &"0".repeat(64)).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    let (_, troubles) = host.get("/v1/troubles").await;
    let found = &troubles["troubles"][0];
    assert_eq!((&found["kind"], &found["subject"]), (&json!("webhook-signature"), &json!("main")), "{troubles}");
    assert_eq!(host.notify(received(1, 1, "billing", "jane@example.com")).await.0, StatusCode::OK);
    assert_eq!(host.get("/v1/troubles").await.1["troubles"], json!([]));
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_is_set_after_the_start_is_soon_seen() {
    let host = TestHost::set_up(Setup { alcmeon: "poll = false", ..Setup::default() }).await;
    let none = |of: &Value| {
        let webhook = &of["environments"][0]["webhook"];
        webhook.is_object() && webhook["enabled"].is_null()
    };
    host.seen("/v1/environments", none).await;
    let push = json!({ "url": format!("http://{}/alcmeon/main/notify", host.app.address) });
    host.alcmeon(Method::PUT, "/push", push).await;
    host.clock.advance(Duration::from_secs(35));
    host.seen("/v1/environments", |of| of["environments"][0]["webhook"]["enabled"] == true).await;
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_team_that_nobody_wrote_to_yet_is_named_before_it_fails() {
    let host = TestHost::start().await;
    host.alcmeon(Method::PATCH, "", json!({ "teams": ["billing", "night-shift"] })).await;
    let (ok, found) = check(&host, "alcmeon-teams").await;
    assert_eq!(ok, None, "another organization has the same environment: {found}");
    assert!(found.contains("1 of 2 teams") && found.contains("main/night-shift"), "{found}");
    let (_, coverage) = host.get("/v1/policies/acme/coverage").await;
    let unseen = coverage["unseen_teams"].as_array().unwrap();
    assert_eq!(unseen[0]["team"], "night-shift", "{coverage}");
    assert!(unseen[0]["says"].to_string().contains("TEAM_NOT_MAPPED"), "{coverage}");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ids_of_salesforces_records_are_written_to_the_conversation_where_fields_are_set() {
    let alcmeon = "conversation_id_field = 7\ncontact_id_field = 9";
    let host = TestHost::set_up(Setup { alcmeon, ..Setup::default() }).await;
    host.alcmeon(Method::POST, "/conversations", seeded()).await;
    host.clock.advance(TICK);
    host.seen("/v1/messages/main:3/audit", |audit| facts(audit).contains(&"DELIVERED")).await;
    let record = host.query(RECORDS).await[0].clone();
    let wanted = |fields: &Value| {
        let value = |id: u64| {
            fields.as_array()?.iter().find(|field| field["field_id"] == id).map(|it| it["field_value"].clone())
        };
        (value(7), value(9)) == (Some(record["Id"].clone()), Some(record["alcmeon__Contact__c"].clone()))
    };
    let written = async {
        while !wanted(&ask(&host, "/custom-field/conversations/1").await) {
            host.clock.advance(TICK);
        }
    };
    tokio::time::timeout(Duration::from_secs(30), written).await.expect("the ids are written");
    let (_, audit) = host.get("/v1/messages/main:3/audit").await;
    let told = ask(&host, "/actions/conversations/1").await;
    let last = told[0]["actions"].as_array().unwrap().last().unwrap().clone();
    assert!(last["task"]["conversation"]["custom_fields"].to_string().contains("\"field_id\":7"), "{last}");
    host.notify(last).await;
    host.idle().await;
    let (_, after) = host.get("/v1/messages/main:3/audit").await;
    assert_eq!(facts(&after), facts(&audit), "its own fields are nothing new");
    // A field that is not editable is said, and nothing else suffers.
    host.alcmeon(Method::PATCH, "", json!({ "read_only_fields": [7] })).await;
    let mut second = seeded();
    second[0]["key"] = json!("k2");
    host.alcmeon(Method::POST, "/conversations", second).await;
    let said = async {
        while host.get("/v1/environments").await.1["environments"][0]["not_written"].is_null() {
            host.clock.advance(TICK);
        }
    };
    tokio::time::timeout(Duration::from_secs(30), said).await.expect("it is said");
    let (ok, found) = check(&host, "alcmeon").await;
    assert!(ok == Some(false) && found.contains("not editable"), "{ok:?} {found}");
    host.stop().await;
}

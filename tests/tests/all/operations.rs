//! Causes and operations: what many sync errors have in common, and one decision for all of them.

mod queries;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use switchyard_tests::{ADMIN, TestHost, received};

/// Conversations of a team that has no queue: one cause.
pub(crate) async fn unmapped(host: &TestHost, conversations: std::ops::RangeInclusive<u64>, team: &str) {
    for number in conversations {
        host.notify(received(number, number, team, "jane@example.com")).await;
    }
}

/// Gives a team a queue.
pub(crate) async fn map(host: &TestHost, team: &str) {
    let toml = std::fs::read_to_string(host.policy_file("acme.toml")).unwrap() + &format!("{team} = \"Care\"\n");
    let script = std::fs::read_to_string(host.policy_file("acme.rhai")).unwrap();
    let body = json!({ "toml": toml, "scripts": { "acme.rhai": script } });
    assert_eq!(host.call(Method::PUT, "/v1/policies/acme", ADMIN, Some(body)).await.0, StatusCode::OK);
}

pub(crate) async fn begun(host: &TestHost, body: Value) -> String {
    let (status, answer) = host.post("/v1/operations", body).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
    format!("/v1/operations/{}", answer["id"].as_str().expect("an id"))
}

pub(crate) async fn ended(host: &TestHost, path: &str) -> Value {
    host.seen(path, |answer| answer["ended_at"].is_string()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn two_teams_without_a_queue_are_two_causes_and_two_customers_of_one_are_one() {
    let host = TestHost::start().await;
    unmapped(&host, 1..=3, "nobody").await;
    host.notify(received(4, 4, "nobody", "john@example.com")).await;
    unmapped(&host, 5..=5, "someone").await;
    host.until("all are on record", |health| health.sync_errors.pending == 5).await;
    let (_, list) = host.get("/v1/groups").await;
    assert_eq!(list["total"], 2, "{list}");
    let first = &list["groups"][0];
    assert_eq!((first["counts"]["pending"].as_u64(), first["conversations"].as_u64()), (Some(4), Some(4)));
    assert_eq!((first["condition"].as_str(), first["failures_24h"].as_u64()), (Some("new"), Some(4)));
    assert!(first["title"].as_str().unwrap().contains("nobody"), "{first}");
    let id = first["id"].as_str().unwrap();
    let (_, of_it) = host.get(&format!("/v1/sync-errors?group={id}")).await;
    assert_eq!((of_it["total"].as_u64(), of_it["sync_errors"].as_array().unwrap().len()), (Some(4), 4));
    let (status, one) = host.get(&format!("/v1/groups/{id}")).await;
    assert_eq!((status, one["failures"][0]["failures"].as_u64()), (StatusCode::OK, Some(4)), "{one}");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cause_has_somebody_who_looks_after_it_a_note_and_a_ticket() {
    let host = TestHost::start().await;
    unmapped(&host, 1..=1, "nobody").await;
    host.until("it is on record", |health| health.sync_errors.pending == 1).await;
    let (_, list) = host.get("/v1/groups").await;
    let path = format!("/v1/groups/{}", list["groups"][0]["id"].as_str().unwrap());
    let patch = async |body: Value| host.call(Method::PATCH, &path, switchyard_tests::OPERATOR, Some(body)).await;
    let (status, group) =
        patch(json!({ "assignee": "ann", "note": "asked the shop", "ticket": "https://t.example/1" })).await;
    assert_eq!((status, group["assignee"].as_str()), (StatusCode::OK, Some("ann")), "{group}");
    let (_, group) = patch(json!({ "note": null })).await;
    assert_eq!((group["note"].as_str(), group["ticket"].as_str()), (None, Some("https://t.example/1")));
    assert_eq!(patch(json!({ "ticket": "javascript:alert(1)" })).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(patch(json!({ "colour": "red" })).await.0, StatusCode::BAD_REQUEST);
    for (query, total) in [("assignee=ann", 1), ("assignee=none", 0), ("text=queue", 1), ("condition=quiet", 0)] {
        assert_eq!(host.get(&format!("/v1/groups?{query}")).await.1["total"], total, "{query}");
    }
    let host = host.restart().await;
    assert_eq!(host.get(&path).await.1["assignee"], "ann");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_that_fails_by_another_cause_says_by_which() {
    let host = TestHost::start().await;
    unmapped(&host, 1..=3, "someone").await;
    host.until("all are on record", |health| health.sync_errors.pending == 3).await;
    map(&host, "someone").await;
    let refusal = json!([{ "errorCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "message": "No bad eggs" }]);
    host.salesforce(Method::POST, "acme/faults", json!({ "external_id": "main:1", "status": 400, "json": refusal }))
        .await;
    let report = ended(&host, &begun(&host, json!({ "task": "retry" })).await).await;
    let sums = ["done", "passed", "failed_otherwise", "failed_alike", "skipped", "progress"].map(|name| &report[name]);
    assert_eq!(sums, [&json!(3), &json!(2), &json!(1), &json!(0), &json!(0), &json!(1.0)], "{report}");
    let (_, list) = host.get("/v1/sync-errors?state=pending").await;
    let error = &list["sync_errors"][0];
    assert_eq!(error["refusal"]["code"], "FIELD_CUSTOM_VALIDATION_EXCEPTION");
    let failed_as = &report["orgs"][0]["failed_as"];
    assert_eq!(failed_as[error["group"].as_str().unwrap()], 1, "{report}");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_of_many_tries_three_of_a_cause_and_leaves_the_rest_where_they_fail_alike() {
    let host = TestHost::start().await;
    unmapped(&host, 1..=12, "nobody").await;
    unmapped(&host, 13..=24, "someone").await;
    host.until("all are on record", |health| health.sync_errors.pending == 24).await;
    map(&host, "someone").await;
    let (status, dry) = host.post("/v1/operations", json!({ "task": "retry", "dry_run": true })).await;
    assert_eq!((status, dry["matched"].as_u64(), dry["is_exact"].as_bool()), (StatusCode::OK, Some(24), Some(true)));
    assert_eq!(dry["groups"].as_array().unwrap().len(), 2, "{dry}");
    assert!(dry["salesforce_calls"].as_u64().unwrap() > 0);
    assert_eq!(host.get("/v1/operations").await.1["operations"], json!([]), "nothing was begun");
    let path = begun(&host, json!({ "task": "retry" })).await;
    let report = ended(&host, &path).await;
    assert_eq!(report["status"], "done");
    assert_eq!((report["matched"].as_u64(), report["done"].as_u64()), (Some(24), Some(15)), "{report}");
    assert_eq!((report["passed"].as_u64(), report["failed_alike"].as_u64()), (Some(12), Some(3)), "{report}");
    assert_eq!(report["orgs"][0]["stopped"].as_array().unwrap().len(), 1);
    host.until("the rest waits", |health| health.sync_errors.pending == 12 && health.idle()).await;
    // It is told after a restart too.
    let host = host.restart().await;
    assert_eq!(host.get(&path).await.1["passed"], 12);
    assert_eq!(host.get("/v1/operations?org=acme").await.1["operations"][0]["id"], report["id"]);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_operation_ignored_is_taken_back_as_one_where_nobody_has_changed_it_since() {
    let host = TestHost::start().await;
    unmapped(&host, 1..=5, "nobody").await;
    unmapped(&host, 6..=7, "someone").await;
    host.until("all are on record", |health| health.sync_errors.pending == 7).await;
    let errors = host.idle().await;
    let group = errors[0]["group"].as_str().unwrap();
    let ignore = json!({ "task": "ignore", "reason": "test customers", "query": { "group": group } });
    let path = begun(&host, ignore).await;
    let report = ended(&host, &path).await;
    assert_eq!((report["done"].as_u64(), report["reason"].as_str()), (Some(5), Some("test customers")));
    host.until("they are ignored", |health| health.sync_errors.ignored == 5).await;
    // One is taken back and ignored anew by a person: it is not the operation's any more.
    let id = errors[0]["id"].as_str().unwrap();
    host.post(&format!("/v1/sync-errors/{id}/reopen"), json!({})).await;
    host.post(&format!("/v1/sync-errors/{id}/ignore"), json!({ "reason": "mine" })).await;
    let (status, undo) = host.post(&format!("{path}/undo"), json!({})).await;
    assert_eq!((status, undo["task"].as_str()), (StatusCode::ACCEPTED, Some("reopen")), "{undo}");
    let report = ended(&host, &format!("/v1/operations/{}", undo["id"].as_str().unwrap())).await;
    assert_eq!((report["done"].as_u64(), report["skipped"].as_u64()), (Some(4), Some(1)), "{report}");
    host.until("four are back", |health| health.sync_errors.pending == 6 && health.sync_errors.ignored == 1).await;
    assert_eq!(host.get(&format!("/v1/sync-errors/{id}")).await.1["reason"], "mine");
    let (status, problem) =
        host.post(&format!("/v1/operations/{}/undo", undo["id"].as_str().unwrap()), json!({})).await;
    assert_eq!((status, problem["title"].is_string()), (StatusCode::CONFLICT, true));
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_is_paused_resumed_and_cancelled() {
    let host = TestHost::start().await;
    unmapped(&host, 1..=8, "nobody").await;
    host.until("all are on record", |health| health.sync_errors.pending == 8).await;
    map(&host, "nobody").await;
    // Every call hangs: the first of the cause stay on their way.
    host.salesforce(Method::POST, "acme/faults", json!({ "path": "", "latency_ms": 60_000 })).await;
    let path = begun(&host, json!({ "task": "retry", "query": { "org": "acme", "state": ["pending"] } })).await;
    let (status, paused) = host.post(&format!("{path}/pause"), json!({})).await;
    assert_eq!((status, paused["status"].as_str()), (StatusCode::OK, Some("paused")));
    let (_, resumed) = host.post(&format!("{path}/resume"), json!({})).await;
    assert_eq!(resumed["status"], "running");
    host.seen(&path, |answer| answer["under_way"] == 3).await;
    let (_, cancelled) = host.post(&format!("{path}/cancel"), json!({})).await;
    assert_eq!(cancelled["status"], "cancelled");
    assert_eq!(host.post(&format!("{path}/resume"), json!({})).await.0, StatusCode::CONFLICT);
    host.salesforce(Method::DELETE, "acme/faults", Value::Null).await;
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_sense_is_refused_in_words_and_begins_nothing() {
    let host = TestHost::start().await;
    unmapped(&host, 1..=1, "nobody").await;
    host.until("it is on record", |health| health.sync_errors.pending == 1).await;
    for (body, expected, words) in [
        (json!({ "task": "delete" }), 400, "retry, ignore, reopen, assign, resync"),
        (json!({ "task": "ignore" }), 422, "reason"),
        (json!({ "task": "retry", "reason": "x" }), 422, "reason"),
        (json!({ "task": "retry", "query": { "colour": "red" } }), 400, "known are"),
        (json!({ "task": "retry", "query": { "org": "nonsense" } }), 400, "no organization"),
        (json!({ "task": "retry", "query": { "state": "resolved" } }), 422, "pending or retrying"),
        (json!({ "task": "reopen" }), 422, "nothing matches"),
        (json!({ "task": "retry", "colour": "red" }), 400, "colour"),
        (json!({ "task": "resync", "query": { "state": "pending" } }), 400, "known are org, policy, delivered_from"),
        (json!({ "task": "resync", "query": { "org": "nonsense" } }), 400, "no organization"),
        (json!({ "task": "resync", "reason": "x" }), 422, "reason"),
        (json!({}), 400, "task"),
    ] {
        let (status, problem) = host.post("/v1/operations", body.clone()).await;
        assert_eq!(status.as_u16(), expected, "{body}: {problem}");
        assert!(problem["detail"].as_str().unwrap().contains(words), "{body}: {problem}");
    }
    assert_eq!(host.post("/v1/orgs/acme/retry-all?class=record", json!({})).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(host.post("/v1/orgs/acme/retry-all", json!({ "class": "record" })).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(host.get("/v1/operations").await.1["operations"], json!([]));
    assert_eq!(host.get("/v1/operations/op-none").await.0, StatusCode::NOT_FOUND);
    assert_eq!(host.post("/v1/operations/op-none/pause", json!({})).await.0, StatusCode::NOT_FOUND);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn causes_are_given_to_somebody_many_at_once() {
    let host = TestHost::start().await;
    unmapped(&host, 1..=1, "nobody").await;
    unmapped(&host, 2..=2, "someone").await;
    host.until("all are on record", |health| health.sync_errors.pending == 2).await;
    let path = begun(&host, json!({ "task": "assign", "assignee": "ann", "query": { "text": "nobody" } })).await;
    assert_eq!(ended(&host, &path).await["done"], 1);
    assert_eq!(host.get("/v1/groups?assignee=ann").await.1["total"], 1);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_wrong_policy_put_in_the_wrong_place_is_sent_once_more() {
    let host = TestHost::start().await;
    for number in 1..=6 {
        let team = if number % 2 == 0 { "billing" } else { "care" };
        host.notify(received(number, number, team, "jane@example.com")).await;
    }
    unmapped(&host, 7..=7, "nobody").await;
    host.until("all are done", |health| health.idle() && health.sync_errors.pending == 1).await;
    let calls = host.calls().await.len();
    let (_, audit) = host.get("/v1/messages/main:5002/audit").await;
    let routed = audit["entries"].as_array().unwrap().iter().find(|entry| entry["fact"]["what"] == "ROUTED").unwrap();
    let queue = routed["fact"]["destination"].as_object().unwrap().values().next().unwrap();
    let query = json!({ "org": "acme", "policy": "acme", "revision": 1, "queue": queue });
    let (status, dry) = host.post("/v1/operations", json!({ "task": "resync", "query": query, "dry_run": true })).await;
    assert_eq!((status, dry["is_exact"].as_bool()), (StatusCode::OK, Some(true)), "{dry}");
    let matched = dry["matched"].as_u64().unwrap();
    assert!(matched > 0, "{routed} {dry}");
    let path = begun(&host, json!({ "task": "resync", "query": query })).await;
    let report = ended(&host, &path).await;
    assert_eq!((report["done"].as_u64(), report["passed"].as_u64()), (Some(matched), Some(matched)), "{report}");
    assert_eq!(report["orgs"][0]["looked_at"], 7, "{report}");
    assert!(host.calls().await.len() > calls);
    let (_, audit) = host.get("/v1/messages/main:5002/audit").await;
    let facts: Vec<_> =
        audit["entries"].as_array().unwrap().iter().map(|entry| entry["fact"]["what"].clone()).collect();
    assert!(facts.contains(&json!("RESYNC_ASKED")), "{facts:?}");
    // One for each conversation: nothing was made twice.
    assert_eq!(host.query("SELECT Id FROM alcmeon__Conversation__c").await.len(), 6);
    host.stop().await;
}

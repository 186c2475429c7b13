//! The error registry: every failure is on record until it is retried, ignored or overtaken.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use switchyard_tests::{OPERATOR, TestHost, received};

fn facts(audit: &Value) -> Vec<String> {
    let entries = audit["entries"].as_array().expect("entries");
    entries.iter().map(|entry| entry["fact"]["what"].as_str().expect("what").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_team_without_a_queue_is_a_sync_error_and_the_next_conversation_goes_on() {
    let host = TestHost::start().await;
    host.notify(received(1, 1, "nobody", "jane@example.com")).await;
    host.notify(received(2, 2, "billing", "jane@example.com")).await;
    let errors = host.idle().await;
    assert_eq!(errors.len(), 1);
    let error = &errors[0];
    assert_eq!((error["state"].as_str(), error["message"].as_str()), (Some("pending"), Some("main:5001")));
    assert_eq!(error["refusal"]["class"], "policy");
    assert_eq!(error["refusal"]["blame"]["policy"], json!({ "name": "acme", "revision": 1 }));
    assert_eq!(error["attempts"], 1);
    let (_, audit) = host.get("/v1/messages/main:5001/audit").await;
    assert_eq!(facts(&audit), ["ARRIVED", "CRM_SYNCHRO_ERROR"]);
    assert_eq!(host.query("SELECT Id FROM alcmeon__Conversation__c").await.len(), 1);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_message_that_gets_through_overtakes_the_sync_error() {
    let host = TestHost::start().await;
    host.notify(received(1, 1, "nobody", "jane@example.com")).await;
    host.idle().await;
    host.notify(received(2, 1, "billing", "jane@example.com")).await;
    let errors = host.idle().await;
    assert_eq!((errors[0]["state"].as_str(), errors[0]["ending"].as_str()), (Some("resolved"), Some("superseded")));
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_lock_is_retried_by_itself_and_leaves_a_resolved_entry() {
    let host = TestHost::start().await;
    let lock =
        json!([{ "errorCode": "UNABLE_TO_LOCK_ROW", "message": "unable to obtain exclusive access", "fields": [] }]);
    let fault =
        json!({ "method": "PATCH", "path": "alcmeon__Conversation__c", "status": 400, "json": lock, "times": 1 });
    host.salesforce(Method::POST, "acme/faults", fault).await;
    host.notify(received(1, 1, "billing", "jane@example.com")).await;
    let health = host.until("a retry is scheduled", |health| health.scheduled == 1).await;
    assert_eq!((health.sync_errors.retrying, health.sync_errors.pending), (1, 0));
    host.clock.advance(std::time::Duration::from_secs(2));
    host.until("it got through", |health| health.sync_errors.resolved == 1).await;
    let errors = host.idle().await;
    assert_eq!((errors[0]["ending"].as_str(), errors[0]["attempts"].as_u64()), (Some("delivered"), Some(1)));
    let request = &errors[0]["refusal"]["request"];
    assert_eq!(request["method"], "PATCH");
    assert!(request["body"]["alcmeon__url__c"].is_string() && !request.to_string().contains("Bearer"), "{request}");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_refresh_token_parks_every_conversation_without_asking_again_and_retry_all_brings_them_in() {
    let host = TestHost::start().await;
    host.salesforce(Method::POST, "acme/revoke", json!({})).await;
    for n in 1..=20 {
        host.notify(received(n, n, "billing", "jane@example.com")).await;
    }
    host.until("all are parked", |health| health.parked == 20 && health.idle()).await;
    let (_, org) = host.get("/v1/orgs/acme").await;
    assert_eq!(org["incident"]["refusal"]["class"], "auth");
    assert_eq!(org["sync_errors"]["pending"], 0, "no conversation is at fault");
    let (_, audit) = host.get("/v1/messages/main:5007/audit").await;
    assert_eq!(facts(&audit), ["ARRIVED", "PARKED"]);
    host.salesforce(Method::POST, "acme/revive", json!({})).await;
    let (status, answer) = host.post("/v1/orgs/acme/retry-all", json!({})).await;
    assert_eq!((status, answer["retried"].as_u64()), (StatusCode::ACCEPTED, Some(20)));
    host.until("all are in", |health| health.parked == 0 && health.idle()).await;
    assert_eq!(host.query("SELECT Id FROM alcmeon__Conversation__c").await.len(), 20);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_is_ignored_with_a_reason_reopened_and_retried_and_the_audit_says_by_whom() {
    let host = TestHost::start().await;
    host.notify(received(1, 1, "nobody", "jane@example.com")).await;
    let id = host.idle().await[0]["id"].as_str().unwrap().to_owned();
    let path = |verb: &str| format!("/v1/sync-errors/{id}/{verb}");
    let (status, _) = host.post(&path("ignore"), json!({ "reason": " " })).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(host.post(&path("reopen"), json!({})).await.0, StatusCode::CONFLICT);
    let reason = Some(json!({ "reason": "spam" }));
    let (status, ignored) = host.call(Method::POST, &path("ignore"), OPERATOR, reason).await;
    assert_eq!((status, ignored["state"].as_str()), (StatusCode::OK, Some("ignored")));
    assert_eq!(host.post(&path("retry"), json!({})).await.0, StatusCode::CONFLICT);
    assert_eq!(host.post(&path("reopen"), json!({})).await.1["state"], "pending");
    let toml = std::fs::read_to_string(host.policy_file("acme.toml")).unwrap() + "nobody = \"Care\"\n";
    let body = json!({ "toml": toml, "scripts": { "acme.rhai": std::fs::read_to_string(host.policy_file("acme.rhai")).unwrap() } });
    assert_eq!(
        host.call(Method::PUT, "/v1/policies/acme", switchyard_tests::ADMIN, Some(body)).await.0,
        StatusCode::OK
    );
    assert_eq!(host.post(&path("retry"), json!({})).await.0, StatusCode::ACCEPTED);
    host.until("it got through", |health| health.sync_errors.resolved == 1).await;
    let (_, audit) = host.get("/v1/messages/main:5001/audit").await;
    let wanted = [
        "ARRIVED",
        "CRM_SYNCHRO_ERROR",
        "IGNORED",
        "REOPENED",
        "RETRY_ASKED",
        "ROUTED",
        "LINKED",
        "DELIVERED",
        "RESOLVED",
    ];
    assert_eq!(facts(&audit), wanted);
    assert_eq!(audit["entries"][2]["fact"]["by"], "operator");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_narrowed_by_state_and_class_and_come_in_pages() {
    let host = TestHost::start().await;
    for n in 1..=5 {
        host.notify(received(n, n, "nobody", "jane@example.com")).await;
    }
    host.notify(received(6, 6, "billing", "twin@example.com")).await;
    host.until("all are on record", |health| health.sync_errors.pending == 6).await;
    let (mut seen, mut path) = (Vec::new(), "/v1/sync-errors?class=policy&limit=2".to_owned());
    loop {
        let (_, page) = host.get(&path).await;
        let ids = page["sync_errors"].as_array().unwrap().iter().map(|error| error["id"].to_string());
        seen.extend(ids);
        let Some(next) = page["next_cursor"].as_str() else { break };
        path = format!("/v1/sync-errors?class=policy&limit=2&cursor={next}");
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 5);
    let (_, contact) = host.get("/v1/sync-errors?class=contact&state=pending&org=acme").await;
    assert_eq!(contact["sync_errors"][0]["refusal"]["code"], "CONTACT_AMBIGUOUS");
    assert_eq!(contact["sync_errors"][0]["refusal"]["records"].as_array().unwrap().len(), 2);
    assert_eq!(host.get("/v1/sync-errors?state=lost").await.0, StatusCode::BAD_REQUEST);
    assert_eq!(host.get("/v1/sync-errors?limit=0").await.0, StatusCode::BAD_REQUEST);
    host.stop().await;
}

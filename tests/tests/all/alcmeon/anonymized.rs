//! What Alcmeon anonymizes, and what is old, is forgotten here too.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::json;
use switchyard_tests::{OPERATOR, Setup, TestHost, received};

use super::{DAY, RECORDS, TICK, facts, kept, seeded};

/// Lets hours pass until something is forgotten: the time by which is forgotten follows the clock a day an hour.
async fn forgotten(host: &TestHost, path: &str) {
    for _ in 0..200 {
        if host.get(path).await.0 == StatusCode::NOT_FOUND {
            return;
        }
        host.clock.advance(Duration::from_secs(3601));
        host.get("/v1/orgs").await;
    }
    panic!("{path} is still kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_alcmeon_anonymizes_is_forgotten_in_every_record_and_the_audit_says_so() {
    let host = TestHost::start().await;
    let secrets = ["message 1", "Jane Doe", "jane@example.com", "a note of the agent"];
    let mut noted = received(1, 1, "nobody", "jane@example.com");
    noted["data"] = json!({ "comment": "a note of the agent" });
    host.notify(noted.clone()).await;
    let id = host.idle().await[0]["id"].as_str().unwrap().to_owned();
    assert!(secrets.iter().all(|secret| kept(&host).contains(secret)));
    let calls = host.get("/v1/orgs/acme").await.1["salesforce"]["calls"].clone();
    let mut forget = received(2, 1, "nobody", "");
    forget["type"] = json!("anonymize-gdpr");
    forget["task"]["url"] = json!("");
    forget["task"]["message"] = noted["task"]["message"].clone();
    forget["task"]["message"]["content"] = json!("");
    forget["task"]["message"]["author"] = json!({ "id": 88, "group": { "id": 99, "custom_fields": [] } });
    host.notify(forget).await;
    let audit = host.seen("/v1/messages/main:5001/audit", |audit| facts(audit).contains(&"ERASED")).await;
    assert_eq!(facts(&audit), ["ARRIVED", "CRM_SYNCHRO_ERROR", "ERASED"]);
    // The same action by another way, late, teaches nothing.
    host.notify(noted).await;
    host.idle().await;
    for secret in secrets {
        assert!(!kept(&host).contains(secret), "{secret} is still kept");
    }
    let (_, error) = host.get(&format!("/v1/sync-errors/{id}")).await;
    assert_eq!(
        (error["state"].as_str(), error["refusal"]["code"].as_str()),
        (Some("pending"), Some("TEAM_NOT_MAPPED"))
    );
    assert_eq!(error["refusal"]["text"], "(erased)");
    let (_, bundle) = host.call(Method::GET, &format!("/v1/sync-errors/{id}/repro?mask=false"), OPERATOR, None).await;
    assert!(!bundle.to_string().contains("jane@example.com"), "{bundle}");
    assert_eq!(host.get("/v1/orgs/acme").await.1["salesforce"]["calls"], calls, "nothing was written for it");
    // A retry that fails again tells no more than the first one.
    host.post(&format!("/v1/sync-errors/{id}/retry"), json!({})).await;
    host.until("it failed again", |health| health.sync_errors.pending == 1 && health.idle()).await;
    host.notify(received(3, 1, "billing", "jane@example.com")).await;
    host.until("the new message got through", |health| health.sync_errors.resolved == 1).await;
    assert!(kept(&host).contains("message 3") && !kept(&host).contains("message 1"));
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_anonymization_that_no_notification_brought_is_followed_as_well() {
    let host = TestHost::start().await;
    host.alcmeon(Method::POST, "/conversations", seeded()).await;
    host.clock.advance(TICK);
    host.seen("/v1/messages/main:3/audit", |audit| facts(audit).contains(&"DELIVERED")).await;
    host.alcmeon(Method::POST, "/anonymize", json!(["k1"])).await;
    host.clock.advance(TICK);
    host.seen("/v1/messages/main:1/audit", |audit| facts(audit).contains(&"ERASED")).await;
    for secret in ["my order", "how can I help?", "jane@example.com"] {
        assert!(!kept(&host).contains(secret), "{secret} is still kept");
    }
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_anonymized_conversation_that_is_not_known_makes_no_record() {
    let host = TestHost::start().await;
    let mut forget = received(1, 1, "billing", "");
    forget["type"] = json!("anonymize-gdpr");
    assert_eq!(host.notify(forget).await.0, StatusCode::OK);
    assert!(host.idle().await.is_empty());
    assert!(host.query(RECORDS).await.is_empty());
    assert_eq!(host.get("/v1/messages/main:5001/audit").await.0, StatusCode::NOT_FOUND);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_settled_is_forgotten_by_age_and_what_waits_for_somebody_is_not() {
    let host = TestHost::set_up(Setup { more: "keep_days = 30\n", alcmeon: "poll = false", ..Setup::default() }).await;
    host.notify(received(1, 1, "billing", "jane@example.com")).await;
    host.notify(received(2, 2, "nobody", "jane@example.com")).await;
    let id = host.idle().await[0]["id"].as_str().unwrap().to_owned();
    host.clock.advance(DAY * 29);
    host.notify(received(3, 3, "billing", "jane@example.com")).await;
    host.until("it got through", |health| health.idle()).await;
    host.seen("/v1/messages/main:5003/audit", |audit| facts(audit).contains(&"DELIVERED")).await;
    assert_eq!(host.get("/v1/messages/main:5001/audit").await.0, StatusCode::OK);
    host.clock.advance(DAY * 3);
    forgotten(&host, "/v1/messages/main:5001/audit").await;
    assert!(
        !kept(&host).contains("message 1") && kept(&host).contains("message 2") && kept(&host).contains("message 3")
    );
    let ignore = json!({ "task": "ignore", "reason": "spam", "query": { "state": "pending" } });
    let (_, operation) = host.post("/v1/operations", ignore).await;
    let operation = format!("/v1/operations/{}", operation["id"].as_str().unwrap());
    host.seen(&operation, |answer| answer["ended_at"].is_string()).await;
    host.clock.advance(DAY * 32);
    forgotten(&host, "/v1/messages/main:5002/audit").await;
    forgotten(&host, "/v1/messages/main:5003/audit").await;
    host.seen(&format!("/v1/sync-errors/{id}"), |answer| answer["status"] == 404).await;
    host.seen(&operation, |answer| answer["status"] == 404).await;
    host.until("it is counted no more", |health| health.sync_errors.ignored == 0).await;
    let left = kept(&host);
    for gone in ["message 1", "message 2", "message 3", "main:5002"] {
        assert!(!left.contains(gone), "{gone} is still kept");
    }
    // A new message makes a conversation of it again, and no second record.
    host.notify(received(4, 1, "billing", "jane@example.com")).await;
    host.seen("/v1/messages/main:5004/audit", |audit| facts(audit).contains(&"DELIVERED")).await;
    assert_eq!(host.query(RECORDS).await.len(), 2);
    host.stop().await;
}

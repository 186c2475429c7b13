//! How conversations leave: many in a call, paused at a limit, and only when the organization's mode says so.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use switchyard::domain::OrgId;
use switchyard_tests::{ADMIN, TestHost, received};

use crate::browser::Browser;

/// Calls to `acme` so far.
fn calls(host: &TestHost) -> u64 {
    host.app.engine.org(&OrgId::new("acme").unwrap()).unwrap().0.salesforce.calls()
}

/// A message of a customer who leaves no address, so that no contact is searched for.
fn unknown_customer(number: u64, team: &str) -> Value {
    received(number, number, team, "")
}

#[tokio::test(flavor = "multi_thread")]
async fn at_a_limit_an_organization_waits_and_tells_once_and_then_goes_on_by_itself_in_few_calls() {
    let host = TestHost::start().await;
    // The queues are known beforehand.
    host.notify(unknown_customer(1, "billing")).await;
    host.idle().await;
    host.salesforce(Method::PUT, "acme/usage", json!({ "used": 500, "limit": 500 })).await;
    host.notify(unknown_customer(2, "billing")).await;
    host.until("it is held back", |health| health.incident.is_some()).await;
    let before = calls(&host);
    for number in 3..=300 {
        host.notify(unknown_customer(number, "billing")).await;
    }
    let paused = host.until("all wait", |health| health.parked == 299).await;
    assert_eq!((paused.sync_errors.pending, paused.sync_errors.retrying), (0, 0), "who waits has no sync error");
    assert_eq!(calls(&host), before, "nothing is asked meanwhile");
    let mails = host.mails(1).await;
    assert!(mails[0]["subject"].as_str().unwrap().contains("limit"), "{}", mails[0]);
    let (_, report) = host.post("/v1/orgs/acme/checks", json!({})).await;
    assert!(report.to_string().contains("nothing gets through since"), "{report}");

    host.salesforce(Method::PUT, "acme/usage", json!({ "used": 0, "limit": 5000 })).await;
    let before = calls(&host);
    host.clock.advance(Duration::from_secs(900));
    host.until("all are in", |health| health.parked == 0 && health.idle()).await;
    assert!(calls(&host) - before < 30, "a probe and 297 others took {} calls", calls(&host) - before);
    host.clock.advance(Duration::from_secs(24 * 3600));
    assert!(host.idle().await.iter().all(|error| error["state"] == "resolved"));
    assert_eq!(host.query("SELECT Id FROM alcmeon__Conversation__c").await.len(), 300);
    assert_eq!(host.mails(1).await.len(), 1, "that it goes on needs no mail");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_most_calls_are_used_conversations_go_in_waves_that_are_paid_for_and_retries_when_no_new_one_waits() {
    let host = TestHost::start().await;
    host.salesforce(Method::PUT, "acme/usage", json!({ "used": 7000, "limit": 10_000 })).await;
    host.notify(unknown_customer(1, "billing")).await;
    host.idle().await;
    assert!(host.get("/v1/orgs/acme").await.1["salesforce"]["slowed"].is_null());
    host.salesforce(Method::PUT, "acme/usage", json!({ "used": 8500, "limit": 10_000 })).await;
    host.notify(unknown_customer(2, "billing")).await;
    host.idle().await;
    let (_, org) = host.get("/v1/orgs/acme").await;
    assert!(org["salesforce"]["slowed"].as_str().unwrap().starts_with("8501 of 10000 calls"), "{org}");

    let fault = json!({ "method": "PATCH", "path": "alcmeon__Conversation__c", "status": 503, "times": 1 });
    host.salesforce(Method::POST, "acme/faults", fault).await;
    host.notify(unknown_customer(3, "billing")).await;
    host.until("the first wave had one, which failed", |health| health.scheduled == 1 && health.sending == 0).await;
    let before = calls(&host);
    host.clock.advance(Duration::from_secs(2));
    host.notify(unknown_customer(4, "billing")).await;
    host.notify(unknown_customer(5, "billing")).await;
    host.until("the next wave is not paid for", |health| health.waiting == 3).await;
    assert_eq!(calls(&host), before);

    host.clock.advance(Duration::from_secs(60));
    host.until("new ones have gone", |health| health.waiting == 1 && health.sending == 0).await;
    assert_eq!(host.query("SELECT Id FROM alcmeon__Conversation__c").await.len(), 4, "all but the retry");
    host.clock.advance(Duration::from_secs(60));
    assert!(host.idle().await.iter().all(|error| error["state"] == "resolved"));
    assert_eq!(host.query("SELECT Id FROM alcmeon__Conversation__c").await.len(), 5);

    let (_, report) = host.post("/v1/orgs/acme/checks", json!({})).await;
    assert!(report.to_string().contains("it slows: 85"), "{report}");
    let page = Browser::sign_in(&host, ADMIN).await.get("/").await;
    assert!(page.text.contains("It slows: "), "{}", page.text);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_slows_at_the_share_that_its_settings_say() {
    let host = TestHost::with("slow_at = 0.9\n").await;
    let slows = async |used: u64| {
        host.salesforce(Method::PUT, "acme/usage", json!({ "used": used, "limit": 10_000 })).await;
        host.post("/v1/orgs/acme/checks", json!({})).await;
        host.get("/v1/orgs/acme").await.1["salesforce"]["slowed"].is_string()
    };
    assert!(!slows(8_500).await && slows(9_000).await && !slows(100).await);
    host.stop().await;
}

/// The same conversation, answered by an agent.
fn answered(number: u64, conversation: u64, email: &str) -> Value {
    let mut action = received(number, conversation, "billing", email);
    action["type"] = json!("answer");
    action["data"] = json!({ "answers": [{ "content": "We look into it" }] });
    action["user"] = json!({ "id": 7, "name": "Ann" });
    action
}

#[tokio::test(flavor = "multi_thread")]
async fn where_agents_answer_in_alcmeon_a_conversation_is_tracked_once_answered_and_matched() {
    let host = TestHost::with_mode("'agents-in-alcmeon'").await;
    host.notify(received(1, 1, "billing", "jane@example.com")).await;
    host.notify(answered(2, 2, "stranger@example.com")).await;
    assert!(host.idle().await.is_empty());
    let all =
        "SELECT alcmeon__To_SF_Queue_Id__c, alcmeon__Status__c, alcmeon__Contact__c FROM alcmeon__Conversation__c";
    let tracked = host.query(all).await;
    assert!(tracked.is_empty(), "one is not answered, the other's customer is no contact: {tracked:?}");
    host.notify(answered(3, 1, "jane@example.com")).await;
    host.idle().await;
    let tracked = host.query(all).await;
    assert_eq!(tracked.len(), 1);
    assert!(tracked[0]["alcmeon__Contact__c"].is_string() && tracked[0]["alcmeon__To_SF_Queue_Id__c"].is_null());
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_only_some_teams_answer_in_salesforce_only_theirs_get_a_queue_and_queues_follow_the_team() {
    let host = TestHost::with_mode("{ by-team = ['billing', 'care'] }").await;
    host.notify(received(1, 1, "billing", "jane@example.com")).await;
    host.notify(answered(2, 2, "jane@example.com")).await;
    host.idle().await;
    let queue = async || {
        let rows = host.query("SELECT alcmeon__To_SF_Queue_Id__c FROM alcmeon__Conversation__c WHERE alcmeon__scoped_id__c = 'main:1'").await;
        rows[0]["alcmeon__To_SF_Queue_Id__c"].clone()
    };
    let billing = host.query("SELECT Id FROM Group WHERE DeveloperName = 'Billing'").await[0]["Id"].clone();
    let care = host.query("SELECT Id FROM Group WHERE DeveloperName = 'Care'").await[0]["Id"].clone();
    assert_eq!(queue().await, billing);
    host.notify(received(3, 1, "care", "jane@example.com")).await;
    host.idle().await;
    assert_eq!(queue().await, care, "the queue follows the team");
    host.notify(received(4, 1, "sales", "jane@example.com")).await;
    host.idle().await;
    assert_eq!(queue().await, Value::Null, "what was written goes on being written, and sales answers in Alcmeon");
    let (_, report) = host.post("/v1/orgs/acme/checks", json!({})).await;
    assert!(report.to_string().contains("agents of billing, care answer in Salesforce"), "{report}");
    host.stop().await;
}

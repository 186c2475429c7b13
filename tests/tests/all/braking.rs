//! What a policy ignores by itself is an operation, is taken back as one, and is held where it is too much.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use switchyard_tests::{ADMIN, TestHost, received};

/// Puts a policy in force that ignores whatever fails, within this brake.
async fn ignores(host: &TestHost, brake: &str) {
    let toml = std::fs::read_to_string(host.policy_file("acme.toml")).unwrap();
    let toml = format!("{}\n[ignore]\n{brake}\n", toml.split("\n[ignore]").next().unwrap());
    let script = std::fs::read_to_string(host.policy_file("acme.rhai")).unwrap();
    let script = script.replace("as_usual()", "ignore(\"nobody reads this\")");
    let body = json!({ "toml": toml, "scripts": { "acme.rhai": script } });
    let (status, answer) = host.call(Method::PUT, "/v1/policies/acme", ADMIN, Some(body)).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
}

async fn fail(host: &TestHost, numbers: std::ops::RangeInclusive<u64>) {
    for number in numbers {
        host.notify(received(number, number, "nobody", "jane@example.com")).await;
    }
}

/// The operation that counts what the policy ignores.
async fn auto_ignore(host: &TestHost) -> Value {
    let (_, list) = host.get("/v1/operations?org=acme").await;
    let all = list["operations"].as_array().unwrap();
    all.iter().find(|it| it["task"] == "auto-ignore").unwrap_or_else(|| panic!("none: {list}")).clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_policy_ignores_is_counted_and_taken_back_by_one_call_where_nobody_changed_it() {
    let host = TestHost::start().await;
    ignores(&host, "known_for_minutes = 0").await;
    fail(&host, 1..=4).await;
    host.until("all are ignored", |health| health.sync_errors.ignored == 4).await;
    let errors = host.idle().await;
    let operation = auto_ignore(&host).await;
    assert_eq!((operation["by"].as_str(), operation["done"].as_u64()), (Some("policy acme"), Some(4)), "{operation}");
    assert_eq!(
        (operation["status"].as_str(), &operation["orgs"][0]["policy"]["revision"]),
        (Some("running"), &json!(2))
    );
    // One is a person's from now on.
    let id = errors[0]["id"].as_str().unwrap();
    host.post(&format!("/v1/sync-errors/{id}/reopen"), json!({})).await;
    host.post(&format!("/v1/sync-errors/{id}/ignore"), json!({ "reason": "mine" })).await;
    let host = host.restart().await;
    let path = format!("/v1/operations/{}", operation["id"].as_str().unwrap());
    assert_eq!(host.post(&format!("{path}/cancel"), json!({})).await.0, StatusCode::CONFLICT);
    let (status, undo) = host.post(&format!("{path}/undo"), json!({})).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{undo}");
    host.until("three are back", |health| health.sync_errors.pending == 3 && health.sync_errors.ignored == 1).await;
    // What it would ignore waits for a person until one lets it go on.
    assert_eq!(host.get(&path).await.1["status"], "paused");
    fail(&host, 5..=5).await;
    host.until("it is held", |health| health.sync_errors.pending == 4).await;
    assert_eq!(host.post(&format!("{path}/resume"), json!({})).await.1["status"], "running");
    fail(&host, 6..=6).await;
    host.until("it is ignored", |health| health.sync_errors.ignored == 2).await;
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_brake_that_bites_reopens_the_hour_says_so_by_mail_and_is_lifted_by_another_revision() {
    let host = TestHost::start().await;
    ignores(&host, "known_for_minutes = 0\nmost_per_hour = 3").await;
    fail(&host, 1..=2).await;
    host.until("two are ignored", |health| health.sync_errors.ignored == 2).await;
    host.clock.advance(Duration::from_secs(2 * 3600));
    fail(&host, 3..=5).await;
    host.until("three more are ignored", |health| health.sync_errors.ignored == 5).await;
    fail(&host, 6..=6).await;
    host.until("the hour is reopened", |health| health.sync_errors.pending == 4 && health.sync_errors.ignored == 2)
        .await;
    let operation = auto_ignore(&host).await;
    let brake = &operation["orgs"][0]["brake"];
    assert_eq!((operation["status"].as_str(), brake["hold"]["why"].as_str()), (Some("paused"), Some("too-many")));
    assert_eq!((operation["done"].as_u64(), brake["held"].as_u64()), (Some(5), Some(1)), "{operation}");
    let (_, groups) = host.get("/v1/groups?org=acme").await;
    assert_eq!(groups["groups"][0]["held"][0]["operation"], operation["id"], "{groups}");
    let (_, list) = host.get("/v1/sync-errors?org=acme&state=pending").await;
    let held: Vec<_> = list["sync_errors"].as_array().unwrap().iter().filter_map(|it| it["held"].as_str()).collect();
    assert!(held.len() == 1 && held[0].contains("would ignore it (nobody reads this)"), "{list}");
    let told = |mail: &Value| mail["subject"].as_str().is_some_and(|subject| subject.contains("ignored too much"));
    let mails = host.mails(1).await;
    assert_eq!(mails.iter().filter(|mail| told(mail)).count(), 1, "{mails:?}");
    // It survives a restart, and holds what fails next.
    let host = host.restart().await;
    fail(&host, 7..=7).await;
    host.until("it is held", |health| health.sync_errors.pending == 5).await;
    ignores(&host, "known_for_minutes = 0\nmost_per_hour = 4").await;
    fail(&host, 8..=8).await;
    host.until("another revision begins anew", |health| health.sync_errors.ignored == 3).await;
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cause_that_nobody_has_seen_is_not_ignored_by_itself() {
    let host = TestHost::start().await;
    ignores(&host, "").await;
    fail(&host, 1..=2).await;
    host.until("they wait for a person", |health| health.sync_errors.pending == 2).await;
    let error = host.idle().await[0].clone();
    assert!(error["held"].as_str().unwrap().contains("the cause is new"), "{error}");
    host.clock.advance(Duration::from_secs(3600));
    fail(&host, 3..=3).await;
    host.until("it is known by now", |health| health.sync_errors.ignored == 1).await;
    let id = error["id"].as_str().unwrap();
    host.post(&format!("/v1/sync-errors/{id}/ignore"), json!({ "reason": "seen" })).await;
    assert!(host.get(&format!("/v1/sync-errors/{id}")).await.1["held"].is_null(), "a person has decided");
    host.stop().await;
}

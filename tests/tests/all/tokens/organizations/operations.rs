//! Operations over several organizations, and who may see and change them.

use std::sync::Arc;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use switchyard::store::{Fault, Point};
use switchyard_tests::ADMIN;
use tokio::sync::Semaphore;

use super::{Two, only_error};
use crate::browser::Browser;

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_over_several_organizations_is_shown_in_part_and_changed_by_nobody_who_sees_a_part() {
    let two = Two::start().await;
    let (status, begun) = two.host.post("/v1/operations", json!({ "task": "ignore", "reason": "a test" })).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{begun}");
    let path = format!("/v1/operations/{}", begun["id"].as_str().unwrap());
    two.host.seen(&path, |operation| operation["status"] == "done").await;
    let (status, shown) = two.call(Method::GET, &path, None).await;
    assert_eq!((status, two.tells("", &shown)), (StatusCode::OK, None));
    let (status, problem) = two.call(Method::POST, &format!("{path}/undo"), Some(json!({}))).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "{problem}");
    let browser = Browser::sign_in(&two.host, &two.token).await;
    let page = browser.post(&format!("{}/undo", path.trim_start_matches("/v1")), &[]).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert!(page.text.contains("This operation is about other organizations as well."), "{}", page.text);
    assert_eq!(only_error(&two.host, "acme").await["state"], "ignored");
    two.host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_of_two_organizations_is_known_by_its_key_when_it_has_begun_in_both() {
    let two = Two::start().await;
    let assigned = format!("/v1/operations/{}", two.of_other("/v1/operations"));
    two.host.seen(&assigned, |operation| operation["status"] == "done").await;
    let gate = Arc::new(Semaphore::new(0));
    two.host.store.plan([Fault::at(Point::BeforeCommit).of("operation/other/").waiting_for(Arc::clone(&gate))]);
    let url = format!("http://{}/v1/operations", two.host.app.address);
    let request = two.host.http.post(url).bearer_auth(ADMIN).header("Idempotency-Key", "k");
    let asked = tokio::spawn(request.json(&json!({ "task": "ignore", "reason": "a test" })).send());
    two.host.seen("/v1/sync-errors?state=ignored", |page| page["total"] == 1).await;
    let is_known = async || two.host.exported().await.lines().any(|line| line.contains("\"idempotency/"));
    assert!(!is_known().await, "a host that is killed now has not carried it out, and does when it comes again");
    gate.add_permits(1_000);
    assert_eq!(asked.await.unwrap().unwrap().status(), StatusCode::ACCEPTED);
    two.host.seen("/v1/sync-errors?state=ignored", |page| page["total"] == 2).await;
    assert!(is_known().await);
    two.host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ignore_over_two_organizations_is_undone_in_both_or_in_none() {
    let two = Two::start().await;
    let host = &two.host;
    let assigned = format!("/v1/operations/{}", two.of_other("/v1/operations"));
    host.seen(&assigned, |operation| operation["status"] == "done").await;
    // The other organization does not come to it.
    let gate = Arc::new(Semaphore::new(1));
    host.store.plan([Fault::at(Point::BeforeCommit).of("operation/other/").waiting_for(Arc::clone(&gate))]);
    let (status, begun) = host.post("/v1/operations", json!({ "task": "ignore", "reason": "a test" })).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{begun}");
    let path = format!("/v1/operations/{}", begun["id"].as_str().unwrap());
    let over = |operation: &Value, org: &str| {
        let of = operation["orgs"].as_array().unwrap().iter().find(|of| of["org"] == org).unwrap();
        of["status"] == "done"
    };
    let operation = host.seen(&path, |operation| over(operation, "acme")).await;
    assert!(!over(&operation, "other"), "{operation}");
    let (status, problem) = host.post(&format!("{path}/undo"), json!({})).await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    assert_eq!(host.get("/v1/operations").await.1["operations"].as_array().map(Vec::len), Some(2), "nothing has begun");
    gate.add_permits(1_000);
    host.seen(&path, |operation| operation["status"] == "done").await;
    assert_eq!(host.post(&format!("{path}/undo"), json!({})).await.0, StatusCode::ACCEPTED);
    host.until("both wait again", |health| health.sync_errors.pending == 1 && health.sync_errors.ignored == 0).await;
    host.seen("/v1/sync-errors?state=pending", |page| page["total"] == 2).await;
    two.host.stop().await;
}

//! What a source forgets is forgotten wherever it is on record.

use std::sync::Arc;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use switchyard::engine::OrgHealth;
use switchyard::store::{Fault, Point};
use switchyard_tests::{OPERATOR, TestHost, received};
use tokio::sync::Semaphore;

use crate::at_once::with_errors;
use crate::browser::Browser;
use crate::operations::{begun, ended};

/// A message of a customer with a name and an address of their own.
fn from(number: u64, team: &str) -> Value {
    let mut action = received(number, number, team, &format!("jane.{number}@example.com"));
    action["task"]["message"]["author"]["name"] = json!(format!("Jane Nr-{number}-Doe"));
    action["task"]["message"]["content"] = json!(format!("my order nr-{number}-x"));
    action
}

/// Alcmeon anonymizes that message.
pub(crate) fn anonymized(number: u64) -> Value {
    let mut action = received(1_000 + number, number, "nobody", "");
    action["type"] = json!("anonymize-gdpr");
    action["task"]["message"] = json!({
        "id": 5000 + number, "content": "", "date": "2026-09-21", "time": "10:00:01",
        "author": { "id": 88, "group": { "id": 99, "custom_fields": [] } },
    });
    action
}

/// Returns when a message is forgotten.
async fn is_forgotten(host: &TestHost, number: u64) {
    let path = format!("/v1/messages/main:{}/audit", 5000 + number);
    host.seen(&path, |audit| audit.to_string().contains("\"ERASED\"")).await;
}

/// Nothing of a customer is kept, nor any of these words.
async fn nothing_is_kept_of(host: &TestHost, number: u64, words: &[&str]) {
    let kept = host.exported().await;
    let own = [format!("jane.{number}@example.com"), format!("Nr-{number}-Doe"), format!("nr-{number}-x")];
    for secret in own.iter().map(String::as_str).chain(words.iter().copied()) {
        let record = kept.lines().find(|line| line.contains(secret));
        assert!(record.is_none(), "{secret} is still kept: {record:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_anonymized_is_forgotten_where_its_account_was_linked_before_as_well() {
    let host = TestHost::start().await;
    host.notify(received(1, 1, "nobody", "jane@example.com")).await;
    host.idle().await;
    let leave = |accounts: &mut Vec<String>| accounts.retain(|account| account != "main/12");
    let host = host.restart_with(|config| config.orgs.iter_mut().for_each(|org| leave(&mut org.accounts))).await;
    assert!(host.exported().await.contains("message 1"));
    let mut forget = received(2, 1, "nobody", "");
    forget["type"] = json!("anonymize-gdpr");
    forget["task"]["message"]["id"] = json!(5001);
    forget["task"]["message"]["content"] = json!("");
    forget["task"]["message"]["author"] = json!({ "id": 88, "group": { "id": 99, "custom_fields": [] } });
    let (status, answer) = host.notify(forget).await;
    assert_eq!((status, answer["linked"].as_bool()), (StatusCode::OK, Some(true)), "{answer}");
    host.seen("/v1/messages/main:5001/audit", |audit| audit.to_string().contains("\"ERASED\"")).await;
    let kept = host.exported().await;
    for secret in ["message 1", "Jane Doe", "jane@example.com"] {
        assert!(!kept.contains(secret), "{secret} is still kept");
    }
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_forgotten_in_the_middle_of_an_operation_is_forgotten_and_the_report_adds_up() {
    const COUNT: u64 = 150;
    let host = with_errors(COUNT, |number| from(number, "nobody")).await;
    let list = host.get("/v1/sync-errors?org=acme&sort=first_seen&limit=500").await.1;
    let number_at = |place: usize| -> u64 {
        let message = list["sync_errors"][place]["message"].as_str().unwrap();
        message.strip_prefix("main:").unwrap().parse::<u64>().unwrap() - 5000
    };
    // One that the operation has met when it has to wait, and one that it has not.
    let (met, ahead) = (number_at(0), number_at(149));
    let gate = Arc::new(Semaphore::new(2));
    host.store.plan([Fault::at(Point::BeforeCommit).of("operation/").waiting_for(Arc::clone(&gate))]);
    let path = begun(&host, json!({ "task": "ignore", "reason": "tests", "query": { "customer": "jane" } })).await;
    let report = host.seen(&path, |report| report["done"] == 32).await;
    assert_eq!(report["matched"], COUNT, "{report}");
    host.notify(anonymized(met)).await;
    host.notify(anonymized(ahead)).await;
    gate.add_permits(1_000);
    let report = ended(&host, &path).await;
    is_forgotten(&host, met).await;
    is_forgotten(&host, ahead).await;
    host.until("all is done", OrgHealth::idle).await;
    assert_eq!(report["done"].as_u64().unwrap() + report["skipped"].as_u64().unwrap(), COUNT, "{report}");
    assert!(report["done"].as_u64() >= Some(COUNT - 1), "only one can have changed before it was met: {report}");
    let report = host.get(&path).await.1;
    assert_eq!(report["orgs"][0]["query"]["customer"], "(erased)", "{report}");
    for number in [met, ahead] {
        nothing_is_kept_of(&host, number, &[]).await;
    }
    let other = (1..=COUNT).find(|number| ![met, ahead].contains(number)).unwrap();
    assert!(host.exported().await.contains(&format!("nr-{other}-x")), "another one is there");
    let (_, verified) = host.post("/v1/store/verify", json!({})).await;
    assert_eq!(verified["differences"], 0, "{verified}");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_forgotten_while_salesforce_is_asked_is_not_in_what_it_answers_later() {
    const WORDS: &str = "Jane Nr-1-Doe <jane.1@example.com> is a duplicate of 0612345678";
    let host = TestHost::start().await;
    let errors = json!([{ "errorCode": "DUPLICATES_DETECTED", "message": WORDS, "fields": [] }]);
    let fault = json!({ "method": "PATCH", "path": "alcmeon__Conversation__c", "status": 400, "json": errors });
    host.salesforce(Method::POST, "acme/faults", fault.clone()).await;
    host.notify(from(1, "billing")).await;
    host.until("it is on record", |health| health.sync_errors.pending == 1 && health.idle()).await;
    host.salesforce(Method::DELETE, "acme/faults", Value::Null).await;
    let mut slow = fault;
    slow["latency_ms"] = json!(2_000);
    host.salesforce(Method::POST, "acme/faults", slow).await;
    let path = begun(&host, json!({ "task": "retry" })).await;
    host.until("Salesforce is asked", |health| health.sending == 1).await;
    host.notify(anonymized(1)).await;
    is_forgotten(&host, 1).await;
    let report = ended(&host, &path).await;
    assert_eq!((&report["failed_alike"], &report["done"]), (&json!(1), &json!(1)), "{report}");
    host.until("it failed again", |health| health.sync_errors.pending == 1 && health.idle()).await;
    nothing_is_kept_of(&host, 1, &["0612345678"]).await;
    let (_, list) = host.get("/v1/sync-errors?org=acme").await;
    let error = &list["sync_errors"][0];
    assert_eq!((&error["attempts"], &error["refusal"]["text"]), (&json!(2), &json!("(erased)")), "{error}");
    // The cause and its samples are there, and name nobody.
    let (_, group) = host.get(&format!("/v1/groups/{}", error["group"].as_str().unwrap())).await;
    assert_eq!((&group["samples"], &group["code"]), (&json!([error["id"]]), &json!("DUPLICATES_DETECTED")), "{group}");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn why_somebody_ignored_a_sync_error_is_forgotten_with_it_and_that_they_did_is_not() {
    const REASON: &str = "Jane Nr-1-Doe asked to be left alone";
    let host = with_errors(2, |number| from(number, "nobody")).await;
    let list = host.get("/v1/sync-errors?org=acme").await.1;
    let id_of = |number: u64| {
        let of = |error: &&Value| error["message"] == format!("main:{}", 5000 + number);
        list["sync_errors"].as_array().unwrap().iter().find(of).unwrap()["id"].as_str().unwrap()
    };
    for (number, reason) in [(1, REASON), (2, "a test")] {
        let path = format!("/v1/sync-errors/{}/ignore", id_of(number));
        let (status, answer) = host.call(Method::POST, &path, OPERATOR, Some(json!({ "reason": reason }))).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
    }
    host.notify(anonymized(1)).await;
    is_forgotten(&host, 1).await;
    host.until("all is done", OrgHealth::idle).await;
    let (_, actions) = host.get("/v1/actions?what=ignore").await;
    for (number, reason) in [(1, "(erased)"), (2, "a test")] {
        let of = |action: &&Value| action["subject"] == id_of(number);
        let action = actions["actions"].as_array().unwrap().iter().find(of).unwrap();
        assert_eq!((&action["reason"], &action["by"]), (&json!(reason), &json!("operator")), "{actions}");
    }
    assert_eq!(actions["actions"].as_array().map(Vec::len), Some(2), "{actions}");
    nothing_is_kept_of(&host, 1, &[REASON]).await;
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn why_many_were_ignored_is_forgotten_with_a_customer_whom_it_names() {
    const REASON: &str = "asked for by Jane Nr-1-Doe";
    let host = with_errors(3, |number| from(number, "nobody")).await;
    let url = format!("http://{}/v1/operations", host.app.address);
    let task = json!({ "task": "ignore", "reason": REASON, "query": { "q": "Jane Nr-1-Doe" } });
    let request = host.http.post(url).bearer_auth(OPERATOR).header("Idempotency-Key", "k").json(&task);
    let begun: Value = request.send().await.unwrap().json().await.unwrap();
    let path = format!("/v1/operations/{}", begun["id"].as_str().unwrap());
    assert_eq!(ended(&host, &path).await["done"], 1);
    let offered =
        async || Browser::sign_in(&host, OPERATOR).await.get("/operations/new?task=ignore&org=acme").await.text;
    assert!(offered().await.contains(REASON), "it is offered before");
    host.notify(anonymized(1)).await;
    is_forgotten(&host, 1).await;
    host.until("all is done", OrgHealth::idle).await;
    let report = host.get(&path).await.1;
    assert_eq!((&report["reason"], &report["done"]), (&json!("(erased)"), &json!(1)), "{report}");
    let (_, actions) = host.get("/v1/actions?what=operation-begin").await;
    assert_eq!(actions["actions"][0]["reason"], "(erased)", "{actions}");
    assert!(!offered().await.contains("(erased)") && !offered().await.contains(REASON));
    nothing_is_kept_of(&host, 1, &[REASON]).await;
    host.stop().await;
}

//! Operations that meet: those of two people at the same moment, and one under which the clock is set back.

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, StreamExt};
use reqwest::StatusCode;
use serde_json::{Value, json};
use switchyard::engine::OrgHealth;
use switchyard::store::{Fault, Point};
use switchyard_tests::{TestHost, received};
use tokio::sync::Semaphore;

use crate::operations::{begun, ended, map};

const COUNT: u64 = 40;

/// A host with so many sync errors of one cause.
pub(crate) async fn with_errors(count: u64, action: impl Fn(u64) -> Value) -> TestHost {
    let host = TestHost::start().await;
    let notify = async |number| assert_eq!(host.notify(action(number)).await.0, StatusCode::OK);
    stream::iter(1..=count).for_each_concurrent(30, notify).await;
    host.until("all are on record", |health| health.sync_errors.pending == count && health.idle()).await;
    host
}

/// A message of a conversation of its own, of a team without a queue.
pub(crate) fn unmapped(number: u64) -> Value {
    received(number, number, "nobody", "jane@example.com")
}

/// The same host when a retry gets all of them through.
async fn with_mended_errors(count: u64) -> TestHost {
    let host = with_errors(count, unmapped).await;
    map(&host, "nobody").await;
    host
}

/// What happened to the message of each conversation since it failed.
async fn facts(host: &TestHost, count: u64) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    for number in 1..=count {
        let (_, audit) = host.get(&format!("/v1/messages/main:{}/audit", 5000 + number)).await;
        let entries = audit["entries"].as_array().unwrap_or_else(|| panic!("{audit}"));
        all.push(entries.iter().skip(2).map(|entry| entry["fact"]["what"].as_str().unwrap().to_owned()).collect());
    }
    all
}

/// How often something happened, in all.
fn times(facts: &[Vec<String>], what: &str) -> u64 {
    facts.iter().flatten().filter(|fact| *fact == what).count() as u64
}

fn number(of: &Value, name: &str) -> u64 {
    of[name].as_u64().unwrap_or_else(|| panic!("{name}: {of}"))
}

/// Every sync error that matched was acted on or left alone, and of each that was retried is told how it came out.
fn adds_up(report: &Value) {
    let of = |name| number(report, name);
    assert_eq!((&report["status"], of("under_way")), (&json!("done"), 0), "{report}");
    assert_eq!(of("matched"), of("done") + of("skipped"), "{report}");
    let came_out = of("passed") + of("failed_alike") + of("failed_otherwise") + of("changed");
    assert_eq!(came_out, if report["task"] == "retry" { of("done") } else { 0 }, "{report}");
}

/// The counts of the organization are those of its causes and of its list, and the store's are a recount.
async fn counts_agree(host: &TestHost) {
    // A recount on a running host may meet a change that is being written.
    host.until("all is done", OrgHealth::idle).await;
    let (_, org) = host.get("/v1/orgs/acme").await;
    let (_, groups) = host.get("/v1/groups?org=acme").await;
    for state in ["pending", "retrying", "ignored", "resolved"] {
        let (_, page) = host.get(&format!("/v1/sync-errors?org=acme&state={state}&limit=500")).await;
        let listed = page["sync_errors"].as_array().unwrap().len() as u64;
        let by_cause: u64 = groups["groups"].as_array().unwrap().iter().map(|it| number(&it["counts"], state)).sum();
        assert_eq!((number(&org["sync_errors"], state), by_cause), (listed, listed), "{state}");
    }
    let (_, verified) = host.post("/v1/store/verify", json!({})).await;
    assert_eq!(verified["differences"], 0, "{verified}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_retry_and_an_ignore_at_once_each_error_has_one_outcome_and_both_reports_add_up() {
    let host = with_mended_errors(COUNT).await;
    let (retry, ignore) = (json!({ "task": "retry" }), json!({ "task": "ignore", "reason": "test customers" }));
    let (retry, ignore) = tokio::join!(begun(&host, retry), begun(&host, ignore));
    let (retry, ignore) = tokio::join!(ended(&host, &retry), ended(&host, &ignore));
    host.until("all is done", OrgHealth::idle).await;
    adds_up(&retry);
    adds_up(&ignore);
    let facts = facts(&host, COUNT).await;
    for facts in &facts {
        let once = |what: &str| facts.iter().filter(|fact| *fact == what).count() <= 1;
        assert!(["RETRY_ASKED", "IGNORED", "DELIVERED", "RESOLVED"].into_iter().all(once), "{facts:?}");
        assert!(matches!(facts.last().map(String::as_str), Some("IGNORED" | "RESOLVED")), "{facts:?}");
    }
    let lines = |what| times(&facts, what);
    assert_eq!((number(&retry, "done"), number(&ignore, "done")), (lines("RETRY_ASKED"), lines("IGNORED")));
    let (_, org) = host.get("/v1/orgs/acme").await;
    let (ignored, resolved) = (number(&org["sync_errors"], "ignored"), number(&org["sync_errors"], "resolved"));
    assert_eq!((ignored + resolved, resolved), (COUNT, lines("RESOLVED")));
    assert_eq!(host.query("SELECT Id FROM alcmeon__Conversation__c").await.len() as u64, resolved);
    counts_agree(&host).await;
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_who_retry_the_same_errors_at_once_get_each_through_once() {
    let host = with_mended_errors(COUNT).await;
    let retry = || begun(&host, json!({ "task": "retry", "query": { "org": "acme" } }));
    let (one, other) = tokio::join!(retry(), retry());
    assert_ne!(one, other);
    let (one, other) = tokio::join!(ended(&host, &one), ended(&host, &other));
    host.until("all is done", |health| health.sync_errors.resolved == COUNT && health.idle()).await;
    adds_up(&one);
    adds_up(&other);
    let facts = facts(&host, COUNT).await;
    for facts in &facts {
        let once = |what: &str| facts.iter().filter(|fact| *fact == what).count() == 1;
        assert!(["DELIVERED", "RESOLVED"].into_iter().all(once), "{facts:?}");
    }
    let both = |name| number(&one, name) + number(&other, name);
    assert_eq!((both("passed"), both("done")), (COUNT, times(&facts, "RETRY_ASKED")));
    assert_eq!(host.query("SELECT Id FROM alcmeon__Conversation__c").await.len() as u64, COUNT);
    counts_agree(&host).await;
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_before_an_operation_came_to_it_is_told_as_left_alone() {
    let host = with_mended_errors(5).await;
    let path = begun(&host, json!({ "task": "ignore", "reason": "test customers" })).await;
    adds_up(&ended(&host, &path).await);
    let (_, page) = host.get("/v1/sync-errors?org=acme&state=ignored").await;
    let one = page["sync_errors"][0]["id"].as_str().unwrap();
    assert_eq!(host.post(&format!("/v1/sync-errors/{one}/reopen"), json!({})).await.1["state"], "pending");
    let (_, undo) = host.post(&format!("{path}/undo"), json!({})).await;
    let undo = ended(&host, &format!("/v1/operations/{}", undo["id"].as_str().unwrap())).await;
    assert_eq!((number(&undo, "done"), number(&undo, "skipped")), (4, 1), "{undo}");
    adds_up(&undo);
    counts_agree(&host).await;
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_goes_on_although_the_clock_is_set_back_by_a_day_and_takes_in_nothing_that_failed_since() {
    let host = with_mended_errors(150).await;
    let gate = Arc::new(Semaphore::new(2));
    host.store.plan([Fault::at(Point::BeforeCommit).of("operation/").waiting_for(Arc::clone(&gate))]);
    let path = begun(&host, json!({ "task": "ignore", "reason": "test customers" })).await;
    host.seen(&path, |report| report["done"] == 32).await;
    host.clock.turn_back(Duration::from_secs(86_400));
    host.notify(received(151, 151, "somebody", "jane@example.com")).await;
    host.notify(received(152, 152, "nowhere", "jane@example.com")).await;
    gate.add_permits(1_000);
    let report = ended(&host, &path).await;
    adds_up(&report);
    assert_eq!(report["done"], 150, "{report}");
    let time = |name: &str| report[name].as_str().unwrap().to_owned();
    assert!(time("ended_at") >= time("created_at"), "it ended before it began: {report}");
    host.until("the new ones wait", |health| health.sync_errors.pending == 2 && health.sync_errors.ignored == 150)
        .await;
    // It is taken back as a whole by the same clock.
    let (_, undo) = host.post(&format!("{path}/undo"), json!({})).await;
    let undo = ended(&host, &format!("/v1/operations/{}", undo["id"].as_str().unwrap())).await;
    adds_up(&undo);
    assert_eq!(undo["done"], 150, "{undo}");
    host.until("all wait", |health| health.sync_errors.pending == 152 && health.idle()).await;
    host.store.plan([]);
    counts_agree(&host).await;
    host.stop().await;
}

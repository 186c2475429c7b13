//! What changes is told to whoever listens: all of it, once, in one order, and to nobody who may not hear of it.

mod coming_again;
pub(crate) mod listening;

use std::collections::BTreeSet;
use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use switchyard::store::{Batch, Store, ring};
use switchyard_tests::{ADMIN, READER, TestHost, received};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use self::listening::{Block, Listening, asked};
use crate::at_once::{unmapped, with_errors};
use crate::browser::Browser;
use crate::operations::{begun, ended, map};

/// The only sync error.
async fn only_error(host: &TestHost) -> Value {
    let (_, page) = host.get("/v1/sync-errors").await;
    page["sync_errors"][0].clone()
}

fn of<'a>(block: &'a Block, name: &str) -> &'a str {
    block.event.as_ref().and_then(|event| event[name].as_str()).unwrap_or_else(|| panic!("{name}: {block:?}"))
}

/// Appends so many copies of the newest event, as many changes would.
async fn many_changes(host: &TestHost, count: u64) {
    let newest = host.store.scan(ring::RING.as_bytes(), None, usize::MAX).unwrap().pop().expect("an event").1;
    let mut batch = Batch::default();
    (0..count).for_each(|_| batch.append(newest.clone()));
    host.store.commit(batch).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_change_of_a_sync_error_is_told_with_ids_that_lead_to_it_and_no_words() {
    let host = TestHost::start().await;
    let mut listening = Listening::to(&host, "", None).await;
    assert_eq!(listening.block().await.unwrap().event, None, "a place to go on from");
    host.notify(received(1, 1, "nobody", "jane@example.com")).await;
    let opened = listening.event().await;
    let error = only_error(&host).await;
    let known = json!({
        "id": opened.id, "type": "sync_error.opened", "at": error["first_seen"], "org": "acme", "sync_error": error["id"],
        "state": "pending", "group": error["group"], "class": "policy",
    });
    assert_eq!(opened.event, Some(known));
    assert_eq!(listening.types(1).await, ["group.new"]);
    let ask = async |verb: &str, body: Value| {
        let path = format!("/v1/sync-errors/{}/{verb}", error["id"].as_str().unwrap());
        assert!(host.post(&path, body).await.0.is_success(), "{verb}");
    };
    ask("ignore", json!({ "reason": "a test" })).await;
    ask("reopen", json!({})).await;
    ask("retry", json!({})).await;
    let errors = ["ignored", "reopened", "retrying", "failed"].map(|what| format!("sync_error.{what}"));
    assert_eq!(listening.types(4).await, errors);
    map(&host, "nobody").await;
    ask("retry", json!({})).await;
    assert_eq!(listening.types(3).await, ["policy.in_force", "sync_error.retrying", "sync_error.resolved"]);
    host.notify(received(2, 2, "billing", "jane@example.com")).await;
    host.notify(received(3, 3, "nowhere", "jane@example.com")).await;
    assert_eq!(listening.types(1).await, ["sync_error.opened"], "what gets through at once is not told");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_settings_is_told_to_those_who_see_the_organization_once_it_is_on_record() {
    let host = TestHost::start().await;
    let mut listening = Listening::to(&host, "?type=settings.changed", None).await;
    let patch = async |body: Value| host.call(Method::PATCH, "/v1/orgs/acme/settings", ADMIN, Some(body)).await.0;
    assert_eq!(patch(json!({ "concurrency": 0 })).await, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(patch(json!({ "concurrency": 7 })).await, StatusCode::OK);
    let (_, settings) = host.get("/v1/orgs/acme/settings").await;
    assert_eq!(settings["concurrency"]["value"], 7, "{settings}");
    let told = listening.event().await;
    assert_eq!((of(&told, "type"), of(&told, "org")), ("settings.changed", "acme"));
    // What changes nothing is no change.
    assert_eq!(patch(json!({ "concurrency": 7 })).await, StatusCode::OK);
    assert_eq!(patch(json!({ "concurrency": 8 })).await, StatusCode::OK);
    listening.event().await;
    let (_, actions) = host.get("/v1/actions?what=org-settings").await;
    assert_eq!(actions["actions"].as_array().map(Vec::len), Some(2), "{actions}");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_is_told_from_its_acceptance_to_its_end_and_an_incident_when_it_begins_and_is_over() {
    let host = with_errors(3, unmapped).await;
    let mut listening =
        Listening::to(&host, "?type=operation.accepted,operation.ended,incident.began&type=incident.ended", None).await;
    let path = begun(&host, json!({ "task": "ignore", "query": { "org": "acme" }, "reason": "a test" })).await;
    ended(&host, &path).await;
    let blocks = listening.until("operation.ended").await;
    let told: Vec<_> = blocks.iter().map(|block| (of(block, "type"), of(block, "status"))).collect();
    assert!(matches!(told[..], [("operation.accepted", _), ("operation.ended", "done")]), "{told:?}");
    assert!(path.ends_with(of(&blocks[1], "operation")));

    host.salesforce(Method::POST, "acme/revoke", json!({})).await;
    host.notify(received(10, 10, "billing", "jane@example.com")).await;
    let began = listening.event().await;
    assert_eq!((of(&began, "type"), of(&began, "class"), of(&began, "org")), ("incident.began", "auth", "acme"));
    host.until("it is parked", |health| health.parked == 1 && health.idle()).await;
    // It waits for the token request that is on its way: no probe shares that one.
    host.post("/v1/orgs/acme/checks", json!({})).await;
    host.salesforce(Method::POST, "acme/revive", json!({})).await;
    host.clock.advance(Duration::from_secs(121));
    assert_eq!(listening.types(1).await, ["incident.ended"]);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_that_is_paused_and_goes_on_is_told_as_well() {
    let host = with_errors(2, unmapped).await;
    host.salesforce(Method::POST, "acme/revoke", json!({})).await;
    host.notify(received(10, 10, "billing", "jane@example.com")).await;
    host.until("an incident", |health| health.parked == 1).await;
    // It waits for the end of the incident.
    let mut listening =
        Listening::to(&host, "?type=operation.accepted,operation.paused,operation.resumed,operation.ended", None).await;
    let path = begun(&host, json!({ "task": "retry", "query": { "org": "acme" } })).await;
    for verb in ["pause", "resume", "cancel"] {
        host.post(&format!("{path}/{verb}"), json!({})).await;
    }
    let told = listening.until("operation.ended").await;
    let told: Vec<_> = told.iter().map(|block| of(block, "type").trim_start_matches("operation.")).collect();
    assert_eq!(told, ["accepted", "paused", "resumed", "ended"]);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_organizations_at_once_are_told_in_one_order_without_a_gap_to_all_alike() {
    const EACH: u64 = 60;
    let host = TestHost::start().await;
    let mut live = Listening::to(&host, "", None).await;
    let begin = live.block().await.unwrap();
    let notify = async |account: u64| {
        for number in 1..=EACH {
            let mut action = unmapped(account * 1_000 + number);
            action["account"]["id"] = json!(account);
            assert_eq!(host.notify(action).await.0, StatusCode::OK);
        }
    };
    tokio::join!(notify(12), notify(13));
    let (mut seen, mut orgs) = (Vec::new(), BTreeSet::new());
    while seen.iter().filter(|block| of(block, "type") == "sync_error.opened").count() < 2 * EACH as usize {
        let block = live.event().await;
        orgs.insert(of(&block, "org").to_owned());
        seen.push(block);
    }
    assert_eq!(orgs.len(), 2);
    let numbers: Vec<_> = seen.iter().map(Block::number).collect();
    assert!(numbers.iter().copied().eq(begin.number() + 1..=begin.number() + numbers.len() as u64), "{numbers:?}");
    let mut later = Listening::to(&host, "", Some(&begin.id)).await;
    for block in seen {
        assert_eq!(later.event().await, block);
    }
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_leave_out_what_is_not_wanted_and_say_what_they_do_not_know() {
    let host = TestHost::start().await;
    let mut other = Listening::to(&host, "?org=other", None).await;
    let mut causes = Listening::to(&host, "?type=group.new&org=other,acme", None).await;
    host.notify(unmapped(1)).await;
    assert_eq!(causes.types(1).await, ["group.new"]);
    let mut action = unmapped(2);
    action["account"]["id"] = json!(13);
    host.notify(action).await;
    assert_eq!(of(&other.event().await, "org"), "other");
    for (query, words) in [
        ("?org=nobody", "there is no organization nobody"),
        ("?org=", "org: "),
        ("?type=sync_error.gone", "none of sync_error.opened, "),
        ("?type=", "type: "),
        ("?after=7", "known are org, type"),
    ] {
        let answer = asked(&host, query, None).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{query}");
        let problem: Value = answer.json().await.unwrap();
        assert!(problem["detail"].as_str().unwrap().contains(words), "{query}: {problem}");
    }
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_read_hears_nothing_and_a_stream_ends_with_the_session_that_began_it() {
    let host = TestHost::start().await;
    let host = host
        .restart_with(|config| {
            let mut intake = config.http.tokens[2].clone();
            (intake.name, intake.scopes) = ("intake".to_owned(), vec![switchyard::http::Scope::Intake]);
            intake.secret = switchyard::domain::Secret::new("intake-token-0123456789ab");
            config.http.tokens.push(intake);
        })
        .await;
    for (token, status) in [("intake-token-0123456789ab", 403), ("wrong", 401), ("", 401)] {
        let (refused, _) = host.call(Method::GET, "/v1/events", token, None).await;
        assert_eq!(refused.as_u16(), status, "{token}");
    }
    assert_eq!(host.call(Method::HEAD, "/v1/events", READER, None).await.0, StatusCode::OK, "and it ends");
    let browser = Browser::sign_in(&host, READER).await;
    let answer = host.http.get(format!("http://{}/v1/events", host.app.address)).header("cookie", browser.session());
    let mut listening = Listening::of(answer.send().await.unwrap());
    host.notify(unmapped(1)).await;
    assert_eq!(listening.types(2).await, ["sync_error.opened", "group.new"]);
    browser.post("/logout", &[]).await;
    host.notify(unmapped(2)).await;
    assert_eq!(listening.block().await, None, "nothing more is told");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_that_never_reads_keeps_nobody_from_hearing_and_no_lane_from_going_on() {
    let host = with_errors(1, unmapped).await;
    let mut silent = Vec::new();
    for _ in 0..20 {
        let mut connection = TcpStream::connect(host.app.address).await.unwrap();
        let head =
            format!("GET /v1/events HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {ADMIN}\r\n\r\n", host.app.address);
        connection.write_all(head.as_bytes()).await.unwrap();
        silent.push(connection);
    }
    host.seen("/metrics", |metrics| metrics.as_str().is_some_and(|text| text.contains("switchyard_listeners 20")))
        .await;
    let mut reads = Listening::to(&host, "", None).await;
    let begin = reads.block().await.unwrap().number();
    // More than what is held in memory for all, and than what connections take.
    for _ in 0..5 {
        many_changes(&host, 10_000).await;
    }
    host.notify(unmapped(2)).await;
    let mut last = begin;
    while last < begin + 50_001 {
        let block = reads.event().await;
        assert_eq!(block.number(), last + 1);
        last = block.number();
    }
    host.until("it is on record", |health| health.sync_errors.pending == 2).await;
    drop(silent);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_stops_ends_the_streams_and_waits_for_none() {
    let host = TestHost::start().await;
    let mut listening = Vec::new();
    for _ in 0..5 {
        let mut one = Listening::to(&host, "", None).await;
        one.block().await.unwrap();
        listening.push(one);
    }
    host.stop().await;
    for mut one in listening {
        assert_eq!(one.block().await, None, "it ended as streams do, and was not cut off");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_forgotten_is_in_no_event() {
    let host = TestHost::start().await;
    host.notify(received(1, 4711, "nobody", "jane@example.com")).await;
    host.idle().await;
    map(&host, "nobody").await;
    host.post("/v1/orgs/acme/retry-all", json!({})).await;
    host.until("it got through", |health| health.sync_errors.resolved == 1 && health.idle()).await;
    let events = host.store.scan(ring::RING.as_bytes(), None, usize::MAX).unwrap();
    assert!(events.len() >= 5, "{}", events.len());
    for (_, event) in events {
        let event = String::from_utf8(event).unwrap();
        let own = ["Jane", "jane@example.com", "message 1", "main:4711", "main:5001", "nobody"];
        assert!(own.iter().all(|word| !event.contains(word)), "{event}");
    }
    let (_, verified) = host.post("/v1/store/verify", json!({})).await;
    assert_eq!(verified["differences"], 0, "{verified}");
    host.stop().await;
}

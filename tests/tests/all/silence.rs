//! What has not moved for long is shown, measured and told by mail, and so is its end; what merely has nothing to do is not.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use switchyard_tests::{OPERATOR, Setup, TestHost, received};

use crate::browser::Browser;

#[tokio::test(flavor = "multi_thread")]
async fn the_oldest_unsynced_conversation_and_the_newest_arrival_of_each_source_are_shown_and_measured() {
    let host = TestHost::set_up(Setup { alcmeon: "poll = false", ..Setup::default() }).await;
    host.notify(received(1, 1, "billing", "jane@example.com")).await;
    host.notify(received(2, 2, "nobody", "jane@example.com")).await;
    host.until("one waits for a person", |health| health.sync_errors.pending == 1 && health.idle()).await;
    let began = "2026-09-21T14:13:20.000Z";
    let (_, org) = host.get("/v1/orgs/acme").await;
    assert_eq!(org["oldest_unsynced"], Value::Null, "what waits for a person does not wait to move: {org}");
    let sources = json!([
        { "source": "main", "arrived_at": began },
        { "source": "shop-acme" },
    ]);
    assert_eq!(org["sources"], sources);

    host.salesforce(Method::POST, "acme/revoke", json!({})).await;
    for n in 3..=4 {
        host.notify(received(n, n, "billing", "jane@example.com")).await;
        host.until("it is parked", |health| health.parked == n - 2 && health.idle()).await;
        host.clock.advance(Duration::from_secs(20));
    }
    let (_, org) = host.get("/v1/orgs/acme").await;
    let oldest = json!({ "conversation": "main:3", "since": began, "waits_for": "incident-end" });
    assert_eq!(org["oldest_unsynced"], oldest);
    let (_, metrics) = host.get("/metrics").await;
    let metrics = metrics.as_str().expect("text");
    for line in [
        "switchyard_unsynced_age_seconds{org=\"acme\"} 40",
        "switchyard_unsynced_age_seconds{org=\"other\"} 0",
        "switchyard_arrival_age_seconds{source=\"main\"} 20",
    ] {
        assert!(metrics.contains(line), "{line} is not in {metrics}");
    }
    assert!(!metrics.contains("arrival_age_seconds{source=\"shop"), "what never had traffic is not silent: {metrics}");

    let host = host.restart().await;
    let (_, orgs) = host.get("/v1/orgs").await;
    let main = &orgs["orgs"][0]["sources"][0];
    assert_eq!(main["arrived_at"], began, "to the minute, it is known after a restart: {orgs}");
    let (_, environments) = host.get("/v1/environments").await;
    assert_eq!(environments["environments"][0]["arrived_at"], began);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_is_asked_in_vain_for_long_is_told_once_and_that_it_answers_again() {
    let more = "[alerts]\nsilent_seconds = 120\n";
    // Each look of this test is a minute later, and the webhook would have all turns.
    let host = TestHost::set_up(Setup { more, alcmeon: "keep_webhook_on = false", ..Setup::default() }).await;
    host.notify(received(1, 1, "billing", "jane@example.com")).await;
    host.idle().await;
    let control = format!("{}/control/faults", host.simulator.alcmeon);
    let fault = json!({ "path": "actions", "status": 500, "text": "no" });
    assert!(host.http.post(&control).json(&fault).send().await.expect("an answer").status().is_success());
    let silent = |answer: &Value| answer["environments"][0]["silent_since"].is_string();
    host.seen_while_time_passes("/v1/environments", silent).await;
    let (_, org) = host.get("/v1/orgs/acme").await;
    assert!(org["sources"][0]["silent_since"].is_string(), "{org}");
    let home = Browser::sign_in(&host, OPERATOR).await.get("/").await;
    home.says(&["main is silent.", "It was heard of last"]);
    // Each of the two organizations that have conversations of it.
    let told = |mails: &[Value], words: &str| {
        let has = |mail: &&Value| mail["subject"].as_str().is_some_and(|subject| subject.contains(words));
        mails.iter().filter(has).count()
    };
    let mails = host.mails(2).await;
    assert_eq!(told(&mails, "the source main does not answer"), 2, "{mails:?}");

    assert!(host.http.delete(&control).send().await.expect("an answer").status().is_success());
    host.seen_while_time_passes("/v1/environments", |answer| answer["environments"][0]["in_vain_since"].is_null())
        .await;
    let mails = host.mails(4).await;
    assert_eq!((mails.len(), told(&mails, "the source main answers again")), (4, 2), "{mails:?}");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standstill_is_told_once_although_the_host_restarts_and_that_conversations_move_again() {
    let more = "[alerts]\nsilent_seconds = 120\nquiet_seconds = 60\n";
    let setup = Setup { more, alcmeon: "poll = false", salesforce: "timeout_ms = 600000", ..Setup::default() };
    let host = TestHost::set_up(setup).await;
    host.salesforce(Method::POST, "acme/faults", json!({ "path": "", "latency_ms": 600_000 })).await;
    host.notify(received(1, 1, "billing", "jane@example.com")).await;
    host.until("it is on its way", |health| health.sending == 1).await;
    let mails = host.mails(1).await;
    let subject = |mail: &Value| mail["subject"].as_str().unwrap_or_default().to_owned();
    assert!(subject(&mails[0]).contains("nothing has moved since"), "{mails:?}");
    assert_eq!(mails[0]["to"], json!(["acme-admin@example.com"]));
    let text = mails[0]["text"].as_str().expect("a text");
    assert!(text.contains("main:1") && text.contains("What to check"), "{text}");

    // Neither hours nor a restart are news.
    host.clock.advance(Duration::from_secs(7_200));
    let host = host.restart().await;
    host.until("it is on its way again", |health| health.sending == 1).await;
    host.clock.advance(Duration::from_secs(7_200));
    host.salesforce(Method::DELETE, "acme/faults", Value::Null).await;
    let host = host.restart().await;
    host.idle().await;
    let mails = host.mails(2).await;
    assert!(mails.len() == 2 && subject(&mails[1]).contains("conversations move again"), "{mails:?}");
    host.stop().await;
}

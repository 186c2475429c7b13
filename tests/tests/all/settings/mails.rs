//! Who gets mails, until when they are muted, and a test of them.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::json;
use switchyard::clock::Clock;
use switchyard_tests::{Setup, TestHost, received};

use super::{SETTINGS, patch};

#[tokio::test(flavor = "multi_thread")]
async fn a_recipient_who_is_added_is_told_and_one_who_is_taken_away_is_not_without_a_restart() {
    let host = TestHost::start().await;
    let (status, answer) = patch(&host, json!({ "alert_recipients": ["ann@example.com"] })).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    host.notify(received(1, 1, "nobody", "jane@example.com")).await;
    host.until("it is pending", |health| health.sync_errors.pending == 1).await;
    let mails = host.mails(1).await;
    assert_eq!(mails[0]["to"], json!(["ann@example.com"]), "{mails:?}");
    // Who comes later hears of what is pending, and nobody else twice.
    patch(&host, json!({ "alert_recipients": ["ann@example.com", "bob@example.com"] })).await;
    let mails = host.mails(2).await;
    assert_eq!(mails[1]["to"], json!(["bob@example.com"]), "{mails:?}");
    let host = host.restart().await;
    let (_, page) = host.get("/v1/mails?org=acme").await;
    let told: Vec<_> = page["mails"].as_array().unwrap().iter().map(|mail| (&mail["to"], &mail["outcome"])).collect();
    assert_eq!(told, [(&json!("bob@example.com"), &json!("sent")), (&json!("ann@example.com"), &json!("sent"))]);
    let (_, page) = host.get("/v1/mails?limit=1").await;
    let (_, next) = host.get(&format!("/v1/mails?limit=1&cursor={}", page["next_cursor"].as_str().unwrap())).await;
    assert_eq!(next["mails"][0]["to"], "ann@example.com", "{next}");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_still_holds_at_the_end_of_a_mute_is_one_mail_and_what_came_and_went_is_none() {
    let host = TestHost::start().await;
    let until = Clock::Manual(host.clock.clone()).now().after(Duration::from_secs(4 * 3600));
    let (status, settings) = patch(&host, json!({ "muted_until": until })).await;
    assert_eq!((status, &settings["muted"]["by"]), (StatusCode::OK, &json!("admin")), "{settings}");
    let (_, org) = host.get("/v1/orgs/acme").await;
    assert_eq!(org["mails_muted_until"], json!(until));
    // One cause comes and goes.
    host.notify(received(1, 1, "quokka", "jane@example.com")).await;
    host.until("it is pending", |health| health.sync_errors.pending == 1).await;
    let errors = host.idle().await;
    let path = format!("/v1/sync-errors/{}/ignore", errors[0]["id"].as_str().unwrap());
    host.post(&path, json!({ "reason": "closed" })).await;
    // Another one comes and stays, and then nothing gets through any more.
    host.notify(received(2, 2, "wombat", "jane@example.com")).await;
    host.until("it is pending", |health| health.sync_errors.pending == 1).await;
    host.salesforce(Method::POST, "acme/revoke", json!({})).await;
    host.notify(received(3, 3, "billing", "jane@example.com")).await;
    host.until("it is parked", |health| health.parked > 0).await;
    let host = host.restart().await;
    host.clock.advance(Duration::from_secs(3 * 3600));
    let (_, tested) = host.post(&format!("{SETTINGS}/test-mail"), json!({})).await;
    assert_eq!(tested["mails"][0]["outcome"], "sent", "a test goes also while mails are muted: {tested}");
    assert_eq!(host.mails(1).await.len(), 1, "nothing but the test");
    host.clock.advance(Duration::from_secs(3600));
    let mails = host.mails(2).await;
    assert_eq!(mails.len(), 2, "{mails:?}");
    let (subject, text) = (mails[1]["subject"].as_str().unwrap(), mails[1]["text"].as_str().unwrap());
    assert!(subject.contains("2 things since mails were muted"), "{subject}");
    assert!(text.contains("wombat") && text.contains("no longer authorized") && !text.contains("quokka"), "{text}");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_mail_answers_what_the_server_said_to_each_and_is_bounded() {
    let recipients = ["ada@example.com", "nobody@example.com"];
    let host = TestHost::set_up(Setup { recipients: &recipients, ..Setup::default() }).await;
    host.mailbox("recipients", json!({ "nobody@example.com": 550 })).await;
    let path = format!("{SETTINGS}/test-mail");
    let (status, tested) = host.post(&path, json!({})).await;
    assert_eq!(status, StatusCode::OK, "{tested}");
    let of = |place: usize| (tested["mails"][place]["to"].clone(), tested["mails"][place]["outcome"].clone());
    assert_eq!(of(0), (json!("ada@example.com"), json!("sent")));
    assert_eq!(of(1), (json!("nobody@example.com"), json!("refused")));
    assert!(tested["mails"][1]["words"].as_str().unwrap().contains("550"), "{tested}");
    let (_, log) = host.get("/v1/mails").await;
    assert_eq!(log["mails"].as_array().unwrap().len(), 2, "{log}");
    let (status, _) = host.post(&path, json!({ "to": "stranger@example.com" })).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "nobody else is sent anything");
    for _ in 0..4 {
        let (status, tested) = host.post(&path, json!({ "to": "ada@example.com" })).await;
        assert_eq!((status, tested["mails"].as_array().map(Vec::len)), (StatusCode::OK, Some(1)));
    }
    let (status, problem) = host.post(&path, json!({})).await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
    assert!(problem["retry_after"].as_u64() > Some(60), "{problem}");
    host.clock.advance(Duration::from_secs(600));
    assert_eq!(host.post(&path, json!({})).await.0, StatusCode::OK);
    host.stop().await;
}

//! Alerts over a real SMTP exchange: one mail when something is pending, one when nothing is any more, one when a policy is
//! rolled back.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use switchyard_tests::{ADMIN, Setup, TestHost, received};

#[tokio::test(flavor = "multi_thread")]
async fn the_first_pending_error_sends_one_mail_and_recovery_another_and_a_restart_none() {
    let host = TestHost::start().await;
    for n in 1..=3 {
        host.notify(received(n, n, "nobody", "jane@example.com")).await;
        host.until("it is on record", |health| health.sync_errors.pending == n).await;
    }
    let mails = host.mails(1).await;
    let first = &mails[0];
    assert!(subject(first).contains("3 conversations"), "{}", subject(first));
    assert_eq!(first["to"], json!(["acme-admin@example.com"]));
    for part in ["text", "html"] {
        let body = first[part].as_str().expect("a part");
        assert!(body.contains("TEAM_NOT_MAPPED") && body.contains("The first points to check"), "{body}");
        assert!(body.contains("/sync-errors?org=acme"), "{body}");
    }
    let host = host.restart().await;
    for error in host.idle().await {
        let path = format!("/v1/sync-errors/{}/ignore", error["id"].as_str().unwrap());
        host.post(&path, json!({ "reason": "closed" })).await;
    }
    let mails = host.mails(2).await;
    assert_eq!(mails.len(), 2, "three errors are one mail");
    assert!(subject(&mails[1]).contains("no sync error is pending any more"), "{}", mails[1]);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_of_its_policy_sends_an_organization_one_mail_that_says_why() {
    let more = "[policies.limits]\nguard_failures = 3\ndeadline_ms = 20000\nconfigure_deadline_ms = 20000\n";
    let host = TestHost::set_up(Setup { more, ..Setup::default() }).await;
    for n in 1..=3 {
        host.notify(received(n, n, "billing", "jane@example.com")).await;
    }
    host.idle().await;
    let policy = json!({
        "toml": "plugin = \"script\"\nscript = \"acme.rhai\"\n[settings.queues]\ncare = \"Care\"\n",
        "scripts": { "acme.rhai": std::fs::read_to_string(host.policy_file("acme.rhai")).unwrap() },
    });
    host.call(Method::PUT, "/v1/policies/acme", ADMIN, Some(policy)).await;
    for n in 4..=7 {
        host.notify(received(n, n, "billing", "jane@example.com")).await;
    }
    host.seen("/v1/policies/acme", |policy| policy["in_force"]["revision"] == 1).await;
    host.until("some are pending", |health| health.sync_errors.pending > 0).await;
    // One says that something is pending; the other organization has the same policy.
    let mails = host.mails(3).await;
    let mut told: Vec<_> =
        mails.iter().filter(|mail| subject(mail).contains("was rolled back to revision 1")).collect();
    told.retain(|mail| mail["to"] == json!(["acme-admin@example.com"]));
    assert_eq!(told.len(), 1, "{mails:?}");
    let text = told[0]["text"].as_str().expect("a text");
    assert!(text.contains("failed or were refused") && text.contains("/policies/acme"), "{text}");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_server_that_accepts_and_says_nothing_mutes_nobody_once_it_is_mended() {
    let host = TestHost::set_up(Setup { mail: "timeout_ms = 1000", ..Setup::default() }).await;
    host.mailbox("mood", json!({ "mood": "mute" })).await;
    host.notify(received(1, 1, "nobody", "jane@example.com")).await;
    let failed = |text: &Value| text.as_str().is_some_and(|text| text.contains("mails_total{outcome=\"failed\"}"));
    host.seen_while_time_passes("/metrics", failed).await;
    host.mailbox("mood", json!({ "mood": "accept" })).await;
    host.clock.advance(Duration::from_secs(60));
    assert_eq!(host.mails(1).await.len(), 1);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_server_that_says_nothing_does_not_keep_the_host_from_stopping() {
    let host = TestHost::start().await;
    host.mailbox("mood", json!({ "mood": "mute" })).await;
    host.salesforce(Method::POST, "acme/revoke", json!({})).await;
    host.notify(received(1, 1, "billing", "jane@example.com")).await;
    host.mail_clients(1).await;
    let stopped = tokio::time::timeout(Duration::from_secs(20), host.stop()).await;
    assert!(stopped.is_ok(), "the host still waits for the mail server");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_was_taken_is_not_sent_again_although_the_server_says_no_goodbye() {
    let host = TestHost::set_up(Setup { mail: "timeout_ms = 5000", ..Setup::default() }).await;
    host.mailbox("mood", json!({ "mood": "mute_after_mail" })).await;
    host.notify(received(1, 1, "nobody", "jane@example.com")).await;
    let sent = |text: &Value| text.as_str().is_some_and(|text| text.contains("mails_total{outcome=\"sent\"} 1"));
    host.seen_while_time_passes("/metrics", sent).await;
    assert_eq!(host.mails(1).await.len(), 1);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_recipient_gets_a_message_of_its_own_and_a_refused_one_keeps_nobody_else_from_hearing() {
    let recipients = ["ada@example.com", "nobody@example.com", "Eve <eve@example.com>"];
    let host = TestHost::set_up(Setup { recipients: &recipients, ..Setup::default() }).await;
    host.mailbox("recipients", json!({ "nobody@example.com": 550 })).await;
    host.notify(received(1, 1, "nobody", "jane@example.com")).await;
    let mails = host.mails(2).await;
    let mut to: Vec<_> = mails.iter().map(|mail| mail["to"].to_string()).collect();
    to.sort();
    assert_eq!(to, [r#"["ada@example.com"]"#, r#"["eve@example.com"]"#]);
    let head = |mail: &Value, name: &str| mail["headers"][name].as_str().unwrap_or_default().to_owned();
    for mail in &mails {
        assert_eq!(head(mail, "auto-submitted"), "auto-generated");
        assert!(head(mail, "date").ends_with("+0000"), "{mail}");
        assert!(head(mail, "message-id").ends_with("@example.com>"), "{mail}");
    }
    assert_ne!(head(&mails[0], "message-id"), head(&mails[1], "message-id"));
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_token_is_told_at_once_although_an_old_sync_error_is_pending_and_its_end_is_told_once() {
    let host = TestHost::start().await;
    host.notify(received(1, 1, "nobody", "jane@example.com")).await;
    host.mails(1).await;
    host.salesforce(Method::POST, "acme/revoke", json!({})).await;
    for n in 2..=20 {
        host.notify(received(n, n, "billing", "jane@example.com")).await;
    }
    let mails = host.mails(2).await;
    assert!(subject(&mails[1]).contains("no longer authorized"), "{}", subject(&mails[1]));
    assert!(mails[1]["text"].as_str().unwrap().contains("parked"), "{}", mails[1]);
    host.salesforce(Method::POST, "acme/revive", json!({})).await;
    host.post("/v1/orgs/acme/retry-all", json!({})).await;
    host.until("all are in", |health| health.parked == 0 && health.incident.is_none()).await;
    let mails = host.mails(3).await;
    assert!(subject(&mails[2]).contains("get through again"), "{}", subject(&mails[2]));
    assert_eq!(mails.len(), 3);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_before_the_cause_is_mended_sends_no_all_clear_and_no_second_mail_about_the_cause() {
    let host = TestHost::start().await;
    for n in 1..=5 {
        host.notify(received(n, n, "nobody", "jane@example.com")).await;
    }
    host.until("all are on record", |health| health.sync_errors.pending == 5).await;
    host.mails(1).await;
    for _ in 0..3 {
        host.post("/v1/orgs/acme/retry-all", json!({})).await;
        host.until("all failed again", |health| health.sync_errors.pending == 5 && health.idle()).await;
        host.clock.advance(Duration::from_secs(400));
    }
    // Another cause is told: so the mailbox would have what was sent before it.
    host.notify(received(6, 6, "nowhere", "jane@example.com")).await;
    let mails = host.mails(2).await;
    assert_eq!(mails.len(), 2, "{:?}", mails.iter().map(subject).collect::<Vec<_>>());
    assert!(subject(&mails[1]).contains("nowhere"), "{}", subject(&mails[1]));
    host.stop().await;
}

fn subject(mail: &Value) -> &str {
    mail["subject"].as_str().expect("a subject")
}

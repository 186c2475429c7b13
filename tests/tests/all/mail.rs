//! Alerts over a real SMTP exchange: one mail when something is pending, one when nothing is any more, one when a policy is
//! rolled back.

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
    // One says that something is pending; the other organization has the same policy.
    let mails = host.mails(3).await;
    let mut told: Vec<_> =
        mails.iter().filter(|mail| subject(mail).contains("was rolled back to revision 1")).collect();
    told.retain(|mail| mail["to"] == json!(["acme-admin@example.com"]));
    assert_eq!(told.len(), 1, "{mails:?}");
    let text = told[0]["text"].as_str().expect("a text");
    assert!(text.contains("failed or were refused") && text.contains("/policies#acme"), "{text}");
    host.stop().await;
}

fn subject(mail: &Value) -> &str {
    mail["subject"].as_str().expect("a subject")
}

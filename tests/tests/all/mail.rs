//! Alerts over a real SMTP exchange: one mail when something is pending, one when nothing is any more.

use serde_json::json;
use switchyard_tests::{TestHost, received};

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
    assert!(mails[1]["subject"].as_str().unwrap().contains("no sync error is pending any more"), "{}", mails[1]);
    host.stop().await;
}

//! What a source forgets is forgotten wherever it is on record.

use reqwest::StatusCode;
use serde_json::json;
use switchyard_tests::{TestHost, received};

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

//! A backup of a running host: who may read it, and that it is whole.

use std::io::Cursor;

use reqwest::{Method, StatusCode};
use serde_json::json;
use switchyard::store::{AsTheyAre, Convert, MemoryStore, Range, Store, check_export, import, ring};
use switchyard_tests::{ADMIN, OPERATOR, TestHost};

use crate::browser::Browser;
use crate::tokens::make;

fn as_they_are(format: u64) -> Box<dyn Convert> {
    Box::new(AsTheyAre { format })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_read_with_a_scope_of_its_own_and_restores_what_the_host_keeps() {
    let host = TestHost::start().await;
    let message = json!({ "id": "m1", "sent_at": "2026-09-21T10:00:00Z", "body": "Hello" });
    let conversation = json!({
        "id": "7", "account": "web", "channel": "chat", "customer": { "name": "Ann" }, "messages": [message],
    });
    let (status, _) = host.post("/v1/intake/shop-acme", conversation).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    host.idle().await;
    let made = make(&host, json!({ "name": "robot", "scopes": ["read"] })).await;
    Browser::sign_in(&host, &made.secret).await;
    for (method, token, wanted) in [
        (Method::POST, OPERATOR, StatusCode::FORBIDDEN),
        (Method::POST, "wrong", StatusCode::UNAUTHORIZED),
        (Method::GET, ADMIN, StatusCode::METHOD_NOT_ALLOWED),
    ] {
        let (status, problem) = host.call(method, "/v1/backup", token, None).await;
        assert_eq!(status, wanted, "{problem}");
        assert!(!problem.to_string().contains("shop-acme"), "{problem}");
    }
    let url = format!("http://{}/v1/backup", host.app.address);
    let answer = host.http.post(url).bearer_auth(ADMIN).send().await.unwrap();
    assert_eq!(
        (answer.status(), &answer.headers()["content-type"]),
        (StatusCode::OK, &"application/x-ndjson".parse().unwrap())
    );
    let mut from = Cursor::new(answer.text().await.unwrap());
    let (restored, checked) = (MemoryStore::default(), check_export(&mut from, false, as_they_are).unwrap());
    import(&restored, &mut from, &checked, as_they_are, |_| ()).await.unwrap();
    let all =
        |range: Range| async { (restored.range(range.clone()).await.unwrap(), host.store.range(range).await.unwrap()) };
    let (mut there, mut here) = all(Range::of("", 10_000)).await;
    // Events tell of this store.
    here.retain(|(key, _)| !key.starts_with(ring::RING.as_bytes()) && key != ring::NAME.as_bytes());
    // Its own action comes while it is read, or after its last moment.
    let is_own = |value: &[u8]| String::from_utf8_lossy(value).contains("\"what\":\"backup\"");
    [&mut there, &mut here].into_iter().for_each(|all| all.retain(|(_, value)| !is_own(value)));
    for prefix in ["conversation/acme/", "api-token/", "console-session/"] {
        assert!(there.iter().any(|(key, _)| key.starts_with(prefix.as_bytes())), "{prefix}: {} records", there.len());
    }
    assert_eq!(there, here);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_backup_at_the_same_time_is_refused_and_one_whose_reader_went_away_is_over() {
    let host = TestHost::start().await;
    let being_read = host.store.watch().unwrap();
    let (status, problem) = host.post("/v1/backup", json!({})).await;
    assert_eq!((status, &problem["status"]), (StatusCode::CONFLICT, &json!(409)), "{problem}");
    drop(being_read);
    let url = format!("http://{}/v1/backup", host.app.address);
    drop(host.http.post(url).bearer_auth(ADMIN).send().await.unwrap());
    while host.store.watch().is_err() {
        tokio::task::yield_now().await;
    }
    host.stop().await;
}

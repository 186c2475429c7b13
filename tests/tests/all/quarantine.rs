//! What cannot be read is set aside, listed, put back and forgotten, and keeps nothing else from going through.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use switchyard::store::{Batch, Store};
use switchyard_tests::{ADMIN, OPERATOR, READER, TestHost, received};

/// What a later release might have written.
const UNREADABLE: &str = "{\"9\":{\"customer\":\"Jane Doe\"}}";

async fn put(host: &TestHost, records: &[(&str, &str)]) {
    let mut batch = Batch::default();
    for (key, value) in records {
        batch.put(*key, *value);
    }
    host.store.commit(batch).await.expect("a commit");
}

/// The entries of the quarantine, by their keys.
async fn entries(host: &TestHost) -> Vec<(String, String)> {
    let (status, list) = host.get("/v1/quarantine").await;
    assert_eq!(status, StatusCode::OK, "{list}");
    let text = |entry: &Value, name: &str| entry[name].as_str().expect("a text").to_owned();
    let entries = list["quarantine"].as_array().expect("a list").iter();
    let mut entries: Vec<_> = entries.map(|entry| (text(entry, "key"), text(entry, "id"))).collect();
    entries.sort();
    entries
}

/// An entry whose record this release can read, as an update leaves it.
async fn put_readable(host: &TestHost, id: &str) {
    let arrival = json!({ "2": {
        "source": "main", "account": "12", "account_name": "Acme page", "conversation": "main:7", "message": "main:5007",
        "event": 7, "kind": "task-create", "at": "2026-09-21T10:00:00Z", "by": "webhook", "channel": "whatsapp",
        "url": null, "team": "billing", "agent": null, "closed": null, "tags": [], "attributes": [], "extra": null,
        "customer": { "id": "99", "name": "Jane Doe", "email": "jane@example.com" },
        "messages": [{ "id": "main:5007", "direction": "inbound", "author": "Jane Doe", "body": "hello",
            "sent_at": "2026-09-21T10:00:00Z" }],
    }})
    .to_string();
    let entry = json!({ "2": {
        "id": id, "org": "acme", "key": "inbox/acme/00000000000000000900", "reason": "an arrival cannot be understood",
        "at": "2026-09-21T10:00:00Z", "bytes": arrival.len(),
    }})
    .to_string();
    let (name, value) = (format!("quarantine/acme/{id}"), format!("quarantine-value/acme/{id}"));
    put(host, &[(&name, &entry), (&value, &arrival)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_listed_and_the_next_conversation_goes_through() {
    let host = TestHost::start().await;
    host.notify(received(1, 1, "billing", "jane@example.com")).await;
    host.idle().await;
    let damaged = [("inbox/acme/00000000000000000000", UNREADABLE), ("conversation/acme/main:1", UNREADABLE)];
    put(&host, &damaged).await;
    host.notify(received(2, 1, "billing", "jane@example.com")).await;
    host.notify(received(3, 2, "billing", "jane@example.com")).await;
    host.idle().await;
    assert_eq!(host.query("SELECT Id FROM alcmeon__Conversation__c").await.len(), 2);
    let found = entries(&host).await;
    let keys: Vec<_> = found.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["conversation/acme/main:1", "inbox/acme/00000000000000000000"]);

    let (_, first) = host.get("/v1/quarantine?limit=1").await;
    let cursor = first["next_cursor"].as_str().expect("a cursor");
    let (_, second) = host.get(&format!("/v1/quarantine?limit=1&cursor={cursor}")).await;
    assert_ne!(first["quarantine"][0]["id"], second["quarantine"][0]["id"]);
    assert_eq!(first["quarantine"][0]["value"], Value::Null, "a list holds no personal data");
    assert_eq!(host.get("/v1/quarantine?cursor=none").await.0, StatusCode::BAD_REQUEST);
    let (_, shown) = host.get(&format!("/v1/quarantine/{}", found[1].1)).await;
    assert_eq!((shown["value"].as_str(), shown["org"].as_str()), (Some(UNREADABLE), Some("acme")));

    // The conversation is on record anew, and the arrival is what it was.
    for (entry, words) in [(&found[0], "something else stands at"), (&found[1], "cannot be understood")] {
        let (status, problem) = host.post(&format!("/v1/quarantine/{}/retry", entry.1), json!({})).await;
        assert_eq!(status, StatusCode::CONFLICT, "{problem}");
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains(words)), "{problem}");
    }
    for (_, id) in &found {
        let path = format!("/v1/quarantine/{id}");
        assert_eq!(host.call(Method::DELETE, &path, OPERATOR, None).await.0, StatusCode::NO_CONTENT);
        assert_eq!(host.call(Method::DELETE, &path, OPERATOR, None).await.0, StatusCode::NOT_FOUND);
    }
    assert!(entries(&host).await.is_empty());
    assert!(!host.exported().await.contains("quarantine-value/"), "what was forgotten is gone from the store");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_be_read_again_is_put_back_and_goes_through() {
    let host = TestHost::start().await;
    host.idle().await;
    put_readable(&host, "qu-00000000000000000001").await;
    let path = "/v1/quarantine/qu-00000000000000000001/retry";
    let (status, answer) = host.call(Method::POST, path, OPERATOR, None).await;
    assert_eq!((status, answer["key"].as_str()), (StatusCode::ACCEPTED, Some("inbox/acme/00000000000000000900")));
    host.idle().await;
    assert_eq!(host.query("SELECT Id FROM alcmeon__Conversation__c").await.len(), 1);
    assert!(entries(&host).await.is_empty());
    assert_eq!(host.call(Method::POST, path, OPERATOR, None).await.0, StatusCode::NOT_FOUND);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_never_written_can_only_be_forgotten() {
    let host = TestHost::start().await;
    let entry = json!({ "2": {
        "id": "qu-1", "org": "acme", "key": "conversation/acme/main:1 (not written)", "reason": "too large",
        "at": "2026-09-21T10:00:00Z", "bytes": 0,
    }});
    put(&host, &[("quarantine/acme/qu-1", &entry.to_string()), ("quarantine-value/acme/qu-1", "")]).await;
    let (status, problem) = host.post("/v1/quarantine/qu-1/retry", json!({})).await;
    assert_eq!((status, problem["type"].as_str()), (StatusCode::CONFLICT, Some("/problems/not-put-back")));
    assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains("nothing to put back")), "{problem}");
    assert_eq!(host.call(Method::DELETE, "/v1/quarantine/qu-1", ADMIN, None).await.0, StatusCode::NO_CONTENT);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_only_read_may_list_and_recount_but_neither_show_retry_nor_forget() {
    let host = TestHost::start().await;
    host.notify(received(1, 1, "billing", "jane@example.com")).await;
    host.idle().await;
    put_readable(&host, "qu-1").await;
    let (status, list) = host.call(Method::GET, "/v1/quarantine", READER, None).await;
    assert_eq!((status, list["quarantine"][0]["id"].as_str()), (StatusCode::OK, Some("qu-1")));
    let forbidden = [
        (Method::GET, "/v1/quarantine/qu-1"),
        (Method::POST, "/v1/quarantine/qu-1/retry"),
        (Method::DELETE, "/v1/quarantine/qu-1"),
    ];
    for (method, path) in forbidden {
        assert_eq!(host.call(method, path, READER, None).await.0, StatusCode::FORBIDDEN, "{path}");
    }
    assert_eq!(entries(&host).await.len(), 1);
    let (status, verified) = host.call(Method::POST, "/v1/store/verify", READER, None).await;
    assert_eq!((status, verified["differences"].as_u64()), (StatusCode::OK, Some(0)), "{verified}");
    put(&host, &[("parked/acme/1790000000000/main:9", "")]).await;
    let (_, verified) = host.call(Method::POST, "/v1/store/verify", READER, None).await;
    assert_eq!(verified["differences"].as_u64(), Some(1), "{verified}");
    assert!(verified["named"][0].as_str().is_some_and(|it| it.contains("parked/acme/1790000000000/main:9")));
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_that_leaves_the_configuration_keeps_its_sync_errors_until_it_is_back() {
    let host = TestHost::start().await;
    for n in 1..=2 {
        let mut action = received(n, n, "nobody", "jane@example.com");
        action["account"]["id"] = json!(13);
        host.notify(action).await;
    }
    let pending = |wanted: u64| {
        move |orgs: &Value| {
            let known =
                orgs["orgs"].as_array().into_iter().flatten().chain(orgs["departed"].as_array().into_iter().flatten());
            known.into_iter().any(|org| org["id"] == "other" && org["sync_errors"]["pending"] == wanted)
        }
    };
    host.seen("/v1/orgs", pending(2)).await;
    let mut other = None;
    let host = host
        .restart_with(|config| {
            let place = config.orgs.iter().position(|org| org.id.as_str() == "other").expect("it is there");
            other = Some(config.orgs.remove(place));
        })
        .await;
    let orgs = host.seen("/v1/orgs", pending(2)).await;
    assert_eq!(orgs["orgs"].as_array().map(Vec::len), Some(1), "{orgs}");
    assert_eq!(orgs["departed"][0]["id"], "other", "{orgs}");
    let (_, list) = host.get("/v1/sync-errors?org=other&state=pending").await;
    let id = list["sync_errors"][0]["id"].as_str().expect("an id").to_owned();
    assert_eq!(list["sync_errors"].as_array().map(Vec::len), Some(2));
    assert_eq!(host.get(&format!("/v1/sync-errors/{id}")).await.1["org"], "other");
    let retry = json!({ "task": "retry", "query": { "org": "other" } });
    let (status, refused) = host.post("/v1/operations", retry).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "nothing is attempted for it: {refused}");
    let reason = json!({ "reason": "the shop is closed" });
    let (status, ignored) = host.post(&format!("/v1/sync-errors/{id}/ignore"), reason).await;
    assert_eq!((status, ignored["state"].as_str()), (StatusCode::OK, Some("ignored")), "{ignored}");

    let host = host.restart_with(|config| config.orgs.extend(other)).await;
    let orgs = host.seen("/v1/orgs", pending(1)).await;
    assert_eq!((orgs["orgs"].as_array().map(Vec::len), &orgs["departed"]), (Some(2), &json!([])));
    assert_eq!(host.get(&format!("/v1/sync-errors/{id}")).await.1["reason"], "the shop is closed");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_that_cannot_be_read_is_left_out_of_the_checks_and_of_what_a_policy_would_decide() {
    let host = TestHost::start().await;
    host.notify(received(1, 1, "nobody", "jane@example.com")).await;
    host.notify(received(2, 2, "billing", "jane@example.com")).await;
    host.idle().await;
    put(&host, &[("conversation/acme/main:1", UNREADABLE)]).await;
    let (status, report) = host.post("/v1/orgs/acme/checks", json!({})).await;
    assert_eq!(status, StatusCode::OK, "{report}");
    let (status, coverage) = host.get("/v1/policies/acme/coverage").await;
    assert_eq!((status, coverage["looked_at"].as_u64()), (StatusCode::OK, Some(1)), "{coverage}");
    let texts = host.get("/v1/policies/acme").await.1["source"].clone();
    let (status, preview) = host.post("/v1/policies/acme/preview", texts).await;
    assert_eq!((status, preview["good"]["looked_at"].as_u64()), (StatusCode::OK, Some(1)), "{preview}");
    host.stop().await;
}

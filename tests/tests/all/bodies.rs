//! Bodies that are not what a call takes: each call of the document that takes JSON refuses them, in a problem document.

use reqwest::{Method, StatusCode};
use serde_json::Value;
use switchyard_tests::{ADMIN, TestHost, received};

/// What is sent, and with which status it is refused; `None` for any refusal of the request's own making.
fn bodies() -> [(&'static str, String, Option<StatusCode>); 8] {
    let bad = Some(StatusCode::BAD_REQUEST);
    let deep = format!("{{\"x\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    [
        ("too deep", deep, bad),
        ("too much", " ".repeat(8 << 20), Some(StatusCode::PAYLOAD_TOO_LARGE)),
        ("half of it", "{\"reason\":\"a te".to_owned(), bad),
        ("a byte of zero", "{\"reason\":\"a\0b\"}".to_owned(), None),
        ("half a surrogate pair", r#"{"reason":"\ud800"}"#.to_owned(), None),
        ("a member twice", r#"{"reason":"a","reason":"b"}"#.to_owned(), None),
        ("an array", "[]".to_owned(), bad),
        ("a number", "1".to_owned(), bad),
    ]
}

/// The path with what there is in the place of its parameters.
fn filled(path: &str, error: &Value) -> String {
    let text = |name: &str| error[name].as_str().expect("a text");
    let id = match path {
        path if path.starts_with("/v1/groups") => text("group"),
        _ => text("id"),
    };
    let name = if path.starts_with("/v1/plugins") { "keyword-router" } else { "acme" };
    let parameters = [("{org}", "acme"), ("{source}", "shop"), ("{name}", name), ("{number}", "1"), ("{id}", id)];
    let path = parameters.iter().fold(path.to_owned(), |path, (name, value)| path.replace(name, value));
    path.replace("{conversation}", text("conversation"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_not_what_a_call_takes_is_refused_by_every_call_and_changes_nothing() {
    let host = TestHost::start().await;
    host.notify(received(1, 1, "nobody", "jane@example.com")).await;
    host.until("it is on record", |health| health.sync_errors.pending == 1).await;
    let error = host.get("/v1/sync-errors").await.1["sync_errors"][0].clone();
    let (_, document) = host.get("/v1/openapi.json").await;
    let mut calls = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let takes = &operation["requestBody"]["content"]["application/json"];
            if takes.is_null() || operation["security"] == serde_json::json!([]) {
                continue;
            }
            calls += 1;
            let url = format!("http://{}{}", host.app.address, filled(path, &error));
            let method: Method = method.to_uppercase().parse().unwrap();
            for (what, body, wanted) in bodies() {
                let request = host.http.request(method.clone(), &url).bearer_auth(ADMIN).body(body);
                let answer = request.header("content-type", "application/json").send().await.unwrap();
                let (status, text) = (answer.status(), answer.text().await.unwrap());
                let problem: Value = serde_json::from_str(&text).unwrap_or_default();
                assert!(
                    status.is_client_error() && problem["title"].is_string(),
                    "{method} {path}, {what}: {status} {text}"
                );
                assert!(wanted.is_none_or(|wanted| status == wanted), "{method} {path}, {what}: {status} {text}");
                assert!(text.len() < 4_096, "{method} {path}, {what}: {} bytes", text.len());
            }
        }
    }
    assert!(calls >= 10, "{calls} calls take JSON");
    let known = host.get("/v1/sync-errors").await.1["sync_errors"][0].clone();
    assert_eq!(known, error, "nothing has changed");
    host.stop().await;
}

//! The document of the API: that it is the one that was agreed on, and what a change of it means to clients.

mod changes;

use std::collections::BTreeSet;
use std::path::Path;

use reqwest::{Method, StatusCode};
use serde_json::Value;
use switchyard_tests::TestHost;

/// The agreed document.
const AGREED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.json");
/// `agree` writes a document that breaks no client, `break` any.
const SWITCH: &str = "SWITCHYARD_OPENAPI";

async fn served(host: &TestHost) -> Value {
    let (status, document) = host.call(Method::GET, "/v1/openapi.json", "", None).await;
    assert_eq!(status, StatusCode::OK);
    document
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_is_the_agreed_one() {
    let host = TestHost::start().await;
    let served = served(&host).await;
    host.stop().await;
    let agreed = std::fs::read(AGREED).ok().and_then(|json| serde_json::from_slice::<Value>(&json).ok());
    let agreed = agreed.unwrap_or_default();
    if agreed == served {
        return;
    }
    let changes = changes::between(&agreed, &served);
    let told: Vec<_> = changes.iter().map(ToString::to_string).collect();
    let breaks = changes.iter().any(|change| change.breaks);
    let how = std::env::var(SWITCH).unwrap_or_default();
    if how == "break" || (how == "agree" && !breaks) {
        let mut json = serde_json::to_string_pretty(&served).unwrap();
        json.push('\n');
        return std::fs::write(Path::new(AGREED), json).unwrap();
    }
    let words = match told.is_empty() {
        true => "only words differ".to_owned(),
        false => told.join("\n"),
    };
    panic!(
        "the API is not the one of docs/openapi.json:\n{words}\nTo agree on it, run this test with {SWITCH}=agree, or \
         with {SWITCH}=break where clients may break, and say so in CHANGELOG.md."
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_in_the_document_can_be_found_and_is_explained() {
    let host = TestHost::start().await;
    let document = served(&host).await;
    let text = document.to_string();
    let mut names = BTreeSet::new();
    for part in text.split("\"$ref\":\"#").skip(1) {
        let path = part.split('"').next().unwrap();
        assert!(document.pointer(path).is_some(), "{path} leads nowhere");
        names.insert(path.rsplit('/').next().unwrap().to_owned());
    }
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        assert!(names.contains(name), "nothing is a {name}");
        let words = schema["description"].as_str().unwrap_or_default();
        assert!(!words.is_empty(), "{name} is not explained");
    }
    let mut ids = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap();
            assert!(ids.insert(id.to_owned()), "{id} twice");
            assert!(operation["summary"].as_str().is_some_and(|words| !words.contains('.')), "{method} {path}");
            let scopes = operation["security"].as_array().unwrap().len();
            assert!(scopes == 1 || path.starts_with("/alcmeon") || path.ends_with('z'), "{method} {path}: no scope");
        }
    }
    assert!(ids.len() > 50, "{}", ids.len());
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn people_can_read_it_without_a_token_and_each_kind_of_problem_has_a_page() {
    let host = TestHost::start().await;
    let page = async |path: &str| {
        let answer = host.http.get(format!("http://{}{path}", host.app.address)).send().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    };
    let document = served(&host).await;
    let (status, html) = page("/docs").await;
    assert_eq!(status, StatusCode::OK);
    for item in document["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap().values()) {
        let id = item["operationId"].as_str().unwrap();
        assert!(html.contains(&format!("id=\"{id}\"")), "{id} is not on the page");
    }
    let elsewhere = ["src=\"http", "src=\"//", "href=\"http", "url("].into_iter().find(|from| html.contains(from));
    assert_eq!(elsewhere, None, "nothing comes from elsewhere");
    let (_, problem) = host.call(Method::GET, "/v1/orgs/nobody", "wrong", None).await;
    let (status, html) = page(problem["type"].as_str().unwrap()).await;
    assert!(status == StatusCode::OK && html.contains("Authorization: Bearer"), "{problem}: {html}");
    assert_eq!(page("/problems/none").await.0, StatusCode::NOT_FOUND);
    host.stop().await;
}

//! A policy names a queue that the organization does not have: its pages lead to the text that names it, and back to what waits.

use reqwest::{Method, StatusCode};
use serde_json::json;
use switchyard_tests::{ADMIN, READER, TestHost, received};

use crate::browser::Browser;

const EDIT: &str = "/policies/acme/edit";

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_is_not_there_leads_to_the_text_that_names_it_and_back_to_what_waits() {
    let host = TestHost::start().await;
    let (_, policy) = host.get("/v1/policies/acme").await;
    let right = policy["source"]["toml"].as_str().unwrap();
    // A text as long as this is folded elsewhere.
    let wrong = right.replace("Billing", "Gone ".repeat(40).trim());
    let texts = json!({ "toml": wrong, "scripts": policy["source"]["scripts"] });
    assert_eq!(host.call(Method::PUT, "/v1/policies/acme", ADMIN, Some(texts)).await.0, StatusCode::OK);
    host.notify(received(1, 1, "billing", "jane@example.com")).await;
    let error = host.idle().await.remove(0);
    assert_eq!(error["refusal"]["code"], "QUEUE_NOT_FOUND");
    let (id, group) = (error["id"].as_str().unwrap(), error["group"].as_str().unwrap());
    let (of_error, of_cause) = (format!("/sync-errors/{id}"), format!("/causes/{group}?org=acme"));

    let browser = Browser::sign_in(&host, ADMIN).await;
    let link = format!("href=\"{EDIT}\">Open the policy acme<");
    let whole = "<div class=\"said\">there is no queue `Gone";
    browser.get(&of_error).await.says(&[&link, whole, "there are: Billing, Care (policy acme"]);
    browser.get(&of_cause).await.says(&[&link]);
    let reader = Browser::sign_in(&host, READER).await;
    for path in [&of_error, &of_cause] {
        let page = reader.get(path).await;
        assert!(page.status == StatusCode::OK && !page.text.contains("Open the policy"), "{}", page.text);
    }

    let tag = browser.get(EDIT).await.hidden("tag");
    let script = policy["source"]["scripts"]["acme.rhai"].as_str().unwrap();
    let form = [("tag", &*tag), ("toml", right), ("script:acme.rhai", script), ("do", "put")];
    let put = browser.post(EDIT, &form).await;
    let waits = "/sync-errors?org=acme&amp;org=other&amp;state=pending\">1 sync error</a> waits where it decides";
    browser.get(put.leads_to()).await.says(&[waits]);
    assert!(!browser.get("/policies/acme").await.text.contains("where it decides"), "only after a change");
    host.stop().await;
}

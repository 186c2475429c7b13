//! A person authorizes the host, from the console or over the API.

use reqwest::{Method, StatusCode};
use serde_json::json;
use switchyard_tests::{ADMIN, OPERATOR, TestHost};

use super::{WEB_SERVER, write};
use crate::browser::Browser;

/// A host whose organization somebody has to authorize.
async fn to_authorize() -> TestHost {
    let host = TestHost::with(WEB_SERVER).await;
    // Else nobody could tell which of the two the app asks for.
    host.salesforce(Method::PATCH, "other", json!({ "client_id": "another" })).await;
    host
}

/// A value of an address's query.
fn value(address: &str, name: &str) -> String {
    let address = reqwest::Url::parse(address).unwrap();
    let found = address.query_pairs().find(|(key, _)| key == name);
    found.unwrap_or_else(|| panic!("{name}: {address}")).1.into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_is_authorized_from_the_console_and_what_waited_goes_through() {
    let host = to_authorize().await;
    write(&host, 1).await;
    write(&host, 2).await;
    host.until("both wait", |health| health.parked == 2 && health.idle()).await;
    let (_, org) = host.get("/v1/orgs/acme").await;
    assert_eq!(org["incident"]["refusal"]["code"], "NOT_AUTHORIZED");
    assert!(org["incident_advice"]["check"].as_str().unwrap().contains("Authorize"), "{org}");

    let mut browser = Browser::sign_in(&host, ADMIN).await;
    assert!(browser.get("/orgs/acme/checks").await.text.contains("/oauth/callback"));
    let back = browser.authorize("acme").await;
    let page = browser.come_back(&back).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    assert!(page.text.contains("is authorized") && page.text.contains("2 conversations"), "{}", page.text);
    host.until("both are in", |health| health.parked == 0 && health.idle()).await;
    let (_, audit) = host.get("/v1/messages/main:5001/audit").await;
    let facts = audit["entries"].as_array().unwrap().iter().map(|entry| entry["fact"]["what"].as_str().unwrap());
    assert_eq!(facts.filter(|fact| *fact == "PARKED").count(), 1, "{audit}");

    let exported = host.exported().await;
    // Every refresh token of the simulator begins like this.
    assert!(exported.contains("refresh-token/acme") && !exported.contains("5Aep861"), "a token in the clear");
    let host = host.restart().await;
    write(&host, 3).await;
    let open: Vec<_> = host.idle().await.into_iter().filter(|error| error["state"] != "resolved").collect();
    assert!(open.is_empty(), "the token is known after a restart: {open:?}");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authorization_is_ended_once_and_only_by_the_browser_that_began_it() {
    let host = to_authorize().await;
    let mut browser = Browser::sign_in(&host, ADMIN).await;
    let back = browser.authorize("acme").await;
    assert_eq!(browser.come_back_as_another(&back).await.status, StatusCode::CONFLICT);
    let (address, _) = back.split_once("state=").unwrap();
    assert_eq!(browser.come_back(&format!("{address}state=guessed")).await.status, StatusCode::CONFLICT);
    assert_eq!(browser.come_back(&back).await.status, StatusCode::OK);
    assert_eq!(browser.come_back(&back).await.status, StatusCode::CONFLICT);

    let back = browser.authorize("acme").await;
    browser.post("/logout", &[]).await;
    assert_eq!(browser.come_back(&back).await.status, StatusCode::CONFLICT, "its session is over");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_may_connect_can_authorize() {
    let host = to_authorize().await;
    let body = json!({ "redirect_uri": "http://localhost:1717/oauth/callback" });
    let path = "/v1/orgs/acme/authorization";
    assert_eq!(host.call(Method::POST, path, OPERATOR, Some(body)).await.0, StatusCode::FORBIDDEN);
    let browser = Browser::sign_in(&host, OPERATOR).await;
    assert!(!browser.get("/orgs/acme/checks").await.text.contains("/orgs/acme/authorize"));
    assert_eq!(browser.post("/orgs/acme/authorize", &[]).await.status, StatusCode::FORBIDDEN);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_is_authorized_over_the_api_by_a_code_for_the_callers_own_machine() {
    let host = to_authorize().await;
    let path = "/v1/orgs/acme/authorization";
    let elsewhere = json!({ "redirect_uri": "https://elsewhere.example/callback" });
    assert_eq!(host.post(path, elsewhere).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    let (status, begun) = host.post(path, json!({ "redirect_uri": "http://localhost:1717/oauth/callback" })).await;
    assert_eq!(status, StatusCode::CREATED, "{begun}");
    let browser = Browser::sign_in(&host, ADMIN).await;
    let back = browser.salesforce(begun["url"].as_str().unwrap()).await;
    assert!(back.starts_with("http://localhost:1717/oauth/callback?"), "{back}");
    let (code, state) = (value(&back, "code"), begun["state"].clone());
    assert_eq!(value(&back, "state"), state.as_str().unwrap());
    let finish = format!("{path}/code");
    assert_eq!(host.post(&finish, json!({ "state": "guessed", "code": code })).await.0, StatusCode::CONFLICT);
    let (status, refused) = host.post(&finish, json!({ "state": state, "code": "wrong" })).await;
    assert_eq!((status, refused["type"].as_str()), (StatusCode::CONFLICT, Some("/problems/authorization-refused")));
    let (status, _) = host.post(&finish, json!({ "state": state, "code": code })).await;
    assert_eq!(status, StatusCode::CONFLICT, "a state is good for one try");

    let (_, begun) = host.post(path, json!({ "redirect_uri": "http://localhost:1717/oauth/callback" })).await;
    let back = browser.salesforce(begun["url"].as_str().unwrap()).await;
    let code = value(&back, "code");
    let (status, done) = host.post(&finish, json!({ "state": begun["state"], "code": code })).await;
    assert_eq!((status, done["retried"].as_u64()), (StatusCode::OK, Some(0)), "{done}");
    write(&host, 1).await;
    assert!(host.idle().await.is_empty());
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authorization_that_is_not_allowed_says_why_and_leaves_the_connection_as_it_was() {
    let host = TestHost::start().await;
    host.salesforce(Method::PATCH, "other", json!({ "client_id": "another" })).await;
    let mut browser = Browser::sign_in(&host, ADMIN).await;
    for (consent, code, words) in
        [("deny", "access_denied", "did not allow"), ("blocked", "OAUTH_APP_BLOCKED", "Unblock")]
    {
        host.salesforce(Method::PATCH, "acme", json!({ "consent": consent })).await;
        let back = browser.authorize("acme").await;
        let page = browser.come_back(&back).await;
        assert_eq!(page.status, StatusCode::CONFLICT);
        assert!(page.text.contains(code) && page.text.contains(words), "{}", page.text);
    }
    write(&host, 1).await;
    assert!(host.idle().await.is_empty());
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authorization_of_another_organization_is_refused_and_the_connection_stays_as_it_was() {
    let host = to_authorize().await;
    let mut browser = Browser::sign_in(&host, ADMIN).await;
    let back = browser.authorize("acme").await;
    assert_eq!(browser.come_back(&back).await.status, StatusCode::OK);
    let host = host.restart().await;
    // Whoever logs in now is a user of the other one.
    host.salesforce(Method::PATCH, "acme", json!({ "client_id": "another" })).await;
    host.salesforce(Method::PATCH, "other", json!({ "client_id": "app" })).await;
    let mut browser = Browser::sign_in(&host, ADMIN).await;
    let back = browser.authorize("acme").await;
    let page = browser.come_back(&back).await;
    assert_eq!(page.status, StatusCode::CONFLICT, "{}", page.text);
    assert!(page.text.contains("ANOTHER_ORGANIZATION") && page.text.contains("organization_id"), "{}", page.text);

    host.salesforce(Method::PATCH, "other", json!({ "client_id": "another" })).await;
    host.salesforce(Method::PATCH, "acme", json!({ "client_id": "app" })).await;
    write(&host, 1).await;
    assert!(host.idle().await.is_empty());
    assert_eq!(host.query("SELECT Id FROM alcmeon__Conversation__c").await.len(), 1);
    host.stop().await;
}

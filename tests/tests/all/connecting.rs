//! How an organization is connected, in every flow, and what becomes of it when Salesforce does not accept it any more.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use switchyard_tests::{ADMIN, OPERATOR, TestHost, received};

use crate::browser::Browser;

const WEB_SERVER: &str = "flow = 'web-server'\nclient_secret = 'shh'\n";

/// So long a check shares the refusal of the one before.
const JUST_NOW: Duration = Duration::from_secs(11);

/// A host whose organization somebody has to authorize.
async fn to_authorize() -> TestHost {
    let host = TestHost::with(WEB_SERVER).await;
    // Else nobody could tell which of the two the app asks for.
    host.salesforce(Method::PATCH, "other", json!({ "client_id": "another" })).await;
    host
}

/// A conversation for the queue Billing.
async fn write(host: &TestHost, number: u64) {
    host.notify(received(number, number, "billing", "jane@example.com")).await;
}

fn check<'a>(report: &'a Value, name: &str) -> &'a Value {
    let checks = report["checks"].as_array().unwrap();
    checks.iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("{name}: {report}"))
}

/// A value of an address's query.
fn value(address: &str, name: &str) -> String {
    let address = reqwest::Url::parse(address).unwrap();
    let found = address.query_pairs().find(|(key, _)| key == name);
    found.unwrap_or_else(|| panic!("{name}: {address}")).1.into_owned()
}

async fn token_requests(host: &TestHost) -> usize {
    host.calls().await.iter().filter(|call| call["path"] == "/services/oauth2/token").count()
}

/// The same time for the host and for Salesforce: an assertion is good for minutes.
async fn set_clock(host: &TestHost) {
    let url = format!("{}/control/clock", host.simulator.salesforce);
    let body = json!({ "now_ms": 1_790_000_000_000_i64 });
    assert!(host.http.put(url).json(&body).send().await.unwrap().status().is_success());
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
async fn a_rotated_refresh_token_is_stored_sealed_and_used_after_a_restart() {
    let host = TestHost::start().await;
    host.salesforce(Method::PATCH, "acme", json!({ "rotation": true })).await;
    write(&host, 1).await;
    assert!(host.idle().await.is_empty());
    let exported = host.exported().await;
    assert!(exported.contains("refresh-token/acme") && !exported.contains("5Aep861"), "a token in the clear");
    let host = host.restart().await;
    write(&host, 2).await;
    assert!(host.idle().await.is_empty(), "the configured token is dead by now");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_request_that_salesforce_asks_to_repeat_is_repeated_though_it_was_a_400() {
    let host = TestHost::start().await;
    host.salesforce(Method::POST, "acme/token-refusals", json!({ "name": "retry", "times": 1 })).await;
    write(&host, 1).await;
    host.until("a retry is scheduled", |health| health.scheduled == 1).await;
    host.clock.advance(Duration::from_secs(2));
    host.until("it got through", |health| health.sync_errors.resolved == 1).await;
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_policy_that_ends_a_refresh_token_reads_the_same_and_the_check_lists_every_cause() {
    let host = TestHost::start().await;
    for policy in [json!("immediately_expire"), json!({ "idle_ms": 0 }), json!({ "fixed_ms": 0 })] {
        host.salesforce(Method::PATCH, "acme", json!({ "refresh_policy": policy })).await;
        host.clock.advance(JUST_NOW);
        let (_, report) = host.post("/v1/orgs/acme/checks", json!({})).await;
        let found = check(&report, "authentication")["found"].as_str().unwrap();
        for cause in
            ["invalid_grant", "revoked", "expire immediately", "not used", "after a time", "five times", "rotate"]
        {
            assert!(found.contains(cause), "{cause}: {found}");
        }
        assert_eq!(check(&report, "authentication")["ok"], false);
        assert_eq!(check(&report, "refresh-token")["ok"], false);
    }
    host.salesforce(Method::PATCH, "acme", json!({ "refresh_policy": "until_revoked" })).await;
    host.clock.advance(JUST_NOW);
    let (_, report) = host.post("/v1/orgs/acme/checks", json!({})).await;
    assert_eq!(check(&report, "authentication")["ok"], true);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_that_passes_brings_in_what_waited_for_the_connection() {
    let host = TestHost::start().await;
    host.notify(received(6, 6, "nobody", "jane@example.com")).await;
    host.until("its team has no queue", |health| health.sync_errors.pending == 1 && health.idle()).await;
    host.salesforce(Method::POST, "acme/revoke", json!({})).await;
    for number in 1..=5 {
        write(&host, number).await;
    }
    host.until("all are parked", |health| health.parked == 5 && health.idle()).await;
    host.post("/v1/orgs/acme/checks", json!({})).await;
    host.until("nothing was tried", |health| health.parked == 5 && health.idle()).await;
    host.salesforce(Method::POST, "acme/revive", json!({})).await;
    host.clock.advance(JUST_NOW);
    let (_, report) = host.post("/v1/orgs/acme/checks", json!({})).await;
    assert_eq!(report["retried"], 5, "{report}");
    assert_eq!(check(&report, "sync-mode")["ok"], true, "{report}");
    let health = host.until("five are in", |health| health.parked == 0 && health.idle()).await;
    assert_eq!((health.sync_errors.pending, health.incident), (1, None), "what failed for another reason waits");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_that_gets_through_brings_in_what_waited_for_the_connection() {
    let host = TestHost::start().await;
    host.salesforce(Method::POST, "acme/revoke", json!({})).await;
    for number in 1..=5 {
        write(&host, number).await;
    }
    host.until("all are parked", |health| health.parked == 5 && health.idle()).await;
    // Attempts are over before the token requests that they began; the check waits for those, so that no probe shares one.
    host.post("/v1/orgs/acme/checks", json!({})).await;
    host.salesforce(Method::POST, "acme/revive", json!({})).await;
    host.clock.advance(Duration::from_secs(121));
    host.until("all are in", |health| health.parked == 0 && health.idle()).await;
    assert_eq!(host.query("SELECT Id FROM alcmeon__Conversation__c").await.len(), 5);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_that_is_disabled_for_the_user_starts_no_refreshes() {
    let host = TestHost::start().await;
    for text in [
        "API is disabled for this User",
        "This session is not valid for use with the REST API",
        "This session is not valid for use with the specified REST API endpoint. One of the following scopes is required",
    ] {
        let body = json!([{ "errorCode": "INVALID_SESSION_ID", "message": text }]);
        let fault = json!({ "path": "/services/data", "status": 401, "json": body });
        host.salesforce(Method::POST, "acme/faults", fault).await;
        let before = token_requests(&host).await;
        host.clock.advance(Duration::from_secs(61));
        host.post("/v1/orgs/acme/checks", json!({})).await;
        // The check itself asks for one token.
        assert_eq!(token_requests(&host).await, before + 1, "{text}");
        host.salesforce(Method::DELETE, "acme/faults", json!({})).await;
    }
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_assertion_connects_an_organization() {
    let key = include_str!("../../../host/src/salesforce/testdata/not-a-secret.pem");
    let certificate = include_str!("../../../host/src/salesforce/testdata/not-a-secret.pub.pem");
    let settings = format!("flow = 'jwt-bearer'\nuser = 'integration@acme.example'\nprivate_key = '''\n{key}'''\n");
    let host = TestHost::with(&settings).await;
    set_clock(&host).await;
    write(&host, 1).await;
    host.until("it is refused", |health| health.parked == 1).await;
    let (_, report) = host.post("/v1/orgs/acme/checks", json!({})).await;
    let found = check(&report, "authentication")["found"].as_str().unwrap();
    assert!(found.contains("invalid assertion") && found.contains("certificate"), "{found}");

    let approved = json!({ "jwt_certificate": certificate, "jwt_approved": true });
    host.salesforce(Method::PATCH, "acme", approved).await;
    host.clock.advance(JUST_NOW);
    let (_, report) = host.post("/v1/orgs/acme/checks", json!({})).await;
    assert_eq!((check(&report, "authentication")["ok"].as_bool(), report["retried"].as_u64()), (Some(true), Some(1)));
    host.until("it got through", |health| health.parked == 0 && health.idle()).await;
    let (status, _) = host.post("/v1/orgs/acme/authorization", json!({ "redirect_uri": "http://localhost:1/" })).await;
    assert_eq!(status, StatusCode::CONFLICT, "nobody authorizes this one");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn client_credentials_connect_an_organization() {
    let host = TestHost::with("flow = 'client-credentials'\nclient_secret = 'shh'\n").await;
    write(&host, 1).await;
    host.until("the app has no user", |health| health.parked == 1).await;
    let (_, report) = host.post("/v1/orgs/acme/checks", json!({})).await;
    assert!(check(&report, "authentication")["found"].as_str().unwrap().contains("Run As"), "{report}");
    host.salesforce(Method::PATCH, "acme", json!({ "client_credentials": true })).await;
    host.clock.advance(JUST_NOW);
    host.post("/v1/orgs/acme/checks", json!({})).await;
    host.until("it got through", |health| health.parked == 0 && health.idle()).await;
    assert!(!host.exported().await.contains("refresh-token/acme"), "there is none to keep");
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

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_is_used_once_a_day_whether_conversations_come_or_not() {
    let host = TestHost::start().await;
    let url = format!("{}/control/clock", host.simulator.salesforce);
    host.salesforce(Method::PATCH, "acme", json!({ "refresh_policy": { "idle_ms": 30_u64 * 24 * 3_600_000 } })).await;
    // Forty days, a day at a time; nothing is sent, and the token is used all the same.
    for day in 1..=40 {
        host.http.put(&url).json(&json!({ "advance_ms": 24 * 3_600_000 })).send().await.unwrap();
        host.clock.advance(Duration::from_secs(25 * 3600));
        let asked = async || while token_requests(&host).await < day {};
        let mut hours = 0;
        while tokio::time::timeout(Duration::from_millis(500), asked()).await.is_err() {
            // It looks once an hour, and had not begun to wait when the time passed; or it had no answer yet to what was asked the day
            // before, and counts from there.
            host.clock.advance(Duration::from_secs(3601));
            hours += 1;
            assert!(hours < 60, "day {day}: {} token requests", token_requests(&host).await);
        }
    }
    write(&host, 1).await;
    assert!(host.idle().await.is_empty(), "the connection stands");
    assert_eq!(token_requests(&host).await, 40, "no more than one a day");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_dies_while_nothing_is_sent_is_shown_to_operators() {
    let host = TestHost::start().await;
    host.salesforce(Method::POST, "acme/revoke", json!({})).await;
    host.clock.advance(Duration::from_secs(3601));
    let shown = |list: &Value| list.to_string().contains("refresh-token");
    host.seen_while_time_passes("/v1/troubles", shown).await;
    let (_, troubles) = host.get("/v1/troubles").await;
    assert!(troubles.to_string().contains("acme"), "{troubles}");
    host.salesforce(Method::POST, "acme/revive", json!({})).await;
    host.clock.advance(Duration::from_secs(3601));
    host.seen_while_time_passes("/v1/troubles", |list| !shown(list)).await;
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_looks_at_the_checks_again_and_again_asks_for_one_token_a_minute() {
    let host = TestHost::start().await;
    for _ in 0..20 {
        let (_, report) = host.post("/v1/orgs/acme/checks", json!({})).await;
        assert_eq!(check(&report, "authentication")["ok"], true, "{report}");
    }
    assert_eq!(token_requests(&host).await, 1);
    host.get("/v1/orgs/acme/checks").await;
    host.clock.advance(Duration::from_secs(61));
    host.get("/v1/orgs/acme/checks").await;
    assert_eq!(token_requests(&host).await, 1, "who only reads asks for none");
    host.post("/v1/orgs/acme/checks", json!({})).await;
    assert_eq!(token_requests(&host).await, 2);

    host.salesforce(Method::POST, "acme/revoke", json!({})).await;
    for _ in 0..20 {
        let (_, report) = host.post("/v1/orgs/acme/checks", json!({})).await;
        assert_eq!(check(&report, "authentication")["ok"], false, "{report}");
    }
    assert_eq!(token_requests(&host).await, 3, "the refusal is shared too");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_in_salesforces_place_is_an_outage_that_passes_by_itself_wherever_it_comes() {
    let page = "<html><body>Down for maintenance</body></html>";
    for path in ["/services/data", "/services/oauth2/token"] {
        for (status, text) in [(200, page), (200, ""), (200, "[{\"id\":"), (403, page), (404, page)] {
            let host = TestHost::start().await;
            if path == "/services/data" {
                // The address has answered once.
                write(&host, 100).await;
                assert!(host.idle().await.is_empty());
            }
            let fault = json!({ "path": path, "status": status, "raw": text });
            host.salesforce(Method::POST, "acme/faults", fault).await;
            for number in 1..=8 {
                write(&host, number).await;
            }
            let health = host.until("an incident is open", |health| health.incident.is_some()).await;
            let refusal = health.incident.unwrap().refusal;
            assert_eq!(refusal.class, switchyard::domain::Class::Transient, "{path} {status} {text}: {refusal:?}");
            host.salesforce(Method::DELETE, "acme/faults", json!({})).await;
            for _ in 0..4 {
                host.clock.advance(Duration::from_secs(121));
                host.until("nothing is on its way", |health| health.sending == 0 && health.waiting == 0).await;
            }
            host.until("all are in", |health| health.parked == 0 && health.idle()).await;
            let left = host.idle().await.into_iter().filter(|error| error["state"] != "resolved").count();
            assert_eq!(left, 0, "{path} {status} {text}");
            host.stop().await;
        }
    }
}

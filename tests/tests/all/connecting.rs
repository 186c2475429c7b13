//! How an organization is connected, in every flow, and what becomes of it when Salesforce does not accept it any more.

mod authorizing;

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use switchyard_tests::{TestHost, received};

const WEB_SERVER: &str = "flow = 'web-server'\nclient_secret = 'shh'\n";

/// So long a check shares the refusal of the one before.
const JUST_NOW: Duration = Duration::from_secs(11);

/// A conversation for the queue Billing.
async fn write(host: &TestHost, number: u64) {
    host.notify(received(number, number, "billing", "jane@example.com")).await;
}

fn check<'a>(report: &'a Value, name: &str) -> &'a Value {
    let checks = report["checks"].as_array().unwrap();
    checks.iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("{name}: {report}"))
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

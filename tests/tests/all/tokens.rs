//! Tokens that are made over the API: for whom, for what, for which organizations, until when, and never shown again.

mod making;
mod organizations;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use switchyard::store::{Fault, Point};
use switchyard_tests::{ADMIN, OPERATOR, READER, TestHost, digest};
use tokio::sync::Semaphore;

use crate::browser::Browser;

/// A token that was made: its id and its secret.
pub(crate) struct Made {
    pub(crate) id: String,
    pub(crate) secret: String,
}

/// Makes a token as the administrator.
pub(crate) async fn make(host: &TestHost, asked: Value) -> Made {
    let (status, made) = host.post("/v1/tokens", asked).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    Made { id: text(&made["token"]["id"]), secret: text(&made["secret"]) }
}

async fn reads(host: &TestHost, token: &str) -> StatusCode {
    host.call(Method::GET, "/v1/sync-errors", token, None).await.0
}

async fn revoke(host: &TestHost, token: &str, id: &str) -> (StatusCode, Value) {
    host.call(Method::DELETE, &format!("/v1/tokens/{id}"), token, None).await
}

async fn actions(host: &TestHost, what: &str) -> Vec<Value> {
    let (_, list) = host.get(&format!("/v1/actions?what={what}")).await;
    list["actions"].as_array().cloned().expect("a list")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_shown_once_opens_what_it_is_for_and_nothing_from_its_revoking_on_also_after_a_restart() {
    let host = TestHost::start().await;
    let Made { id, secret } = make(&host, json!({ "name": "robot", "scopes": ["read"] })).await;
    assert!(secret.starts_with("swy_") && secret.len() == 42, "{secret}");
    assert_eq!(reads(&host, &secret).await, StatusCode::OK);
    let (status, problem) = host.call(Method::POST, "/v1/orgs/acme/retry-all", &secret, Some(json!({}))).await;
    assert!(status == StatusCode::FORBIDDEN && problem["detail"].as_str().unwrap().contains("\"errors\""), "{problem}");
    let (_, list) = host.get("/v1/tokens").await;
    let tokens = list["tokens"].as_array().unwrap();
    let of = |name: &str| tokens.iter().find(|token| token["name"] == name).unwrap();
    let known = json!({
        "id": id, "name": "robot", "scopes": ["read"], "source": "store", "status": "valid", "made_by": "admin",
        "made_by_token": of("admin")["id"], "made_at": "2026-09-21T14:13:20.000Z", "last_used_at": "2026-09-21T14:13:20.000Z",
    });
    assert_eq!(*of("robot"), known);
    assert_eq!(of("operator")["source"], "configuration");
    assert_eq!(host.get(&format!("/v1/tokens/{id}")).await.1, known);
    let hash = digest(secret.as_bytes()).replace("sha256:", "");
    assert!(!list.to_string().contains(&secret) && !list.to_string().contains(&hash));
    let exported = host.exported().await;
    assert!(exported.contains(&hash) && !exported.contains(&secret), "its hash is kept, and nothing else of it");

    let host = host.restart().await;
    assert_eq!(reads(&host, &secret).await, StatusCode::OK);
    let (one, other) = tokio::join!(revoke(&host, ADMIN, &id), revoke(&host, ADMIN, &id));
    assert_eq!((one.0, other.0), (StatusCode::NO_CONTENT, StatusCode::NO_CONTENT));
    assert_eq!(reads(&host, &secret).await, StatusCode::UNAUTHORIZED);
    let made = actions(&host, "token-make").await;
    assert_eq!((made.len(), &made[0]["subject"], &made[0]["reason"]), (1, &json!(id), &json!("robot: read")));
    assert_eq!(actions(&host, "token-revoke").await.len(), 1);
    assert_eq!(host.get(&format!("/v1/tokens/{id}")).await.1["status"], "revoked");
    let host = host.restart().await;
    assert_eq!(reads(&host, &secret).await, StatusCode::UNAUTHORIZED);
    let (_, verified) = host.post("/v1/store/verify", json!({})).await;
    assert_eq!(verified["differences"], 0, "{verified}");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_expired_is_refused_to_the_millisecond_and_wrong_ones_are_counted() {
    let host = TestHost::start().await;
    let made = make(&host, json!({ "name": "robot", "scopes": ["read"], "expires_in": 60 })).await;
    host.clock.advance(Duration::from_millis(59_999));
    assert_eq!(reads(&host, &made.secret).await, StatusCode::OK);
    host.clock.advance(Duration::from_millis(1));
    assert_eq!(reads(&host, &made.secret).await, StatusCode::UNAUTHORIZED);
    host.clock.turn_back(Duration::from_secs(120));
    assert_eq!(reads(&host, &made.secret).await, StatusCode::UNAUTHORIZED, "the clock went back");
    let (_, shown) = host.get(&format!("/v1/tokens/{}", made.id)).await;
    assert_eq!(shown["status"], "expired");
    let wrong_sum = format!("{}0", &made.secret[..41]);
    let wrong = [wrong_sum.as_str(), "swy_", &"x".repeat(8_000), "Bearer"];
    for token in wrong {
        assert_eq!(reads(&host, token).await, StatusCode::UNAUTHORIZED);
    }
    let refused = actions(&host, "sign-in-refused").await;
    assert_eq!(refused[0]["count"].as_u64(), Some(2 + wrong.len() as u64), "{refused:?}");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_a_token_was_used_last_is_written_behind_the_requests_and_survives_a_restart() {
    let host = TestHost::start().await;
    let made = make(&host, json!({ "name": "robot", "scopes": ["read"] })).await;
    let key = format!("api-token-use/{}", made.id);
    let answers = join_all((0..50).map(|_| reads(&host, &made.secret))).await;
    assert!(answers.iter().all(|status| *status == StatusCode::OK));
    assert!(!host.exported().await.contains(&key));
    host.clock.advance(Duration::from_secs(60));
    while !host.exported().await.contains(&key) {
        tokio::task::yield_now().await;
    }
    host.clock.advance(Duration::from_secs(10));
    assert_eq!(reads(&host, &made.secret).await, StatusCode::OK);
    let path = format!("/v1/tokens/{}", made.id);
    let last = host.get(&path).await.1["last_used_at"].clone();
    let host = host.restart().await;
    assert_eq!(host.get(&path).await.1["last_used_at"], last, "a host that stops has written it");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_of_the_console_survives_a_restart_and_ends_with_its_token_or_by_signing_out() {
    let host = TestHost::start().await;
    let made = make(&host, json!({ "name": "robot", "scopes": ["read"] })).await;
    let (robots, operators) = (Browser::sign_in(&host, &made.secret).await, Browser::sign_in(&host, OPERATOR).await);
    let host = host.restart().await;
    let (robots, operators) = (robots.at(&host), operators.at(&host));
    for browser in [&robots, &operators] {
        assert_eq!(browser.get("/").await.status, StatusCode::OK);
    }
    assert_eq!(revoke(&host, ADMIN, &made.id).await.0, StatusCode::NO_CONTENT);
    assert_eq!(robots.get("/").await.status, StatusCode::SEE_OTHER, "led to the login");
    assert_eq!(operators.get("/").await.status, StatusCode::OK);
    assert_eq!(operators.post("/logout", &[]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(operators.get("/").await.status, StatusCode::SEE_OTHER);
    let signed = actions(&host, "sign-out").await;
    assert_eq!((&signed[0]["by"], &signed[0]["via"]), (&json!("operator"), &json!("console")));
    assert!(signed[0]["token"].as_str().unwrap().starts_with("file-"), "{signed:?}");
    assert!(!host.exported().await.contains("console-session/"), "nothing is left of either");
    let host = host.restart().await;
    for browser in [robots.at(&host), operators.at(&host)] {
        assert_eq!(browser.get("/").await.status, StatusCode::SEE_OTHER);
    }
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn actions_and_audits_say_by_which_token_from_where_and_by_which_request() {
    let host = crate::at_once::with_errors(1, crate::at_once::unmapped).await;
    let made = make(&host, json!({ "name": "robot", "scopes": ["read", "errors"] })).await;
    let (_, page) = host.get("/v1/sync-errors").await;
    let (id, message) =
        (page["sync_errors"][0]["id"].as_str().unwrap(), page["sync_errors"][0]["message"].as_str().unwrap());
    let url = format!("http://{}/v1/sync-errors/{id}/ignore", host.app.address);
    let call = host.http.post(url).bearer_auth(&made.secret).header("X-Request-Id", "trace-7");
    assert_eq!(call.json(&json!({ "reason": "x" })).send().await.unwrap().status(), StatusCode::OK);
    let action = &actions(&host, "ignore").await[0];
    let origin = json!({ "token": made.id, "address": "127.0.0.1", "request_id": "trace-7" });
    let of = |value: &Value| json!({ "token": value["token"], "address": value["address"], "request_id": value["request_id"] });
    assert_eq!((of(action), &action["by"]), (origin.clone(), &json!("robot")), "{action}");
    let (_, audit) = host.get(&format!("/v1/messages/{message}/audit")).await;
    let entries = audit["entries"].as_array().unwrap();
    let asked: Vec<_> = entries.iter().filter(|entry| entry.get("request").is_some()).collect();
    assert_eq!(
        (asked.len(), &asked[0]["fact"]["what"], &asked[0]["request"]),
        (1, &json!("IGNORED"), &origin),
        "{audit}"
    );
    // What is asked of many is asked by somebody too.
    let begun = host.http.post(format!("http://{}/v1/operations", host.app.address)).bearer_auth(&made.secret);
    let begun = begun.header("X-Request-Id", "trace-8").json(&json!({ "task": "reopen" })).send().await.unwrap();
    assert_eq!(begun.status(), StatusCode::ACCEPTED);
    let reopened = |audit: &Value| {
        let entries = audit["entries"].as_array().unwrap().clone();
        entries.into_iter().find(|entry| entry["fact"]["what"] == "REOPENED")
    };
    let audit = host.seen(&format!("/v1/messages/{message}/audit"), |audit| reopened(audit).is_some()).await;
    let reopened = reopened(&audit).unwrap();
    assert_eq!(
        (&reopened["request"]["request_id"], &reopened["request"]["token"]),
        (&json!("trace-8"), &json!(made.id))
    );
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_that_is_being_read_breaks_off_when_its_token_is_revoked() {
    let host = crate::at_once::with_errors(450, crate::at_once::unmapped).await;
    let made = make(&host, json!({ "name": "robot", "scopes": ["read"] })).await;
    let url = format!("http://{}/v1/sync-errors/export", host.app.address);
    // The store waits with its second page until the token is revoked.
    let gate = Arc::new(Semaphore::new(0));
    host.store.plan([Fault::at(Point::Read).of("error/").skipping(1).waiting_for(Arc::clone(&gate))]);
    let mut export = host.http.get(url).bearer_auth(&made.secret).send().await.unwrap();
    assert!(export.chunk().await.unwrap().is_some());
    assert_eq!(revoke(&host, ADMIN, &made.id).await.0, StatusCode::NO_CONTENT);
    host.store.plan([]);
    gate.add_permits(1_000);
    let mut rest = Ok(Some(Default::default()));
    while let Ok(Some(_)) = rest {
        rest = export.chunk().await;
    }
    assert!(rest.is_err(), "it ended as if it were whole");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_console_shows_a_new_tokens_secret_on_the_page_that_made_it_alone_and_revokes_it() {
    let host = TestHost::start().await;
    let browser = Browser::sign_in(&host, ADMIN).await;
    let new_key = async || {
        let page = browser.get("/tokens").await.text;
        page.split_once("name=\"key\" value=\"").expect("a key").1.split('"').next().expect("its end").to_owned()
    };
    let key = new_key().await;
    let ticked = [("name", "<b>robot</b>"), ("scope-read", "on"), ("org-acme", "on"), ("days", "30")];
    let sent = [&[("key", &*key)], &ticked[..]].concat();
    let page = browser.post("/tokens", &sent).await;
    let at = page.text.find("swy_").expect("a secret");
    let secret = page.text[at..at + 42].to_owned();
    assert_eq!((page.status, reads(&host, &secret).await), (StatusCode::OK, StatusCode::OK));
    let again = browser.post("/tokens", &sent).await;
    assert_eq!(again.status, StatusCode::OK);
    assert!(again.text.contains("made already") && !again.text.contains("swy_"), "{}", again.text);
    assert_eq!(browser.post("/tokens", &sent[1..]).await.status, StatusCode::BAD_REQUEST);
    let list = browser.get("/tokens").await.text;
    assert!(list.contains("&lt;b&gt;robot") && !list.contains("swy_") && !list.contains("<b>robot"), "{list}");
    assert!(!host.exported().await.contains(&secret));
    let (_, all) = host.get("/v1/tokens").await;
    let made: Vec<_> = all["tokens"].as_array().unwrap().iter().filter(|token| token["made_by"] == "admin").collect();
    assert_eq!(made.len(), 1, "the form was sent twice: {made:?}");
    let made = made[0];
    assert_eq!((&made["orgs"], &made["scopes"]), (&json!(["acme"]), &json!(["read"])), "{made}");
    let id = made["id"].as_str().unwrap();
    let back = browser.post(&format!("/tokens/{id}/revoke"), &[("back", "/tokens")]).await;
    assert_eq!(back.status, StatusCode::SEE_OTHER);
    let told = browser.get(&format!("/tokens?done=revoked-{id}")).await.text;
    assert!(
        told.contains("The token of <b>&lt;b&gt;robot&lt;/b&gt;</b> is revoked.") && told.contains(">revoked<"),
        "{told}"
    );
    assert_eq!(reads(&host, &secret).await, StatusCode::UNAUTHORIZED);
    // Nothing ticked is nothing that a token may do.
    assert_eq!(
        browser.post("/tokens", &[("key", &*new_key().await), ticked[0]]).await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    let reader = Browser::sign_in(&host, READER).await;
    assert_eq!(reader.get("/tokens").await.status, StatusCode::FORBIDDEN);
    host.stop().await;
}

//! Tokens: who gets one, who does not, and in which words.

use reqwest::Method;
use serde_json::json;

use crate::world::{World, reply};

#[tokio::test]
async fn a_refresh_answers_in_the_recorded_shape() {
    let world = World::start().await;
    world.org("acme", json!({})).await;
    let answer = world.refresh("refresh-acme").await;
    assert_eq!(answer.status, 200);
    for key in ["access_token", "id", "instance_url", "issued_at", "scope", "signature", "token_type"] {
        assert!(answer.body[key].is_string(), "{key}");
    }
    assert!(answer.body["refresh_token"].is_null());
    assert_eq!(answer.body["instance_url"], json!(world.simulator.salesforce));
}

#[tokio::test]
async fn a_chunked_token_request_is_read() {
    let world = World::start().await;
    world.org("acme", json!({})).await;
    let form = "grant_type=refresh_token&client_id=app&client_secret=secret&refresh_token=refresh-acme";
    let address = world.simulator.salesforce.trim_start_matches("http://").to_owned();
    let mut stream = tokio::net::TcpStream::connect(&address).await.expect("connected");
    let request = format!(
        "POST /services/oauth2/token HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\r\n{:x}\r\n{form}\r\n0\r\n\r\n",
        form.len()
    );
    tokio::io::AsyncWriteExt::write_all(&mut stream, request.as_bytes()).await.expect("sent");
    let mut answer = String::new();
    tokio::io::AsyncReadExt::read_to_string(&mut stream, &mut answer).await.expect("answered");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn each_wrong_token_request_is_refused_in_its_own_words() {
    let world = World::start().await;
    world.org("acme", json!({})).await;
    let right = [
        ("grant_type", "refresh_token"),
        ("client_id", "app"),
        ("client_secret", "secret"),
        ("refresh_token", "refresh-acme"),
    ];
    let cases = [
        ("grant_type", "password", "unsupported_grant_type", "grant type not supported"),
        ("client_id", "nobody", "invalid_client_id", "client identifier invalid"),
        ("client_secret", "wrong", "invalid_client", "invalid client credentials"),
        ("refresh_token", "other", "invalid_grant", "expired access/refresh token"),
        ("grant_type", "client_credentials", "invalid_grant", "no client credentials user enabled"),
    ];
    for (key, value, error, description) in cases {
        let form: Vec<(&str, &str)> =
            right.iter().map(|(name, given)| (*name, if *name == key { value } else { *given })).collect();
        let form = if value == "client_credentials" { form[..3].to_vec() } else { form };
        let answer = world.token(&form).await;
        assert_eq!(answer.status, 400, "{value}");
        assert_eq!(answer.body, json!({"error": error, "error_description": description}));
    }
}

#[tokio::test]
async fn every_recorded_token_refusal_can_be_ordered_and_ends_when_it_was_given_often_enough() {
    let world = World::start().await;
    world.org("acme", json!({})).await;
    let names = [
        ("expired", "invalid_grant"),
        ("validity_expired", "invalid_grant"),
        ("inactive_user", "invalid_grant"),
        ("org_locked", "inactive_org"),
        ("not_approved", "invalid_grant"),
        ("wrong_domain", "invalid_grant"),
        ("not_admin_approved", "invalid_app_access"),
        ("app_not_installed", "invalid_client"),
        ("app_blocked", "OAUTH_APP_BLOCKED"),
        ("retry", "unknown_error"),
        ("login_rate", "rate_limit_exceeded"),
    ];
    for (name, error) in names {
        let body = json!({"name": name, "times": 1});
        world.control(Method::POST, "orgs/acme/token-refusals", body).await;
        let refused = world.refresh("refresh-acme").await;
        assert_eq!((refused.status, &refused.body["error"]), (400, &json!(error)), "{name}");
        assert_eq!(world.refresh("refresh-acme").await.status, 200, "{name}");
    }
}

#[tokio::test]
async fn a_policy_that_expires_at_once_fails_the_first_refresh() {
    let world = World::start().await;
    let definition = json!({
        "client_id": "app", "client_secret": "secret", "refresh_token": "r", "refresh_policy": "immediately_expire",
    });
    world.control(Method::PUT, "orgs/acme", definition).await;
    assert_eq!(world.refresh("r").await.body["error"], "invalid_grant");
    world.control(Method::PATCH, "orgs/acme", json!({"refresh_policy": {"idle_ms": 3_600_000}})).await;
    assert_eq!(world.refresh("r").await.status, 200);
    world.control(Method::PATCH, "orgs/acme", json!({"refresh_policy": {"fixed_ms": 0}})).await;
    assert_eq!(world.refresh("r").await.body["error_description"], "expired access/refresh token");
}

#[tokio::test]
async fn rotation_hands_out_the_next_refresh_token_and_the_last_one_kills_it() {
    let world = World::start().await;
    world.org("acme", json!({})).await;
    world.control(Method::PATCH, "orgs/acme", json!({"rotation": true})).await;
    let first = world.refresh("refresh-acme").await;
    let next = first.body["refresh_token"].as_str().expect("rotated").to_owned();
    let second = world.refresh(&next).await;
    assert_eq!(second.status, 200);
    let next = second.body["refresh_token"].as_str().expect("rotated").to_owned();
    assert_eq!(world.refresh("refresh-acme").await.status, 400);
    assert_eq!(world.refresh(&next).await.status, 400, "who uses an old one ends what replaced it");
}

#[tokio::test]
async fn a_revoked_org_answers_401_until_it_is_revived_and_refreshed() {
    let world = World::start().await;
    let mut org = world.org("acme", json!({})).await;
    world.control(Method::POST, "orgs/acme/revoke", json!({})).await;
    assert_eq!(org.get("limits").await.refusal(), (401, "INVALID_SESSION_ID", "Session expired or invalid"));
    assert_eq!(world.refresh("refresh-acme").await.status, 400);
    world.control(Method::POST, "orgs/acme/revive", json!({})).await;
    let token = world.refresh("refresh-acme").await.body["access_token"].clone();
    token.as_str().expect("a token").clone_into(&mut org.token);
    assert_eq!(org.get("limits").await.status, 200);
}

#[tokio::test]
async fn an_expired_session_is_401_and_a_refresh_heals_it() {
    let world = World::start().await;
    let org = world.org("acme", json!({})).await;
    world.control(Method::POST, "orgs/acme/expire-sessions", json!({})).await;
    assert_eq!(org.get("limits").await.refusal().0, 401);
    assert_eq!(world.refresh("refresh-acme").await.status, 200);
}

#[tokio::test]
async fn a_token_revoked_by_its_owner_is_dead() {
    let world = World::start().await;
    let org = world.org("acme", json!({})).await;
    let url = format!("{}/services/oauth2/revoke", world.simulator.salesforce);
    let revoked = reply(world.http.post(&url).form(&[("token", org.token.as_str())])).await;
    assert_eq!(revoked.status, 200);
    assert_eq!(org.get("limits").await.refusal().0, 401);
    let again = reply(world.http.post(&url).form(&[("token", "never issued")])).await;
    assert_eq!(again.status, 400);
    assert!(again.body.as_str().expect("a form").starts_with("error=unsupported_token_type"));
}

#[tokio::test]
async fn client_credentials_work_in_the_form_and_as_basic_and_give_no_refresh_token() {
    let world = World::start().await;
    world.org("acme", json!({"client_credentials": true})).await;
    let form =
        world.token(&[("grant_type", "client_credentials"), ("client_id", "app"), ("client_secret", "secret")]).await;
    assert_eq!(form.status, 200);
    assert!(form.body["refresh_token"].is_null());
    let url = format!("{}/services/oauth2/token", world.simulator.salesforce);
    let request = world.http.post(url).basic_auth("app", Some("secret")).form(&[("grant_type", "client_credentials")]);
    assert_eq!(reply(request).await.status, 200);
}

#[tokio::test]
async fn an_inactive_integration_user_gets_no_token() {
    let world = World::start().await;
    let org = world.org("acme", json!({})).await;
    let user = org.info["integration_user_id"].as_str().expect("an id");
    world.control(Method::PATCH, &format!("orgs/acme/records/User/{user}"), json!({"IsActive": false})).await;
    assert_eq!(world.refresh("refresh-acme").await.body["error_description"], "inactive user");
}

#[tokio::test]
async fn user_info_and_versions_are_told() {
    let world = World::start().await;
    let org = world.org("acme", json!({})).await;
    let base = &world.simulator.salesforce;
    let info = reply(world.http.get(format!("{base}/services/oauth2/userinfo")).bearer_auth(&org.token)).await;
    assert_eq!(info.body["organization_id"], org.info["organization_id"]);
    let versions = reply(world.http.get(format!("{base}/services/data"))).await;
    let list = versions.body.as_array().expect("a list");
    assert_eq!(list.first().expect("one")["version"], "31.0");
    assert_eq!(
        list.last().expect("one"),
        &json!({
            "label": "Spring '26", "url": "/services/data/v66.0", "version": "66.0",
        })
    );
    assert_eq!(versions.header("Sforce-Limit-Info"), None);
}

#[tokio::test]
async fn a_call_without_a_usable_authorization_header_is_refused() {
    let world = World::start().await;
    let url = format!("{}/services/data/v59.0/limits", world.simulator.salesforce);
    let answer = reply(world.http.get(url)).await;
    assert_eq!(answer.refusal(), (401, "INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE"));
}

#[tokio::test]
async fn a_request_that_lacks_what_it_needs_is_told_what() {
    let world = World::start().await;
    world.org("acme", json!({})).await;
    for (grant, parameter) in [("refresh_token", "refresh_token"), ("authorization_code", "code")] {
        let answer = world.token(&[("grant_type", grant), ("client_id", "app"), ("client_secret", "secret")]).await;
        let description = format!("missing required parameter: {parameter}");
        assert_eq!(answer.body, json!({"error": "invalid_request", "error_description": description}));
    }
}

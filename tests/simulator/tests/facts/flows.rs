//! The ways to a token beside the refresh token: the web-server flow with PKCE, assertions, and an org's own domain.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};

use crate::world::{Reply, World, reply};

const CALLBACK: &str = "https://host.example/callback";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const CERTIFICATE: &str = include_str!("jwt/certificate.pem");
const KEY: &[u8] = include_bytes!("jwt/key.pk8");

/// Opens the authorization page; answers status, where it leads, and what it shows.
async fn authorize(world: &World, more: &[(&str, &str)]) -> (u16, String, String) {
    let mut query = vec![
        ("response_type", "code"),
        ("client_id", "app"),
        ("redirect_uri", CALLBACK),
        ("state", "s1"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    for (name, value) in more {
        query.retain(|(known, _)| known != name);
        query.push((name, value));
    }
    let url = format!("{}/services/oauth2/authorize", world.simulator.salesforce);
    let response = world.http.get(url).query(&query).send().await.expect("an answer");
    let location = response.headers().get("Location").map(|value| value.to_str().expect("text").to_owned());
    (response.status().as_u16(), location.unwrap_or_default(), response.text().await.expect("a body"))
}

fn param(location: &str, name: &str) -> Option<String> {
    let url: reqwest::Url = location.parse().expect("an address");
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

async fn redeem(world: &World, code: &str, verifier: &str) -> Reply {
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", "app"),
        ("client_secret", "secret"),
        ("redirect_uri", CALLBACK),
        ("code", code),
        ("code_verifier", verifier),
    ];
    world.token(&form).await
}

#[tokio::test]
async fn the_web_server_flow_leads_back_with_a_code_that_is_good_once_and_with_its_verifier() {
    let world = World::start().await;
    world.org("acme", json!({"callback_urls": [CALLBACK]})).await;
    let (status, location, _) = authorize(&world, &[]).await;
    assert_eq!((status, location.starts_with(CALLBACK)), (302, true), "{location}");
    assert_eq!(param(&location, "state").as_deref(), Some("s1"));
    let code = param(&location, "code").expect("a code");
    let granted = redeem(&world, &code, VERIFIER).await;
    assert_eq!(granted.status, 200, "{}", granted.body);
    let refresh = granted.body["refresh_token"].as_str().expect("a refresh token").to_owned();
    assert_eq!(world.refresh(&refresh).await.status, 200);
    assert_eq!(redeem(&world, &code, VERIFIER).await.body["error"], "invalid_grant");

    let (_, location, _) = authorize(&world, &[]).await;
    let stolen = redeem(&world, &param(&location, "code").expect("a code"), "another verifier").await;
    assert_eq!(stolen.body["error_description"], "invalid code verifier");
}

#[tokio::test]
async fn a_callback_that_is_not_the_apps_is_refused_and_so_is_a_stranger() {
    let world = World::start().await;
    world.org("acme", json!({"callback_urls": [CALLBACK]})).await;
    let (status, location, body) = authorize(&world, &[("redirect_uri", "https://evil.example/")]).await;
    assert_eq!((status, location.as_str()), (400, ""));
    assert!(body.contains("redirect_uri_mismatch"), "{body}");
    let (status, _, body) = authorize(&world, &[("client_id", "nobody")]).await;
    assert_eq!((status, body.contains("invalid_client_id")), (400, true));
}

#[tokio::test]
async fn the_user_may_be_asked_and_may_say_no() {
    let world = World::start().await;
    world.org("acme", json!({"consent": "deny"})).await;
    let (_, location, _) = authorize(&world, &[]).await;
    assert_eq!(param(&location, "error").as_deref(), Some("access_denied"));
    world.control(reqwest::Method::PATCH, "orgs/acme", json!({"consent": "blocked"})).await;
    let (_, location, _) = authorize(&world, &[]).await;
    assert_eq!(param(&location, "error").as_deref(), Some("OAUTH_APP_BLOCKED"));
    world.control(reqwest::Method::PATCH, "orgs/acme", json!({"consent": "ask"})).await;
    let (status, _, page) = authorize(&world, &[]).await;
    assert_eq!((status, page.contains("Allow access?")), (200, true));
    let (status, location, _) = authorize(&world, &[("decision", "approve")]).await;
    assert_eq!((status, param(&location, "code").is_some()), (302, true));
}

#[tokio::test]
async fn the_sixth_approval_of_a_user_kills_the_oldest() {
    let world = World::start().await;
    world.org("acme", json!({})).await;
    for _ in 0..4 {
        let (_, location, _) = authorize(&world, &[]).await;
        assert_eq!(redeem(&world, &param(&location, "code").expect("a code"), VERIFIER).await.status, 200);
    }
    assert_eq!(world.refresh("refresh-acme").await.status, 200);
    let (_, location, _) = authorize(&world, &[]).await;
    redeem(&world, &param(&location, "code").expect("a code"), VERIFIER).await;
    assert_eq!(world.refresh("refresh-acme").await.body["error_description"], "expired access/refresh token");
}

fn assertion(claims: &Value) -> String {
    let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let signed = format!("{}.{}", encode(&json!({"alg": "RS256"})), encode(claims));
    let key = RsaKeyPair::from_pkcs8(KEY).expect("a key");
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).expect("signed");
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

async fn by_assertion(world: &World, assertion: &str) -> Reply {
    world.token(&[("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", assertion)]).await
}

#[tokio::test]
async fn a_signed_assertion_gives_a_session_and_no_refresh_token() {
    let world = World::start().await;
    let mut org = world.org("acme", json!({"jwt_certificate": CERTIFICATE})).await;
    let now_s = world.control(reqwest::Method::GET, "state", Value::Null).await["now_ms"].as_i64().expect("now") / 1000;
    let good = json!({
        "iss": "app", "sub": "integration@acme.example", "aud": "https://login.salesforce.com", "exp": now_s + 180,
    });
    let granted = by_assertion(&world, &assertion(&good)).await;
    assert_eq!(granted.status, 200, "{}", granted.body);
    assert!(granted.body["refresh_token"].is_null());
    granted.body["access_token"].as_str().expect("a token").clone_into(&mut org.token);
    assert_eq!(org.get("limits").await.status, 200);

    let cases = [
        ("exp", json!((now_s + 180).to_string()), ""),
        ("exp", json!(now_s - 1), "invalid assertion"),
        ("exp", json!(now_s + 3_600), "invalid assertion"),
        ("aud", json!("https://test.salesforce.com"), "Audience validation failed"),
        ("sub", json!("nobody@acme.example"), "user hasn't approved this consumer"),
        ("iss", json!("nobody"), "client identifier invalid"),
    ];
    for (claim, value, description) in cases {
        let mut claims = good.clone();
        claims[claim] = value;
        let answer = by_assertion(&world, &assertion(&claims)).await;
        assert_eq!(answer.body["error_description"].as_str().unwrap_or_default(), description, "{claim}");
    }
    let mut forged = assertion(&good);
    forged.replace_range(forged.len() - 4.., "AAAA");
    assert_eq!(by_assertion(&world, &forged).await.body["error_description"], "invalid assertion");
    world.control(reqwest::Method::PATCH, "orgs/acme", json!({"jwt_approved": false})).await;
    let unapproved = by_assertion(&world, &assertion(&good)).await;
    assert_eq!(unapproved.body["error_description"], "user hasn't approved this consumer");
}

#[tokio::test]
async fn client_credentials_are_refused_on_a_login_host() {
    let world = World::start().await;
    world.org("acme", json!({"client_credentials": true})).await;
    let form = [("grant_type", "client_credentials"), ("client_id", "app"), ("client_secret", "secret")];
    let url = format!("{}/services/oauth2/token", world.simulator.salesforce);
    for (host, status) in [("login.salesforce.com", 400), ("test.salesforce.com", 400), ("acme.my.salesforce.com", 200)]
    {
        let answer = reply(world.http.post(&url).header("Host", host).form(&form)).await;
        assert_eq!(answer.status, status, "{host}");
        if status == 400 {
            assert_eq!(answer.body["error_description"], "request not supported on this domain");
        }
    }
}

#[tokio::test]
async fn introspection_tells_whether_a_token_lives() {
    let world = World::start().await;
    let org = world.org("acme", json!({})).await;
    let url = format!("{}/services/oauth2/introspect", world.simulator.salesforce);
    let ask = |token: &str, client: &str| {
        let form = [("token", token), ("client_id", client), ("client_secret", "secret")]
            .map(|(a, b)| (a.to_owned(), b.to_owned()));
        reply(world.http.post(&url).form(&form))
    };
    let access = ask(&org.token, "app").await.body;
    assert_eq!((&access["active"], &access["token_type"]), (&json!(true), &json!("access_token")));
    assert!(access["exp"].as_i64() > access["iat"].as_i64());
    assert_eq!(ask("refresh-acme", "app").await.body["token_type"], "refresh_token");
    assert_eq!(ask(&org.token, "other app").await.body, json!({"active": false}));
    world.control(reqwest::Method::POST, "orgs/acme/revoke", json!({})).await;
    assert_eq!(ask(&org.token, "app").await.body, json!({"active": false}));
}

//! Who may make which tokens, and that each is made once.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use switchyard::store::{Fault, Point};
use switchyard_tests::{ADMIN, OPERATOR, READER, TestHost};

use super::{actions, make, reads, revoke};
use crate::browser::Browser;

#[tokio::test(flavor = "multi_thread")]
async fn nobody_makes_a_token_without_the_scope_or_one_that_may_do_more_than_their_own() {
    let host = TestHost::start().await;
    for token in [READER, OPERATOR] {
        let asked = Some(json!({ "name": "x", "scopes": ["read"] }));
        assert_eq!(host.call(Method::POST, "/v1/tokens", token, asked).await.0, StatusCode::FORBIDDEN);
        assert_eq!(host.call(Method::GET, "/v1/tokens", token, None).await.0, StatusCode::FORBIDDEN);
    }
    let maker =
        make(&host, json!({ "name": "maker", "scopes": ["tokens", "read"], "orgs": ["acme"], "expires_in": 3600 }))
            .await;
    let asks = async |asked: Value| host.call(Method::POST, "/v1/tokens", &maker.secret, Some(asked)).await;
    let fits = json!({ "name": "x", "scopes": ["read"], "orgs": ["acme"], "expires_in": 3600 });
    for (name, value, words) in [
        ("scopes", json!(["read", "errors"]), "`errors`"),
        ("orgs", json!(["acme", "other"]), "not for an organization other"),
        ("orgs", json!(["nobody"]), "not for an organization nobody"),
        ("orgs", Value::Null, "name which"),
        ("expires_in", json!(3601), "lasts longer"),
        ("expires_in", Value::Null, "lasts longer"),
    ] {
        let mut asked = fits.clone();
        asked[name] = value;
        let (status, problem) = asks(asked).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains(words), "{words}: {problem}");
    }
    let (status, made) = asks(fits).await;
    assert_eq!((status, &made["token"]["made_by_token"]), (StatusCode::CREATED, &json!(maker.id)), "{made}");
    // Of tokens that are for others as well, it knows nothing.
    let everybodys = make(&host, json!({ "name": "everybody's", "scopes": ["read"] })).await;
    assert_eq!(revoke(&host, &maker.secret, &everybodys.id).await.0, StatusCode::NOT_FOUND);
    let (_, list) = host.call(Method::GET, "/v1/tokens", &maker.secret, None).await;
    let names: Vec<_> =
        list["tokens"].as_array().unwrap().iter().map(|token| token["name"].as_str().unwrap()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(names.contains(&"maker") && names.contains(&"x"), "{names:?}");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_sense_is_said_and_makes_nothing() {
    let host = TestHost::start().await;
    let long = "x".repeat(101);
    for (asked, words) in [
        (json!({ "name": " ", "scopes": ["read"] }), "name: "),
        (json!({ "name": long, "scopes": ["read"] }), "name: "),
        (json!({ "name": "a\0b", "scopes": ["read"] }), "U+0000"),
        (json!({ "name": "a\u{202e}b", "scopes": ["read"] }), "U+202E"),
        (json!({ "name": "x", "scopes": [] }), "scopes: "),
        (json!({ "name": "x", "scopes": ["read"], "orgs": [] }), "orgs: "),
        (json!({ "name": "x", "scopes": ["read"], "orgs": ["nobody"] }), "no organization nobody"),
        (json!({ "name": "x", "scopes": ["read"], "expires_in": 0 }), "over already"),
        (json!({ "name": "x", "scopes": ["read"], "expires_in": 400_000_000 }), "ten years"),
        (json!({ "name": "x", "scopes": ["read"], "expires_at": "2026-09-21T14:13:20Z" }), "over already"),
    ] {
        let (status, problem) = host.post("/v1/tokens", asked.clone()).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{asked}: {problem}");
        assert!(problem["detail"].as_str().unwrap().contains(words), "{words}: {problem}");
    }
    for asked in [
        json!({ "name": "x" }),
        json!({ "name": "x", "scopes": ["everything"] }),
        json!({ "name": "x", "scopes": ["read"], "orgs": ["a b"] }),
        json!({ "name": "x", "scopes": ["read"], "secret": "of my own" }),
        json!({ "name": "x", "scopes": ["read"], "expires_in": -1 }),
    ] {
        let (status, problem) = host.post("/v1/tokens", asked.clone()).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{asked}: {problem}");
    }
    let hostile = "<script>alert(1)</script> '; DROP TABLE x -- =1+1 日本";
    let made = make(&host, json!({ "name": hostile, "scopes": ["read"] })).await;
    assert_eq!(host.get(&format!("/v1/tokens/{}", made.id)).await.1["name"], hostile);
    let page = Browser::sign_in(&host, &made.secret).await.get("/").await;
    assert!(page.text.contains("&lt;script&gt;") && !page.text.contains("<script>"), "{}", page.text);
    assert_eq!(actions(&host, "token-make").await.len(), 1);
    for id in ["tok-none", "a%20b", &"x".repeat(200)] {
        assert_eq!(revoke(&host, ADMIN, id).await.0, StatusCode::NOT_FOUND, "{id}");
    }
    let (_, list) = host.get("/v1/tokens").await;
    let configured = list["tokens"].as_array().unwrap().iter().find(|token| token["name"] == "operator").unwrap();
    let (status, problem) = revoke(&host, ADMIN, configured["id"].as_str().unwrap()).await;
    assert!(
        status == StatusCode::CONFLICT && problem["detail"].as_str().unwrap().contains("configuration"),
        "{problem}"
    );
    assert_eq!(reads(&host, OPERATOR).await, StatusCode::OK);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_comes_again_makes_no_second_token_and_shows_no_secret() {
    let host = TestHost::start().await;
    let ask = || {
        let call = host.http.post(format!("http://{}/v1/tokens", host.app.address)).bearer_auth(ADMIN);
        call.header("Idempotency-Key", "k").json(&json!({ "name": "robot", "scopes": ["read"] })).send()
    };
    let first: Value = ask().await.unwrap().json().await.unwrap();
    let secret = first["secret"].as_str().unwrap().to_owned();
    let again = ask().await.unwrap();
    assert_eq!((again.status(), again.headers().contains_key("idempotent-replayed")), (StatusCode::CREATED, true));
    let again: Value = again.json().await.unwrap();
    assert_eq!(again["token"]["id"], first["token"]["id"]);
    assert!(again.get("secret").is_none() && !host.exported().await.contains(&secret), "{again}");
    assert_eq!(actions(&host, "token-make").await.len(), 1);
    // Keys of two tokens are two, also where both have one name.
    let robot = json!({ "name": "robot", "scopes": ["tokens", "read"] });
    let (one, other) = (make(&host, robot.clone()).await, make(&host, robot).await);
    let mut ids = Vec::new();
    for token in [&one.secret, &other.secret, &one.secret] {
        let call = host.http.post(format!("http://{}/v1/tokens", host.app.address)).bearer_auth(token);
        let call = call.header("Idempotency-Key", "same").json(&json!({ "name": "child", "scopes": ["read"] }));
        let made: Value = call.send().await.unwrap().json().await.unwrap();
        ids.push(made["token"]["id"].as_str().unwrap().to_owned());
    }
    assert!(ids[0] != ids[1] && ids[0] == ids[2], "{ids:?}");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_made_and_could_not_be_answered_is_not_made_again_and_what_was_not_made_is() {
    let host = TestHost::start().await;
    let ask = async |key: &str| {
        let call = host.http.post(format!("http://{}/v1/tokens", host.app.address)).bearer_auth(ADMIN);
        let answer = call.header("Idempotency-Key", key).json(&json!({ "name": "robot", "scopes": ["read"] })).send();
        let answer = answer.await.unwrap();
        (answer.status(), answer.json::<Value>().await.unwrap())
    };
    host.store.plan([Fault::at(Point::BeforeCommit).of("idempotency-answer/")]);
    assert_eq!(ask("a").await.0, StatusCode::SERVICE_UNAVAILABLE);
    host.store.plan([]);
    let (status, problem) = ask("a").await;
    assert_eq!((status, problem["type"].as_str()), (StatusCode::CONFLICT, Some("/problems/answer-lost")));
    host.store.plan([Fault::at(Point::BeforeCommit).of("api-token/").times(1)]);
    assert_eq!(ask("b").await.0, StatusCode::SERVICE_UNAVAILABLE);
    let (status, made) = ask("b").await;
    assert!(status == StatusCode::CREATED && made["secret"].is_string(), "{made}");
    assert_eq!(actions(&host, "token-make").await.len(), 2);
    host.stop().await;
}

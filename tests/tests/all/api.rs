//! The API's manners: tokens, problem documents and what is open to all.

use std::num::NonZeroU32;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use switchyard_tests::{ADMIN, OPERATOR, TestHost, received};

#[tokio::test(flavor = "multi_thread")]
async fn without_a_known_token_nothing_is_told_but_that_the_host_lives() {
    let host = TestHost::start().await;
    for path in ["/v1/orgs", "/v1/sync-errors", "/v1/policies", "/v1/plugins", "/metrics", "/v1/messages/x/audit"] {
        let (status, problem) = host.call(Method::GET, path, "wrong", None).await;
        assert_eq!((status, problem["status"].as_u64()), (StatusCode::UNAUTHORIZED, Some(401)), "{path}");
    }
    assert_eq!(host.call(Method::GET, "/healthz", "wrong", None).await.0, StatusCode::OK);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_is_a_problem_document() {
    let host = TestHost::start().await;
    let cases = [
        (Method::GET, "/v1/nothing", 404),
        (Method::GET, "/v1/orgs/nobody", 404),
        (Method::GET, "/v1/sync-errors/se-none", 404),
        (Method::GET, "/v1/messages/none/audit", 404),
        (Method::GET, "/v1/policies/none", 404),
        (Method::GET, "/v1/sync-errors?state=none", 400),
        (Method::GET, "/v1/sync-errors?cursor=none", 400),
        (Method::DELETE, "/v1/orgs", 405),
        (Method::POST, "/v1/sync-errors/se-none/retry", 404),
        (Method::POST, "/v1/orgs/nobody/retry-all", 404),
    ];
    for (method, path, wanted) in cases {
        let url = format!("http://{}{path}", host.app.address);
        let answer = host.http.request(method, url).bearer_auth(OPERATOR).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), wanted, "{path}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json", "{path}");
        let id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
        let problem: Value = answer.json().await.unwrap();
        assert!(id.starts_with("req-") && problem["request_id"] == id, "{path}: {id} {problem}");
    }
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_id_of_a_request_is_kept_and_a_head_has_no_body() {
    let host = TestHost::start().await;
    let ask = async |method: Method, path: &str, id: &str| {
        let url = format!("http://{}{path}", host.app.address);
        host.http.request(method, url).bearer_auth(OPERATOR).header("X-Request-Id", id).send().await.unwrap()
    };
    for (method, path, status) in [
        (Method::GET, "/v1/orgs", 200),
        (Method::HEAD, "/v1/orgs", 200),
        (Method::GET, "/v1/orgs/nobody", 404),
        (Method::HEAD, "/v1/orgs/nobody", 404),
        (Method::GET, "/healthz", 200),
        (Method::GET, "/login", 200),
    ] {
        let answer = ask(method.clone(), path, "trace-7f3a:1").await;
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["x-request-id"]),
            (status, &"trace-7f3a:1".parse().unwrap())
        );
        let body = answer.bytes().await.unwrap();
        assert_eq!(body.is_empty(), method == Method::HEAD, "{method} {path}");
        if status == 404 && method == Method::GET {
            let problem: Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(problem["request_id"], "trace-7f3a:1");
        }
    }
    let strange = ask(Method::GET, "/v1/orgs", "no id").await;
    assert!(strange.headers()["x-request-id"].to_str().unwrap().starts_with("req-"));
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conflict_says_where_the_sync_error_stands() {
    let host = TestHost::start().await;
    host.notify(received(1, 1, "nobody", "jane@example.com")).await;
    host.until("it is on record", |health| health.sync_errors.pending == 1).await;
    let id = host.idle().await[0]["id"].as_str().unwrap().to_owned();
    let ignore = format!("/v1/sync-errors/{id}/ignore");
    assert_eq!(host.post(&ignore, json!({ "reason": "a test" })).await.0, StatusCode::OK);
    let (status, problem) = host.post(&format!("/v1/sync-errors/{id}/retry"), json!({})).await;
    assert_eq!((status, &problem["state"]), (StatusCode::CONFLICT, &json!("ignored")), "{problem}");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn organizations_plugins_policies_and_counters_are_shown() {
    let host = TestHost::start().await;
    let (_, orgs) = host.get("/v1/orgs").await;
    assert_eq!(orgs["orgs"][0]["sync_errors"]["pending"], 0);
    let (_, plugins) = host.get("/v1/plugins").await;
    assert!(plugins.to_string().contains("keyword-router"), "{plugins}");
    let (_, policies) = host.get("/v1/policies").await;
    assert!(policies.to_string().contains("\"default\""), "{policies}");
    let (_, metrics) = host.get("/metrics").await;
    assert!(
        metrics.as_str().unwrap().contains("switchyard_sync_errors{org=\"acme\",state=\"pending\"} 0"),
        "{metrics}"
    );
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_from_another_website_is_not_taken() {
    let host = TestHost::start().await;
    let url = format!("http://{}/v1/orgs/acme/retry-all", host.app.address);
    let answer =
        host.http.post(url).bearer_auth(OPERATOR).header("origin", "https://evil.example").send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_changes_what_another_has_changed_meanwhile_is_told_so() {
    let host = TestHost::start().await;
    host.notify(received(1, 1, "nobody", "jane@example.com")).await;
    host.until("it is on record", |health| health.sync_errors.pending == 1).await;
    let group = host.idle().await[0]["group"].as_str().unwrap().to_owned();
    let (cause, policy) = (format!("/v1/groups/{group}"), "/v1/policies/acme".to_owned());
    let (_, shown) = host.get(&policy).await;
    let text = |queue: &str| {
        let mut texts = shown["source"].clone();
        texts["toml"] = json!(format!("{}\n# {queue}\n", texts["toml"].as_str().unwrap()));
        texts
    };
    let ask = async |method: Method, path: &str, tag: Option<&str>, body: Option<Value>| {
        let mut request = host.http.request(method, format!("http://{}{path}", host.app.address)).bearer_auth(ADMIN);
        if let Some(tag) = tag {
            request = request.header("If-Match", tag);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        let tag = answer.headers().get("etag").map(|tag| tag.to_str().unwrap().to_owned());
        (answer.status(), tag, answer.json::<Value>().await.unwrap_or_default())
    };
    for (path, method, one, other) in [
        (&policy, Method::PUT, text("one"), text("other")),
        (&cause, Method::PATCH, json!({ "assignee": "ann" }), json!({ "assignee": "bob" })),
    ] {
        let (_, before, _) = ask(Method::GET, path, None, None).await;
        let before = before.expect("a version");
        let (status, after, _) = ask(method.clone(), path, Some(&before), Some(one.clone())).await;
        assert_eq!(status, StatusCode::OK, "{path}");
        let (status, _, problem) = ask(method.clone(), path, Some(&before), Some(other.clone())).await;
        assert_eq!(status, StatusCode::PRECONDITION_FAILED, "{path}: {problem}");
        assert_eq!(problem["type"], "/problems/stale");
        let (_, now, _) = ask(Method::GET, path, None, None).await;
        assert!(now == after && now.as_deref() != Some(&before), "{path}: what is refused changes nothing");
        // Several ask at once, and one of them is first.
        let now = now.expect("a version");
        let asked = (0..8).map(|_| ask(method.clone(), path, Some(&now), Some(other.clone())));
        let statuses = futures_util::future::join_all(asked).await;
        assert_eq!(statuses.iter().filter(|(status, ..)| *status == StatusCode::OK).count(), 1, "{path}");
        let (status, _, problem) = ask(method.clone(), path, Some("no tag"), Some(one)).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{path}: {problem}");
    }
    let (status, ..) = ask(Method::PUT, "/v1/policies/new", Some("*"), Some(text("new"))).await;
    assert_eq!(status, StatusCode::PRECONDITION_FAILED, "there is none yet");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_answer_is_compressed_for_those_who_take_that_and_for_nobody_else() {
    let host = TestHost::start().await;
    let ask = async |path: &str, accepts: &str| {
        let url = format!("http://{}{path}", host.app.address);
        let answer = host.http.get(url).bearer_auth(OPERATOR).header("Accept-Encoding", accepts).send().await.unwrap();
        let encoding = answer.headers().get("content-encoding").map(|value| value.to_str().unwrap().to_owned());
        (encoding, answer.bytes().await.unwrap())
    };
    let (encoding, plain) = ask("/v1/openapi.json", "identity").await;
    assert_eq!(encoding, None);
    let (encoding, packed) = ask("/v1/openapi.json", "gzip, br").await;
    assert_eq!((encoding.as_deref(), &packed[..2]), (Some("gzip"), &[0x1f, 0x8b][..]));
    assert!(packed.len() * 4 < plain.len(), "{} of {}", packed.len(), plain.len());
    assert_eq!(ask("/healthz", "gzip").await.0, None, "a short one is sent as it is");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_asks_for_too_much_is_told_when_to_ask_again_and_no_other_is() {
    let few =
        |config: &mut switchyard::config::Config| config.http.limits.requests_per_second = NonZeroU32::new(5).unwrap();
    let host = TestHost::start().await.restart_with(few).await;
    let ask = async |token: &str| {
        let url = format!("http://{}/v1/troubles", host.app.address);
        host.http.get(url).bearer_auth(token).send().await.unwrap()
    };
    let mut refused = None;
    for _ in 0..100 {
        let answer = ask(OPERATOR).await;
        if answer.status() == StatusCode::TOO_MANY_REQUESTS {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.expect("five in a second are enough");
    assert_eq!(refused.headers()["retry-after"], "1");
    let problem: Value = refused.json().await.unwrap();
    assert_eq!((&problem["type"], &problem["retry_after"]), (&json!("/problems/too-many-requests"), &json!(1)));
    assert_eq!(ask(ADMIN).await.status(), StatusCode::OK);
    let (status, _) = host.notify(received(1, 1, "billing", "jane@example.com")).await;
    assert_eq!(status, StatusCode::OK, "a notification is nobody's of them");
    host.stop().await;
}

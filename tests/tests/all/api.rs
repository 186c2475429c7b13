//! The API's manners: tokens, problem documents and what is open to all.

use reqwest::{Method, StatusCode};
use switchyard_tests::{OPERATOR, TestHost};

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
    }
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

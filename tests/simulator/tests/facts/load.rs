//! Load: the quota and its day, calls at the same moment, and slow answers.

use reqwest::Method;
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn the_quota_is_whole_again_a_day_after_it_was_used() {
    let world = World::start().await;
    let org = world.org("acme", json!({"api_limit": 2})).await;
    assert_eq!(org.get("limits").await.header("Sforce-Limit-Info"), Some("api-usage=1/2"));
    assert_eq!(org.get("limits").await.status, 200);
    assert_eq!(org.get("limits").await.refusal(), (403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."));
    let day_ms = 24 * 60 * 60 * 1000;
    world.control(Method::PUT, "clock", json!({"advance_ms": day_ms - 120_000})).await;
    world.control(Method::PATCH, "orgs/acme", json!({"session_ms": 2 * day_ms})).await;
    assert_eq!(world.refresh("refresh-acme").await.status, 200, "logins are not counted");
    assert_eq!(org.get("limits").await.status, 403);
    world.control(Method::PUT, "clock", json!({"advance_ms": 120_000})).await;
    assert_eq!(org.get("limits").await.header("Sforce-Limit-Info"), Some("api-usage=1/2"));
}

#[tokio::test]
async fn slow_answers_are_slow_side_by_side() {
    const CALLS: usize = 40;
    let world = World::start().await;
    let org = world.org("acme", json!({})).await;
    world.control(Method::PUT, "latency", json!({"ms": 1_000})).await;
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..CALLS {
        let call = org.request(Method::GET, "limits");
        calls.spawn(async move { call.send().await.expect("an answer").status() });
    }
    while let Some(status) = calls.join_next().await {
        assert_eq!(status.expect("done"), 200);
    }
    let totals = world.control(Method::GET, "orgs/acme", json!(null)).await["totals"].clone();
    assert_eq!(totals["most_at_once"], CALLS, "all of them waited together");
}

#[tokio::test]
async fn more_calls_at_once_than_are_allowed_are_refused() {
    let world = World::start().await;
    let org = world.org("acme", json!({"concurrent_limit": 2})).await;
    world.control(Method::POST, "orgs/acme/faults", json!({"path": "/query", "latency_ms": 1_000})).await;
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..3 {
        let call = org.request(Method::GET, "query").query(&[("q", "SELECT Id FROM Case")]);
        calls.spawn(async move { crate::world::reply(call).await });
    }
    let mut refused = 0;
    while let Some(answer) = calls.join_next().await {
        let answer = answer.expect("done");
        if answer.status != 200 {
            refused += 1;
            let text = "ConcurrentRequests (Concurrent API Requests) Limit exceeded.";
            assert_eq!(answer.refusal(), (403, "REQUEST_LIMIT_EXCEEDED", text));
        }
    }
    assert!(refused >= 1);
    assert_eq!(org.get("limits").await.status, 200);
}

#[tokio::test]
async fn the_log_keeps_what_was_sent_but_no_secrets() {
    let world = World::start().await;
    let org = world.org("acme", json!({})).await;
    org.post("sobjects/Account", json!({"Name": "Acme"})).await;
    let calls = world.control(Method::GET, "calls?org=acme", json!(null)).await;
    let calls = calls.as_array().expect("calls");
    assert_eq!(calls.last().expect("one")["body"], r#"{"Name":"Acme"}"#);
    let login = calls.iter().find(|call| call["path"] == "/services/oauth2/token").expect("a login");
    assert_eq!(login["body"], "");
}

//! The same request with the same key is carried out once, whatever happens between.

use futures_util::future::join_all;
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use switchyard::store::{Fault, Point};
use switchyard_tests::{ADMIN, OPERATOR, TestHost, received};

use crate::at_once::{unmapped, with_errors};

/// A call with a key: the status, the answer, and whether it is one that was given before.
async fn call(host: &TestHost, path: &str, key: &str, body: Value) -> (StatusCode, Value, bool) {
    told(sent(host, OPERATOR, path, key, body).await).await
}

async fn sent(host: &TestHost, token: &str, path: &str, key: &str, body: Value) -> Response {
    let url = format!("http://{}{path}", host.app.address);
    let call = host.http.post(url).bearer_auth(token).header("Idempotency-Key", key).json(&body);
    call.send().await.unwrap()
}

async fn told(answer: Response) -> (StatusCode, Value, bool) {
    let replayed = answer.headers().contains_key("idempotent-replayed");
    (answer.status(), answer.json().await.unwrap_or_default(), replayed)
}

/// How many actions of one kind there are.
async fn actions(host: &TestHost, what: &str) -> usize {
    let (_, list) = host.get(&format!("/v1/actions?what={what}")).await;
    list["actions"].as_array().unwrap().len()
}

async fn only_error(host: &TestHost) -> String {
    let (_, page) = host.get("/v1/sync-errors").await;
    page["sync_errors"][0]["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_comes_again_is_answered_as_it_was_also_after_a_restart_and_done_once() {
    let host = with_errors(1, unmapped).await;
    let path = format!("/v1/sync-errors/{}/ignore", only_error(&host).await);
    let body = json!({ "reason": "a test account" });
    let (status, first, replayed) = call(&host, &path, "k-1", body.clone()).await;
    assert_eq!((status, replayed, first["state"].as_str()), (StatusCode::OK, false, Some("ignored")), "{first}");
    assert_eq!(call(&host, &path, "k-1", body.clone()).await, (StatusCode::OK, first.clone(), true));
    let host = host.restart().await;
    assert_eq!(call(&host, &path, "k-1", body.clone()).await, (StatusCode::OK, first, true));
    assert_eq!(actions(&host, "ignore").await, 1);
    // A refusal is an answer as well; with another key it is looked at anew.
    let (status, refused, _) = call(&host, &path, "k-2", body.clone()).await;
    assert_eq!((status, refused["type"].as_str()), (StatusCode::CONFLICT, Some("/problems/state")));
    let reopen = path.replace("ignore", "reopen");
    assert_eq!(call(&host, &reopen, "k-3", json!({})).await.0, StatusCode::OK);
    assert_eq!(call(&host, &path, "k-2", body.clone()).await.0, StatusCode::CONFLICT);
    assert_eq!(call(&host, &path, "k-4", body).await.0, StatusCode::OK);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_belongs_to_one_request_of_one_caller() {
    let host = with_errors(1, unmapped).await;
    let path = format!("/v1/sync-errors/{}/ignore", only_error(&host).await);
    let (_, first, _) = call(&host, &path, "k", json!({ "reason": "a" })).await;
    assert_eq!(first["state"], "ignored");
    for (path, body) in [(path.clone(), json!({ "reason": "b" })), (path.replace("ignore", "retry"), json!({}))] {
        let (status, problem, _) = call(&host, &path, "k", body).await;
        let wanted = (StatusCode::UNPROCESSABLE_ENTITY, Some("/problems/key-reused"));
        assert_eq!((status, problem["type"].as_str()), wanted, "{path}");
    }
    let others = told(sent(&host, ADMIN, "/v1/orgs/acme/retry-all", "k", json!({})).await).await;
    assert_eq!((others.0, others.2), (StatusCode::ACCEPTED, false), "{}", others.1);
    for bad in ["", "a b", &"x".repeat(256)] {
        let (status, problem, _) = call(&host, &path, bad, json!({ "reason": "a" })).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{bad:?}: {problem}");
    }
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_with_one_key_at_the_same_moment_are_done_once() {
    let host = with_errors(3, unmapped).await;
    let begin = || sent(&host, OPERATOR, "/v1/operations", "k", json!({ "task": "ignore", "reason": "x" }));
    let answers = join_all((0..8).map(|_| begin())).await;
    let mut ids = Vec::new();
    for answer in answers {
        let again = answer.headers().contains_key("retry-after");
        let (status, answer, _) = told(answer).await;
        match status {
            StatusCode::ACCEPTED => ids.push(answer["id"].as_str().unwrap().to_owned()),
            _ => assert_eq!((answer["type"].as_str(), again), (Some("/problems/key-in-use"), true), "{answer}"),
        }
    }
    ids.dedup();
    assert_eq!(ids.len(), 1, "{ids:?}");
    let (status, again, replayed) = told(begin().await).await;
    assert_eq!((status, again["id"].as_str(), replayed), (StatusCode::ACCEPTED, Some(ids[0].as_str()), true));
    assert_eq!(actions(&host, "operation-begin").await, 1);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_has_words_of_a_customer_is_forgotten_with_them_and_nothing_is_done_again() {
    let host = with_errors(1, unmapped).await;
    let id = only_error(&host).await;
    let path = format!("/v1/sync-errors/{id}/ignore");
    let body = json!({ "reason": "a test account" });
    let (_, first, _) = call(&host, &path, "k", body.clone()).await;
    let email = first["person"]["email"].as_str().unwrap().to_owned();
    assert!(host.exported().await.contains(&email));
    let number: u64 = first["conversation"].as_str().unwrap().trim_start_matches("main:").parse().unwrap();
    let mut forget = received(900, number, "nobody", "");
    forget["type"] = json!("anonymize-gdpr");
    forget["task"]["message"]["id"] = json!(5000 + number);
    host.notify(forget).await;
    host.seen(&format!("/v1/messages/main:{}/audit", 5000 + number), |it| it.to_string().contains("\"ERASED\"")).await;
    assert!(!host.exported().await.contains(&email));
    let (status, problem, _) = call(&host, &path, "k", body).await;
    assert_eq!((status, problem["type"].as_str()), (StatusCode::CONFLICT, Some("/problems/answer-lost")));
    assert_eq!(actions(&host, "ignore").await, 1);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_tells_the_id_of_its_request() {
    let host = with_errors(1, unmapped).await;
    let url = format!("http://{}/v1/sync-errors/{}/ignore", host.app.address, only_error(&host).await);
    let call =
        host.http.post(url).bearer_auth(OPERATOR).header("X-Request-Id", "trace-7").json(&json!({ "reason": "x" }));
    assert_eq!(call.send().await.unwrap().status(), StatusCode::OK);
    let (_, list) = host.get("/v1/actions?what=ignore").await;
    assert_eq!(list["actions"][0]["request_id"], "trace-7", "{list}");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_carried_out_and_could_not_be_answered_is_not_carried_out_again() {
    let host = with_errors(2, unmapped).await;
    // The effect is on disk, and its answer is not: as after a crash between the two.
    host.store.plan([Fault::at(Point::BeforeCommit).of("idempotency-answer/")]);
    let begin = || call(&host, "/v1/operations", "k", json!({ "task": "ignore", "reason": "x" }));
    assert_eq!(begin().await.0, StatusCode::SERVICE_UNAVAILABLE);
    host.store.plan([]);
    let host = host.restart().await;
    let again = call(&host, "/v1/operations", "k", json!({ "task": "ignore", "reason": "x" })).await;
    assert_eq!((again.0, again.1["type"].as_str()), (StatusCode::CONFLICT, Some("/problems/answer-lost")));
    let (_, operations) = host.get("/v1/operations").await;
    assert_eq!(operations["operations"].as_array().map(Vec::len), Some(1), "{operations}");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_to_nothing_because_the_disk_failed_is_carried_out_when_it_comes_again() {
    let host = with_errors(1, unmapped).await;
    let id = only_error(&host).await;
    let path = format!("/v1/quarantine/{id}/retry");
    // Nothing is there by that name: a refusal without an effect is kept as the answer that it is.
    let (status, first, _) = call(&host, &path, "k", json!({})).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let (status, again, replayed) = call(&host, &path, "k", json!({})).await;
    assert_eq!((status, &again["detail"], replayed), (StatusCode::NOT_FOUND, &first["detail"], true));
    // The store fails before the effect: that is no answer.
    host.store.plan([Fault::at(Point::BeforeCommit).of("action/").times(1)]);
    let (status, _, _) = call(&host, "/v1/store/verify", "other", json!({})).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    let (status, _, replayed) = call(&host, "/v1/store/verify", "other", json!({})).await;
    assert_eq!((status, replayed), (StatusCode::OK, false));
    // What changes nothing and breaks off was not carried out, though its action is on record.
    host.store.plan([Fault::at(Point::Read).of("delivery/").times(1)]);
    assert_eq!(call(&host, "/v1/store/verify", "third", json!({})).await.0, StatusCode::SERVICE_UNAVAILABLE);
    let (status, recount, replayed) = call(&host, "/v1/store/verify", "third", json!({})).await;
    assert_eq!((status, replayed, &recount["differences"]), (StatusCode::OK, false, &json!(0)), "{recount}");
    host.stop().await;
}

//! Previews: every open sync error is looked at, in pages, and what would become of each cause is told.

use reqwest::StatusCode;
use serde_json::{Value, json};
use switchyard_tests::{ADMIN, TestHost, received};

/// The texts of the policy in force, with the queue `Care` for one more team.
fn mapped(host: &TestHost, team: &str) -> Value {
    mapped_to(host, team, "Care")
}

fn mapped_to(host: &TestHost, team: &str, queue: &str) -> Value {
    let toml = std::fs::read_to_string(host.policy_file("acme.toml")).unwrap() + &format!("{team} = \"{queue}\"\n");
    let script = std::fs::read_to_string(host.policy_file("acme.rhai")).unwrap();
    json!({ "toml": toml, "scripts": { "acme.rhai": script } })
}

async fn host_with_two_causes(nobodys: u64, someones: u64) -> TestHost {
    let host = TestHost::start().await;
    for number in 1..=nobodys + someones {
        let team = if number <= nobodys { "nobody" } else { "someone" };
        host.notify(received(number, number, team, "jane@example.com")).await;
    }
    host.until("all are on record", |health| health.sync_errors.pending == nobodys + someones).await;
    host
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_goes_over_every_open_sync_error_in_pages_and_says_what_would_pass_by_cause() {
    let host = host_with_two_causes(6, 5).await;
    let errors = host.idle().await;
    let id = errors[0]["id"].as_str().unwrap();
    host.post(&format!("/v1/sync-errors/{id}/ignore"), json!({ "reason": "a test" })).await;
    let texts = mapped(&host, "nobody");
    let (mut pages, mut looked_at, mut passes, mut next) = (0, 0, 0, String::new());
    loop {
        let (status, page) = host.post(&format!("/v1/policies/acme/preview?limit=4{next}"), texts.clone()).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        assert_eq!((&page["open"], &page["in_force"]["revision"]), (&json!(11), &json!(1)), "{page}");
        let sum = |name: &str| -> u64 {
            page["groups"].as_array().unwrap().iter().map(|group| group[name].as_u64().unwrap()).sum()
        };
        assert_eq!(sum("looked_at"), page["errors"]["looked_at"].as_u64().unwrap());
        (pages, looked_at, passes) = (pages + 1, looked_at + sum("looked_at"), passes + sum("would_pass"));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        next = format!("&cursor={cursor}");
    }
    assert_eq!((pages, looked_at, passes), (3, 11, 6), "an ignored one is looked at too");
    let (_, whole) = host.post("/v1/policies/acme/preview", texts).await;
    assert!(whole["next_cursor"].is_null(), "{whole}");
    let (first, second) = (&whole["groups"][0], &whole["groups"][1]);
    let counts = |group: &Value| ["looked_at", "would_pass", "would_fail_again", "changed"].map(|it| group[it].clone());
    assert_eq!((counts(first), counts(second)), ([6, 6, 0, 6].map(|n| json!(n)), [5, 0, 5, 0].map(|n| json!(n))));
    assert!(first["title"].as_str().unwrap().contains("nobody") && first["org"] == "acme", "{first}");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_of_a_preview_is_for_the_same_texts_alone() {
    let host = host_with_two_causes(2, 1).await;
    let (_, page) = host.post("/v1/policies/acme/preview?limit=1", mapped(&host, "nobody")).await;
    let cursor = page["next_cursor"].as_str().expect("a cursor");
    for (path, texts, words) in [
        (format!("limit=1&cursor={cursor}"), mapped(&host, "someone"), "another preview"),
        ("cursor=1~next".to_owned(), mapped(&host, "nobody"), "another preview"),
        ("limit=0".to_owned(), mapped(&host, "nobody"), "limit"),
        ("limit=10001".to_owned(), mapped(&host, "nobody"), "limit"),
        ("colour=red".to_owned(), mapped(&host, "nobody"), "colour"),
    ] {
        let (status, problem) = host.post(&format!("/v1/policies/acme/preview?{path}"), texts).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{path}: {problem}");
        assert!(problem["detail"].as_str().unwrap().contains(words), "{path}: {problem}");
    }
    assert_eq!(host.get("/v1/policies/acme/preview").await.0, StatusCode::METHOD_NOT_ALLOWED);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_of_many_is_frozen_once_and_previews_side_by_side_come_to_their_ends() {
    let host = host_with_two_causes(150, 80).await;
    let (first, second) = (mapped(&host, "nobody"), mapped(&host, "someone"));
    let whole = async |texts: &Value| {
        let (mut passes, mut next) = (0, String::new());
        loop {
            let (status, page) = host.post(&format!("/v1/policies/acme/preview?limit=50{next}"), texts.clone()).await;
            assert_eq!(status, StatusCode::OK, "{page}");
            passes += page["groups"].as_array().unwrap().iter().filter_map(|it| it["would_pass"].as_u64()).sum::<u64>();
            let Some(cursor) = page["next_cursor"].as_str() else { return passes };
            next = format!("&cursor={cursor}");
        }
    };
    let (nobodys, someones) = tokio::join!(whole(&first), whole(&second));
    assert_eq!((nobodys, someones), (150, 80));
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_the_organization_does_not_have_is_named_and_what_would_go_there_would_fail() {
    let host = host_with_two_causes(3, 0).await;
    let [odrers, care] = ["Odrers", "Care"].map(|queue| mapped_to(&host, "nobody", queue));
    let preview = async |texts: &Value| {
        let (status, page) = host.post("/v1/policies/acme/preview", texts.clone()).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        page
    };
    let wrong = preview(&odrers).await;
    assert_eq!(wrong["missing_queues"], json!([{ "org": "acme", "queue": "Odrers" }]), "{wrong}");
    assert_eq!((&wrong["groups"][0]["would_pass"], &wrong["groups"][0]["would_fail_again"]), (&json!(0), &json!(3)));
    let right = preview(&care).await;
    assert_eq!((&right["missing_queues"], &right["groups"][0]["would_pass"]), (&Value::Null, &json!(3)), "{right}");
    // What is put in force all the same fails for want of the queue, and the next texts are what helps.
    let (status, _) = host.call(reqwest::Method::PUT, "/v1/policies/acme", ADMIN, Some(odrers)).await;
    assert_eq!(status, StatusCode::OK);
    host.post("/v1/orgs/acme/retry-all", json!({})).await;
    host.until("they failed for want of the queue", |health| health.sync_errors.pending == 3 && health.idle()).await;
    let (_, errors) = host.get("/v1/sync-errors?code=QUEUE_NOT_FOUND").await;
    assert_eq!(errors["total"], 3, "{errors}");
    let right = preview(&care).await;
    assert_eq!((&right["missing_queues"], &right["groups"][0]["would_pass"]), (&Value::Null, &json!(3)), "{right}");
    host.stop().await;
}

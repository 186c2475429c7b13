//! Which sync errors and causes a filter, a search, a page or an export has.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use switchyard_tests::{TestHost, received};

use super::unmapped;

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_that_names_what_does_not_exist_is_refused_with_what_exists() {
    let host = TestHost::start().await;
    for (path, words) in [
        ("/v1/sync-errors?org=nonsense", "there is no organization nonsense"),
        ("/v1/sync-errors?class=nonsense", "class:"),
        ("/v1/sync-errors?colour=red", "known are id, org, state"),
        ("/v1/sync-errors?sort=colour", "first_seen"),
        ("/v1/sync-errors?first_seen_from=yesterday", "first_seen_from:"),
        ("/v1/sync-errors?customer=a&customer=b", "more than once"),
        ("/v1/groups?org=nonsense", "there is no organization nonsense"),
        ("/v1/groups?condition=nonsense", "new, ongoing"),
        ("/v1/groups?colour=red", "known are org, condition"),
        ("/v1/groups?cursor=1~2", "cursor"),
        ("/v1/operations?org=nonsense", "there is no organization nonsense"),
    ] {
        let (status, problem) = host.get(path).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{path}: {problem}");
        assert!(problem["detail"].as_str().unwrap().contains(words), "{path}: {problem}");
    }
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_belongs_to_its_query_and_its_order() {
    let host = TestHost::start().await;
    unmapped(&host, 1..=3, "nobody").await;
    host.until("all are on record", |health| health.sync_errors.pending == 3).await;
    let (_, page) = host.get("/v1/sync-errors?state=pending&limit=1").await;
    let cursor = page["next_cursor"].as_str().unwrap();
    let (_, second) = host.get(&format!("/v1/sync-errors?state=pending&limit=1&cursor={cursor}")).await;
    let back = second["previous_cursor"].as_str().unwrap();
    let (_, again) = host.get(&format!("/v1/sync-errors?state=pending&limit=1&cursor={back}")).await;
    assert_eq!(again["sync_errors"], page["sync_errors"]);
    for other in ["state=ignored", "state=pending&sort=first_seen", "", "state=pending&org=acme"] {
        let (status, _) = host.get(&format!("/v1/sync-errors?{other}&cursor={cursor}")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{other}");
    }
    // One of another release says another version.
    assert!(cursor.starts_with("1~"), "{cursor}");
    let (status, problem) = host.get(&format!("/v1/sync-errors?state=pending&cursor=2{}", &cursor[1..])).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{problem}");
    unmapped(&host, 4..=4, "somebody").await;
    host.until("there are two causes", |health| health.sync_errors.pending == 4).await;
    let (_, page) = host.get("/v1/groups?limit=1").await;
    let cursor = page["next_cursor"].as_str().unwrap();
    assert_eq!(host.get(&format!("/v1/groups?limit=1&cursor={cursor}")).await.0, StatusCode::OK);
    for other in [
        format!("cursor=2{}", &cursor[1..]),
        format!("sort=newest&cursor={cursor}"),
        format!("org=acme&cursor={cursor}"),
    ] {
        let (status, problem) = host.get(&format!("/v1/groups?limit=1&{other}")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{other}: {problem}");
    }
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_search_finds_a_customer_an_id_of_any_kind_and_words_of_a_cause() {
    let host = TestHost::start().await;
    unmapped(&host, 1..=1, "nobody").await;
    host.notify(received(2, 2, "billing", "twin@example.com")).await;
    host.notify(received(3, 3, "billing", "egg@example.com")).await;
    host.idle().await;
    let refusal = json!([{ "errorCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "message": "No bad eggs" }]);
    host.salesforce(Method::POST, "acme/faults", json!({ "external_id": "main:3", "status": 400, "json": refusal }))
        .await;
    host.notify(received(4, 3, "billing", "egg@example.com")).await;
    host.until("all are on record", |health| health.sync_errors.pending == 3).await;
    let errors = host.idle().await;
    let text = |error: &Value, name: &str| error[name].as_str().unwrap().to_owned();
    let of = |code: &str| errors.iter().find(|error| error["refusal"]["code"] == code).unwrap();
    let twin = of("CONTACT_AMBIGUOUS");
    let egg = of("FIELD_CUSTOM_VALIDATION_EXCEPTION");
    let other = errors.iter().find(|error| error["id"] != twin["id"] && error["id"] != egg["id"]).unwrap();
    // It got through once: an id of Salesforce has 15 characters, or 18.
    let rows = host.query("SELECT Id FROM alcmeon__Conversation__c WHERE alcmeon__scoped_id__c = 'main:3'").await;
    let record = rows[0]["Id"].as_str().unwrap();
    assert_eq!(record.len(), 18);
    for (q, found) in [
        (text(&egg["refusal"], "request_id"), egg),
        (text(twin, "id"), twin),
        (text(twin, "conversation"), twin),
        (text(twin, "message"), twin),
        (record.to_owned(), egg),
        (record[..15].to_owned(), egg),
        ("TWIN@exa".to_owned(), twin),
        ("jane@".to_owned(), other),
        ("queue NOBODY".to_owned(), other),
    ] {
        let (_, page) = host.get(&format!("/v1/sync-errors?q={}", q.replace(' ', "+").replace('@', "%40"))).await;
        let ids: Vec<_> = page["sync_errors"].as_array().unwrap().iter().map(|error| &error["id"]).collect();
        assert_eq!(ids, [&found["id"]], "{q}: {page}");
    }
    let (_, none) = host.get("/v1/sync-errors?q=nothing-of-the-kind").await;
    assert_eq!(none["sync_errors"], json!([]));
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_has_all_that_a_query_matches_as_lines_and_as_a_table() {
    let host = TestHost::start().await;
    for number in 1..=3 {
        let mut action = received(number, number, "nobody", "jane@example.com");
        action["task"]["message"]["author"]["name"] = json!("=1+1");
        host.notify(action).await;
    }
    host.notify(received(4, 4, "someone", "jane@example.com")).await;
    host.until("all are on record", |health| health.sync_errors.pending == 4).await;
    let text = async |query: &str| {
        let url = format!("http://{}/v1/sync-errors/export?{query}", host.app.address);
        let answer = reqwest::Client::new().get(url).bearer_auth(switchyard_tests::OPERATOR).send().await.unwrap();
        let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
        (answer.status(), kind, answer.text().await.unwrap())
    };
    let (status, kind, lines) = text("text=nobody").await;
    assert_eq!((status, kind.as_str(), lines.lines().count()), (StatusCode::OK, "application/x-ndjson", 3));
    for line in lines.lines() {
        assert_eq!(serde_json::from_str::<Value>(line).unwrap()["state"], "pending");
    }
    let (_, kind, table) = text("format=csv&sort=first_seen").await;
    assert_eq!((kind.as_str(), table.lines().count()), ("text/csv; charset=utf-8", 5), "{table}");
    assert!(table.starts_with("id,organization,conversation,") && table.contains(",'=1+1,"), "{table}");
    for bad in ["format=xml", "limit=5", "colour=red", "org=nonsense"] {
        assert_eq!(text(bad).await.0, StatusCode::BAD_REQUEST, "{bad}");
    }
    host.stop().await;
}

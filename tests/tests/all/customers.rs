//! A customer asks what is kept of them, or to be forgotten.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use switchyard::engine::OrgHealth;
use switchyard::store::{Batch, Store};
use switchyard_tests::{ADMIN, OPERATOR, READER, TestHost, received};

use crate::browser::Browser;

/// A message of a customer with an id, a name, an address and words of their own.
fn from(action: u64, conversation: u64, customer: u64, team: &str) -> Value {
    let mut told = received(action, conversation, team, &format!("jane.{customer}@example.com"));
    let author = &mut told["task"]["message"]["author"];
    author["name"] = json!(format!("Jane Nr-{customer}-Doe"));
    author["group"]["id"] = json!(7_000 + customer);
    told["task"]["message"]["content"] = json!(format!("my order nr-{customer}-x"));
    told
}

/// Two customers: the first has a conversation that got through and one with a sync error that was ignored; the second one of each.
async fn with_two_customers() -> TestHost {
    let host = TestHost::start().await;
    for (number, customer, team) in [(1, 1, "billing"), (2, 1, "nobody"), (3, 2, "billing"), (4, 2, "nobody")] {
        host.notify(from(number, number, customer, team)).await;
    }
    host.until("all is done", |health| health.sync_errors.pending == 2 && health.idle()).await;
    host
}

async fn found(host: &TestHost, q: &str) -> Vec<String> {
    let (status, list) = host.get(&format!("/v1/customers?q={q}")).await;
    assert_eq!(status, StatusCode::OK, "{list}");
    assert_eq!(list["complete"], true, "{list}");
    let ids =
        list["conversations"].as_array().unwrap().iter().map(|of| of["conversation"].as_str().unwrap().to_owned());
    ids.collect()
}

async fn erase(host: &TestHost, conversations: &[&str]) -> Value {
    let (status, answer) = host.post("/v1/erasures", json!({ "conversations": conversations })).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
    answer
}

fn kept_of(customer: u64) -> [String; 4] {
    [
        format!("jane.{customer}@example.com"),
        format!("Nr-{customer}-Doe"),
        format!("nr-{customer}-"),
        format!("nr-{customer}-x"),
    ]
}

/// The first line of an export with words of a customer.
async fn line_of(host: &TestHost, customer: u64) -> Option<String> {
    let kept = host.exported().await;
    kept.lines().find(|line| kept_of(customer).iter().any(|word| line.contains(word))).map(str::to_owned)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_is_found_by_id_name_address_conversation_and_message_with_a_sync_error_or_without() {
    let host = with_two_customers().await;
    for q in ["7001", "jane%20nr-1", "JANE.1@exa", "Jane%20%20Nr-1-Doe"] {
        assert_eq!(found(&host, q).await, ["main:1", "main:2"], "{q}");
    }
    assert_eq!(found(&host, "main:3").await, ["main:3"]);
    assert_eq!(found(&host, "main:5003").await, ["main:3"], "by a message");
    assert_eq!(found(&host, "700").await, [] as [&str; 0], "an id is no beginning");
    assert_eq!(found(&host, "jane").await.len(), 4);
    let (_, list) = host.get("/v1/customers?q=7001").await;
    let of = &list["conversations"][0];
    assert_eq!(
        (&of["messages"], &of["sync_errors"], &of["records"][0]["object"]),
        (&json!(1), &json!(0), &json!("alcmeon__Conversation__c")),
        "{of}"
    );
    assert!(of["audit_entries"].as_u64() > Some(1), "{of}");
    let (_, first) = host.get("/v1/customers?q=jane&limit=3").await;
    let cursor = first["next_cursor"].as_str().unwrap();
    let (_, rest) = host.get(&format!("/v1/customers?q=jane&limit=3&cursor={cursor}")).await;
    assert_eq!((&rest["conversations"][0]["conversation"], &rest["total"]), (&json!("main:4"), &json!(4)), "{rest}");
    for bad in ["q=x", "q=%20", "q=jane&cursor=none", "q=jane&org=nobody", "q=jane&limit=0", ""] {
        assert_eq!(host.get(&format!("/v1/customers?{bad}")).await.0, StatusCode::BAD_REQUEST, "{bad}");
    }
    assert_eq!(host.call(Method::GET, "/v1/customers?q=jane", READER, None).await.0, StatusCode::FORBIDDEN);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_erased_is_nowhere_in_the_store_any_more_and_nobody_else_is_missed() {
    let host = with_two_customers().await;
    let (_, list) = host.get("/v1/sync-errors?conversation=main:2").await;
    let path = format!("/v1/sync-errors/{}/ignore", list["sync_errors"][0]["id"].as_str().unwrap());
    // The answer is kept with its key, and the reason with its action.
    let url = format!("http://{}{path}", host.app.address);
    let reason = json!({ "reason": "Jane Nr-1-Doe asked for it" });
    let ignored =
        host.http.post(url).bearer_auth(OPERATOR).header("Idempotency-Key", "k").json(&reason).send().await.unwrap();
    assert_eq!(ignored.status(), StatusCode::OK);
    let mut batch = Batch::default();
    let entry = json!({ "2": { "id": "qu-1", "org": "acme", "key": "inbox/acme/00000000000000000001", "reason": "cut off",
        "at": "2026-09-21T10:00:00Z", "bytes": 10 } });
    batch.put("quarantine/acme/qu-1", entry.to_string());
    batch.put("quarantine-value/acme/qu-1", "{\"conversation\":\"main:1\",\"text\":\"my order nr-1-x\"");
    host.store.commit(batch).await.unwrap();
    let before = host.exported().await;
    assert!(kept_of(1).iter().all(|word| before.contains(word)), "all of it is kept before");

    let body = json!({ "conversations": ["main:1", "main:2"] });
    let (status, refused) = host.call(Method::POST, "/v1/erasures", OPERATOR, Some(body)).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "{refused}");
    let answer = erase(&host, &["main:1", "main:2"]).await;
    assert_eq!((&answer["asked"], &answer["erased"]), (&json!(2), &json!(2)), "{answer}");
    assert!(answer["not_reached"][0].as_str().unwrap().contains("Salesforce"), "{answer}");
    assert_eq!(line_of(&host, 1).await, None, "something is still kept");
    assert!(line_of(&host, 2).await.is_some());

    // Its ids stay, and what was done.
    assert_eq!(found(&host, "7001").await, ["main:1", "main:2"]);
    assert_eq!(found(&host, "jane%20nr-1").await, [] as [&str; 0]);
    let (_, list) = host.get("/v1/customers?q=7001").await;
    let of = &list["conversations"][1];
    assert_eq!((&of["messages"], &of["sync_errors"], &of["name"]), (&json!(0), &json!(1), &Value::Null), "{of}");
    assert!(of["erased_until"].is_string(), "{of}");
    let (_, actions) = host.get("/v1/actions?what=erase").await;
    let action = &actions["actions"][0];
    assert_eq!(
        (&action["by"], &action["count"], &action["org"]),
        (&json!("admin"), &json!(2), &json!("acme")),
        "{actions}"
    );
    let (_, audit) = host.get("/v1/messages/main:5001/audit").await;
    let last = audit["entries"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["fact"]["what"], &last["fact"]["by"]), (&json!("ERASED"), &json!("admin")), "{audit}");
    let (_, verified) = host.post("/v1/store/verify", json!({})).await;
    assert_eq!(verified["differences"], 0, "{verified}");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_again_of_somebody_who_was_erased_is_not_learned_and_a_new_message_is() {
    let host = with_two_customers().await;
    erase(&host, &["main:1"]).await;
    // The same event once more, as a poll brings it, and a later one about the same message.
    host.notify(from(1, 1, 1, "billing")).await;
    let mut assigned = from(9, 1, 1, "care");
    assigned["task"]["message"]["id"] = json!(5_001);
    assigned["task"]["message"]["time"] = json!("10:00:01");
    host.notify(assigned).await;
    host.until("both are merged", |health| health.unmerged == 0 && health.idle()).await;
    assert_eq!(found(&host, "jane%20nr-1").await, ["main:2"]);
    let mut later = from(10, 1, 1, "billing");
    later["task"]["message"]["date"] = json!("2027-01-01");
    host.clock.advance(std::time::Duration::from_secs(200 * 86_400));
    host.notify(later).await;
    host.until("it is merged", |health| health.unmerged == 0 && health.idle()).await;
    assert_eq!(found(&host, "jane%20nr-1").await, ["main:1", "main:2"], "the customer wrote again");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_that_is_asked_again_is_answered_as_it_was_and_what_is_not_known_erases_nothing() {
    let host = with_two_customers().await;
    let send = async |key: &str, body: Value| {
        let url = format!("http://{}/v1/erasures", host.app.address);
        let answer =
            host.http.post(url).bearer_auth(ADMIN).header("Idempotency-Key", key).json(&body).send().await.unwrap();
        (answer.status(), answer.json::<Value>().await.unwrap())
    };
    for (body, status) in [
        (json!({ "conversations": ["main:1", "main:99"] }), StatusCode::NOT_FOUND),
        (json!({ "conversations": [] }), StatusCode::UNPROCESSABLE_ENTITY),
        (json!({ "conversations": ["main:1"], "org": "other" }), StatusCode::NOT_FOUND),
        (json!({ "conversations": vec!["main:1"; 101] }), StatusCode::UNPROCESSABLE_ENTITY),
    ] {
        assert_eq!(host.post("/v1/erasures", body.clone()).await.0, status, "{body}");
    }
    assert!(line_of(&host, 1).await.is_some(), "nothing is erased");
    let first = send("k-1", json!({ "conversations": ["main:1", "main:2"] })).await;
    assert_eq!(first.0, StatusCode::ACCEPTED, "{}", first.1);
    assert_eq!(send("k-1", json!({ "conversations": ["main:1", "main:2"] })).await, first);
    let (_, actions) = host.get("/v1/actions?what=erase").await;
    assert_eq!(actions["actions"].as_array().map(Vec::len), Some(1), "{actions}");
    // With another key it is done once more, and harms nothing.
    assert_eq!(send("k-2", json!({ "conversations": ["main:2"] })).await.1["erased"], 1);
    host.until("all is done", OrgHealth::idle).await;
    assert_eq!(line_of(&host, 1).await, None);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_console_finds_a_customer_asks_before_it_erases_and_shows_what_became_of_it() {
    let host = with_two_customers().await;
    let operator = Browser::sign_in(&host, OPERATOR).await;
    let page = operator.get("/customers?q=7001").await.text;
    assert!(page.contains("Jane Nr-1-Doe") && page.contains("2 conversations of Jane Nr-1-Doe"), "{page}");
    assert!(!page.contains("Erase the chosen") && !page.contains("name=\"id\""), "{page}");
    assert_eq!(operator.get("/customers/erase?id=main:1").await.status, StatusCode::FORBIDDEN);
    operator.get("/customers?q=doe").await.says(&["begins with “doe”", "nothing has this id"]);
    let admin = Browser::sign_in(&host, ADMIN).await;
    // Of several customers some are chosen; those of one stand together, and a link narrows to them.
    let page = admin.get("/customers?q=jane").await;
    page.says(&["4 conversations of several customers", "Erase the chosen", "href=\"/customers?q=7002\""]);
    let of = |conversation: &str| page.text.find(&format!("name=\"id\" value=\"{conversation}\" form=\"selection\""));
    assert!(of("main:1").is_some() && of("main:1") < of("main:2") && of("main:2") < of("main:4"), "{}", page.text);
    admin.get("/customers/erase?q=jane").await.says(&["Nothing is chosen", "href=\"/customers?q=jane\""]);
    assert_eq!(admin.post("/customers/erase", &[]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(line_of(&host, 1).await.is_some(), "nothing is erased");
    let question = admin.get("/customers/erase?q=jane&id=main:1&id=main:2").await;
    question.says(&[
        "Erase 2 conversations of Jane Nr-1-Doe?",
        "7001",
        "jane.1@example.com",
        "It does not reach",
        "Salesforce",
        "href=\"/customers?q=jane\"",
    ]);
    assert!(!question.text.contains("main:3"), "{}", question.text);
    admin.get("/customers/erase?id=main:1&id=main:3").await.says(&["Erase 2 conversations of several customers?"]);
    let done = admin.post("/customers/erase", &[("id", "main:1"), ("id", "main:2")]).await;
    assert_eq!(done.leads_to(), "/customers/erased?id=main%3A1&id=main%3A2");
    let page = admin.get(done.leads_to()).await.text;
    assert!(page.contains("2 conversations are erased.") && !page.contains("Nr-1"), "{page}");
    assert_eq!(line_of(&host, 1).await, None);
    assert!(line_of(&host, 2).await.is_some());
    // What is erased cannot be chosen, and its sync error says by whom it was.
    let page = admin.get("/customers?q=7001").await.text;
    assert!(!page.contains("name=\"id\""), "{page}");
    let (_, list) = host.get("/v1/sync-errors?conversation=main:2").await;
    let error = admin.get(&format!("/sync-errors/{}", list["sync_errors"][0]["id"].as_str().unwrap())).await;
    error.says(&["erased by admin", "are erased, by admin: a retry may fail"]);
    assert!(!error.text.contains("because its source said so"), "{}", error.text);
    let page = admin.get("/actions?what=erase&by=admin").await.text;
    assert!(page.contains("erased conversations of a customer (2 of them)") && !page.contains("Nr-1"), "{page}");
    assert!(admin.get("/actions?what=erase&by=nobody").await.text.contains("Nobody did that."));
    assert_eq!(admin.get("/actions?day=yesterday").await.status, StatusCode::BAD_REQUEST);
    host.stop().await;
}

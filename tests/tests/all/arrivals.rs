//! Webhook, poll and intake: what is acknowledged is kept, and nothing is taken twice.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use switchyard_tests::{ADMIN, TestHost, received, sign};

const CONVERSATIONS: &str =
    "SELECT alcmeon__scoped_id__c, alcmeon__url__c, alcmeon__To_SF_Queue_Id__c FROM alcmeon__Conversation__c";

#[tokio::test(flavor = "multi_thread")]
async fn a_notification_becomes_a_record_in_the_queue_of_its_team() {
    let host = TestHost::start().await;
    assert_eq!(host.notify(received(1, 321, "billing", "jane@example.com")).await.0, StatusCode::OK);
    assert!(host.idle().await.is_empty());
    let rows = host.query(CONVERSATIONS).await;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["alcmeon__scoped_id__c"], "main:321");
    assert_eq!(rows[0]["alcmeon__url__c"], "https://alcmeon.example/1");
    let queue = host.query("SELECT Id FROM Group WHERE DeveloperName = 'Billing'").await;
    assert_eq!(rows[0]["alcmeon__To_SF_Queue_Id__c"], queue[0]["Id"]);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_action_twice_changes_nothing() {
    let host = TestHost::start().await;
    let action = received(1, 321, "billing", "jane@example.com");
    host.notify(action.clone()).await;
    host.idle().await;
    let before = host.get("/v1/messages/main:5001/audit").await;
    host.notify(action).await;
    host.idle().await;
    assert_eq!(host.get("/v1/messages/main:5001/audit").await, before);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_action_types_channels_and_fields_are_kept_and_never_fail() {
    let host = TestHost::start().await;
    let mut action = received(1, 321, "billing", "jane@example.com");
    action["type"] = json!("teleport");
    action["account"]["type"] = json!("smoke-signals");
    action["data"] = json!({ "to": "the moon" });
    assert_eq!(host.notify(action).await.0, StatusCode::OK);
    host.idle().await;
    let (_, audit) = host.get("/v1/messages/main:5001/audit").await;
    assert_eq!(audit["entries"][0]["fact"]["kind"], "teleport");
    assert!(audit.to_string().contains("the moon"), "{audit}");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrongly_signed_notification_is_a_problem_and_nothing_is_stored() {
    let host = TestHost::start().await;
    let body = json!({ "id": 1, "action": received(1, 321, "billing", "jane@example.com") }).to_string();
    let path = "/alcmeon/main/notify";
    let wrong = host.notify_raw(&body, &sign(path, "other")).await;
    let no_hex = host.notify_raw(&body, "zz").await;
    for ((status, problem), wanted) in [(wrong, 401), (no_hex, 401)] {
        assert_eq!(status.as_u16(), wanted, "{problem}");
        assert_eq!(problem["status"], wanted);
        assert!(problem["type"].as_str().unwrap().starts_with("/problems/"), "{problem}");
    }
    host.idle().await;
    assert!(host.query(CONVERSATIONS).await.is_empty());
    host.stop().await;
}

/// What the quarantine has from the environment `main`: keys and reasons.
async fn set_aside(host: &TestHost) -> Vec<(String, String)> {
    let (_, list) = host.get("/v1/quarantine").await;
    let text = |entry: &Value, name: &str| entry[name].as_str().unwrap().to_owned();
    let of_main = |entry: &&Value| entry["source"] == "main" && entry.get("org").is_none();
    let entries = list["quarantine"].as_array().unwrap().iter().filter(of_main);
    entries.map(|entry| (text(entry, "key"), text(entry, "reason"))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_notification_that_nobody_can_use_is_acknowledged_and_set_aside() {
    let host = TestHost::start().await;
    let path = "/alcmeon/main/notify";
    let deep = format!("{{\"id\": 3, \"action\": {}{}}}", "[".repeat(5_000), "]".repeat(5_000));
    for body in ["{", "{\"id\": 1, \"action\": {}}", "", &deep] {
        let (status, answer) = host.notify_raw(body, &sign(path, body)).await;
        assert_eq!((status, &answer["linked"]), (StatusCode::OK, &json!(false)), "{body}: {answer}");
    }
    let kept = set_aside(&host).await;
    assert_eq!(kept.len(), 4, "{kept:?}");
    assert!(kept.iter().any(|(key, why)| key == "from/main/notification" && why.contains("action.id")), "{kept:?}");
    let metrics =
        host.http.get(format!("http://{}/metrics", host.app.address)).bearer_auth(ADMIN).send().await.unwrap();
    let metrics = metrics.text().await.unwrap();
    assert!(metrics.contains("switchyard_set_aside_total{source=\"main\"} 4"), "{metrics}");

    let (_, list) = host.get("/v1/quarantine?limit=1").await;
    let next = list["next_cursor"].as_str().expect("more than one");
    assert_eq!(host.get(&format!("/v1/quarantine?cursor={}", next.replace('@', "%40"))).await.0, StatusCode::OK);
    let id = list["quarantine"][0]["id"].as_str().unwrap();
    let (status, problem) = host.post(&format!("/v1/quarantine/{id}/retry"), json!({})).await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    let forgotten = host.call(Method::DELETE, &format!("/v1/quarantine/{id}"), ADMIN, None).await;
    assert_eq!((forgotten.0, set_aside(&host).await.len()), (StatusCode::NO_CONTENT, 3));
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_surrogate_pair_and_what_is_no_number_cost_one_character_of_one_message() {
    let host = TestHost::start().await;
    let mut action = received(1, 321, "billing", "jane@example.com");
    action["task"]["message"]["content"] = json!("cut in half HERE");
    action["task"]["tags"] = json!([{ "id": 1, "weight": 7 }]);
    let body = json!({ "id": 1, "action": action }).to_string();
    let body = body.replace("HERE", "\\ud83d").replace("\"weight\":7", "\"weight\":1e999");
    let (status, answer) = host.notify_raw(&body, &sign("/alcmeon/main/notify", &body)).await;
    assert_eq!((status, &answer["linked"]), (StatusCode::OK, &json!(true)), "{answer}");
    assert!(host.idle().await.is_empty());
    assert!(host.exported().await.contains("cut in half \u{fffd}"));
    assert!(set_aside(&host).await.is_empty());
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_of_a_page_that_nobody_can_use_keeps_neither_the_others_nor_the_next_page_back() {
    let host = TestHost::start().await;
    let good = |action: u64| received(action, 320 + action, "billing", "jane@example.com").to_string();
    let cut = good(2).replace("message 2", "cut in half \\ud83d");
    let broken = "{\"id\": 3, \"type\": }".to_owned();
    let page = format!("[{}]", [good(1), cut, broken, "{\"id\": 18446744073709551615}".to_owned(), good(4)].join(", "));
    let fault = json!({ "path": "actions?min_action_id=0", "status": 200, "text": page, "times": 1 });
    let control = format!("{}/control", host.simulator.alcmeon);
    assert!(host.http.post(format!("{control}/faults")).json(&fault).send().await.unwrap().status().is_success());
    host.clock.advance(std::time::Duration::from_secs(5));
    host.seen("/v1/quarantine", |list| list["quarantine"].as_array().is_some_and(|kept| kept.len() == 2)).await;
    host.idle().await;
    assert_eq!(host.query(CONVERSATIONS).await.len(), 3);
    let kept = set_aside(&host).await;
    assert!(kept.iter().any(|(key, _)| key == "from/main/action/3"), "{kept:?}");
    // The next page is asked for from the last one that can be.
    let asked = async {
        loop {
            host.clock.advance(std::time::Duration::from_secs(5));
            let calls = host.http.get(format!("{control}/calls")).send().await.unwrap().text().await.unwrap();
            if calls.contains("min_action_id=4\"") {
                return;
            }
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), asked).await.expect("the cursor moved");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_full_disk_nothing_is_acknowledged_and_the_host_is_not_ready() {
    let host = TestHost::start().await;
    assert_eq!(host.get("/readyz").await.0, StatusCode::OK);
    host.fill_disk(true);
    let (status, problem) = host.notify(received(1, 321, "billing", "jane@example.com")).await;
    assert_eq!((status, problem["status"].as_u64()), (StatusCode::SERVICE_UNAVAILABLE, Some(503)));
    assert_eq!(host.get("/readyz").await.0, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(host.get("/healthz").await.0, StatusCode::OK);
    host.fill_disk(false);
    assert_eq!(host.notify(received(1, 321, "billing", "jane@example.com")).await.0, StatusCode::OK);
    host.idle().await;
    assert_eq!(host.query(CONVERSATIONS).await.len(), 1);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_that_no_notification_brought_is_found_by_the_poll() {
    let host = TestHost::start().await;
    let missed = json!([{
        "key": "k1", "channel": "whatsapp", "account": { "id": 12, "name": "Acme page" }, "team": "care",
        "customer": { "name": "Jane", "email": "jane@example.com" }, "messages": [{ "direction": "inbound", "body": "hello" }],
    }]);
    host.alcmeon(Method::POST, "/conversations", missed).await;
    host.clock.advance(std::time::Duration::from_secs(5));
    let found = async {
        while host.query(CONVERSATIONS).await.is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), found).await.expect("the poll found it");
    host.idle().await;
    assert_eq!(host.query(CONVERSATIONS).await.len(), 1);
    host.stop().await;
}

fn conversation(text: &str) -> Value {
    json!({
        "id": "A/b 7", "account": "front-desk", "channel": "mail", "team": "care", "customer": { "email": "jane@example.com" },
        "messages": [{ "id": "1", "body": text, "sent_at": "2026-09-21T10:00:00Z" }],
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_intake_takes_a_conversation_of_any_platform_and_the_same_one_twice_changes_nothing() {
    let host = TestHost::start().await;
    let (status, accepted) = host.post("/v1/intake/shop-acme", conversation("hello")).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{accepted}");
    host.idle().await;
    let calls = host.get("/v1/orgs/acme").await.1["salesforce"]["calls"].clone();
    host.post("/v1/intake/shop-acme", conversation("hello")).await;
    host.idle().await;
    assert_eq!(host.get("/v1/orgs/acme").await.1["salesforce"]["calls"], calls);
    let rows = host.query(CONVERSATIONS).await;
    assert_eq!(rows[0]["alcmeon__scoped_id__c"], accepted["conversation"]);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_intake_says_what_is_wrong_with_what_it_does_not_take() {
    let host = TestHost::start().await;
    let mut unknown = conversation("x");
    unknown["teem"] = json!("care");
    let (status, problem) = host.post("/v1/intake/shop-acme", unknown).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(problem["detail"].as_str().unwrap().contains("teem"), "{problem}");
    let (status, problem) = host.post("/v1/intake/nobody", conversation("x")).await;
    assert_eq!((status, problem["type"].as_str()), (StatusCode::NOT_FOUND, Some("/problems/not-linked")));
    assert_eq!(host.post("/v1/intake/main", conversation("x")).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_dated_2099_is_taken_as_now_the_answer_says_so_and_what_comes_later_counts() {
    let host = TestHost::start().await;
    let mut dated = conversation("from the future");
    dated["messages"][0]["sent_at"] = json!("2099-01-01T00:00:00Z");
    let (status, accepted) = host.post("/v1/intake/shop-acme", dated.clone()).await;
    let future = accepted["taken_as_now"][0].as_str().expect("the message").to_owned();
    assert_eq!((status, accepted["taken_as_now"].as_array().unwrap().len()), (StatusCode::ACCEPTED, 1), "{accepted}");
    host.idle().await;
    let (_, audit) = host.get(&format!("/v1/messages/{future}/audit")).await;
    assert!(audit["entries"][0]["at"].as_str().unwrap().starts_with("2026-"), "{audit}");
    let care = host.query(CONVERSATIONS).await;
    host.clock.advance(std::time::Duration::from_secs(60));
    // Everything that is known is told again, with a message of now and another team.
    let message = json!({ "id": "2", "body": "hello", "sent_at": "2026-09-21T14:14:00Z" });
    dated["messages"].as_array_mut().unwrap().push(message);
    dated["team"] = json!("billing");
    let (_, accepted) = host.post("/v1/intake/shop-acme", dated).await;
    assert!(accepted["taken_as_now"].is_array(), "{accepted}");
    host.idle().await;
    let billing = host.query(CONVERSATIONS).await;
    assert_eq!((care.len(), billing.len()), (1, 1));
    assert_ne!(care[0]["alcmeon__To_SF_Queue_Id__c"], billing[0]["alcmeon__To_SF_Queue_Id__c"]);
    assert_ne!(care[0]["alcmeon__url__c"], billing[0]["alcmeon__url__c"], "there is a new message");
    assert_eq!(host.post("/v1/intake/shop-acme", conversation("x")).await.1["taken_as_now"], Value::Null);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_that_begins_to_number_its_changes_goes_on_where_it_was() {
    let host = TestHost::start().await;
    let queue = async |team: &str, sequence: Option<u64>| {
        let mut told = conversation("hello");
        (told["team"], told["sequence"]) = (json!(team), json!(sequence));
        assert_eq!(host.post("/v1/intake/shop-acme", told).await.0, StatusCode::ACCEPTED);
        assert_eq!(host.idle().await, [] as [Value; 0]);
        host.query(CONVERSATIONS).await[0]["alcmeon__To_SF_Queue_Id__c"].clone()
    };
    let care = queue("care", None).await;
    let billing = queue("billing", Some(7)).await;
    assert_ne!(care, billing, "a number is not compared with a time");
    assert_eq!(queue("care", Some(6)).await, billing, "an older state than the one that is known");
    assert_eq!(queue("care", Some(8)).await, care);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_the_intake_that_cannot_be_taken_is_set_aside_and_named_and_the_others_go_on() {
    let host = TestHost::start().await;
    let mut given = conversation("cut in half HERE");
    let messages = given["messages"].as_array_mut().unwrap();
    messages.insert(0, json!({ "id": "2", "body": "no time", "sent_at": "yesterday" }));
    messages.insert(0, json!("no message at all"));
    let body = given.to_string().replace("HERE", "\\ud83d");
    let url = format!("http://{}/v1/intake/shop-acme", host.app.address);
    let answer = host.http.post(url).bearer_auth(ADMIN).body(body).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    let answer: Value = answer.json().await.unwrap();
    let places: Vec<_> = answer["set_aside"].as_array().unwrap().iter().map(|one| one["message"].clone()).collect();
    assert_eq!(places, [json!(0), json!(1)], "{answer}");
    host.idle().await;
    assert_eq!(host.query(CONVERSATIONS).await.len(), 1);
    assert!(host.exported().await.contains("cut in half \u{fffd}"));
    let (_, list) = host.get("/v1/quarantine").await;
    assert_eq!(list["quarantine"].as_array().map(Vec::len), Some(2), "{list}");
    assert_eq!(list["quarantine"][0]["source"], "shop-acme");

    given["messages"] = json!(["nothing", { "id": 7 }]);
    let (status, problem) = host.post("/v1/intake/shop-acme", given).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
    host.stop().await;
}

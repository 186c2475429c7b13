//! The evidence of a sync error: what was sent, what came back, who decided, and the story of the whole conversation.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use switchyard::store::Store;
use switchyard_tests::{ADMIN, OPERATOR, READER, Setup, TestHost, received};

use crate::forgotten::anonymized;

const WORDS: &str = "Jane Doe <jane@example.com> has this number already: 0612345678";

/// Salesforce refuses one record of a call, and says whose it is.
async fn refuse_one(host: &TestHost, conversation: &str) {
    let errors = json!([{ "errorCode": "DUPLICATES_DETECTED", "message": WORDS, "fields": [] }]);
    let fault = json!({ "method": "PATCH", "external_id": conversation, "status": 400, "json": errors });
    host.salesforce(Method::POST, "acme/faults", fault).await;
}

/// The one sync error of `acme`, whole.
async fn error_of(host: &TestHost) -> (String, Value) {
    let errors = host.idle().await;
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0]["refusal"]["answer"].is_null(), "a list has no answers");
    let path = format!("/v1/sync-errors/{}", errors[0]["id"].as_str().expect("an id"));
    let (_, error) = host.get(&path).await;
    (path, error)
}

/// Bytes of a sync error as it is kept, and how many of them its answer takes.
fn bytes(host: &TestHost) -> (usize, usize) {
    let pairs = host.store.scan(b"error/", None, 10).expect("a scan");
    let (_, value) = pairs.into_iter().next().expect("a sync error");
    let record: Value = serde_json::from_slice(&value).expect("JSON");
    let answer = record.as_object().and_then(|kept| kept.values().next()?.get("refusal")?.get("answer"));
    (value.len(), answer.map_or(0, |answer| r#""answer":,"#.len() + answer.to_string().len()))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_salesforce_answered_is_kept_of_the_record_that_it_refused_and_of_no_other() {
    let host = TestHost::start().await;
    refuse_one(&host, "main:1").await;
    for n in 1..=3 {
        host.notify(received(n, n, "billing", "jane@example.com")).await;
    }
    let (path, error) = error_of(&host).await;
    let answer = &error["refusal"]["answer"];
    assert_eq!((&answer["status"], &answer["body"]["success"]), (&json!(200), &json!(false)), "{answer}");
    assert!(answer["body"]["errors"].to_string().contains("DUPLICATES_DETECTED"), "{answer}");
    assert!(answer["headers"]["x-sfdc-request-id"].is_string(), "{answer}");
    assert!(!answer.to_string().contains("a0"), "another record's id is none of its business: {answer}");
    assert_eq!((&error["attempts"], &error["attempts_since_retry"]), (&json!(1), &json!(1)));
    let asked: Vec<_> = error["decisions"].as_array().unwrap().iter().map(|it| it["question"].as_str()).collect();
    assert_eq!(asked, [Some("route"), Some("choose"), Some("judge")], "{error}");
    assert_eq!(error["decisions"][0]["policy"], json!({ "name": "acme", "revision": 1 }));
    assert_eq!(error["decisions"][0]["fact"]["destination"], json!({ "queue": "Billing" }));
    host.post(&format!("{path}/retry"), json!({})).await;
    host.until("it failed again", |health| health.sync_errors.pending == 1 && health.idle()).await;
    let (_, again) = host.get(&path).await;
    assert_eq!((&again["attempts"], &again["attempts_since_retry"]), (&json!(2), &json!(1)));
    let (all, of_the_answer) = bytes(&host);
    assert!(all < 2 * (all - of_the_answer), "{of_the_answer} of {all} bytes are the answer");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn personal_data_is_masked_in_request_and_answer_and_in_the_bundle_by_default() {
    let host = TestHost::start().await;
    refuse_one(&host, "main:1").await;
    host.notify(received(1, 1, "billing", "jane@example.com")).await;
    let (path, error) = error_of(&host).await;
    assert!(error["refusal"]["answer"].to_string().contains("jane@example.com") && error["masked"] == false);
    let (_, masked) = host.call(Method::GET, &format!("{path}?mask=true"), READER, None).await;
    let (_, bundle) = host.call(Method::GET, &format!("{path}/repro"), READER, None).await;
    let (_, whole) = host.get(&format!("{path}/repro?mask=false")).await;
    assert_eq!(whole["evidence"]["answer"], error["refusal"]["answer"]);
    for told in [&masked, &bundle] {
        for personal in ["Jane", "Doe", "jane@", "0612345678"] {
            assert!(!told.to_string().contains(personal), "{personal} in {told}");
        }
        assert!(told.to_string().contains("DUPLICATES_DETECTED"), "{told}");
    }
    assert_eq!(bundle["evidence"]["request"]["method"], "PATCH", "{bundle}");
    assert_eq!(masked["refusal"]["answer"]["status"], 200, "{masked}");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_answer_is_cut_says_so_and_repeats_no_token() {
    let host = TestHost::start().await;
    let words = format!("Authorization: Bearer 00D000000000001AAA!AQ0AQFake.Fake_FakeFake {}", "é".repeat(9_000));
    let errors = json!([{ "errorCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "message": words, "fields": [] }]);
    let fault = json!({ "method": "PATCH", "path": "alcmeon__Conversation__c", "status": 400, "json": errors });
    host.salesforce(Method::POST, "acme/faults", fault).await;
    host.notify(received(1, 1, "billing", "jane@example.com")).await;
    let (_, error) = error_of(&host).await;
    let answer = &error["refusal"]["answer"];
    let kept = answer["body"].as_str().unwrap_or_else(|| panic!("text: {answer}"));
    assert!(kept.len() <= 8 * 1024 && kept.ends_with('…') && kept.contains("[secret]"), "{kept}");
    assert_eq!((&answer["status"], answer["cut_from"].as_u64() > Some(18_000)), (&json!(400), true), "{answer}");
    assert!(!host.exported().await.contains("AQFake"), "a token is kept");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_forgotten_is_forgotten_in_the_answer_too_and_the_conversation_says_so() {
    let host = TestHost::start().await;
    refuse_one(&host, "main:1").await;
    host.notify(received(1, 1, "billing", "jane@example.com")).await;
    let (path, error) = error_of(&host).await;
    assert!(error["refusal"]["answer"].is_object());
    host.notify(anonymized(1)).await;
    let erased = host.seen(&path, |error| error["refusal"]["text"] == "(erased)").await;
    assert!(erased["refusal"]["answer"].is_null() && erased["refusal"]["request"].is_null(), "{erased}");
    assert!(!host.exported().await.contains("0612345678"));
    let (_, told) = host.get("/v1/conversations/main:1").await;
    let of = &told["orgs"][0];
    assert!(of["erased_until"].is_string() && of["messages"][0]["erased"] == true, "{told}");
    assert_eq!((&of["messages"][0]["text"], &of["details"]["customer"]["name"]), (&json!(""), &Value::Null), "{told}");
    host.stop().await;
}

/// What happened by a conversation's timeline.
fn facts(of: &Value) -> Vec<&str> {
    of["timeline"].as_array().unwrap().iter().map(|entry| entry["fact"]["what"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_tells_its_whole_story_in_each_organization_that_has_it() {
    let host = TestHost::start().await;
    host.notify(received(1, 1, "nobody", "jane@example.com")).await;
    host.idle().await;
    let (_, told) = host.get("/v1/conversations/main:1").await;
    let of = &told["orgs"][0];
    assert_eq!(
        (&of["org"], &of["state"], told["orgs"].as_array().unwrap().len()),
        (&json!("acme"), &json!("pending"), 1)
    );
    assert!(of["since"].is_string() && of["records"].as_array().unwrap().is_empty(), "{told}");
    host.notify(received(2, 1, "billing", "jane@example.com")).await;
    host.until("it got through", |health| health.sync_errors.resolved == 1 && health.idle()).await;
    // The account has moved: another organization has the conversation too.
    let mut moved = received(3, 1, "care", "jane@example.com");
    moved["account"]["id"] = json!(13);
    host.notify(moved).await;
    let both = |told: &Value| told["orgs"][1]["records"][0].is_object() && told["orgs"][1]["state"] == "idle";
    let told = host.seen("/v1/conversations/main:1", both).await;
    let of = &told["orgs"][0];
    assert_eq!(
        (&of["state"], &of["connected"], &told["orgs"][1]["org"]),
        (&json!("idle"), &json!(true), &json!("other"))
    );
    assert_eq!(of["details"]["customer"]["name"], "Jane Doe");
    assert_eq!((&of["details"]["team"], &of["details"]["channel"]), (&json!("billing"), &json!("whatsapp")));
    let texts: Vec<_> = of["messages"].as_array().unwrap().iter().map(|it| it["text"].as_str().unwrap()).collect();
    assert_eq!(texts, ["message 1", "message 2"]);
    assert_eq!((&of["messages"][0]["author"], &of["messages"][0]["id"]), (&json!("customer"), &json!("main:5001")));
    assert_eq!(of["url"], "https://alcmeon.example/2");
    let record = host.query("SELECT Id FROM alcmeon__Conversation__c").await[0]["Id"].as_str().unwrap().to_owned();
    let page = format!("/lightning/r/alcmeon__Conversation__c/{record}/view");
    assert_eq!((&of["records"][0]["id"], &of["records"][1]["object"]), (&json!(record), &json!("Contact")), "{told}");
    assert!(of["records"][0]["url"].as_str().is_some_and(|url| url.ends_with(&page)), "{told}");
    let error = &of["sync_errors"][0];
    assert_eq!((&error["state"], &error["title"]), (&json!("resolved"), &json!("Team nobody has no queue")), "{told}");
    let wanted =
        ["ARRIVED", "CRM_SYNCHRO_ERROR", "ARRIVED", "ROUTED", "LINKED", "DELIVERED", "RESOLVED"].map(str::to_owned);
    let mut found: Vec<_> = facts(of).into_iter().map(str::to_owned).collect();
    found.sort();
    let mut sorted = wanted.to_vec();
    sorted.sort();
    assert_eq!(found, sorted);
    let times: Vec<_> = of["timeline"].as_array().unwrap().iter().map(|it| it["at"].as_str().unwrap()).collect();
    assert!(times.is_sorted(), "{times:?}");
    let (_, audit) = host.get("/v1/messages/main:5002/audit").await;
    let last = audit["entries"].as_array().unwrap().last().unwrap();
    assert!(of["timeline"].as_array().unwrap().contains(last), "an entry is as the audit of its message has it");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timeline_comes_in_pages_and_who_may_not_see_customers_sees_it_masked() {
    let host = TestHost::set_up(Setup { alcmeon: "poll = false", ..Setup::default() }).await;
    for n in 1..=4 {
        host.notify(received(n, 1, "billing", "jane@example.com")).await;
        host.idle().await;
        host.clock.advance(Duration::from_secs(1));
    }
    let (_, all) = host.get("/v1/conversations/main:1").await;
    let all = all["orgs"][0]["timeline"].as_array().unwrap().clone();
    let (mut seen, mut path) = (Vec::new(), "/v1/conversations/main:1?org=acme&limit=3".to_owned());
    loop {
        let (status, told) = host.get(&path).await;
        assert_eq!(status, StatusCode::OK, "{told}");
        let page = told["orgs"][0]["timeline"].as_array().unwrap().clone();
        seen.splice(0..0, page);
        let Some(older) = told["orgs"][0]["older_cursor"].as_str() else { break };
        path = format!("/v1/conversations/main:1?org=acme&limit=3&cursor={older}");
    }
    assert_eq!(seen, all);
    let ask = async |path: &str, token: &str| host.call(Method::GET, path, token, None).await;
    assert_eq!(ask("/v1/conversations/main:1", READER).await.0, StatusCode::FORBIDDEN);
    assert_eq!(ask("/v1/conversations/main:1", OPERATOR).await.0, StatusCode::OK);
    let (status, masked) = ask("/v1/conversations/main:1?mask=true", READER).await;
    assert_eq!((status, &masked["masked"]), (StatusCode::OK, &json!(true)));
    for personal in ["Jane", "jane@", "alcmeon.example"] {
        assert!(!masked.to_string().contains(personal), "{personal} in {masked}");
    }
    assert_eq!(masked["orgs"][0]["timeline"].as_array().unwrap().len(), all.len());
    let (status, problem) = ask("/v1/conversations/main:2", ADMIN).await;
    assert_eq!((status, &problem["type"]), (StatusCode::NOT_FOUND, &json!("/problems/not-found")));
    assert_eq!(ask("/v1/conversations/main:1?org=other", ADMIN).await.0, StatusCode::NOT_FOUND);
    for wrong in ["cursor=1~1", "org=acme&cursor=x", "limit=0", "limit=501", "before=1"] {
        let (status, _) = ask(&format!("/v1/conversations/main:1?{wrong}"), ADMIN).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{wrong}");
    }
    host.stop().await;
}

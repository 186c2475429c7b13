//! What is written to Salesforce, and what an administrator is told to check.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use switchyard_tests::{Setup, TestHost, received};

#[tokio::test(flavor = "multi_thread")]
async fn a_case_that_the_host_writes_stays_in_its_queue_and_is_linked_to_the_contact() {
    let host = TestHost::with("[orgs.salesforce.cases]").await;
    host.notify(received(1, 1, "billing", "jane@example.com")).await;
    assert!(host.idle().await.is_empty());
    let cases = host.query("SELECT OwnerId, ContactId, Subject FROM Case").await;
    let queue = host.query("SELECT Id FROM Group WHERE DeveloperName = 'Billing'").await;
    let contact = host.query("SELECT Id FROM Contact WHERE Email = 'jane@example.com'").await;
    assert_eq!(cases.len(), 1);
    assert_eq!(cases[0]["OwnerId"], queue[0]["Id"]);
    assert_eq!(cases[0]["ContactId"], contact[0]["Id"]);
    let conversations = host.query("SELECT alcmeon__Case__c, alcmeon__Contact__c FROM alcmeon__Conversation__c").await;
    assert_eq!(conversations[0]["alcmeon__Contact__c"], contact[0]["Id"]);
    assert!(conversations[0]["alcmeon__Case__c"].is_string());
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_never_came_is_asked_for_again_and_makes_no_second_record() {
    let host = TestHost::start().await;
    let fault = json!({ "method": "PATCH", "path": "alcmeon__Conversation__c", "drop": "after", "times": 1 });
    host.salesforce(Method::POST, "acme/faults", fault).await;
    host.notify(received(1, 1, "billing", "jane@example.com")).await;
    host.until("a retry is scheduled", |health| health.scheduled == 1).await;
    host.clock.advance(std::time::Duration::from_secs(2));
    host.until("it got through", |health| health.sync_errors.resolved == 1).await;
    assert_eq!(host.query("SELECT Id FROM alcmeon__Conversation__c").await.len(), 1);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trouble_of_one_organization_does_not_delay_another() {
    let host = TestHost::start().await;
    host.salesforce(Method::POST, "other/faults", json!({ "path": "/services", "latency_ms": 20_000 })).await;
    let mut slow = received(1, 1, "billing", "jane@example.com");
    slow["account"]["id"] = json!(13);
    host.notify(slow).await;
    host.notify(received(2, 2, "billing", "jane@example.com")).await;
    host.idle().await;
    assert_eq!(host.query("SELECT Id FROM alcmeon__Conversation__c").await.len(), 1);
    assert_eq!(host.get("/v1/orgs/other").await.1["sending"], 1);
    host.salesforce(Method::DELETE, "other/faults", json!({})).await;
    host.simulator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_points_to_check_are_each_answered_with_what_was_found() {
    let host = TestHost::start().await;
    host.notify(received(1, 1, "nobody", "jane@example.com")).await;
    host.idle().await;
    let (status, report) = host.post("/v1/orgs/acme/checks", json!({})).await;
    assert_eq!(status, StatusCode::OK);
    let ok = |name: &str| {
        let check = report["checks"].as_array().unwrap().iter().find(|check| check["name"] == name);
        check.unwrap_or_else(|| panic!("{name} in {report}"))["ok"].as_bool()
    };
    assert_eq!((ok("connection"), ok("authentication"), ok("sync-mode")), (Some(true), Some(true), Some(true)));
    assert_eq!((ok("team-queue-mapping"), ok("contact-linking")), (Some(false), Some(true)));
    assert_eq!(ok("refresh-token"), None, "Salesforce does not tell the policy");
    host.salesforce(Method::POST, "acme/revoke", json!({})).await;
    let (_, report) = host.post("/v1/orgs/acme/checks", json!({})).await;
    let authentication = &report["checks"][1];
    assert_eq!(authentication["ok"], false);
    assert!(authentication["found"].as_str().unwrap().contains("valid until revoked"), "{authentication}");
    host.stop().await;
}

/// Calls so far that wrote conversations.
async fn writes(host: &TestHost) -> usize {
    let wrote = |call: &Value| call["method"] == "PATCH" && call["path"].as_str().unwrap().contains("Conversation__c");
    host.calls().await.iter().filter(|call| wrote(call)).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_locked_is_tried_again_in_smaller_calls_until_each_goes_alone() {
    let host = TestHost::start().await;
    let jane = &host.query("SELECT Id FROM Contact WHERE Email = 'jane@example.com'").await[0]["Id"];
    host.salesforce(Method::POST, "acme/locks", json!({ "id": jane, "ms": 600_000 })).await;
    for number in 1..=8 {
        host.notify(received(number, number, "billing", "jane@example.com")).await;
    }
    let tried = async |times: u64| {
        let all = |list: &Value| {
            let errors = list["sync_errors"].as_array().unwrap();
            errors.len() == 8 && errors.iter().all(|error| error["attempts"] == times)
        };
        host.seen("/v1/sync-errors?org=acme", all).await
    };
    // Eight in a call at most, then four, two and one.
    for times in 1..=3 {
        tried(times).await;
        host.clock.advance(std::time::Duration::from_secs(13));
    }
    let list = tried(4).await;
    assert_eq!(list["sync_errors"][0]["refusal"]["code"], "UNABLE_TO_LOCK_ROW", "{list}");
    assert!(list["sync_errors"][0]["refusal"]["request_id"].is_string(), "of one element of a call: {list}");
    let before = writes(&host).await;
    host.clock.advance(std::time::Duration::from_secs(13));
    tried(5).await;
    assert_eq!(writes(&host).await - before, 8);

    let url = format!("{}/control/clock", host.simulator.salesforce);
    host.http.put(url).json(&json!({ "advance_ms": 600_000 })).send().await.unwrap();
    host.clock.advance(std::time::Duration::from_secs(60));
    host.until("all got through", |health| health.sync_errors.resolved == 8).await;
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_there_are_person_accounts_a_new_customer_becomes_one_and_is_found_again() {
    let script = include_str!("../../../policies/default.rhai");
    let made = "0 => create(#{ LastName: conversation.customer.name, Email: conversation.customer.email }),";
    let script = script.replace("0 => none(),", made);
    let files: &[(&str, &[u8])] = &[("acme.rhai", script.as_bytes())];
    let salesforce = "[orgs.salesforce.cases]";
    let host = TestHost::set_up(Setup { salesforce, files, ..Setup::default() }).await;
    let settings = json!({
        "client_id": "app", "client_secret": "shh", "refresh_token": "acme-refresh", "person_accounts": true,
        "queues": [{ "name": "Billing", "objects": ["Case", "alcmeon__Conversation__c"] }],
        "external_ids": [{ "object": "Case", "field": "Switchyard_Id__c" }],
    });
    host.salesforce(Method::PUT, "acme", settings).await;
    for number in [1, 2] {
        host.notify(received(number, number, "billing", "new@example.com")).await;
        assert_eq!(host.idle().await, Vec::<Value>::new());
    }
    let accounts = host.query("SELECT Id, LastName, IsPersonAccount, PersonEmail FROM Account").await;
    assert_eq!(accounts.len(), 1, "{accounts:?}");
    assert_eq!(
        (&accounts[0]["IsPersonAccount"], &accounts[0]["PersonEmail"]),
        (&json!(true), &json!("new@example.com"))
    );
    assert_eq!(host.query("SELECT Id FROM Contact").await.len(), 1, "its shadow");
    let conversations =
        host.query("SELECT alcmeon__Account__c, alcmeon__Contact__c FROM alcmeon__Conversation__c").await;
    let cases = host.query("SELECT AccountId FROM Case").await;
    assert_eq!((conversations.len(), cases.len()), (2, 2));
    assert!(conversations.iter().all(|one| one["alcmeon__Account__c"] == accounts[0]["Id"]), "{conversations:?}");
    assert!(conversations.iter().all(|one| one["alcmeon__Contact__c"].is_null()), "{conversations:?}");
    assert!(cases.iter().all(|case| case["AccountId"] == accounts[0]["Id"]), "{cases:?}");

    // Slow enough that all of them look for the customer before one could have made her.
    let latency = format!("{}/control/latency", host.simulator.salesforce);
    host.http.put(latency).json(&json!({ "ms": 50 })).send().await.unwrap();
    for number in 3..=10 {
        host.notify(received(number, number, "billing", "twin@example.com")).await;
    }
    assert_eq!(host.idle().await, Vec::<Value>::new());
    let twins = host.query("SELECT Id FROM Account WHERE PersonEmail = 'twin@example.com'").await;
    assert_eq!(twins.len(), 1, "{twins:?}");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_in_another_language_are_told_apart_by_what_is_the_same_in_each() {
    let host = TestHost::with("[orgs.salesforce.cases]").await;
    let settings = json!({
        "client_id": "app", "client_secret": "shh", "refresh_token": "acme-refresh", "language": "french",
        "queues": [{ "name": "Billing", "objects": [] }],
        "external_ids": [{ "object": "Case", "field": "Switchyard_Id__c" }],
    });
    host.salesforce(Method::PUT, "acme", settings).await;
    host.notify(received(1, 1, "billing", "jane@example.com")).await;
    let errors = host.idle().await;
    let refusal = &errors[0]["refusal"];
    assert_eq!((refusal["class"].as_str(), refusal["code"].as_str()), (Some("config"), Some("INVALID_OPERATION")));
    assert!(refusal["text"].as_str().unwrap().contains("File d'attente"), "{refusal}");
    host.stop().await;
}

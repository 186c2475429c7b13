//! Policies: an edit is in force for the next decision, and a bad one changes nothing.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use switchyard_tests::{ADMIN, OPERATOR, TestHost, received};

async fn revision(host: &TestHost) -> u64 {
    host.get("/v1/policies/acme").await.1["in_force"]["revision"].as_u64().expect("a revision")
}

fn texts(host: &TestHost, queue: &str) -> Value {
    let script = std::fs::read_to_string(host.policy_file("acme.rhai")).unwrap();
    let toml = format!("plugin = \"script\"\nscript = \"acme.rhai\"\n[settings.queues]\nbilling = \"{queue}\"\n");
    json!({ "toml": toml, "scripts": { "acme.rhai": script } })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_is_put_decides_the_next_conversation_and_is_kept_as_a_file() {
    let host = TestHost::start().await;
    let (status, answer) = host.call(Method::PUT, "/v1/policies/acme", ADMIN, Some(texts(&host, "Care"))).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    host.notify(received(1, 1, "billing", "jane@example.com")).await;
    host.idle().await;
    let rows = host.query("SELECT alcmeon__To_SF_Queue_Id__c FROM alcmeon__Conversation__c").await;
    let queue = host.query("SELECT Id FROM Group WHERE DeveloperName = 'Care'").await;
    assert_eq!(rows[0]["alcmeon__To_SF_Queue_Id__c"], queue[0]["Id"]);
    assert!(std::fs::read_to_string(host.policy_file("acme.toml")).unwrap().contains("Care"));
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_edited_is_in_force_without_a_restart() {
    let host = TestHost::start().await;
    assert_eq!(revision(&host).await, 1);
    let script = std::fs::read_to_string(host.policy_file("acme.rhai")).unwrap();
    std::fs::write(host.policy_file("acme.rhai"), format!("{script}\n// edited\n")).unwrap();
    let deadline = tokio::time::timeout(std::time::Duration::from_secs(30), async {
        while revision(&host).await == 1 {
            tokio::task::yield_now().await;
        }
    });
    deadline.await.expect("the edit is in force");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_that_does_not_compile_is_refused_with_file_and_line_and_the_one_in_force_goes_on() {
    let host = TestHost::start().await;
    let mut bad = texts(&host, "Care");
    bad["scripts"]["acme.rhai"] = json!("fn route(conversation) {\n  queue(\n}\n");
    let (status, problem) = host.call(Method::PUT, "/v1/policies/acme", ADMIN, Some(bad)).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(problem["problems"][0]["path"], "acme.rhai");
    assert!(problem["problems"][0]["line"].as_u64().is_some_and(|line| line >= 2), "{problem}");
    assert_eq!(revision(&host).await, 1);
    host.notify(received(1, 1, "billing", "jane@example.com")).await;
    assert!(host.idle().await.is_empty());
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_without_the_scope_cannot_put_a_policy_and_a_script_cannot_leave_its_folder() {
    let host = TestHost::start().await;
    let (status, problem) = host.call(Method::PUT, "/v1/policies/acme", OPERATOR, Some(texts(&host, "Care"))).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "{problem}");
    let mut outside = texts(&host, "Care");
    outside["scripts"]["../evil.rhai"] = json!("");
    let (status, _) = host.call(Method::PUT, "/v1/policies/acme", ADMIN, Some(outside)).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    host.stop().await;
}

//! What is still known after the process was killed.

use std::io::Write;

use reqwest::Method;
use serde_json::json;
use switchyard_simulator::Options;

use crate::world::World;

#[tokio::test]
async fn salesforce_comes_back_with_records_tokens_settings_and_deletions() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = Options { journal: Some(folder.path().join("journal")), ..Options::default() };
    let world = World::with(options.clone()).await;
    let mut org = world.org("acme", json!({"case_trigger": true, "rotation": true})).await;
    world.control(Method::PATCH, "orgs/acme", json!({"api_limit": 777})).await;
    let kept = org.upsert("v1", json!({"alcmeon__To_SF_Queue_Id__c": org.queue("Billing")})).await.body["id"].clone();
    let gone = org.create("Contact", json!({"LastName": "Gone", "Ext__c": "x"})).await;
    org.delete(&format!("sobjects/Contact/{gone}")).await;
    world.simulator.stop().await;

    let world = World::with(options).await;
    org.base.clone_from(&world.simulator.salesforce);
    let read = org.query("SELECT Id, alcmeon__Case__r.OwnerId FROM alcmeon__Conversation__c").await;
    assert_eq!(read.column("Id"), [kept]);
    assert_eq!(read.column("alcmeon__Case__r")[0]["OwnerId"], json!(org.queue("Billing")));
    assert_eq!(read.header("Sforce-Limit-Info"), Some("api-usage=1/777"));
    assert_eq!(org.get(&format!("sobjects/Contact/{gone}")).await.refusal().1, "ENTITY_IS_DELETED");
    assert_eq!(org.upsert("v1", json!({})).await.status, 200);
    assert_eq!(world.refresh("refresh-acme").await.status, 400, "it was rotated");
}

#[tokio::test]
async fn a_torn_last_line_is_cut_off_and_writing_goes_on_behind_the_last_whole_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = Options { journal: Some(folder.path().to_owned()), ..Options::default() };
    let world = World::with(options.clone()).await;
    let mut org = world.org("acme", json!({})).await;
    org.create("Contact", json!({"LastName": "A"})).await;
    world.simulator.stop().await;
    let path = folder.path().join("salesforce.jsonl");
    let mut file = std::fs::OpenOptions::new().append(true).open(&path).expect("the journal");
    file.write_all(br#"{"org":"acme","object":"Contact","number":2,"row":{"crea"#).expect("written");
    drop(file);

    for expected in [1, 2] {
        let world = World::with(options.clone()).await;
        org.base.clone_from(&world.simulator.salesforce);
        assert_eq!(org.query("SELECT COUNT() FROM Contact").await.body["totalSize"], expected);
        org.create("Contact", json!({"LastName": "B"})).await;
        world.simulator.stop().await;
    }
}

#[tokio::test]
async fn alcmeon_comes_back_with_its_actions_and_what_was_acknowledged() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = Options { journal: Some(folder.path().to_owned()), ..Options::default() };
    let world = World::with(options.clone()).await;
    world.alcmeon(Method::PUT, "7", json!({"secret": "aa"})).await;
    let conversation = json!([{
        "key": "k", "channel": "whatsapp", "account": {"id": 1, "name": "A"},
        "messages": [{"direction": "inbound", "body": "1"}, {"direction": "inbound", "body": "2"}],
    }]);
    world.alcmeon(Method::POST, "7/conversations", conversation.clone()).await;
    let hook = crate::pushing::Hook::start(|number| if number == 1 { 500 } else { 200 }).await;
    world.alcmeon(Method::PUT, "7/push", json!({"url": hook.url})).await;
    let settled = world.alcmeon(Method::GET, "7/status?settled_ms=60000", json!(null)).await;
    assert_eq!((&settled["acknowledged"], &settled["failed"]), (&json!(1), &json!(1)));
    world.simulator.stop().await;

    let world = World::with(options).await;
    let kept = world.alcmeon(Method::PUT, "7?if_absent=true", json!({"secret": "aa"})).await;
    assert_eq!((&kept["actions"], &kept["acknowledged"], &kept["failed"]), (&json!(2), &json!(1), &json!(1)));
    let again = world.alcmeon(Method::POST, "7/conversations", conversation).await;
    assert_eq!(again["actions"], 0, "it was told before");
}

#[tokio::test]
async fn alcmeon_comes_back_with_what_was_written_to_it_and_what_was_erased() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = Options { journal: Some(folder.path().to_owned()), ..Options::default() };
    let world = World::with(options.clone()).await;
    world.alcmeon(Method::PUT, "7", json!({"secret": "aa"})).await;
    let conversation = json!([{
        "key": "k", "channel": "whatsapp", "account": {"id": 1, "name": "A"},
        "customer": {"email": "ada@x.org"}, "messages": [{"direction": "inbound", "body": "secret words"}],
    }]);
    world.alcmeon(Method::POST, "7/conversations", conversation).await;
    let url = format!("{}/custom-field/conversations/1", world.simulator.alcmeon);
    let fields = json!([{"field_id": 5, "field_value": "500xx"}]);
    let written = world.http.put(url).basic_auth("7", Some("aa")).json(&fields);
    assert_eq!(crate::world::reply(written).await.status, 200);
    world.alcmeon(Method::POST, "7/anonymize", json!(["k"])).await;
    world.simulator.stop().await;

    let world = World::with(options).await;
    let url = format!("{}/actions/conversations/1", world.simulator.alcmeon);
    let told = crate::world::reply(world.http.get(url).basic_auth("7", Some("aa"))).await.body;
    let last = told[0]["actions"].as_array().expect("actions").last().expect("one").clone();
    assert_eq!(last["type"], "anonymize-gdpr");
    assert_eq!(last["task"]["conversation"]["custom_fields"], fields);
    assert!(!told.to_string().contains("secret words") && !told.to_string().contains("ada@x.org"));
}

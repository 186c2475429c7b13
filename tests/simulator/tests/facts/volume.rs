//! Many records: written in full collections, counted exactly, and found without a scan.

use serde_json::{Value, json};

use crate::world::World;

#[tokio::test]
async fn forty_thousand_conversations_are_all_there_and_each_is_found() {
    const CALLS: usize = 200;
    let world = World::start().await;
    let org = world.org("acme", json!({"api_limit": 1_000_000})).await;
    let path = "composite/sobjects/alcmeon__Conversation__c/alcmeon__scoped_id__c";
    for call in 0..CALLS {
        let records: Vec<Value> = (0..200)
            .map(|at| {
                json!({
                    "attributes": {"type": "alcmeon__Conversation__c"},
                    "alcmeon__scoped_id__c": format!("1:12:{}:0", call * 200 + at),
                    "alcmeon__url__c": format!("https://alcmeon.example/{call}/{at}"),
                })
            })
            .collect();
        let answer = org.patch(path, json!({"records": records})).await;
        assert!(answer.body.as_array().expect("entries").iter().all(|entry| entry["success"] == true));
    }
    let count = org.query("SELECT COUNT() FROM alcmeon__Conversation__c").await;
    assert_eq!(count.body["totalSize"], CALLS * 200);
    for at in (0..CALLS * 200).step_by(401) {
        let soql = format!("SELECT Id FROM alcmeon__Conversation__c WHERE alcmeon__scoped_id__c = '1:12:{at}:0'");
        assert_eq!(org.query(&soql).await.body["totalSize"], 1, "{at}");
    }
}

/// How much memory a million synced conversations and their contacts take; run with `--ignored --nocapture`.
#[tokio::test]
#[ignore = "it takes a minute and prints a measure"]
async fn a_million_records_fit_in_reasonable_memory() {
    let world = World::start().await;
    let org = world.org("acme", json!({})).await;
    let before_kb = resident_kb();
    let contacts = json!({"object": "Contact", "count": 500_000, "fields": {
        "LastName": "Customer {n}", "Email": "customer{n}@example.com", "MobilePhone": "+336{n}",
    }});
    let conversations = json!({"object": "alcmeon__Conversation__c", "count": 500_000, "fields": {
        "alcmeon__scoped_id__c": "1:12:{n}:0", "alcmeon__url__c": "https://alcmeon.example/c/v3/#/1/tasks/{n}",
        "alcmeon__Status__c": "Open", "alcmeon__User_name__c": "Customer {n}",
        "alcmeon__Social_media_type__c": "whatsapp", "alcmeon__To_SF_Queue_Id__c": org.queue("Billing"),
    }});
    for body in [contacts, conversations] {
        world.control(reqwest::Method::POST, "orgs/acme/generate", body).await;
    }
    let grown_mb = (resident_kb() - before_kb) / 1_024;
    println!("a million records take {grown_mb} MB");
    let found = org.query("SELECT Id FROM Contact WHERE Email = 'customer250000@example.com'").await;
    assert_eq!(found.body["totalSize"], 1);
    assert!(grown_mb < 1_500, "{grown_mb} MB");
}

/// Memory of this process that is in use, in kilobytes.
fn resident_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("this is measured on Linux");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("its own line");
    line.split_whitespace().nth(1).and_then(|text| text.parse().ok()).expect("a number")
}

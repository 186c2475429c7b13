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

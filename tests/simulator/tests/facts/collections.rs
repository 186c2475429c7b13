//! Many records in one call.

use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{Org, Reply, World};

const PATH: &str = "composite/sobjects/alcmeon__Conversation__c/alcmeon__scoped_id__c";

fn conversation(scoped_id: &str, more: Value) -> Value {
    let mut record = json!({"attributes": {"type": "alcmeon__Conversation__c"}, "alcmeon__scoped_id__c": scoped_id});
    for (key, value) in more.as_object().expect("an object") {
        record[key] = value.clone();
    }
    record
}

async fn upsert(org: &Org, all_or_none: bool, records: Vec<Value>) -> Reply {
    org.patch(PATH, json!({"allOrNone": all_or_none, "records": records})).await
}

fn code(entry: &Value) -> &str {
    entry["errors"][0]["statusCode"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn each_record_has_its_own_result_in_the_order_given() {
    let world = World::start().await;
    let org = world.org("acme", json!({})).await;
    org.upsert("v2", json!({})).await;
    let records = vec![
        conversation("v1", json!({})),
        conversation("v2", json!({})),
        conversation("v3", json!({"Foo": 1})),
        conversation("v4", json!({})),
    ];
    let answer = upsert(&org, false, records).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body[0]["created"], true);
    assert_eq!((&answer.body[1]["success"], &answer.body[1]["created"]), (&json!(true), &json!(false)));
    let text = "No such column 'Foo' on sobject of type alcmeon__Conversation__c";
    let error = json!({"statusCode": "INVALID_FIELD", "message": text, "fields": []});
    assert_eq!(answer.body[2], json!({"success": false, "errors": [error], "created": false}));
    assert_eq!(answer.body[3]["success"], true);
}

#[tokio::test]
async fn all_or_none_rolls_the_good_ones_back_and_an_update_still_has_its_id() {
    let world = World::start().await;
    let org = world.org("acme", json!({})).await;
    org.upsert("v1", json!({"alcmeon__User_name__c": "before"})).await;
    let records = vec![
        conversation("v1", json!({"alcmeon__User_name__c": "after"})),
        conversation("v2", json!({})),
        conversation("v3", json!({"Foo": 1})),
    ];
    let answer = upsert(&org, true, records).await;
    let codes: Vec<&str> = answer.body.as_array().expect("entries").iter().map(code).collect();
    let rolled_back = "ALL_OR_NONE_OPERATION_ROLLED_BACK";
    assert_eq!(codes, [rolled_back, rolled_back, "INVALID_FIELD"]);
    assert!(answer.body[0]["id"].is_string() && answer.body[1]["id"].is_null());
    let names = org.query("SELECT alcmeon__User_name__c FROM alcmeon__Conversation__c").await;
    assert_eq!(names.column("alcmeon__User_name__c"), [json!("before")]);
}

#[tokio::test]
async fn a_key_that_comes_twice_is_refused_twice() {
    let world = World::start().await;
    let org = world.org("acme", json!({})).await;
    let twice = ["v1", "v2", "V1"].map(|id| conversation(id, json!({})));
    let answer = upsert(&org, false, twice.to_vec()).await;
    assert_eq!((code(&answer.body[0]), code(&answer.body[2])), ("DUPLICATE_VALUE", "DUPLICATE_VALUE"));
    assert_eq!(answer.body[0]["errors"][0]["message"], "Duplicate external id specified: v1");
    assert_eq!(answer.body[1]["success"], true);
}

#[tokio::test]
async fn a_call_that_is_not_well_formed_is_400_as_a_whole() {
    let world = World::start().await;
    let org = world.org("acme", json!({})).await;
    let many = (0..201).map(|at| conversation(&format!("v{at}"), json!({}))).collect();
    let stranger = json!({"attributes": {"type": "Case"}, "alcmeon__scoped_id__c": "v"});
    for (records, code) in [(many, "EXCEEDED_ID_LIMIT"), (vec![stranger], "INVALID_INPUT")] {
        let answer = upsert(&org, false, records).await;
        assert_eq!((answer.status, answer.refusal().1), (400, code));
    }
    // Recorded: a record without its type is refused by itself.
    let records = vec![json!({"alcmeon__scoped_id__c": "v"}), conversation("v1", json!({}))];
    let answer = upsert(&org, false, records).await;
    assert_eq!((answer.status, code(&answer.body[0])), (200, "JSON_PARSER_ERROR"));
    assert_eq!(answer.body[1]["success"], true);
}

#[tokio::test]
async fn records_of_several_types_are_created_in_one_call() {
    let world = World::start().await;
    let org = world.org("acme", json!({})).await;
    let records = json!([
        {"attributes": {"type": "Contact"}, "LastName": "A"},
        {"attributes": {"type": "Contact"}},
        {"attributes": {"type": "Case"}, "OwnerId": org.queue("Bare")},
        {"attributes": {"type": "Case"}, "Subject": "S"},
    ]);
    let answer = org.post("composite/sobjects", json!({"allOrNone": false, "records": records})).await;
    assert_eq!(answer.body[0]["success"], true);
    assert_eq!(answer.body[0]["created"], json!(null));
    assert_eq!(code(&answer.body[1]), "REQUIRED_FIELD_MISSING");
    assert_eq!(code(&answer.body[2]), "INVALID_OPERATION");
    assert_eq!(answer.body[3]["success"], true);
}

#[tokio::test]
async fn an_upsert_by_id_creates_without_one_and_updates_with_one() {
    let world = World::start().await;
    let org = world.org("acme", json!({})).await;
    let id = org.create("Contact", json!({"LastName": "A"})).await;
    let records = json!([
        {"attributes": {"type": "Contact"}, "Id": id, "LastName": "B"},
        {"attributes": {"type": "Contact"}, "Id": null, "LastName": "C"},
    ]);
    let answer = org.patch("composite/sobjects/Contact/Id", json!({"records": records})).await;
    assert_eq!((&answer.body[0]["created"], &answer.body[1]["created"]), (&json!(false), &json!(true)));
    assert_eq!(org.query("SELECT LastName FROM Contact").await.column("LastName"), [json!("B"), json!("C")]);
}

#[tokio::test]
async fn several_records_of_one_external_id_are_told_in_the_record() {
    let world = World::start().await;
    let org = world.org("acme", json!({"view_all_data": true})).await;
    for name in ["A", "B"] {
        org.create("Contact", json!({"LastName": name, "Loose__c": "twin"})).await;
    }
    let records = json!([{"attributes": {"type": "Contact"}, "Loose__c": "twin", "LastName": "C"}]);
    let answer = org.patch("composite/sobjects/Contact/Loose__c", json!({"records": records})).await;
    assert_eq!((answer.status, code(&answer.body[0])), (200, "DUPLICATE_EXTERNAL_ID"));
    let text = answer.body[0]["errors"][0]["message"].as_str().expect("a text");
    assert!(text.contains("[003") && !text.contains("/services"), "ids, not addresses: {text}");
}

#[tokio::test]
async fn totals_count_what_was_done_to_records() {
    let world = World::start().await;
    let org = world.org("acme", json!({})).await;
    let records = ["v1", "v2"].map(|id| conversation(id, json!({})));
    upsert(&org, false, records.to_vec()).await;
    upsert(&org, false, vec![conversation("v1", json!({})), conversation("v3", json!({"Foo": 1}))]).await;
    let totals = world.control(Method::GET, "orgs/acme", json!(null)).await["totals"].clone();
    assert_eq!(totals["by_kind"]["PATCH composite"], 2);
    assert_eq!([&totals["created"], &totals["updated"], &totals["refused"]], [&json!(2), &json!(1), &json!(1)]);
}

fn contact(more: Value) -> Value {
    let mut record = json!({"attributes": {"type": "Contact"}});
    for (key, value) in more.as_object().expect("an object") {
        record[key] = value.clone();
    }
    record
}

#[tokio::test]
async fn a_collection_is_updated_read_and_deleted_by_ids() {
    let world = World::start().await;
    let org = world.org("acme", json!({})).await;
    let one = org.create("Contact", json!({"LastName": "A"})).await;
    let two = org.create("Contact", json!({"LastName": "B"})).await;
    let records = json!([
        contact(json!({"Id": one, "Title": "Dr"})),
        contact(json!({"Id": two[..15], "Email": "nonsense"})),
        contact(json!({"Title": "nobody"})),
    ]);
    let updated = org.patch("composite/sobjects", json!({"records": records})).await.body;
    assert_eq!(updated[0], json!({"id": one, "success": true, "errors": []}));
    assert_eq!((code(&updated[1]), code(&updated[2])), ("INVALID_EMAIL_ADDRESS", "MISSING_ARGUMENT"));

    let gone = "003000000000000AAA";
    let read = org.get(&format!("composite/sobjects/Contact?ids={one},{gone}&fields=LastName,Title")).await.body;
    assert_eq!((&read[0]["Title"], &read[1]), (&json!("Dr"), &Value::Null));
    let posted = org.post("composite/sobjects/Contact", json!({"ids": [two], "fields": ["LastName"]})).await.body;
    assert_eq!(posted[0]["LastName"], "B");

    let deleted = org.delete(&format!("composite/sobjects?ids={one},{gone}&allOrNone=true")).await.body;
    assert_eq!(code(&deleted[0]), "ALL_OR_NONE_OPERATION_ROLLED_BACK");
    let deleted = org.delete(&format!("composite/sobjects?ids={one},{gone}")).await.body;
    assert_eq!((&deleted[0]["success"], code(&deleted[1])), (&json!(true), "INVALID_CROSS_REFERENCE_KEY"));
    let records = json!([contact(json!({"Id": one, "Title": "Dr"}))]);
    let late = org.patch("composite/sobjects", json!({"records": records})).await.body;
    assert_eq!(code(&late[0]), "ENTITY_IS_DELETED");
}

#[tokio::test]
async fn a_malformed_id_in_an_upsert_by_id_is_a_parser_error() {
    let world = World::start().await;
    let org = world.org("acme", json!({})).await;
    let records = json!([contact(json!({"Id": "nonsense", "LastName": "A"}))]);
    let answer = org.patch("composite/sobjects/Contact/Id", json!({"records": records})).await.body;
    assert_eq!(code(&answer[0]), "JSON_PARSER_ERROR");
}

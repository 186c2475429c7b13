//! What an org forbids: duplicate rules, failing automations, field-level security, and locks.

use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{Org, Reply, World, reply};

fn duplicate_rule(block: bool) -> Value {
    json!({"duplicate_rules": [{"object": "Contact", "name": "Same_mail", "fields": ["Email"], "block": block}]})
}

async fn create_with(org: &Org, header: &str, fields: Value) -> Reply {
    let request = org.request(Method::POST, "sobjects/Contact").header("Sforce-Duplicate-Rule-Header", header);
    reply(request.json(&fields)).await
}

#[tokio::test]
async fn a_duplicate_is_refused_with_the_records_it_repeats() {
    let world = World::start().await;
    let org = world.org("acme", duplicate_rule(false)).await;
    let first = org.create("Contact", json!({"LastName": "A", "Email": "a@x.org"})).await;
    let twin = json!({"LastName": "B", "Email": "A@X.org"});
    let refused = org.post("sobjects/Contact", twin.clone()).await;
    assert_eq!(refused.refusal(), (400, "DUPLICATES_DETECTED", "Use one of these records?"));
    let result = &refused.body[0]["duplicateResult"];
    assert_eq!((&result["allowSave"], &result["duplicateRule"]), (&json!(true), &json!("Same_mail")));
    let found = &result["matchResults"][0]["matchRecords"][0]["record"];
    assert_eq!((&found["Id"], &found["Email"]), (&json!(first), &Value::Null));

    let detailed = create_with(&org, "includeRecordDetails=true", twin.clone()).await;
    let found = &detailed.body[0]["duplicateResult"]["matchResults"][0]["matchRecords"][0]["record"];
    assert_eq!(found["Email"], "a@x.org");
    assert_eq!(create_with(&org, "allowSave=true; includeRecordDetails=true", twin).await.status, 201);

    let records = json!({"records": [{"attributes": {"type": "Contact"}, "LastName": "C", "Email": "a@x.org"}]});
    let entry = org.post("composite/sobjects", records).await.body[0].clone();
    assert_eq!(entry["errors"][0]["statusCode"], "DUPLICATES_DETECTED");
}

#[tokio::test]
async fn a_rule_that_blocks_lets_nothing_through_and_its_body_may_be_misspelled() {
    let world = World::start().await;
    let org = world.org("acme", duplicate_rule(true)).await;
    org.create("Contact", json!({"LastName": "A", "Email": "a@x.org"})).await;
    let twin = json!({"LastName": "B", "Email": "a@x.org"});
    let refused = create_with(&org, "allowSave=true", twin.clone()).await;
    assert_eq!(refused.body[0]["duplicateResult"]["allowSave"], false);
    let rule = json!([{"object": "Contact", "name": "Same_mail", "fields": ["Email"], "misspelled": true}]);
    world.control(Method::PATCH, "orgs/acme", json!({"duplicate_rules": rule})).await;
    let refused = org.post("sobjects/Contact", twin).await;
    assert!(refused.body[0]["duplicateResut"].is_object(), "{}", refused.body);
}

#[tokio::test]
async fn an_update_is_a_duplicate_only_by_what_it_changes() {
    let world = World::start().await;
    let org = world.org("acme", json!({})).await;
    for email in ["a@x.org", "a@x.org", "b@x.org"] {
        org.create("Contact", json!({"LastName": "L", "Email": email})).await;
    }
    world.control(Method::PATCH, "orgs/acme", duplicate_rule(true)).await;
    let ids = org.query("SELECT Id FROM Contact").await.column("Id");
    let path = |at: usize| format!("sobjects/Contact/{}", ids[at].as_str().expect("an id"));
    assert_eq!(org.patch(&path(0), json!({"LastName": "M"})).await.status, 204);
    assert_eq!(org.patch(&path(2), json!({"Email": "a@x.org"})).await.status, 400);
}

#[tokio::test]
async fn an_automation_that_fails_is_told_in_its_own_words() {
    let world = World::start().await;
    let triggers = json!([
        {"object": "Case", "name": "CaseTrigger", "on": "update", "message": "System.LimitException: Too many SOQL queries: 101"},
        {"object": "Contact", "name": "Flow", "field": "LastName", "contains": "flow",
         "code": "CANNOT_EXECUTE_FLOW_TRIGGER", "message": "We can't save this record because the Flow process failed."},
    ]);
    let org = world.org("acme", json!({"failing_triggers": triggers})).await;
    let case = org.create("Case", json!({"Subject": "S"})).await;
    let refused = org.patch(&format!("sobjects/Case/{case}"), json!({"Subject": "T"})).await;
    let (status, code, text) = refused.refusal();
    assert_eq!((status, code), (400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"));
    let expected =
        "CaseTrigger: execution of BeforeUpdate\n\ncaused by: System.LimitException: Too many SOQL queries: 101";
    assert!(text.starts_with(expected), "{text}");
    assert_eq!(org.get(&format!("sobjects/Case/{case}")).await.body["Subject"], "S");
    assert_eq!(org.post("sobjects/Contact", json!({"LastName": "Ok"})).await.status, 201);
    assert_eq!(
        org.post("sobjects/Contact", json!({"LastName": "Flowers"})).await.refusal().1,
        "CANNOT_EXECUTE_FLOW_TRIGGER"
    );
}

#[tokio::test]
async fn what_is_hidden_is_as_if_it_were_not_there_and_what_is_read_only_is_not_written() {
    let world = World::start().await;
    let org = world.org("acme", json!({"hidden": ["Contact.Email", "Lead"], "read_only": ["Contact.Title"]})).await;
    let column = "No such column 'Email' on sobject of type Contact";
    let refused = org.post("sobjects/Contact", json!({"LastName": "A", "Email": "a@x.org"})).await;
    assert_eq!(refused.refusal(), (400, "INVALID_FIELD", column));
    assert_eq!(org.query("SELECT Email FROM Contact").await.refusal().1, "INVALID_FIELD");
    assert_eq!(org.query("SELECT Id FROM Lead").await.refusal().1, "INVALID_TYPE");
    assert_eq!(org.get("sobjects/Lead/describe").await.status, 404);
    let fields = org.get("sobjects/Contact/describe").await.body["fields"].clone();
    let named = |name: &str| fields.as_array().expect("fields").iter().find(|field| field["name"] == name).cloned();
    assert_eq!(named("Email"), None);
    assert_eq!(named("Title").expect("seen")["updateable"], false);
    let refused = org.post("sobjects/Contact", json!({"LastName": "A", "Title": "Dr"})).await;
    assert_eq!(refused.refusal().1, "INVALID_FIELD_FOR_INSERT_UPDATE");
}

#[tokio::test]
async fn a_parent_that_one_call_holds_is_waited_for_and_free_once_that_call_is_over() {
    let world = World::start().await;
    let org = world.org("acme", json!({})).await;
    let account = org.create("Account", json!({"Name": "A"})).await;
    let contact = |name: &str| json!({"attributes": {"type": "Contact"}, "LastName": name, "AccountId": account});
    world.control(Method::PATCH, "orgs/acme", json!({"parent_lock_ms": 1})).await;
    for _ in 0..2 {
        let both = org.post("composite/sobjects", json!({"records": [contact("A"), contact("B")]})).await.body;
        let done = (&both[0]["success"], &both[1]["success"]);
        assert_eq!(done, (&json!(true), &json!(true)), "one call does not fight itself, nor the one before it");
    }
    // A call that does not come to its end holds the parent meanwhile.
    world.control(Method::PATCH, "orgs/acme", json!({"parent_lock_ms": 600_000, "lock_wait_ms": 0})).await;
    let mut held = Box::pin(org.post("sobjects/Contact", contact("C")));
    let text = format!("unable to obtain exclusive access to this record or 1 records: {account}");
    let before = world.control(Method::GET, "orgs/acme", json!({})).await["totals"]["created"].clone();
    let refused = async {
        while world.control(Method::GET, "orgs/acme", json!({})).await["totals"]["created"] == before {}
        org.post("sobjects/Contact", contact("D")).await
    };
    tokio::select! {
        answer = &mut held => panic!("{:?}", answer.body),
        answer = refused => assert_eq!(answer.refusal(), (400, "UNABLE_TO_LOCK_ROW", text.as_str())),
    }
    assert_eq!(org.post("sobjects/Account", json!({"Name": "B"})).await.status, 201, "without that parent");
    drop(held);
    world.control(Method::PATCH, "orgs/acme", json!({"parent_lock_ms": 0, "lock_wait_ms": 30_000})).await;
    assert_eq!(org.post("sobjects/Contact", contact("E")).await.status, 201, "it waits until the parent is free");
}

#[tokio::test]
async fn an_upsert_by_a_field_that_is_not_unique_needs_the_right_to_view_all_data() {
    let world = World::start().await;
    let org = world.org("acme", json!({})).await;
    let upsert = || org.patch("sobjects/Contact/Email/a@x.com", json!({"LastName": "A"}));
    let text = "Upsert requires view all data on a non-unique custom index";
    assert_eq!(upsert().await.refusal(), (403, "INSUFFICIENT_ACCESS", text));
    world.control(Method::PATCH, "orgs/acme", json!({"view_all_data": true})).await;
    assert_eq!(upsert().await.status, 201);
}

#[tokio::test]
async fn what_others_own_is_neither_seen_nor_changed_where_the_object_is_private() {
    let world = World::start().await;
    let users = json!([{"Username": "agent@acme.example", "LastName": "Agent"}]);
    let org = world.org("acme", json!({"users": users})).await;
    let agent = org.query("SELECT Id FROM User WHERE Username = 'agent@acme.example'").await.column("Id").remove(0);
    let mine = org.create("Contact", json!({"LastName": "Mine"})).await;
    let theirs = org.create("Contact", json!({"LastName": "Theirs", "OwnerId": agent})).await;
    let access = json!([{"object": "Contact", "view_all": false, "modify_all": false}]);
    world.control(Method::PATCH, "orgs/acme", json!({"access": access})).await;
    assert_eq!(org.query("SELECT Id FROM Contact").await.column("Id"), [mine.as_str()]);
    assert_eq!(org.get(&format!("sobjects/Contact/{theirs}")).await.status, 404);
    let linked = org.post("sobjects/Case", json!({"ContactId": theirs})).await;
    assert_eq!(linked.refusal().1, "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY");
    let given = json!({"OwnerId": agent});
    assert_eq!(org.patch(&format!("sobjects/Contact/{mine}"), given).await.status, 204, "an owner may give it away");
    assert!(org.query("SELECT Id FROM Contact").await.column("Id").is_empty());

    let access = json!([{"object": "Contact", "create": false, "modify_all": false}]);
    world.control(Method::PATCH, "orgs/acme", json!({"access": access})).await;
    let refused = org.patch(&format!("sobjects/Contact/{theirs}"), json!({"LastName": "X"})).await;
    assert_eq!(refused.refusal().1, "INSUFFICIENT_ACCESS_OR_READONLY");
    let refused = org.post("sobjects/Contact", json!({"LastName": "New"})).await;
    assert_eq!(refused.refusal().1, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY");
}

#[tokio::test]
async fn a_record_can_be_held_by_an_administrator() {
    let world = World::start().await;
    let org = world.org("acme", json!({})).await;
    let case = org.create("Case", json!({})).await;
    world.control(Method::POST, "orgs/acme/locks", json!({"id": case, "ms": 5_000})).await;
    let path = format!("sobjects/Case/{case}");
    assert_eq!(org.patch(&path, json!({"Subject": "S"})).await.refusal().1, "UNABLE_TO_LOCK_ROW");
    world.control(Method::PUT, "clock", json!({"advance_ms": 5_001})).await;
    assert_eq!(org.patch(&path, json!({"Subject": "S"})).await.status, 204);
}

#[tokio::test]
async fn words_come_in_the_users_language_and_codes_fields_and_ids_stay() {
    let world = World::start().await;
    let org = world.org("acme", json!({"language": "french"})).await;
    let refused = org.post("sobjects/Contact", json!({})).await;
    assert_eq!(refused.refusal(), (400, "REQUIRED_FIELD_MISSING", "Champs obligatoires manquants : [LastName]"));
    let queue = org.queue("Billing");
    let refused = org.post("sobjects/Contact", json!({"LastName": "A", "OwnerId": queue})).await;
    let text = format!("valeur d'ID de type incorrect : {queue}");
    assert_eq!(refused.refusal(), (400, "FIELD_INTEGRITY_EXCEPTION", text.as_str()));
}

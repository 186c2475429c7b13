//! What an org does by itself: case owners, the package's sample triggers, person accounts.

use reqwest::Method;
use serde_json::json;

use crate::world::{World, reply};

#[tokio::test]
async fn a_case_goes_to_the_default_owner_unless_the_header_says_not_to() {
    let world = World::start().await;
    let org = world.org("acme", json!({"default_case_owner": "Bare"})).await;
    let body = json!({"OwnerId": org.queue("Billing")});
    let careless = org.post("sobjects/Case", body.clone()).await.body["id"].clone();
    let careful = org.create("Case", body).await;
    let owner = |id: String| {
        let org = &org;
        async move { org.get(&format!("sobjects/Case/{id}")).await.body["OwnerId"].clone() }
    };
    assert_eq!(owner(careless.as_str().expect("an id").to_owned()).await, json!(org.queue("Bare")));
    assert_eq!(owner(careful).await, json!(org.queue("Billing")));
}

#[tokio::test]
async fn with_the_triggers_a_conversation_makes_its_case_in_the_chosen_queue_and_reopens_it() {
    let world = World::start().await;
    let org = world.org("acme", json!({"case_trigger": true})).await;
    let queue = org.queue("Billing");
    let fields = json!({
        "alcmeon__User_name__c": "Ada",
        "alcmeon__Social_media_type__c": "whatsapp",
        "alcmeon__url__c": "u/1",
        "alcmeon__To_SF_Queue_Id__c": queue,
    });
    assert_eq!(org.upsert("v1", fields).await.status, 201);
    let soql = "SELECT alcmeon__Case__c, alcmeon__Case__r.Subject, alcmeon__Case__r.OwnerId, alcmeon__Case__r.Status, \
                alcmeon__Case__r.Origin FROM alcmeon__Conversation__c WHERE alcmeon__scoped_id__c = 'v1'";
    let case = org.query(soql).await.column("alcmeon__Case__r")[0].clone();
    assert_eq!(case["Subject"], "Conversation with: Ada");
    assert_eq!((&case["OwnerId"], &case["Origin"]), (&json!(queue), &json!("whatsapp")));
    let id = org.query(soql).await.column("alcmeon__Case__c")[0].as_str().expect("an id").to_owned();
    org.patch(&format!("sobjects/Case/{id}"), json!({"Status": "Closed"})).await;
    assert_eq!(org.upsert("v1", json!({"alcmeon__url__c": "u/2"})).await.status, 200);
    let case = org.get(&format!("sobjects/Case/{id}")).await.body;
    assert_eq!(case["Status"], "In Progress");
    assert!(case["Description"].as_str().expect("text").contains("u/2"));
}

#[tokio::test]
async fn a_case_taken_by_an_agent_is_told_to_the_conversation() {
    let world = World::start().await;
    let more = json!({"case_trigger": true, "users": [{"Username": "ada@acme.example", "LastName": "Byron"}]});
    let org = world.org("acme", more).await;
    org.upsert("v1", json!({"alcmeon__To_SF_Queue_Id__c": org.queue("Billing")})).await;
    let case = org.query("SELECT Id FROM Case").await.column("Id")[0].as_str().expect("an id").to_owned();
    let agent = org.info["users"]["ada@acme.example"].clone();
    assert_eq!(org.patch(&format!("sobjects/Case/{case}"), json!({"OwnerId": agent})).await.status, 204);
    let told = org.query("SELECT alcmeon__From_SF_Queue_Id__c FROM alcmeon__Conversation__c").await;
    assert_eq!(told.column("alcmeon__From_SF_Queue_Id__c"), [agent]);
}

#[tokio::test]
async fn a_trigger_that_fails_wraps_the_cause_and_leaves_nothing() {
    let world = World::start().await;
    let org = world.org("acme", json!({"case_trigger": true})).await;
    let answer = org.upsert("v1", json!({"alcmeon__To_SF_Queue_Id__c": org.queue("Bare")})).await;
    let (status, code, text) = answer.refusal();
    assert_eq!((status, code), (400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"));
    assert!(text.contains("INVALID_OPERATION, Queue not associated with this SObject type"), "{text}");
    for object in ["Case", "alcmeon__Conversation__c"] {
        assert_eq!(org.query(&format!("SELECT COUNT() FROM {object}")).await.body["totalSize"], 0);
    }
}

#[tokio::test]
async fn a_person_account_has_a_name_and_a_shadow_contact() {
    let world = World::start().await;
    let org = world.org("acme", json!({"person_accounts": true})).await;
    let kind = org.query("SELECT Id FROM RecordType WHERE SobjectType = 'Account' AND IsPersonType = true").await;
    let kind = kind.column("Id")[0].clone();
    let fields = json!({"RecordTypeId": kind, "FirstName": "Ada", "LastName": "Byron", "PersonEmail": "ada@x.org"});
    let id = org.create("Account", fields).await;
    let read = org.get(&format!("sobjects/Account/{id}")).await.body;
    assert_eq!((&read["Name"], &read["IsPersonAccount"]), (&json!("Ada Byron"), &json!(true)));
    let contact = read["PersonContactId"].as_str().expect("a shadow").to_owned();
    org.create("Case", json!({"ContactId": contact, "AccountId": id})).await;
    org.patch(&format!("sobjects/Account/{id}"), json!({"LastName": "Lovelace"})).await;
    let found = org.query("SELECT Id, Name FROM Contact WHERE Email = 'ADA@x.org'").await;
    assert_eq!(found.column("Name"), [json!("Ada Lovelace")]);
    let named = org.post("sobjects/Account", json!({"RecordTypeId": kind, "Name": "A", "LastName": "B"})).await;
    let text = "Account: bad field names on insert/update call: Name";
    assert_eq!(named.refusal(), (400, "INVALID_FIELD_FOR_INSERT_UPDATE", text));
}

#[tokio::test]
async fn an_org_without_person_accounts_does_not_know_their_fields() {
    let world = World::start().await;
    let org = world.org("acme", json!({})).await;
    let answer = org.query("SELECT IsPersonAccount FROM Account").await;
    assert_eq!((answer.status, answer.refusal().1), (400, "INVALID_FIELD"));
}

#[tokio::test]
async fn two_orgs_share_neither_records_nor_ids() {
    let world = World::start().await;
    let (one, two) = (world.org("one", json!({})).await, world.org("two", json!({})).await);
    let id = one.create("Contact", json!({"LastName": "A"})).await;
    assert_eq!(two.get(&format!("sobjects/Contact/{id}")).await.status, 404);
    let answer = two.post("sobjects/Case", json!({"ContactId": id})).await;
    assert_eq!(answer.refusal().1, "INVALID_CROSS_REFERENCE_KEY");
    assert_eq!(two.query("SELECT COUNT() FROM Contact").await.body["totalSize"], 0);
}

#[tokio::test]
async fn an_org_is_kept_when_asked_and_replaced_when_not() {
    let world = World::start().await;
    let org = world.org("acme", json!({})).await;
    org.create("Contact", json!({"LastName": "A"})).await;
    let kept = world.control(Method::PUT, "orgs/acme?if_absent=true", json!({})).await;
    assert_eq!(kept["records"]["Contact"], 1);
    let replaced = world.control(Method::PUT, "orgs/acme", json!({"contacts": [{"LastName": "B"}]})).await;
    assert_eq!(replaced["records"]["Contact"], 1);
    assert!(replaced["contacts"][0].as_str().expect("an id").starts_with("003"));
    let wrong = world.http.put(format!("{}/control/orgs/x", world.simulator.salesforce)).json(&json!({"typo": 1}));
    assert_eq!(reply(wrong).await.status, 400);
}

#[tokio::test]
async fn a_person_account_shows_the_custom_fields_of_its_contact() {
    let world = World::start().await;
    let org = world.org("acme", json!({"person_accounts": true})).await;
    let id = org.create("Account", json!({"LastName": "Byron", "Ext__pc": "e1"})).await;
    assert_eq!(org.query("SELECT LastName FROM Contact WHERE Ext__c = 'e1'").await.column("LastName"), ["Byron"]);
    org.patch(&format!("sobjects/Account/{id}"), json!({"Ext__pc": "e2"})).await;
    assert_eq!(org.query("SELECT Ext__c FROM Contact").await.column("Ext__c"), ["e2"]);
}

#[tokio::test]
async fn records_are_made_in_numbers() {
    let world = World::start().await;
    let org = world.org("acme", json!({})).await;
    let body = json!({"object": "Contact", "count": 300, "from": 5, "fields": {"LastName": "N{n}"}});
    world.control(Method::POST, "orgs/acme/generate", body).await;
    assert_eq!(org.query("SELECT COUNT() FROM Contact").await.body["totalSize"], 300);
    assert_eq!(org.query("SELECT Id FROM Contact WHERE LastName = 'N304'").await.body["totalSize"], 1);
}

#[tokio::test]
async fn an_org_tells_its_resources_its_counts_and_itself() {
    let world = World::start().await;
    let org = world.org("acme", json!({})).await;
    org.create("Contact", json!({"LastName": "A"})).await;
    let resources = org.get("").await.body;
    assert_eq!(resources["sobjects"], "/services/data/v59.0/sobjects");
    let counts = org.get("limits/recordCount?sObjects=Contact,Case").await.body;
    assert_eq!(counts["sObjects"], json!([{"count": 1, "name": "Contact"}]));
    let found = org.query("SELECT Id, Name, IsSandbox FROM Organization").await;
    assert_eq!(found.column("Id")[0], org.info["organization_id"]);
    let token = world.refresh("refresh-acme").await.body;
    let identity = world.http.get(token["id"].as_str().expect("an address")).bearer_auth(&org.token);
    assert_eq!(reply(identity).await.body["username"], "integration@acme.example");
}

#[tokio::test]
async fn a_header_of_a_composite_call_is_not_one_of_the_calls_in_it() {
    let world = World::start().await;
    let org = world.org("acme", json!({"default_case_owner": "Bare"})).await;
    let inner = |id: &str, headers: serde_json::Value| {
        json!({
            "method": "POST", "url": "/services/data/v59.0/sobjects/Case", "referenceId": id, "httpHeaders": headers,
            "body": {"OwnerId": org.queue("Billing")},
        })
    };
    let calls = [inner("outer", json!({})), inner("inner", json!({"Sforce-Auto-Assign": "FALSE"}))];
    let request = org.request(Method::POST, "composite").header("Sforce-Auto-Assign", "FALSE");
    assert_eq!(reply(request.json(&json!({"compositeRequest": calls}))).await.status, 200);
    let owners = org.query("SELECT OwnerId FROM Case ORDER BY CaseNumber").await.column("OwnerId");
    assert_eq!(owners, [json!(org.queue("Bare")), json!(org.queue("Billing"))]);
}

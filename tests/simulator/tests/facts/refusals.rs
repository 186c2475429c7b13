//! What Salesforce does not take, and the words it refuses with.

use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{Org, World, reply};

async fn refused(org: &Org, object: &str, fields: Value, status: u16, code: &str, text: &str) {
    let answer = org.post(&format!("sobjects/{object}"), fields).await;
    assert_eq!(answer.refusal(), (status, code, text));
}

#[tokio::test]
async fn each_wrong_value_is_refused_in_the_recorded_words() {
    let world = World::start().await;
    let more = json!({
        "restricted_picklists": [{"object": "Case", "field": "Origin", "values": ["whatsapp"]}],
        "validation_rules": [{"object": "Contact", "field": "Title", "contains": "boss", "message": "No bosses."}],
    });
    let org = world.org("acme", more).await;
    let long = "x".repeat(256);
    let contact = org.create("Contact", json!({"LastName": "A", "Ext__c": "taken"})).await;
    let too_long = format!("Subject: data value too large: {long} (max length=255)");
    let twin = format!("duplicate value found: Ext__c duplicates value on record with id: {}", &contact[..15]);
    let cases = [
        ("Case", json!({"Foo": 1}), "INVALID_FIELD", "No such column 'Foo' on sobject of type Case"),
        ("Case", json!({"Subject": long}), "STRING_TOO_LONG", too_long.as_str()),
        ("Contact", json!({}), "REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]"),
        ("Contact", json!({"LastName": "  "}), "REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]"),
        (
            "Contact",
            json!({"LastName": "A", "Email": "a@b"}),
            "INVALID_EMAIL_ADDRESS",
            "Email: invalid email address: a@b",
        ),
        ("Case", json!({"ContactId": "abc"}), "MALFORMED_ID", "Contact ID: id value of incorrect type: abc"),
        (
            "Case",
            json!({"AccountId": &contact[..15]}),
            "MALFORMED_ID",
            &format!("Account ID: id value of incorrect type: {}", &contact[..15]),
        ),
        (
            "Case",
            json!({"ContactId": "003000000000001AAA"}),
            "INVALID_CROSS_REFERENCE_KEY",
            "invalid cross reference id",
        ),
        (
            "Case",
            json!({"Origin": "fax"}),
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            "Case Origin: bad value for restricted picklist field: fax",
        ),
        ("Contact", json!({"LastName": "B", "Ext__c": "TAKEN"}), "DUPLICATE_VALUE", twin.as_str()),
        ("Contact", json!({"LastName": "B", "Title": "Boss"}), "FIELD_CUSTOM_VALIDATION_EXCEPTION", "No bosses."),
        ("Case", json!({"Id": contact}), "INVALID_FIELD", "The Id field should not be specified in the sobject data."),
    ];
    for (object, fields, code, text) in cases {
        refused(&org, object, fields, 400, code, text).await;
    }
    let state = org.query("SELECT COUNT() FROM Case").await;
    assert_eq!(state.body["totalSize"], 0, "a refused record leaves nothing");
}

#[tokio::test]
async fn a_refusal_names_its_field() {
    let world = World::start().await;
    let org = world.org("acme", json!({})).await;
    let answer = org.post("sobjects/Contact", json!({})).await;
    assert_eq!(answer.body[0]["fields"], json!(["LastName"]));
    let answer = org.post("sobjects/Contact", json!({"Name": "A B", "LastName": "B"})).await;
    assert_eq!(answer.refusal().1, "INVALID_FIELD_FOR_INSERT_UPDATE");
    assert_eq!(answer.body[0]["fields"], json!(["Name"]));
}

#[tokio::test]
async fn a_body_that_is_not_json_and_a_value_of_the_wrong_type_are_parser_errors() {
    let world = World::start().await;
    let org = world.org("acme", json!({})).await;
    let request = org.request(reqwest::Method::POST, "sobjects/Contact").body("{\"LastName\": ");
    assert_eq!(crate::world::reply(request).await.refusal().1, "JSON_PARSER_ERROR");
    let answer = org.post("sobjects/Contact", json!({"LastName": {"a": 1}})).await;
    assert_eq!((answer.status, answer.refusal().1), (400, "JSON_PARSER_ERROR"));
}

#[tokio::test]
async fn the_key_of_an_upsert_has_no_place_in_its_body() {
    let world = World::start().await;
    let org = world.org("acme", json!({})).await;
    let answer = org.upsert("v1", json!({"alcmeon__scoped_id__c": "v1"})).await;
    assert_eq!(answer.refusal().1, "INVALID_FIELD");
    let long = org.upsert(&"x".repeat(31), json!({})).await;
    assert_eq!(long.refusal().1, "STRING_TOO_LONG");
}

#[tokio::test]
async fn an_owner_has_to_be_a_queue_of_the_object_or_an_active_user() {
    let world = World::start().await;
    let more = json!({"users": [{"Username": "gone@acme.example", "LastName": "Gone", "IsActive": false}]});
    let org = world.org("acme", more).await;
    let user = org.info["users"]["gone@acme.example"].as_str().expect("a user").to_owned();
    let inactive = format!("operation performed with inactive user [{user}] as owner of case");
    let queue = org.queue("Billing");
    let wrong_type = format!("Owner ID: id value of incorrect type: {queue}");
    let cases = [
        ("Case", json!(org.queue("Bare")), "INVALID_OPERATION", "Queue not associated with this SObject type"),
        ("Case", json!(user), "INACTIVE_OWNER_OR_USER", inactive.as_str()),
        ("Case", json!(null), "INVALID_CROSS_REFERENCE_KEY", "Owner ID: owner cannot be blank"),
        ("Contact", json!(queue), "FIELD_INTEGRITY_EXCEPTION", wrong_type.as_str()),
    ];
    for (object, owner, code, text) in cases {
        let fields =
            if object == "Case" { json!({"OwnerId": owner}) } else { json!({"LastName": "A", "OwnerId": owner}) };
        refused(&org, object, fields, 400, code, text).await;
    }
    org.create("Case", json!({"OwnerId": queue})).await;
}

#[tokio::test]
async fn a_queue_takes_an_object_as_soon_as_an_administrator_adds_it() {
    let world = World::start().await;
    let org = world.org("acme", json!({})).await;
    let queue = org.queue("Bare");
    let body = json!({"QueueId": queue, "SobjectType": "Case"});
    world.control(reqwest::Method::POST, "orgs/acme/records/QueueSobject", body).await;
    org.create("Case", json!({"OwnerId": queue})).await;
}

#[tokio::test]
async fn calls_over_the_limit_are_refused_until_it_is_raised() {
    let world = World::start().await;
    let org = world.org("acme", json!({"api_limit": 2})).await;
    assert_eq!(org.get("limits").await.body["DailyApiRequests"], json!({"Max": 2, "Remaining": 1}));
    assert_eq!(org.get("limits").await.status, 200);
    let answer = org.get("limits").await;
    assert_eq!(answer.refusal(), (403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."));
    world.control(reqwest::Method::PUT, "orgs/acme/usage", json!({"used": 0, "limit": 10})).await;
    assert_eq!(org.get("limits").await.header("Sforce-Limit-Info"), Some("api-usage=1/10"));
}

#[tokio::test]
async fn an_address_that_is_too_long_and_a_body_of_another_type_are_refused() {
    let world = World::start().await;
    let org = world.org("acme", json!({})).await;
    assert_eq!(org.get(&format!("query?q={}", "x".repeat(16_384))).await.status, 414);
    let request = org.request(Method::POST, "sobjects/Account").header("Content-Type", "text/plain").body("{}");
    let refused = reply(request).await;
    assert_eq!((refused.status, refused.refusal().1), (415, "UNSUPPORTED_MEDIA_TYPE"));
}

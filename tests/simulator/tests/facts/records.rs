//! Single records: creating, reading, changing, deleting and upserting them.

use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{World, reply};

#[tokio::test]
async fn a_created_record_is_told_with_201_and_read_back() {
    let world = World::start().await;
    let org = world.org("acme", json!({})).await;
    let made = org.post("sobjects/Contact", json!({"FirstName": "Ada", "LastName": "Byron"})).await;
    assert_eq!(made.status, 201);
    let id = made.body["id"].as_str().expect("an id");
    assert_eq!(made.body, json!({"id": id, "success": true, "errors": []}));
    let address = format!("/services/data/v59.0/sobjects/Contact/{id}");
    assert_eq!(made.header("Location"), Some(address.as_str()));
    let read = org.get(&format!("sobjects/Contact/{id}")).await;
    assert_eq!(read.status, 200);
    assert_eq!(read.body["attributes"], json!({"type": "Contact", "url": address}));
    assert_eq!(read.body["Name"], "Ada Byron");
    assert_eq!(read.body["OwnerId"], org.info["integration_user_id"]);
    let short = org.get(&format!("sobjects/Contact/{}?fields=LastName", &id[..15])).await;
    assert_eq!(short.body["LastName"], "Byron");
    assert_eq!(short.body["FirstName"], json!(null));
}

#[tokio::test]
async fn answers_carry_the_recorded_headers() {
    let world = World::start().await;
    let org = world.org("acme", json!({"api_limit": 15_000})).await;
    let read = org.get("limits").await;
    assert_eq!(read.header("Sforce-Limit-Info"), Some("api-usage=1/15000"));
    assert_eq!(read.header("Content-Type"), Some("application/json;charset=UTF-8"));
    assert!(read.header("x-sfdc-request-id").is_some());
    let id = org.create("Contact", json!({"LastName": "A"})).await;
    let changed = org.patch(&format!("sobjects/Contact/{id}"), json!({"LastName": "B"})).await;
    assert_eq!((changed.status, changed.header("Sforce-Limit-Info")), (204, None));
}

#[tokio::test]
async fn a_deleted_record_is_entity_is_deleted_and_lookups_to_it_are_blank() {
    let world = World::start().await;
    let org = world.org("acme", json!({})).await;
    let contact = org.create("Contact", json!({"LastName": "A"})).await;
    let case = org.create("Case", json!({"ContactId": contact})).await;
    assert_eq!(org.delete(&format!("sobjects/Contact/{contact}")).await.status, 204);
    for reply in [
        org.get(&format!("sobjects/Contact/{contact}")).await,
        org.patch(&format!("sobjects/Contact/{contact}"), json!({"LastName": "B"})).await,
        org.delete(&format!("sobjects/Contact/{contact}")).await,
    ] {
        assert_eq!(reply.refusal(), (404, "ENTITY_IS_DELETED", "entity is deleted"));
    }
    assert_eq!(org.get(&format!("sobjects/Case/{case}")).await.body["ContactId"], json!(null));
}

#[tokio::test]
async fn an_upsert_creates_then_updates_and_the_version_decides_how_that_is_told() {
    let world = World::start().await;
    let org = world.org("acme", json!({})).await;
    let created = org.upsert("a%3A1%3Ab%3A2", json!({"alcmeon__User_name__c": "Ada"})).await;
    assert_eq!(created.status, 201);
    let id = created.body["id"].clone();
    assert_eq!(created.body, json!({"id": id, "success": true, "errors": [], "created": true}));
    let updated = org.upsert("A%3A1%3AB%3A2", json!({"alcmeon__User_name__c": "Byron"})).await;
    assert_eq!((updated.status, &updated.body["created"]), (200, &json!(false)));
    assert_eq!(updated.body["id"], id);
    let path = "sobjects/alcmeon__Conversation__c/alcmeon__scoped_id__c/a:1:b:2";
    let old = reply(org.request_at("v45.0", Method::PATCH, path).json(&json!({"alcmeon__User_name__c": null}))).await;
    assert_eq!((old.status, old.body), (204, json!(null)));
    let read = org.get(path).await;
    assert_eq!(read.body["alcmeon__scoped_id__c"], "a:1:b:2");
    assert_eq!(read.body["alcmeon__User_name__c"], json!(null));
    assert_eq!(read.body["Name"], "C-000001");
}

#[tokio::test]
async fn an_upsert_that_matches_several_is_300_with_their_addresses_and_writes_nothing() {
    let world = World::start().await;
    let org = world.org("acme", json!({"view_all_data": true})).await;
    for name in ["A", "B"] {
        org.create("Contact", json!({"LastName": name, "Loose__c": "twin"})).await;
    }
    let answer = org.patch("sobjects/Contact/Loose__c/twin", json!({"LastName": "C"})).await;
    assert_eq!(answer.status, 300);
    let addresses = answer.body.as_array().expect("addresses");
    assert_eq!(addresses.len(), 2);
    assert!(addresses[0].as_str().expect("text").starts_with("/services/data/v59.0/sobjects/Contact/003"));
    assert_eq!(org.query("SELECT COUNT() FROM Contact WHERE LastName = 'C'").await.body["totalSize"], 0);
}

#[tokio::test]
async fn an_upsert_by_a_field_that_is_no_external_id_is_404() {
    let world = World::start().await;
    let org = world.org("acme", json!({})).await;
    for field in ["Missing__c", "LastName"] {
        let answer = org.patch(&format!("sobjects/Contact/{field}/v"), json!({"LastName": "A"})).await;
        let text = format!("Provided external ID field does not exist or is not accessible: {field}");
        assert_eq!(answer.refusal(), (404, "NOT_FOUND", text.as_str()));
    }
}

#[tokio::test]
async fn an_upsert_that_may_only_update_creates_nothing() {
    let world = World::start().await;
    let org = world.org("acme", json!({})).await;
    let answer = org.patch("sobjects/Contact/Ext__c/v?updateOnly=true", json!({"LastName": "A"})).await;
    assert_eq!(answer.refusal().1, "NOT_FOUND");
    assert_eq!(org.patch("sobjects/Contact/Ext__c/v", json!({"LastName": "A"})).await.status, 201);
    let answer = org.patch("sobjects/Contact/Ext__c/v?updateOnly=true", json!({"LastName": "B"})).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_parent_is_found_by_its_external_id_or_named_as_missing() {
    let world = World::start().await;
    let org = world.org("acme", json!({})).await;
    let body = json!({"alcmeon__Contact__r": {"Ext__c": "c-1"}});
    let early = org.upsert("v1", body.clone()).await;
    let text = "Foreign key external ID: c-1 not found for field Ext__c in entity Contact";
    assert_eq!(early.refusal(), (400, "INVALID_FIELD", text));
    let contact = org.create("Contact", json!({"LastName": "A", "Ext__c": "c-1"})).await;
    assert_eq!(org.upsert("v1", body).await.status, 201);
    let read = org.query("SELECT alcmeon__Contact__c FROM alcmeon__Conversation__c").await;
    assert_eq!(read.column("alcmeon__Contact__c"), [json!(contact)]);
}

#[tokio::test]
async fn unknown_objects_methods_and_versions_are_refused() {
    let world = World::start().await;
    let org = world.org("acme", json!({})).await;
    let missing = (404, "NOT_FOUND", "The requested resource does not exist");
    assert_eq!(org.get("sobjects/Nothing/001").await.refusal(), missing);
    assert_eq!(org.get("nothing").await.refusal(), missing);
    assert_eq!(reply(org.request_at("v99.0", Method::GET, "limits")).await.refusal(), missing);
    assert_eq!(reply(org.request_at("v20.0", Method::GET, "limits")).await.refusal().1, "UNSUPPORTED_API_VERSION");
    let wrong = org.delete("sobjects/Contact").await;
    assert_eq!(wrong.refusal().0, 405);
    assert!(wrong.refusal().2.starts_with("HTTP Method 'DELETE' not allowed. Allowed are"));
}

#[tokio::test]
async fn a_describe_tells_what_a_host_has_to_know() {
    let world = World::start().await;
    let org = world.org("acme", json!({})).await;
    let describe = org.get("sobjects/Case/describe").await;
    let fields = describe.body["fields"].as_array().expect("fields").clone();
    let field = |name: &str| fields.iter().find(|field| field["name"] == name).expect("the field").clone();
    assert_eq!(field("OwnerId")["referenceTo"], json!(["Group", "User"]));
    assert_eq!(field("OwnerId")["polymorphicForeignKey"], true);
    assert_eq!(field("Subject")["length"], 255);
    assert_eq!(field("Description")["filterable"], false);
    assert_eq!(describe.body["keyPrefix"], "500");
    let describe = org.get("sobjects/alcmeon__Conversation__c/describe").await;
    let scoped = describe.body["fields"].as_array().expect("fields").iter();
    let scoped = scoped.clone().find(|field| field["name"] == "alcmeon__scoped_id__c").expect("the field").clone();
    for (key, value) in [
        ("type", json!("string")),
        ("length", json!(30)),
        ("nillable", json!(false)),
        ("externalId", json!(true)),
        ("unique", json!(true)),
        ("caseSensitive", json!(false)),
    ] {
        assert_eq!(scoped[key], value, "{key}");
    }
}

/// The keys that every recorded describe has for each of its fields.
const FIELD_KEYS: &str = "aggregatable aiPredictionField autoNumber byteLength calculated calculatedFormula cascadeDelete \
    caseSensitive compoundFieldName controllerName createable custom defaultValue defaultValueFormula defaultedOnCreate \
    dependentPicklist deprecatedAndHidden digits displayLocationInDecimal encrypted externalId extraTypeInfo filterable \
    filteredLookupInfo formulaTreatNullNumberAsZero groupable highScaleNumber htmlFormatted idLookup inlineHelpText label \
    length mask maskType name nameField namePointing nillable permissionable picklistValues polymorphicForeignKey precision \
    queryByDistance referenceTargetField referenceTo relationshipName relationshipOrder restrictedDelete \
    restrictedPicklist scale searchPrefilterable soapType sortable type unique updateable writeRequiresMasterRead";

#[tokio::test]
async fn a_describe_has_the_recorded_keys_and_scopes() {
    let world = World::start().await;
    let org = world.org("acme", json!({})).await;
    let names = |list: &Value| -> Vec<String> {
        let each = list.as_array().expect("a list").iter();
        each.map(|one| one["name"].as_str().expect("a name").to_owned()).collect()
    };
    let described = |version: &'static str, object: &str| {
        let request = org.request_at(version, Method::GET, &format!("sobjects/{object}/describe"));
        async move { reply(request).await.body }
    };
    for (version, object, scopes) in [
        ("v48.0", "Account", "everything mine team"),
        ("v58.0", "Account", "everything mine scopingRule team"),
        ("v59.0", "Contact", "everything mine scopingRule team"),
        ("v48.0", "Case", "everything genericteam mine queue_owned team_by_role user_owned"),
    ] {
        let body = described(version, object).await;
        assert_eq!(names(&body["supportedScopes"]).join(" "), scopes, "{object} with {version}");
        let whole = (version != "v48.0").then_some("FULL");
        assert_eq!(body.get("sobjectDescribeOption").and_then(Value::as_str), whole, "{object} with {version}");
        for field in body["fields"].as_array().expect("fields") {
            let mut keys: Vec<_> = field.as_object().expect("a field").keys().map(String::as_str).collect();
            keys.sort_unstable();
            assert_eq!(keys, FIELD_KEYS.split_whitespace().collect::<Vec<_>>(), "{}", field["name"]);
        }
    }
}

#[tokio::test]
async fn the_limits_have_the_recorded_names() {
    let world = World::start().await;
    let org = world.org("acme", json!({"api_limit": 15_000})).await;
    let limits = org.get("limits").await.body;
    assert_eq!(limits.as_object().expect("limits").len(), 71);
    assert_eq!(limits["DailyApiRequests"], json!({"Max": 15_000, "Remaining": 14_999}));
    assert_eq!(limits["PermissionSets"]["CreateCustom"]["Max"], 1000);
    assert_eq!(limits["DailyWorkflowEmails"], json!({"Max": 8040, "Remaining": 8040}));
}

#[tokio::test]
async fn an_external_id_that_looks_like_a_file_is_not_found_unless_its_dot_is_encoded() {
    let world = World::start().await;
    let org = world.org("acme", json!({})).await;
    org.create("Contact", json!({"LastName": "A", "Email": "a@x.inc"})).await;
    assert_eq!(org.get("sobjects/Contact/Email/a@x.inc").await.status, 404);
    assert_eq!(org.get("sobjects/Contact/Email/a@x%2Einc").await.status, 200);
}

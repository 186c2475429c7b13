//! Contacts: made once by whoever may only create, and found again where they were merged, deleted, or made without an answer.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use switchyard_tests::{Setup, TestHost, received};

/// A host whose policy makes a contact of an unknown customer; it searches for the e-mail address, then the phone number.
async fn that_creates() -> TestHost {
    let script = include_str!("../../../policies/default.rhai");
    let made = "0 => create(#{ LastName: conversation.customer.name, Email: conversation.customer.email }),";
    let script = script.replace("0 => none(),", made);
    let files: &[(&str, &[u8])] = &[("acme.rhai", script.as_bytes())];
    TestHost::set_up(Setup { files, ..Setup::default() }).await
}

async fn new_contacts(host: &TestHost) -> Vec<Value> {
    host.query("SELECT Id FROM Contact WHERE Email = 'new@example.com'").await
}

async fn linked(host: &TestHost) -> Vec<Value> {
    let rows = host.query("SELECT alcmeon__Contact__c FROM alcmeon__Conversation__c").await;
    rows.into_iter().map(|row| row["alcmeon__Contact__c"].clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_who_may_create_and_neither_edit_nor_see_the_contacts_of_others_makes_one() {
    let host = that_creates().await;
    let access = json!([{ "object": "Contact", "edit": false, "view_all": false, "modify_all": false }]);
    host.salesforce(Method::PATCH, "acme", json!({ "access": access })).await;
    host.notify(received(1, 1, "billing", "new@example.com")).await;
    assert_eq!(host.idle().await, Vec::<Value>::new());
    let contacts = new_contacts(&host).await;
    assert_eq!((contacts.len(), linked(&host).await), (1, vec![contacts[0]["Id"].clone()]));
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_whose_making_brought_no_answer_is_found_before_another_one_is_made() {
    for drop in ["after", "before"] {
        let host = that_creates().await;
        let fault = json!({ "method": "POST", "path": "sobjects/Contact", "drop": drop, "times": 1 });
        host.salesforce(Method::POST, "acme/faults", fault).await;
        host.notify(received(1, 1, "billing", "new@example.com")).await;
        host.until("a retry is scheduled", |health| health.scheduled == 1).await;
        // However late it is looked for: what Salesforce still carries out is waited for from then on.
        host.clock.advance(Duration::from_secs(if drop == "before" { 900 } else { 2 }));
        if drop == "before" {
            // It was not made. That is sure only once Salesforce would have ended whatever still ran.
            let waits = |list: &Value| list["sync_errors"][0]["refusal"]["code"] == "CONTACT_NOT_SETTLED";
            let list = host.seen("/v1/sync-errors?org=acme", waits).await;
            assert_eq!(list["sync_errors"][0]["state"], "retrying", "{list}");
            assert!(new_contacts(&host).await.is_empty());
            host.clock.advance(Duration::from_secs(601));
        }
        host.until("it got through", |health| health.sync_errors.resolved == 1).await;
        let contacts = new_contacts(&host).await;
        assert_eq!((contacts.len(), linked(&host).await), (1, vec![contacts[0]["Id"].clone()]), "{drop}");
        host.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_stopped_before_it_knew_whether_a_contact_was_made_finds_it_after_its_start() {
    let host = that_creates().await;
    let fault = json!({ "method": "POST", "path": "sobjects/Contact", "drop": "after", "times": 1 });
    host.salesforce(Method::POST, "acme/faults", fault).await;
    host.notify(received(1, 1, "billing", "new@example.com")).await;
    host.until("a retry is scheduled", |health| health.scheduled == 1).await;
    assert!(host.exported().await.contains("creation"), "it is on record");
    let host = host.restart().await;
    host.clock.advance(Duration::from_secs(2));
    host.until("it got through", |health| health.sync_errors.resolved == 1).await;
    let contacts = new_contacts(&host).await;
    assert_eq!((contacts.len(), linked(&host).await), (1, vec![contacts[0]["Id"].clone()]));
    assert!(!host.exported().await.contains("creation"), "what is settled is not kept");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_several_contacts_may_be_the_one_that_was_made_a_person_is_asked() {
    let host = that_creates().await;
    let fault = json!({ "method": "POST", "path": "sobjects/Contact", "drop": "after", "times": 1 });
    host.salesforce(Method::POST, "acme/faults", fault).await;
    host.notify(received(1, 1, "billing", "new@example.com")).await;
    host.until("a retry is scheduled", |health| health.scheduled == 1).await;
    let twin = json!({ "LastName": "Twin", "Email": "new@example.com" });
    host.salesforce(Method::POST, "acme/records/Contact", twin).await;
    host.clock.advance(Duration::from_secs(2));
    let errors = host.idle().await;
    let refusal = &errors[0]["refusal"];
    assert_eq!((refusal["code"].as_str(), refusal["class"].as_str()), (Some("CONTACT_UNCLEAR"), Some("contact")));
    assert_eq!((errors[0]["state"].as_str(), refusal["records"].as_array().unwrap().len()), (Some("pending"), 2));
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_customer_is_made_once_whatever_is_searched_for_first_and_however_a_number_is_written() {
    let script = include_str!("../../../policies/default.rhai");
    let made = "0 => create(#{ LastName: \"New\", Phone: conversation.customer.phone }),";
    let script = script.replace("0 => none(),", made);
    let files: &[(&str, &[u8])] = &[("acme.rhai", script.as_bytes())];
    let host = TestHost::set_up(Setup { files, ..Setup::default() }).await;
    // Searches find nothing for a while, as in Salesforce; and calls take long enough to overlap.
    host.salesforce(Method::PATCH, "acme", json!({ "search_lag_ms": 600_000 })).await;
    let latency = format!("{}/control/latency", host.simulator.salesforce);
    host.http.put(latency).json(&json!({ "ms": 50 })).send().await.unwrap();
    for (number, email, phone) in
        [(1, Some("new@example.com"), "+33671485945"), (2, None, "+33 6 71 48 59 45"), (3, None, "0033671485945")]
    {
        let conversation = json!({
            "id": format!("c{number}"), "account": "front-desk", "channel": "mail", "team": "billing",
            "customer": { "id": format!("u{number}"), "email": email, "phone": phone },
            "messages": [{ "id": format!("m{number}"), "sent_at": "2026-09-21T10:00:00Z", "body": "hello" }],
        });
        let (status, accepted) = host.post("/v1/intake/shop-acme", conversation).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{accepted}");
    }
    assert_eq!(host.idle().await, Vec::<Value>::new());
    let contacts = host.query("SELECT Id FROM Contact WHERE LastName = 'New'").await;
    assert_eq!(contacts.len(), 1, "{contacts:?}");
    assert_eq!(linked(&host).await, vec![contacts[0]["Id"].clone(); 3]);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_linked_contact_that_is_gone_is_searched_for_again_in_the_same_attempt() {
    let host = TestHost::start().await;
    host.notify(received(1, 1, "billing", "jane@example.com")).await;
    assert!(host.idle().await.is_empty());
    let before = linked(&host).await.remove(0);
    // Merged: one is gone, another has the address.
    host.salesforce(Method::DELETE, &format!("acme/records/Contact/{}", before.as_str().unwrap()), json!({})).await;
    let jane = json!({ "LastName": "Doe", "Email": "jane@example.com" });
    host.salesforce(Method::POST, "acme/records/Contact", jane).await;
    host.notify(received(2, 1, "billing", "jane@example.com")).await;
    assert_eq!(host.idle().await, Vec::<Value>::new(), "no sync error, and no retry");
    let after = linked(&host).await.remove(0);
    assert!(after.is_string() && after != before, "{after}");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_that_the_source_goes_on_naming_though_it_is_gone_is_searched_for_too() {
    let host = TestHost::start().await;
    let named = "003000000000999AAA";
    let conversation = json!({
        "id": "c1", "account": "front-desk", "channel": "mail", "team": "billing",
        "customer": { "id": "7", "email": "jane@example.com", "contact_id": named },
        "messages": [{ "id": "m1", "sent_at": "2026-09-21T10:00:00Z", "body": "hello" }],
    });
    let (status, accepted) = host.post("/v1/intake/shop-acme", conversation).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{accepted}");
    assert_eq!(host.idle().await, Vec::<Value>::new());
    let contact = host.query("SELECT Id FROM Contact WHERE Email = 'jane@example.com'").await;
    assert_eq!(linked(&host).await, [contact[0]["Id"].clone()]);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_that_is_not_about_the_contact_leaves_it_linked() {
    let host = TestHost::start().await;
    host.notify(received(1, 1, "billing", "jane@example.com")).await;
    assert!(host.idle().await.is_empty());
    let before = linked(&host).await;
    let other = json!([{ "errorCode": "INVALID_CROSS_REFERENCE_KEY", "fields": ["RecordTypeId"],
        "message": "Record Type ID: this ID value isn't valid for the user: 0125g000000abcdAAA" }]);
    let fault =
        json!({ "method": "PATCH", "path": "alcmeon__Conversation__c", "status": 400, "json": other, "times": 1 });
    host.salesforce(Method::POST, "acme/faults", fault).await;
    host.notify(received(2, 1, "billing", "jane@example.com")).await;
    let errors = host.idle().await;
    assert_eq!(errors[0]["refusal"]["class"], "config", "{errors:?}");
    let id = errors[0]["id"].as_str().unwrap();
    assert_eq!(host.post(&format!("/v1/sync-errors/{id}/retry"), Value::Null).await.0, StatusCode::ACCEPTED);
    host.until("it got through", |health| health.sync_errors.resolved == 1).await;
    assert_eq!(linked(&host).await, before);
    host.stop().await;
}

/// A host whose policy takes the contact with this title, of those that it finds; it asks for these fields.
async fn that_chooses_by_title(fields: &str) -> TestHost {
    let toml = format!(
        "plugin = \"script\"\nscript = \"acme.rhai\"\n[settings.queues]\nbilling = \"Billing\"\n[contacts]\nfields = {fields}\n"
    );
    let script = r#"
        fn route(conversation) { queue(settings.queues[conversation.team] ?? "Billing") }
        fn search(conversation) { [search_by("Email", conversation.customer.email)] }
        fn choose(conversation, found) {
            let owners = found.filter(|it| it.attributes.Title == "Owner" && it.attributes["Owner.Name"] != ());
            if owners.len() == 1 && owners[0].attributes.found_by == "Email" {
                return contact(owners[0].id);
            }
            if found.len() == 0 { none() } else { ambiguous(found.map(|it| it.id)) }
        }
    "#;
    let files: &[(&str, &[u8])] = &[("acme.toml", toml.as_bytes()), ("acme.rhai", script.as_bytes())];
    let host = TestHost::set_up(Setup { files, ..Setup::default() }).await;
    for (name, title) in [("One", "Clerk"), ("Two", "Owner"), ("Three", "Clerk")] {
        let contact = json!({ "LastName": name, "Email": "shared@example.com", "Title": title });
        host.salesforce(Method::POST, "acme/records/Contact", contact).await;
    }
    host
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_chooses_by_the_fields_that_it_asks_for() {
    let host = that_chooses_by_title("[\"Title\", \"Owner.Name\"]").await;
    host.notify(received(1, 1, "billing", "shared@example.com")).await;
    assert_eq!(host.idle().await, Vec::<Value>::new());
    let owner = host.query("SELECT Id FROM Contact WHERE Title = 'Owner'").await;
    assert_eq!(linked(&host).await, [owner[0]["Id"].clone()]);
    let (_, report) = host.post("/v1/orgs/acme/checks", json!({})).await;
    let check = report["checks"].as_array().unwrap().iter().find(|check| check["name"] == "contact-fields");
    assert_eq!(check.unwrap()["ok"], true, "{report}");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_that_the_organization_does_not_have_is_named_with_the_policy() {
    let host = that_chooses_by_title("[\"Title\", \"Owner.Nmae\", \"Nowhere__r.Name\"]").await;
    host.notify(received(1, 1, "billing", "shared@example.com")).await;
    let errors = host.idle().await;
    let refusal = &errors[0]["refusal"];
    assert_eq!((refusal["code"].as_str(), refusal["class"].as_str()), (Some("INVALID_FIELD"), Some("config")));
    let text = refusal["text"].as_str().unwrap();
    for words in
        ["Nmae", "policy acme", "searches contacts by Email", "Title, Owner.Nmae, Nowhere__r.Name", "[contacts]"]
    {
        assert!(text.contains(words), "{words}: {text}");
    }
    let (_, report) = host.post("/v1/orgs/acme/checks", json!({})).await;
    let check = report["checks"].as_array().unwrap().iter().find(|check| check["name"] == "contact-fields").unwrap();
    assert_eq!(check["ok"], false, "{report}");
    let found = check["found"].as_str().unwrap();
    assert!(found.contains("Owner.Nmae is missing on User") && found.contains("no reference Nowhere__r"), "{found}");
    assert!(!found.contains("Title"), "{found}");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_contacts_fields_say_is_not_in_a_masked_bundle_and_is_chosen_among_again() {
    let host = that_chooses_by_title("[\"Title\"]").await;
    host.notify(received(1, 1, "billing", "shared@example.com")).await;
    let errors = host.idle().await;
    assert_eq!(errors[0]["refusal"]["code"], "CONTACT_AMBIGUOUS");
    let id = errors[0]["id"].as_str().unwrap();
    let (_, masked) = host.get(&format!("/v1/sync-errors/{id}/repro")).await;
    let found = masked["found"].as_array().unwrap_or_else(|| panic!("{masked}"));
    assert_eq!(found.len(), 3);
    for contact in found {
        let attribute = |name: &str| contact["attributes"].as_array().unwrap().iter().find(|it| it["name"] == name);
        assert_eq!(attribute("Title").unwrap()["value"], "masked", "{contact}");
        assert_eq!(attribute("found_by").unwrap()["value"], "Email", "{contact}");
    }
    host.stop().await;
}

//! A person says which of several contacts a customer is.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use switchyard_tests::{OPERATOR, Setup, TestHost, received};

use super::browser::Browser;

/// A host with a customer who could be two contacts; answers the sync error's id, and the contacts.
async fn with_twins() -> (TestHost, String, [String; 2]) {
    let host = TestHost::start().await;
    host.notify(received(1, 1, "billing", "twin@example.com")).await;
    let errors = host.idle().await;
    assert_eq!(errors[0]["refusal"]["code"], "CONTACT_AMBIGUOUS");
    let rows = host.query("SELECT Id FROM Contact WHERE Email = 'twin@example.com' ORDER BY FirstName").await;
    let ids: Vec<_> = rows.iter().map(|row| row["Id"].as_str().unwrap().to_owned()).collect();
    (host, errors[0]["id"].as_str().unwrap().to_owned(), ids.try_into().unwrap())
}

async fn choose(host: &TestHost, id: &str, body: Value) -> (StatusCode, Value) {
    host.post(&format!("/v1/sync-errors/{id}/choose"), body).await
}

async fn candidates(host: &TestHost, id: &str) -> Value {
    let (status, answer) = host.get(&format!("/v1/sync-errors/{id}/candidates")).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    answer
}

async fn linked(host: &TestHost) -> Value {
    let rows = host.query("SELECT alcmeon__Contact__c FROM alcmeon__Conversation__c").await;
    rows.first().map_or(Value::Null, |row| row["alcmeon__Contact__c"].clone())
}

/// Returns when Salesforce has the conversation with this contact.
async fn until_linked(host: &TestHost, contact: &str) {
    let is_linked = |shown: &Value| {
        let records = shown["orgs"][0]["records"].as_array();
        records.is_some_and(|records| records.iter().any(|record| record["id"] == contact))
    };
    host.seen("/v1/conversations/main:1", is_linked).await;
    assert_eq!(linked(host).await, contact);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_chooses_one_of_several_contacts_and_the_conversation_gets_through_with_it() {
    let (host, id, [_, b]) = with_twins().await;
    let case = json!({ "Subject": "An open one", "ContactId": b });
    host.salesforce(Method::POST, "acme/records/Case", case).await;
    let shown = candidates(&host, &id).await;
    assert_eq!(shown["customer"]["email"], "twin@example.com", "{shown}");
    let found = shown["candidates"].as_array().unwrap();
    assert_eq!(found.len(), 2);
    let second = found.iter().find(|it| it["contact"] == b.as_str()).unwrap_or_else(|| panic!("{shown}"));
    assert_eq!(
        (&second["name"], &second["is_there"], &second["open_cases"]),
        (&json!("B Twin"), &json!(true), &json!(1))
    );
    assert!(second["created_at"].is_string() && second["last_modified_at"].is_string(), "{second}");
    assert!(second["url"].as_str().unwrap().ends_with(&format!("/lightning/r/Contact/{b}/view")), "{second}");
    let (status, error) = choose(&host, &id, json!({ "contact": b })).await;
    assert_eq!((status, error["state"].as_str()), (StatusCode::ACCEPTED, Some("retrying")), "{error}");
    host.until("it got through", |health| health.sync_errors.resolved == 1).await;
    assert_eq!(linked(&host).await, b.as_str());
    let (_, audit) = host.get("/v1/messages/main:5001/audit").await;
    let chosen = audit["entries"].as_array().unwrap().iter().find(|entry| entry["fact"]["what"] == "CONTACT_CHOSEN");
    let fact = &chosen.unwrap_or_else(|| panic!("{audit}"))["fact"];
    assert_eq!((&fact["by"], &fact["contact"]), (&json!("admin"), &json!(b)));
    let (_, actions) = host.get("/v1/actions?what=choose").await;
    let action = &actions["actions"][0];
    assert_eq!((&action["subject"], &action["reason"]), (&json!(id), &json!(b)), "{actions}");
    // It is kept: after a restart the next message goes to the same contact, and nobody is asked.
    let host = host.restart().await;
    assert_eq!(candidates(&host, &id).await["chosen"]["by"], "admin");
    host.notify(received(2, 1, "billing", "twin@example.com")).await;
    assert!(host.idle().await.iter().all(|error| error["state"] == "resolved"));
    assert_eq!(linked(&host).await, b.as_str());
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_people_who_choose_differently_the_second_hears_what_stands_and_by_whom() {
    let (host, id, [a, b]) = with_twins().await;
    // Nothing gets through meanwhile.
    host.salesforce(Method::POST, "acme/revoke", json!({})).await;
    assert_eq!(choose(&host, &id, json!({ "contact": a })).await.0, StatusCode::ACCEPTED);
    let path = format!("/v1/sync-errors/{id}/choose");
    let (status, problem) = host.call(Method::POST, &path, OPERATOR, Some(json!({ "contact": b }))).await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    let words = problem["detail"].as_str().unwrap();
    assert!(words.contains("admin") && words.contains(&a), "{words}");
    // The same choice is no other one, and an answer that got lost can be asked for again.
    let (status, _) = host.call(Method::POST, &path, OPERATOR, Some(json!({ "contact": a }))).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    // Who has seen it may change it.
    let changes = json!({ "contact": b, "instead_of": a });
    assert_eq!(host.call(Method::POST, &path, OPERATOR, Some(changes)).await.0, StatusCode::ACCEPTED);
    let shown = candidates(&host, &id).await;
    assert_eq!((&shown["chosen"]["contact"], &shown["chosen"]["by"]), (&json!(b), &json!("operator")), "{shown}");
    // A stop in between loses nothing.
    let host = host.restart().await;
    host.salesforce(Method::POST, "acme/revive", json!({})).await;
    host.post("/v1/orgs/acme/retry-all", json!({})).await;
    host.until("it got through", |health| health.sync_errors.resolved == 1).await;
    assert_eq!(linked(&host).await, b.as_str());
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_contact_that_the_sync_error_does_not_name_is_linked_and_none_may_be_chosen() {
    let (host, id, [a, _]) = with_twins().await;
    let other = host.query("SELECT Id FROM Contact WHERE Email = 'jane@example.com'").await;
    for (contact, expected) in [
        (other[0]["Id"].as_str().unwrap(), StatusCode::UNPROCESSABLE_ENTITY),
        ("' OR Name LIKE '%", StatusCode::UNPROCESSABLE_ENTITY),
        ("policy", StatusCode::CONFLICT),
    ] {
        let (status, problem) = choose(&host, &id, json!({ "contact": contact })).await;
        assert_eq!(status, expected, "{problem}");
    }
    let (status, problem) = choose(&host, &id, json!({ "contact": a, "instead_of": "none" })).await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    let (_, actions) = host.get("/v1/actions?what=choose").await;
    assert_eq!(actions["actions"], json!([]), "nothing was done");
    // The form of fifteen characters means the same; and a conversation may go without a contact.
    assert_eq!(choose(&host, &id, json!({ "contact": "none" })).await.0, StatusCode::ACCEPTED);
    host.until("it got through", |health| health.sync_errors.resolved == 1).await;
    assert_eq!(linked(&host).await, Value::Null);
    let body = json!({ "contact": &a[..15], "instead_of": "none" });
    assert_eq!(choose(&host, &id, body).await.0, StatusCode::ACCEPTED);
    until_linked(&host, &a).await;
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_choice_can_be_changed_and_taken_back_after_the_conversation_got_through() {
    let (host, id, [a, b]) = with_twins().await;
    choose(&host, &id, json!({ "contact": a })).await;
    host.until("it got through", |health| health.sync_errors.resolved == 1).await;
    assert_eq!(linked(&host).await, a.as_str());
    let (status, error) = choose(&host, &id, json!({ "contact": b, "instead_of": a })).await;
    assert_eq!((status, error["state"].as_str()), (StatusCode::ACCEPTED, Some("resolved")), "{error}");
    until_linked(&host, &b).await;
    let (status, error) = choose(&host, &id, json!({ "contact": "policy", "instead_of": b })).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{error}");
    let pending = |list: &Value| list["sync_errors"].as_array().is_some_and(|errors| errors.len() == 1);
    let list = host.seen("/v1/sync-errors?org=acme&state=pending", pending).await;
    assert_eq!(list["sync_errors"][0]["refusal"]["code"], "CONTACT_AMBIGUOUS", "the policy cannot tell");
    assert!(candidates(&host, &id).await.get("chosen").is_none());
    // The first one is over, and no choice stands: who still looks at it hears so.
    let (status, problem) = choose(&host, &id, json!({ "contact": a })).await;
    assert_eq!((status, problem["state"].as_str()), (StatusCode::CONFLICT, Some("resolved")), "{problem}");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_chosen_contact_is_gone_nobody_else_is_linked_until_a_person_chooses_anew() {
    let (host, id, [a, b]) = with_twins().await;
    choose(&host, &id, json!({ "contact": a })).await;
    host.until("it got through", |health| health.sync_errors.resolved == 1).await;
    // Merged: one is left, which the policy would take.
    host.salesforce(Method::DELETE, &format!("acme/records/Contact/{a}"), json!({})).await;
    host.notify(received(2, 1, "billing", "twin@example.com")).await;
    let errors = host.idle().await;
    let gone = errors.iter().find(|error| error["state"] == "pending").unwrap_or_else(|| panic!("{errors:?}"));
    assert_eq!(gone["refusal"]["code"], "CHOSEN_CONTACT_GONE");
    let id = gone["id"].as_str().unwrap();
    let shown = candidates(&host, id).await;
    assert_eq!(shown["candidates"].as_array().unwrap().len(), 1, "{shown}");
    assert_eq!((&shown["candidates"][0]["contact"], &shown["chosen"]["contact"]), (&json!(b), &json!(a)));
    let (status, error) = choose(&host, id, json!({ "contact": b, "instead_of": a })).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{error}");
    host.until("it got through", |health| health.sync_errors.resolved == 2).await;
    assert_eq!(linked(&host).await, b.as_str());
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_salesforce_does_not_say_the_contacts_are_shown_as_they_were_found() {
    let (host, id, [a, _]) = with_twins().await;
    let fault = json!({ "method": "GET", "path": "query", "status": 503, "json": [], "times": 10 });
    host.salesforce(Method::POST, "acme/faults", fault).await;
    let shown = candidates(&host, &id).await;
    assert!(shown["unknown"].is_string(), "{shown}");
    let first = shown["candidates"].as_array().unwrap().iter().find(|it| it["contact"] == a.as_str()).unwrap();
    assert_eq!((&first["name"], first.get("is_there")), (&json!("A Twin"), None), "{shown}");
    // What is about something else names none.
    host.notify(received(2, 2, "nobody", "twin@example.com")).await;
    let errors = host.idle().await;
    let other = errors.iter().find(|error| error["refusal"]["class"] == "policy").unwrap();
    let id = other["id"].as_str().unwrap();
    assert_eq!(candidates(&host, id).await["candidates"], json!([]));
    assert_eq!(choose(&host, id, json!({ "contact": "none" })).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    let (status, _) = host.call(Method::GET, &format!("/v1/sync-errors/{id}/candidates"), OPERATOR, None).await;
    assert_eq!(status, StatusCode::OK);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_goes_through_a_cause_in_the_console_is_led_from_one_customer_to_the_next() {
    let (host, _, [a, b]) = with_twins().await;
    for number in 2..=3 {
        host.notify(received(number, number, "billing", "twin@example.com")).await;
    }
    let errors = host.idle().await;
    assert_eq!(errors.len(), 3);
    let group = errors[0]["group"].as_str().unwrap();
    let browser = Browser::sign_in(&host, OPERATOR).await;
    let list = browser.get(&format!("/sync-errors?group={group}")).await.text;
    assert!(list.contains("Choose 3 contacts, one after the other"), "{list}");
    let mut next = browser.get(&format!("/causes/{group}/choose?org=acme")).await.leads_to().to_owned();
    for done in 0..3 {
        let page = browser.get(&next).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text);
        assert!(page.text.contains(&format!("<b>{done}</b> of 3 done")), "{}", page.text);
        for words in ["A Twin", "B Twin", "twin@example.com", "Choose this contact and retry", "as the customer"] {
            assert!(page.text.contains(words), "{words}: {}", page.text);
        }
        assert!(page.text.len() < 60 * 1024, "{}", page.text.len());
        let path = next.split('?').next().unwrap().to_owned();
        let answer = browser.post(&path, &[("contact", &a), ("all", "3")]).await;
        answer.leads_to().clone_into(&mut next);
    }
    let (page, done) = next.split_once('?').unwrap();
    let id = done.strip_prefix("done=chose-").unwrap();
    assert_eq!(page, format!("/sync-errors/{id}"), "nothing is left of the cause");
    host.until("all got through", |health| health.sync_errors.resolved == 3).await;
    let told = browser.get(&next).await.text;
    assert!(told.contains("is resolved") && told.contains("Change the choice"), "{told}");
    // Who comes late hears what stands, and by whom; nothing is done.
    let late = browser.post(&format!("{page}/choose"), &[("contact", &b)]).await;
    assert!(late.leads_to().ends_with(&format!("/choose?done=late-{id}")), "{}", late.leads_to());
    let told = browser.get(late.leads_to()).await.text;
    assert!(told.contains("Nothing was done") && told.contains("<b>operator</b> said"), "{told}");
    assert!(told.contains("Take the choice back"), "{told}");
    let gone = browser.get(&format!("/causes/{group}/choose?org=other")).await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_duplicate_rule_keeps_a_new_contact_out_the_one_that_it_names_is_chosen() {
    let script = include_str!("../../../policies/default.rhai");
    let made = "0 => create(#{ LastName: conversation.customer.name, Email: conversation.customer.email }),";
    let script = script.replace("0 => none(),", made);
    let files: &[(&str, &[u8])] = &[("acme.rhai", script.as_bytes())];
    let host = TestHost::set_up(Setup { files, ..Setup::default() }).await;
    let jane = host.query("SELECT Id FROM Contact WHERE Email = 'jane@example.com'").await.remove(0)["Id"].clone();
    let record = json!({ "record": { "attributes": { "type": "Contact" }, "Id": jane } });
    let result = json!({ "allowSave": false, "matchResults": [{ "matchRecords": [record], "errors": [], "size": 1 }] });
    let refused =
        json!([{ "errorCode": "DUPLICATES_DETECTED", "message": "Use one of these?", "duplicateResult": result }]);
    let fault = json!({ "method": "POST", "path": "sobjects/Contact", "status": 400, "json": refused, "times": 9 });
    host.salesforce(Method::POST, "acme/faults", fault).await;
    host.notify(received(1, 1, "billing", "jane.doe@example.com")).await;
    let errors = host.idle().await;
    assert_eq!(errors[0]["refusal"]["code"], "DUPLICATES_DETECTED", "{errors:?}");
    let id = errors[0]["id"].as_str().unwrap();
    let shown = candidates(&host, id).await;
    assert_eq!(shown["candidates"][0]["email"], "jane@example.com", "{shown}");
    let (status, error) = choose(&host, id, json!({ "contact": jane })).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{error}");
    host.until("it got through", |health| health.sync_errors.resolved == 1).await;
    assert_eq!(linked(&host).await, jane);
    host.stop().await;
}

//! How contacts are searched for, made, and found again.

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::operations::{described, id, rows, started};
use crate::domain::{Attribute, Class, ContactSearch, FieldPath, Timestamp};
use crate::salesforce::tests::server::StandIn;

pub(super) fn search(field: &str, value: &str) -> ContactSearch {
    ContactSearch { field: field.to_owned(), value: value.to_owned() }
}

#[tokio::test]
async fn contacts_are_searched_one_field_at_a_time_until_something_is_found() {
    let server = started().await;
    server.reply(200, &rows(json!([])));
    server.reply(200, &rows(json!([{"Id": "003000000000001AAA", "Name": "Jane", "Email": null, "Phone": "+33"}])));
    let client = server.client();
    let searches = [search("Email", "o'brien@example.com"), search("Loyalty__c", "7"), search("Never__c", "asked")];
    let found = client.find_contacts(&searches, &[]).await.unwrap();
    assert_eq!((found.len(), found[0].name.as_str(), found[0].phone.as_deref()), (1, "Jane", Some("+33")));
    assert!(!found[0].person_account);
    let asked = server.asked();
    assert_eq!(asked.len(), 3);
    let query = percent_decode_str(asked[1].uri.split_once("?q=").unwrap().1).decode_utf8().unwrap().into_owned();
    assert_eq!(
        query,
        r"SELECT Id, Name, Email, Phone FROM Contact WHERE Email = 'o\'brien@example.com' ORDER BY LastModifiedDate DESC, Id LIMIT 10"
    );
}

#[tokio::test]
async fn a_phone_number_is_searched_for_however_it_is_written_and_a_person_account_is_linked_as_such() {
    let server = started().await;
    server.reply(200, &described(&["Id", "IsPersonAccount"], false));
    let person = json!({"Id": "003000000000001AAA", "Name": "Jane", "Phone": "06 12 34 56 78", "IsPersonAccount": true,
        "AccountId": "001000000000001AAA"});
    server.reply(200, &json!({"searchRecords": [person]}));
    let client = server.client_of_unknown_organization();
    let found = client.find_contacts(&[search("MobilePhone", "+33 (6) 12-34-56-78")], &[]).await.unwrap();
    assert_eq!((&found[0].id, found[0].person_account), (&id("001000000000001AAA"), true));
    let sent: Value = serde_json::from_str(&server.asked()[2].body).unwrap();
    assert_eq!((&sent["q"], &sent["in"]), (&json!("33612345678"), &json!("PHONE")));
}

fn paths(names: &[&str]) -> Vec<FieldPath> {
    names.iter().map(|name| FieldPath::try_from((*name).to_owned()).unwrap()).collect()
}

#[tokio::test]
async fn the_fields_that_a_policy_asks_for_come_in_the_same_call() {
    let server = started().await;
    let row = json!({"Id": "003000000000001AAA", "Name": "Jane", "Title": "Dr", "Account": {"Name": "Acme"}});
    server.reply(200, &json!({"searchRecords": []})).reply(200, &rows(json!([row])));
    let client = server.client();
    let fields = paths(&["Title", "Account.Name", "Email"]);
    let found = client.find_contacts(&[search("Phone", "0612345678")], &fields).await.unwrap();
    let told: Vec<_> = found[0].attributes.iter().map(|it| (it.name.as_str(), it.value.as_str())).collect();
    assert_eq!(told, [("Title", "Dr"), ("Account.Name", "Acme"), ("found_by", "Phone")]);
    let asked = server.asked();
    let sent: Value = serde_json::from_str(&asked[1].body).unwrap();
    let object = &sent["sobjects"][0];
    assert_eq!(object["fields"], json!(["Id", "Name", "Email", "Phone", "Title", "Account.Name"]));
    assert_eq!(object["orderBy"], "LastModifiedDate DESC");
    let query = percent_decode_str(asked[2].uri.split_once("?q=").unwrap().1).decode_utf8().unwrap();
    assert!(query.starts_with("SELECT Id, Name, Email, Phone, Title, Account.Name FROM Contact WHERE"), "{query}");
    assert_eq!(asked.len(), 3, "a token, and a call for each search");
}

#[tokio::test]
async fn a_blank_value_never_finds_the_contacts_that_have_none() {
    let server = StandIn::start().await;
    let client = server.client();
    let searches = [search("Email", ""), search("Phone", "  \n"), search("Phone", &"1".repeat(256))];
    assert_eq!(client.find_contacts(&searches, &[]).await.unwrap(), []);
    let refusal = client.find_contacts(&[search("Id = '' OR Name", "x")], &[]).await.unwrap_err();
    assert_eq!((refusal.class, refusal.code.as_str()), (Class::Request, "NOT_A_FIELD"));
    assert!(server.asked().is_empty(), "nothing was asked");
}

#[tokio::test]
async fn a_new_contact_is_inserted_which_needs_no_right_to_see_all_data() {
    let server = started().await;
    server.reply(201, &json!({"id": "003000000000001AAA", "success": true, "errors": []}));
    let client = server.client();
    let field = |name: &str, value: &str| Attribute { name: name.to_owned(), value: value.to_owned() };
    client.create_contact(&[field("LastName", "Doe"), field("Email", "jane@x.inc")]).await.unwrap();
    let asked = server.asked();
    assert_eq!((asked[1].method.as_str(), asked[1].uri.as_str()), ("POST", "/services/data/v62.0/sobjects/Contact"));
    assert_eq!(asked[1].body, r#"{"LastName":"Doe","Email":"jane@x.inc"}"#);
}

#[tokio::test]
async fn a_contact_that_may_have_been_made_is_looked_for_by_what_tells_it_best_and_since_when() {
    let server = started().await;
    let client = server.client();
    let field = |name: &str, value: &str| Attribute { name: name.to_owned(), value: value.to_owned() };
    let named = [field("LastName", "O'Neil"), field("FirstName", "Jane")];
    let since = Timestamp::from_millis(1_790_000_000_000);
    for (more, wanted) in [
        (Some(field("Email", "jane@x.inc")), "WHERE Email = 'jane@x.inc' AND"),
        (Some(field("Phone", "+33 6")), "WHERE Phone = '+33 6' AND"),
        (None, r"WHERE LastName = 'O\'Neil' AND FirstName = 'Jane' AND"),
    ] {
        server.reply(200, &rows(json!([])));
        let fields: Vec<_> = named.iter().cloned().chain(more).collect();
        assert_eq!(client.find_made(&fields, since).await.unwrap(), []);
        let asked = server.asked();
        let query = percent_decode_str(asked.last().unwrap().uri.split_once("?q=").unwrap().1).decode_utf8().unwrap();
        assert!(query.contains(wanted) && query.contains("CreatedDate >= 2026-09-21T"), "{query}");
    }
}

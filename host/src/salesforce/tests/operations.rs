//! What the operations send and how they read the answers, against a server on this machine.

use std::sync::Arc;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::domain::{
    AccountId, Attribute, Class, ContactSearch, Conversation, ConversationId, Customer, FieldPath, RecordId, Refusal,
    SourceId, Timestamp,
};
use crate::salesforce::tests::server::StandIn;
use crate::salesforce::{CaseWrite, Client, ConnectionCheck, ConversationWrite, Upserted};

fn conversation() -> Conversation {
    Conversation {
        id: ConversationId::new("main:321").unwrap(),
        source: SourceId::new("main").unwrap(),
        account: AccountId::new("12").unwrap(),
        account_name: "Example page".to_owned(),
        channel: "whatsapp".to_owned(),
        team: None,
        agent: None,
        closed: false,
        tags: Vec::new(),
        attributes: Vec::new(),
        customer: Customer { name: Some("é".repeat(300)), ..Customer::default() },
        messages: Vec::new(),
        url: "https://alcmeon.com/example".to_owned(),
        version: 1,
        state_as_of: 1,
        agent_as_of: 0,
        numbered: false,
        erased_until: None,
    }
}

fn id(text: &str) -> RecordId {
    RecordId::new(text).unwrap()
}

fn search(field: &str, value: &str) -> ContactSearch {
    ContactSearch { field: field.to_owned(), value: value.to_owned() }
}

/// The first record of a call.
fn record_sent(body: &str) -> Value {
    serde_json::from_str::<Value>(body).unwrap()["records"][0].clone()
}

fn with_cases(server: &StandIn) -> Arc<Client> {
    server.client_with("[cases]", Box::new(|_| Box::pin(async { Ok(()) })))
}

pub(super) async fn started() -> StandIn {
    let server = StandIn::start().await;
    server.grant("one");
    server
}

fn rows(records: Value) -> Value {
    json!({"totalSize": 1, "done": true, "records": records})
}

#[tokio::test]
async fn a_conversation_is_upserted_by_its_external_id_with_its_whole_state() {
    let server = started().await;
    server.reply(200, &json!([{"id": "a01000000000001AAA", "success": true, "errors": [], "created": true}]));
    server.reply(200, &json!([{"id": "a01000000000001AAA", "success": true, "errors": [], "created": false}]));
    let client = server.client();
    let write = ConversationWrite {
        queue: Some(id("00G000000000001AAA")),
        contact: Some(id("003000000000001AAA")),
        ..ConversationWrite::default()
    };
    let first = client.upsert_conversation(&conversation(), &write).await.unwrap();
    let closed = Conversation { closed: true, ..conversation() };
    let person = ConversationWrite { contact: Some(id("001000000000001AAA")), ..ConversationWrite::default() };
    let second = client.upsert_conversation(&closed, &person).await.unwrap();
    assert_eq!((first.created, second.created, &first.record), (true, false, &second.record));

    let asked = server.asked();
    assert_eq!(asked[1].method, "PATCH");
    let path = "/services/data/v62.0/composite/sobjects/alcmeon__Conversation__c/alcmeon__scoped_id__c";
    assert_eq!(asked[1].uri, path);
    let sent: Value = serde_json::from_str(&asked[1].body).unwrap();
    assert_eq!((&sent["allOrNone"], sent["records"].as_array().unwrap().len()), (&json!(false), 1));
    assert_eq!(
        sent["records"][0],
        json!({
            "attributes": { "type": "alcmeon__Conversation__c" },
            "alcmeon__scoped_id__c": "main:321",
            "alcmeon__To_SF_Queue_Id__c": "00G000000000001AAA",
            "alcmeon__Status__c": "Open",
            "alcmeon__url__c": "https://alcmeon.com/example",
            "alcmeon__Social_media_type__c": "whatsapp",
            "alcmeon__Social_media_account__c": "Example page",
            "alcmeon__User_name__c": "é".repeat(255),
            "alcmeon__Contact__c": "003000000000001AAA",
        })
    );
    let sent = record_sent(&asked[2].body);
    assert_eq!(sent["alcmeon__Status__c"], "Closed");
    assert_eq!(sent["alcmeon__To_SF_Queue_Id__c"], Value::Null, "no queue any more");
    assert_eq!(sent["alcmeon__Account__c"], "001000000000001AAA", "a person account has a field of its own");
    assert!(sent.get("alcmeon__Contact__c").is_none());
}

#[tokio::test]
async fn a_case_keeps_its_owner_and_what_people_wrote() {
    let server = started().await;
    for created in [true, false] {
        server.reply(200, &json!([{"id": "500000000000001AAA", "success": true, "errors": [], "created": created}]));
    }
    let client = with_cases(&server);
    let first = CaseWrite { first: true, owner: Some(id("00G000000000001AAA")), contact: None };
    assert!(client.upsert_case(&conversation(), &first).await.unwrap().unwrap().created);
    let later = CaseWrite { contact: Some(id("003000000000001AAA")), ..CaseWrite::default() };
    client.upsert_case(&conversation(), &later).await.unwrap();

    let asked = server.asked();
    assert_eq!(asked[1].uri, "/services/data/v62.0/composite/sobjects/Case/Switchyard_Id__c");
    assert_eq!(asked[1].headers["sforce-auto-assign"], "FALSE");
    let sent = record_sent(&asked[1].body);
    assert_eq!(sent["Subject"], format!("Conversation with: {}", "é".repeat(236)));
    assert_eq!((&sent["Origin"], &sent["OwnerId"]), (&json!("whatsapp"), &json!("00G000000000001AAA")));
    let sent = record_sent(&asked[2].body);
    let keys: Vec<&String> = sent.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["attributes", "Switchyard_Id__c", "Description", "ContactId"]);
}

#[tokio::test]
async fn without_cases_of_its_own_the_host_sends_nothing() {
    let server = StandIn::start().await;
    assert_eq!(server.client().upsert_case(&conversation(), &CaseWrite::default()).await.unwrap(), None);
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn an_insert_that_lost_a_race_is_sent_once_more() {
    let server = started().await;
    let lost = json!([{"success": false, "created": false, "errors": [{"statusCode": "DUPLICATE_VALUE", "message":
        "duplicate value found: alcmeon__scoped_id__c duplicates value on record with id: a01000000000001"}]}]);
    server.reply(200, &lost).reply(200, &json!([{"id": "a01000000000001AAA", "success": true, "created": false}]));
    let client = server.client();
    assert!(!client.upsert_conversation(&conversation(), &ConversationWrite::default()).await.unwrap().created);
    server.reply(200, &lost).reply(200, &lost);
    let refusal = client.upsert_conversation(&conversation(), &ConversationWrite::default()).await.unwrap_err();
    assert_eq!((refusal.class, refusal.records.as_slice()), (Class::Record, ["a01000000000001".to_owned()].as_slice()));
    assert_eq!(refusal.request.unwrap().body["alcmeon__scoped_id__c"], "main:321");
    assert_eq!(server.asked().len(), 5);
}

/// Writes conversations with these numbers at the same moment.
pub(super) async fn write_all(client: &Arc<Client>, numbers: std::ops::Range<u32>) -> Vec<Result<Upserted, Refusal>> {
    let write = |number| async move {
        let id = ConversationId::new(format!("main:{number}")).unwrap();
        client.upsert_conversation(&Conversation { id, ..conversation() }, &ConversationWrite::default()).await
    };
    futures_util::future::join_all(numbers.map(write)).await
}

pub(super) fn yes(number: u32) -> Value {
    json!({"id": format!("a01{number:012}AAA"), "success": true, "errors": [], "created": true})
}

#[tokio::test]
async fn conversations_that_come_together_leave_in_one_call_and_each_gets_its_own_answer() {
    let server = started().await;
    let no = json!({"success": false, "created": false, "errors": [{"statusCode": "STRING_TOO_LONG",
        "message": "Channel: data value too large", "fields": ["alcmeon__Social_media_type__c"]}]});
    server.reply(200, &json!([yes(0), no.clone(), yes(2)]));
    let written = write_all(&server.client(), 0..3).await;
    assert_eq!(written[0].as_ref().unwrap().record, id("a01000000000000AAA"));
    assert_eq!(written[2].as_ref().unwrap().record, id("a01000000000002AAA"));
    let refusal = written[1].as_ref().unwrap_err();
    assert_eq!((refusal.class, refusal.code.as_str()), (Class::Record, "STRING_TOO_LONG"));
    assert_eq!(refusal.request.as_ref().unwrap().body["alcmeon__scoped_id__c"], "main:1", "its own part of the call");
    assert_eq!(refusal.request_id.as_deref(), Some("request-7"), "what Salesforce's support asks for");
    let answer = refusal.answer.as_ref().unwrap();
    assert_eq!((answer.status, &answer.body), (200, &no), "its own part of the answer");
    assert_eq!(answer.headers["x-sfdc-request-id"], "request-7");
    assert_eq!(server.asked().len(), 2, "a token and one call");
}

#[tokio::test]
async fn a_record_that_spoils_the_whole_call_is_looked_for_and_the_others_are_written() {
    let server = started().await;
    let spoilt = json!([{"errorCode": "JSON_PARSER_ERROR", "message": "Cannot deserialize"}]);
    server.reply(400, &spoilt).reply(400, &spoilt).reply(400, &spoilt);
    server.reply(200, &json!([yes(1)])).reply(200, &json!([yes(2), yes(3)]));
    let written = write_all(&server.client(), 0..4).await;
    assert_eq!(written.iter().map(Result::is_ok).collect::<Vec<_>>(), [false, true, true, true]);
    let spoiling = written[0].as_ref().unwrap_err();
    assert_eq!(
        (spoiling.class, spoiling.answer.as_ref().map(|it| (it.status, &it.body))),
        (Class::Request, Some((400, &spoilt)))
    );
}

#[tokio::test]
async fn after_a_call_without_an_answer_its_records_are_looked_for_before_any_is_sent_again() {
    let server = started().await;
    server.reply(503, &json!("gateway"));
    let client = server.client();
    let refused = write_all(&client, 1..3).await;
    assert_eq!(refused[0].as_ref().unwrap_err().class, Class::Transient);
    let calls = |refused: &[Result<Upserted, Refusal>]| -> Vec<_> {
        refused.iter().map(|refused| refused.as_ref().unwrap_err().call.expect("a call of many records")).collect()
    };
    assert_eq!(calls(&refused)[0], calls(&refused)[1], "one call, one refusal");
    server.reply(503, &json!("gateway"));
    let refused = write_all(&client, 1..3).await;
    assert_eq!(calls(&refused)[0], calls(&refused)[1], "looking for them is one call, too");

    // The first was written as wanted; the second is not there.
    let mut row = record_sent(&server.asked()[1].body);
    row.as_object_mut().unwrap().insert("Id".to_owned(), json!("a01000000000001AAA"));
    server.reply(200, &rows(json!([row]))).reply(200, &json!([yes(2)]));
    let written = write_all(&client, 1..3).await;
    assert_eq!(written[0].as_ref().unwrap().record, id("a01000000000001AAA"));
    assert_eq!(written[1].as_ref().unwrap().record, id("a01000000000002AAA"));
    let asked = server.asked();
    assert!(asked[2].uri.contains("query?q=") && asked[3].uri == asked[2].uri, "{}", asked[2].uri);
    let sent: Value = serde_json::from_str(&asked[4].body).unwrap();
    assert_eq!(sent["records"].as_array().unwrap().len(), 1, "what is there is not sent again");

    server.reply(200, &json!([yes(1), yes(2)]));
    write_all(&client, 1..3).await;
    assert_eq!(server.asked().len(), 6, "nothing is in doubt any more");
}

#[tokio::test]
async fn calls_that_fail_at_the_same_moment_are_told_apart() {
    let server = started().await;
    server.reply(503, &json!("gateway")).reply(503, &json!("gateway"));
    let (client, conversation) = (with_cases(&server), conversation());
    let (case, write) = (CaseWrite::default(), ConversationWrite::default());
    let case = client.upsert_case(&conversation, &case);
    let (case, written) = tokio::join!(case, client.upsert_conversation(&conversation, &write));
    assert_ne!(case.unwrap_err().call, written.unwrap_err().call, "two calls, two refusals");
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

fn two_queues(server: &StandIn) {
    let group =
        |n: u8, name: &str| json!({"Id": format!("00G00000000000{n}AAA"), "Name": "Help", "DeveloperName": name});
    server.reply(200, &rows(json!([group(1, "Help_EN"), group(2, "Help_FR")])));
    server.reply(200, &rows(json!([{"QueueId": "00G000000000001", "SobjectType": "Case"}])));
}

#[tokio::test]
async fn queues_are_asked_for_once_until_they_are_too_old() {
    let server = started().await;
    two_queues(&server);
    let client = server.client();
    let (now, age) = (Timestamp::from_millis(1000), Duration::from_secs(60));
    assert_eq!(client.resolve_queue("help_en", now, age).await.unwrap(), id("00G000000000001AAA"));
    let missing = client.resolve_queue("Billing", now.after(age), age).await.unwrap_err();
    assert_eq!((missing.class, missing.code.as_str()), (Class::Config, "QUEUE_NOT_FOUND"));
    assert!(missing.text.contains("Help_EN, Help_FR"), "{}", missing.text);
    let unclear = client.resolve_queue("Help", now, age).await.unwrap_err();
    assert_eq!((unclear.code.as_str(), unclear.records.len()), ("QUEUE_NOT_UNIQUE", 2));
    assert_eq!(server.asked().len(), 3, "a token and two queries");
    two_queues(&server);
    client.queues(now.after(age * 2), age).await.unwrap();
    assert_eq!(server.asked().len(), 5);
}

#[tokio::test]
async fn a_question_that_many_need_is_asked_once_also_when_it_is_refused_and_counts_as_one_refusal() {
    let server = started().await;
    server.reply(503, &json!("gateway"));
    let client = server.client_of_unknown_organization();
    let queues = || client.queues(Timestamp::default(), Duration::from_secs(60));
    let refused = futures_util::future::join_all((0..20).map(|_| queues())).await;
    assert_eq!(server.asked().len(), 2, "a token and one query");
    let calls: Vec<_> = refused.into_iter().map(|refused| refused.unwrap_err().call).collect();
    assert_eq!(calls, [Some(1); 20]);

    server.reply(503, &json!("gateway"));
    let searches = [search("Email", "jane@example.com")];
    let refused = futures_util::future::join_all((0..20).map(|_| client.find_contacts(&searches, &[]))).await;
    assert_eq!(server.asked().len(), 3, "whether there are person accounts is asked once");
    assert!(refused.iter().all(|refused| refused.as_ref().unwrap_err().class == Class::Transient));

    two_queues(&server);
    assert_eq!(queues().await.unwrap().iter().count(), 2, "a refusal is not remembered");
}

fn described(fields: &[&str], unique: bool) -> Value {
    let field = |name: &&str| json!({"name": name, "createable": true, "externalId": unique, "unique": unique});
    json!({"fields": fields.iter().map(field).collect::<Vec<_>>()})
}

fn of<'a>(checks: &'a [ConnectionCheck], name: &str) -> &'a ConnectionCheck {
    checks.iter().find(|check| check.name == name).unwrap()
}

#[tokio::test]
async fn the_checks_say_what_is_missing() {
    let server = StandIn::start().await;
    server.reply(200, &json!([{"label": "x", "url": "/services/data/v62.0", "version": "62.0"}])).grant("one");
    server.reply(200, &described(&["alcmeon__scoped_id__c", "alcmeon__url__c"], false));
    server.reply(200, &described(&["switchyard_id__c"], true));
    two_queues(&server);
    let checks = with_cases(&server).checks(Timestamp::default(), &[]).await;
    assert_eq!((of(&checks, "connection").ok, of(&checks, "authentication").ok), (Some(true), Some(true)));
    assert_eq!(of(&checks, "refresh-token").ok, None, "the policy cannot be read");
    let object = of(&checks, "conversation-object");
    assert_eq!(object.ok, Some(false));
    assert!(object.found.contains("alcmeon__Status__c is missing"), "{}", object.found);
    assert!(object.found.contains("alcmeon__scoped_id__c is not Unique"), "{}", object.found);
    assert_eq!(of(&checks, "case-object").ok, Some(true));
    let queues = of(&checks, "queues");
    assert_eq!((queues.ok, queues.found.as_str()), (None, "1 of 2 queues can own Case: Help_EN; not: Help_FR"));
}

#[tokio::test]
async fn a_dead_token_is_explained_with_every_possible_cause() {
    const CAUSES: [&str; 10] = [
        "expired access/refresh token",
        "revoked",
        "blocked",
        "expire immediately",
        "if not used for a time",
        "after a time",
        "five times",
        "rotate",
        "password",
        "sandbox",
    ];
    let server = StandIn::start().await;
    let dead = json!({"error": "invalid_grant", "error_description": "expired access/refresh token"});
    server.reply(200, &json!([{"version": "66.0"}]));
    server.reply(400, &dead);
    let checks = server.client().checks(Timestamp::default(), &[]).await;
    assert_eq!(server.token_requests(), 1, "each one is a failed log-in of the user");
    assert!(of(&checks, "connection").found.contains("does not know v62.0"));
    let authentication = of(&checks, "authentication");
    assert_eq!(authentication.ok, Some(false));
    for words in CAUSES {
        assert!(authentication.found.contains(words), "{words}");
    }
    assert_eq!(of(&checks, "refresh-token").ok, Some(false));
}

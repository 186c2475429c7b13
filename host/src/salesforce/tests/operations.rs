//! What the operations send and how they read the answers, against a server on this machine.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::domain::{AccountId, Class, Conversation, ConversationId, Customer, RecordId, Refusal, SourceId};
use crate::salesforce::tests::server::StandIn;
use crate::salesforce::{CaseWrite, Client, ConversationWrite, Upserted};

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

pub(super) fn id(text: &str) -> RecordId {
    RecordId::new(text).unwrap()
}

pub(super) fn with_cases(server: &StandIn) -> Arc<Client> {
    server.client_with("[cases]", Box::new(|_| Box::pin(async { Ok(()) })))
}

pub(super) fn described(fields: &[&str], unique: bool) -> Value {
    let field = |name: &&str| json!({"name": name, "createable": true, "externalId": unique, "unique": unique});
    json!({"fields": fields.iter().map(field).collect::<Vec<_>>()})
}

pub(super) fn rows(records: Value) -> Value {
    json!({"totalSize": 1, "done": true, "records": records})
}

pub(super) async fn started() -> StandIn {
    let server = StandIn::start().await;
    server.grant("one");
    server
}

/// The first record of a call.
fn record_sent(body: &str) -> Value {
    serde_json::from_str::<Value>(body).unwrap()["records"][0].clone()
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

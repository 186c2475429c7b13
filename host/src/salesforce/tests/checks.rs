//! What is asked of an organization once for many, and what the checks say of it.

use std::time::Duration;

use serde_json::json;

use super::contacts::search;
use super::operations::{described, id, rows, started, with_cases};
use crate::domain::{Class, Timestamp};
use crate::salesforce::ConnectionCheck;
use crate::salesforce::tests::server::StandIn;

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

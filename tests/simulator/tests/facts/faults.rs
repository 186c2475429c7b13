//! Troubles on order: refused calls, refused records, cut connections, slowness, and the log that tells of them.

use reqwest::Method;
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn a_fault_strikes_as_often_as_ordered_and_only_what_it_matches() {
    let world = World::start().await;
    let org = world.org("acme", json!({})).await;
    let other = world.org("other", json!({})).await;
    let fault = json!({
        "method": "PATCH", "path": "alcmeon__Conversation__c", "status": 503, "times": 2,
        "json": [{"errorCode": "SERVER_UNAVAILABLE", "message": "Server unavailable"}], "headers": {"X-Odd": "yes"},
    });
    world.control(Method::POST, "orgs/acme/faults", fault).await;
    assert_eq!(org.get("limits").await.status, 200);
    assert_eq!(other.upsert("v1", json!({})).await.status, 201);
    let struck = org.upsert("v1", json!({})).await;
    assert_eq!(struck.refusal(), (503, "SERVER_UNAVAILABLE", "Server unavailable"));
    assert_eq!(struck.header("X-Odd"), Some("yes"));
    assert_eq!(org.upsert("v1", json!({})).await.status, 503);
    assert_eq!(org.upsert("v1", json!({})).await.status, 201);
}

#[tokio::test]
async fn a_permanent_fault_may_answer_a_page_and_stays_until_it_is_removed() {
    let world = World::start().await;
    let org = world.org("acme", json!({})).await;
    let fault = json!({"status": 502, "raw": "<html><h1>Bad gateway</h1></html>", "body": "needle"});
    world.control(Method::POST, "orgs/acme/faults", fault).await;
    for _ in 0..3 {
        let struck = org.upsert("v1", json!({"alcmeon__User_name__c": "a needle"})).await;
        assert_eq!((struck.status, struck.body), (502, json!("<html><h1>Bad gateway</h1></html>")));
    }
    assert_eq!(world.control(Method::GET, "orgs/acme/faults", json!(null)).await[0]["hits"], 3);
    assert_eq!(org.upsert("v1", json!({})).await.status, 201);
    world.control(Method::DELETE, "orgs/acme/faults", json!(null)).await;
    assert_eq!(org.upsert("v1", json!({"alcmeon__User_name__c": "a needle"})).await.status, 200);
}

#[tokio::test]
async fn a_fault_on_an_external_id_strikes_one_record_of_a_collection() {
    let world = World::start().await;
    let org = world.org("acme", json!({})).await;
    let text = "unable to obtain exclusive access to this record or 1 records: 500";
    let fault = json!({
        "external_id": "bad", "status": 400, "json": [{"errorCode": "UNABLE_TO_LOCK_ROW", "message": text}],
    });
    world.control(Method::POST, "orgs/acme/faults", fault).await;
    let record = |id: &str| json!({"attributes": {"type": "alcmeon__Conversation__c"}, "alcmeon__scoped_id__c": id});
    let path = "composite/sobjects/alcmeon__Conversation__c/alcmeon__scoped_id__c";
    let answer = org.patch(path, json!({"records": [record("good"), record("bad-1")]})).await;
    assert_eq!((answer.status, &answer.body[0]["success"]), (200, &json!(true)));
    assert_eq!(answer.body[1]["errors"][0]["statusCode"], "UNABLE_TO_LOCK_ROW");
    assert_eq!(org.upsert("bad-2", json!({})).await.refusal(), (400, "UNABLE_TO_LOCK_ROW", text));
}

#[tokio::test]
async fn a_cut_connection_may_have_done_its_work_or_not() {
    let world = World::start().await;
    let org = world.org("acme", json!({})).await;
    for (cut, done) in [("before", 0), ("after", 1)] {
        let fault = json!({"method": "PATCH", "drop": cut, "times": 1});
        world.control(Method::POST, "orgs/acme/faults", fault).await;
        let path = "sobjects/alcmeon__Conversation__c/alcmeon__scoped_id__c/v1";
        let error = org.request(Method::PATCH, path).json(&json!({})).send().await.expect_err("no answer");
        assert!(!error.is_timeout() && !error.is_connect(), "{error:?}");
        let count = org.query("SELECT COUNT() FROM alcmeon__Conversation__c").await;
        assert_eq!(count.body["totalSize"], done, "{cut}");
    }
}

#[tokio::test]
async fn latency_delays_the_calls_of_one_org_and_nobody_elses() {
    let world = World::start().await;
    let (slow, quick) = (world.org("slow", json!({})).await, world.org("quick", json!({})).await);
    world.control(Method::POST, "orgs/slow/faults", json!({"latency_ms": 60_000})).await;
    tokio::select! {
        _ = slow.get("limits") => panic!("a minute went by"),
        answer = quick.get("limits") => assert_eq!(answer.status, 200),
    }
}

#[tokio::test]
async fn an_org_hangs_until_the_fault_is_removed_and_does_nothing_that_its_caller_gave_up() {
    let world = World::start().await;
    let org = world.org("acme", json!({})).await;
    world.control(Method::POST, "orgs/acme/faults", json!({"latency_ms": 86_400_000})).await;
    let path = "sobjects/alcmeon__Conversation__c/alcmeon__scoped_id__c/v1";
    let patience = std::time::Duration::from_millis(100);
    let error =
        org.request(Method::PATCH, path).json(&json!({})).timeout(patience).send().await.expect_err("no answer");
    assert!(error.is_timeout(), "{error:?}");
    tokio::select! {
        _ = world.refresh("refresh-acme") => panic!("a day went by"),
        () = async {
            while world.control(Method::GET, "orgs/acme/faults", json!(null)).await[0]["hits"] != 2 {}
        } => {}
    }
    world.control(Method::DELETE, "orgs/acme/faults", json!(null)).await;
    assert_eq!(world.refresh("refresh-acme").await.status, 200);
    assert_eq!(org.query("SELECT COUNT() FROM alcmeon__Conversation__c").await.body["totalSize"], 0);
}

#[tokio::test]
async fn latency_for_all_delays_every_org_and_no_control_call() {
    let world = World::start().await;
    let org = world.org("acme", json!({})).await;
    world.control(Method::PUT, "latency", json!({"ms": 60_000})).await;
    tokio::select! {
        _ = org.get("limits") => panic!("a minute went by"),
        state = world.control(Method::GET, "state", json!(null)) => assert_eq!(state["latency_ms"], 60_000),
    }
    world.control(Method::PUT, "latency", json!({"ms": 0})).await;
    assert_eq!(org.get("limits").await.status, 200);
}

#[tokio::test]
async fn the_log_and_the_totals_tell_of_every_call() {
    let world = World::start().await;
    let org = world.org("acme", json!({})).await;
    world.control(Method::DELETE, "calls", json!(null)).await;
    org.get("limits").await;
    org.get("sobjects/Nothing/1").await;
    let calls = world.control(Method::GET, &format!("calls?org={}", org.name), json!(null)).await;
    let told: Vec<_> = calls.as_array().expect("calls").iter().map(|call| (&call["path"], &call["status"])).collect();
    assert_eq!(
        told,
        [
            (&json!("/services/data/v59.0/limits"), &json!(200)),
            (&json!("/services/data/v59.0/sobjects/Nothing/1"), &json!(404)),
        ]
    );
    let first = calls[0]["number"].as_u64().expect("a number");
    let later = world.control(Method::GET, &format!("calls?after={first}"), json!(null)).await;
    assert_eq!(later.as_array().expect("calls").len(), 1);
    let totals = world.control(Method::GET, "state", json!(null)).await["orgs"]["acme"]["totals"].clone();
    assert_eq!((&totals["calls"], &totals["by_status"]), (&json!(2), &json!({"200": 1, "404": 1})));
}

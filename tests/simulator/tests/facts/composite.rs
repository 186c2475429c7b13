//! Several calls in one: references, transactions, graphs and batches.

use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{Org, Reply, World, reply};

fn call(method: &str, path: &str, id: &str, body: Value) -> Value {
    let url = format!("/services/data/v59.0/{path}");
    json!({"method": method, "url": url, "referenceId": id, "body": body})
}

async fn send(org: &Org, all_or_none: bool, calls: Vec<Value>) -> Reply {
    org.post("composite", json!({"allOrNone": all_or_none, "compositeRequest": calls})).await
}

fn each<'a>(answer: &'a Value, of: impl Fn(&'a Value) -> &'a Value) -> Vec<&'a Value> {
    answer["compositeResponse"].as_array().expect("answers").iter().map(of).collect()
}

#[tokio::test]
async fn a_later_call_uses_what_an_earlier_one_answered() {
    let world = World::start().await;
    let org = world.org("acme", json!({})).await;
    let calls = vec![
        call("POST", "sobjects/Account", "account", json!({"Name": "Acme"})),
        call("POST", "sobjects/Contact", "contact", json!({"LastName": "C", "AccountId": "@{account.id}"})),
        call("GET", "query?q=SELECT Id FROM Contact WHERE Id = '@{contact.id}'", "found", Value::Null),
        call("PATCH", "sobjects/Contact/@{found.records[0].Id}", "changed", json!({"Title": "of @{account.id}"})),
    ];
    let answer = send(&org, true, calls).await;
    let statuses = each(&answer.body, |one| &one["httpStatusCode"]);
    assert_eq!(statuses, [&json!(201), &json!(201), &json!(200), &json!(204)]);
    let account = answer.body["compositeResponse"][0]["body"]["id"].as_str().expect("an id");
    let location = answer.body["compositeResponse"][0]["httpHeaders"]["Location"].as_str().expect("an address");
    assert!(location.ends_with(account));
    let read = org.query("SELECT AccountId, Title FROM Contact").await;
    assert_eq!(read.column("AccountId"), [json!(account)]);
    assert_eq!(read.column("Title"), [json!(format!("of {account}"))]);
    assert_eq!(read.header("Sforce-Limit-Info"), Some("api-usage=2/100000"), "a composite call is one call");
}

#[tokio::test]
async fn one_that_fails_takes_all_back_and_alone_tells_why() {
    let world = World::start().await;
    let org = world.org("acme", json!({})).await;
    let calls = vec![
        call("POST", "sobjects/Account", "account", json!({"Name": "Acme"})),
        call("POST", "sobjects/Contact", "contact", json!({"AccountId": "@{account.id}"})),
        call("POST", "sobjects/Case", "case", json!({"ContactId": "@{contact.id}"})),
    ];
    let answer = send(&org, true, calls.clone()).await;
    let codes = each(&answer.body, |one| &one["body"][0]["errorCode"]);
    assert_eq!(answer.status, 200);
    assert_eq!(codes, ["PROCESSING_HALTED", "REQUIRED_FIELD_MISSING", "PROCESSING_HALTED"]);
    assert_eq!(org.query("SELECT COUNT() FROM Account").await.body["totalSize"], 0);

    let answer = send(&org, false, calls).await;
    assert_eq!(answer.body["compositeResponse"][0]["httpStatusCode"], 201);
    let last = &answer.body["compositeResponse"][2]["body"][0];
    assert_eq!(last["errorCode"], "PROCESSING_HALTED");
    assert_eq!(last["message"], "Execution halted as previous operation (contact) was not successful.");
    assert_eq!(org.query("SELECT COUNT() FROM Account").await.body["totalSize"], 1);
}

#[tokio::test]
async fn an_envelope_that_is_not_whole_is_refused() {
    let world = World::start().await;
    let org = world.org("acme", json!({})).await;
    let mut nameless = call("GET", "limits", "a", Value::Null);
    nameless["referenceId"] = json!("");
    assert_eq!(send(&org, false, vec![nameless]).await.status, 400);
    let twice = vec![call("GET", "limits", "a", Value::Null), call("GET", "limits", "a", Value::Null)];
    assert_eq!(send(&org, false, twice).await.status, 400);
    let many = (0..26).map(|at| call("GET", "limits", &format!("a{at}"), Value::Null)).collect();
    assert_eq!(send(&org, false, many).await.refusal().1, "LIMIT_EXCEEDED");
    let heavy = (0..6).map(|at| call("GET", "query?q=SELECT Id FROM Case", &format!("a{at}"), Value::Null)).collect();
    assert_eq!(send(&org, false, heavy).await.refusal().1, "LIMIT_EXCEEDED");
    let nested = vec![call("POST", "composite", "a", json!({"compositeRequest": []}))];
    assert_eq!(send(&org, false, nested).await.body["compositeResponse"][0]["httpStatusCode"], 400);
}

#[tokio::test]
async fn each_graph_is_done_whole_or_not_at_all() {
    let world = World::start().await;
    let org = world.org("acme", json!({})).await;
    let graph = |id: &str, last_name: Value| {
        json!({"graphId": id, "compositeRequest": [
            call("POST", "sobjects/Account", "account", json!({"Name": id})),
            call("POST", "sobjects/Contact", "contact", json!({"LastName": last_name, "AccountId": "@{account.id}"})),
        ]})
    };
    let body = json!({"graphs": [graph("good", json!("C")), graph("bad", Value::Null)]});
    let answer = org.post("composite/graph", body).await.body;
    assert_eq!(
        (&answer["graphs"][0]["isSuccessful"], &answer["graphs"][1]["isSuccessful"]),
        (&json!(true), &json!(false))
    );
    let codes = each(&answer["graphs"][1]["graphResponse"], |one| &one["body"][0]["errorCode"]);
    assert_eq!(codes, ["PROCESSING_HALTED", "REQUIRED_FIELD_MISSING"]);
    assert_eq!(org.query("SELECT Name FROM Account").await.column("Name"), [json!("good")]);
    let query = json!({"graphs": [{"graphId": "q", "compositeRequest": [
        call("GET", "query?q=SELECT Id FROM Case", "a", Value::Null),
    ]}]});
    assert_eq!(org.post("composite/graph", query).await.body["graphs"][0]["isSuccessful"], false);
}

#[tokio::test]
async fn a_batch_goes_on_after_an_error_unless_told_to_halt() {
    let world = World::start().await;
    let org = world.org("acme", json!({})).await;
    let requests = json!([
        {"method": "POST", "url": "v59.0/sobjects/Account", "richInput": {"Name": "A"}},
        {"method": "GET", "url": "v59.0/sobjects/Nope"},
        {"method": "GET", "url": "v59.0/limits"},
    ]);
    let statuses = |answer: &Value| -> Vec<u64> {
        answer["results"].as_array().expect("results").iter().filter_map(|one| one["statusCode"].as_u64()).collect()
    };
    let answer = org.post("composite/batch", json!({"batchRequests": requests})).await.body;
    assert_eq!((statuses(&answer), &answer["hasErrors"]), (vec![201, 404, 200], &json!(true)));
    let answer = org.post("composite/batch", json!({"haltOnError": true, "batchRequests": requests})).await.body;
    assert_eq!(statuses(&answer), [201, 404, 412]);
    assert_eq!(answer["results"][2]["result"][0]["errorCode"], "BATCH_PROCESSING_HALTED");
}

#[tokio::test]
async fn what_has_not_changed_is_not_sent_again() {
    let world = World::start().await;
    let org = world.org("acme", json!({})).await;
    let first = org.get("sobjects/Case/describe").await;
    let (tag, modified) = (first.header("ETag").expect("a tag"), first.header("Last-Modified").expect("an instant"));
    for (name, value) in [("If-None-Match", tag), ("If-Modified-Since", modified)] {
        let again = reply(org.request(Method::GET, "sobjects/Case/describe").header(name, value)).await;
        assert_eq!((again.status, again.body), (304, Value::Null), "{name}");
    }
    let mut inner = call("GET", "sobjects", "a", Value::Null);
    inner["httpHeaders"] = json!({"If-Modified-Since": modified});
    let inside = send(&org, false, vec![inner]).await.body;
    assert_eq!(inside["compositeResponse"][0]["httpStatusCode"], 304);
    let old = "Mon, 01 Jan 2001 00:00:00 GMT";
    let newer = reply(org.request(Method::GET, "sobjects/Case/describe").header("If-Modified-Since", old)).await;
    assert_eq!(newer.status, 200);
}

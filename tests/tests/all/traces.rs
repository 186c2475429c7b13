//! What a trace tells, from the call that began something to the call of Salesforce; and what a collector on its bad day costs.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use switchyard_tests::{ADMIN, Collector, Manner, Setup, Span, TestHost, received, said, sign};
use tokio::net::TcpListener;

/// What a caller sends.
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

async fn traced(collector: &Collector) -> TestHost {
    TestHost::set_up(Setup { more: &collector.settings(), ..Setup::default() }).await
}

/// Notifies as a proxy does that takes part in a trace; `sampled` as it decided.
async fn notify(host: &TestHost, action: Value, sampled: bool) {
    let body = json!({ "id": action["id"], "action": action }).to_string();
    let url = format!("http://{}/alcmeon/main/notify", host.app.address);
    let request = host.http.post(url).header("x-alcmeon-webhook-signature", sign("/alcmeon/main/notify", &body));
    let parent = format!("00-{TRACE}-{PARENT}-0{}", u8::from(sampled));
    let answer = request.header("traceparent", parent).body(body).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
}

fn of_trace(spans: &[Span]) -> Vec<&Span> {
    spans.iter().filter(|span| hex::encode(&span.trace_id) == TRACE).collect()
}

/// The names from a span up to the first one whose parent did not come.
fn way_up<'a>(spans: &'a [Span], from: &'a Span) -> Vec<&'a str> {
    let mut names = vec![from.name.as_str()];
    let mut at = from;
    while let Some(parent) = spans.iter().find(|span| span.span_id == at.parent_span_id) {
        names.push(&parent.name);
        at = parent;
    }
    assert!(at.parent_span_id.is_empty() || hex::encode(&at.parent_span_id) == PARENT, "{names:?}");
    names
}

/// The span that wrote the conversation.
fn written(spans: &[Span]) -> Option<&Span> {
    let path = |span: &&Span| said(span, "url.path").is_some_and(|path| path.contains("/composite/sobjects/alcmeon"));
    spans.iter().find(path)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_of_the_webhook_leads_to_the_call_of_salesforce_in_one_trace_and_the_audit_names_it() {
    let collector = Collector::start(Manner::Takes).await;
    let host = traced(&collector).await;
    notify(&host, received(1, 1, "billing", "jane@example.com"), true).await;
    host.idle().await;
    let came = |spans: &[Span]| {
        written(spans).is_some_and(|call| spans.iter().any(|span| span.span_id == call.parent_span_id))
            && spans.iter().any(|span| span.name == "attempt")
            && spans.iter().any(|span| span.name == "turn")
    };
    let spans = collector.spans("the way to Salesforce", came).await;
    let call = written(&spans).unwrap();
    let way = ["PATCH salesforce", "upsert", "attempt", "inbox append", "POST /alcmeon/{environment}/notify"];
    assert_eq!(way_up(&spans, call), way);
    assert_eq!(hex::encode(&call.trace_id), TRACE);
    assert_eq!(said(call, "http.response.status_code").unwrap(), "200");
    let own = of_trace(&spans);
    let decisions: Vec<_> = own.iter().filter_map(|span| said(span, "switchyard.question")).collect();
    assert_eq!(decisions, ["route", "search", "choose"]);
    let attempt = own.iter().find(|span| span.name == "attempt").unwrap();
    assert_eq!(said(attempt, "switchyard.outcome").unwrap(), "delivered");
    assert_eq!(said(attempt, "switchyard.organization").unwrap(), "acme");
    let append = own.iter().find(|span| span.name == "inbox append").unwrap();
    let turn = spans.iter().find(|span| span.name == "turn").unwrap();
    assert_eq!(turn.links.len(), 1);
    assert_eq!(turn.links[0].span_id, append.span_id, "the turn is linked to what it took");
    assert!(spans.iter().any(|span| span.name == "commit" && span.parent_span_id == turn.span_id));

    let (_, audit) = host.get("/v1/conversations/main:1").await;
    let entries = audit["orgs"][0]["timeline"].as_array().unwrap_or_else(|| panic!("{audit}")).clone();
    let delivered = entries.iter().find(|entry| entry["fact"]["what"] == "DELIVERED").unwrap();
    assert_eq!(delivered["trace_id"], TRACE);
    let all = format!("{spans:?}");
    for hidden in ["jane@example.com", "Jane", "message 1", "acme-refresh", ADMIN, "collector"] {
        assert!(!all.contains(hidden), "{hidden}");
    }
    assert_eq!(collector.header("authorization").unwrap(), "Bearer collector");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_for_many_conversations_is_linked_to_the_attempts_of_all_of_them() {
    let collector = Collector::start(Manner::Takes).await;
    let host = traced(&collector).await;
    // What comes while the first call is on its way leaves in one.
    let latency = format!("{}/control/latency", host.simulator.salesforce);
    host.http.put(latency).json(&json!({ "ms": 300 })).send().await.unwrap();
    for number in 1..=20 {
        host.notify(received(number, number, "billing", "")).await;
    }
    host.idle().await;
    let batch = |span: &&Span| span.name == "upsert" && span.links.len() > 1;
    let attempts = |spans: &[Span]| spans.iter().filter(|span| span.name == "attempt").count();
    let came = |spans: &[Span]| attempts(spans) == 20 && spans.iter().any(|span| batch(&span));
    let spans = collector.spans("a call for many", came).await;
    let batch = spans.iter().find(batch).unwrap();
    assert_eq!(said(batch, "switchyard.records").unwrap(), batch.links.len().to_string());
    let of = |id: &[u8]| spans.iter().find(|span| span.span_id == id).map(|span| span.name.as_str());
    assert!(batch.links.iter().all(|link| of(&link.span_id) == Some("attempt")), "{:?}", batch.links);
    assert!(batch.parent_span_id.is_empty());
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waited_over_a_restart_goes_on_in_the_trace_of_the_call_that_brought_it() {
    let collector = Collector::start(Manner::Takes).await;
    let host = traced(&collector).await;
    host.salesforce(Method::PUT, "acme/usage", json!({ "used": 500, "limit": 500 })).await;
    host.notify(received(1, 1, "billing", "")).await;
    host.until("it is held back", |health| health.incident.is_some()).await;
    notify(&host, received(2, 2, "billing", ""), true).await;
    host.until("both wait", |health| health.parked == 2).await;
    let host = host.restart().await;
    host.salesforce(Method::PUT, "acme/usage", json!({ "used": 0, "limit": 5000 })).await;
    host.clock.advance(Duration::from_secs(900));
    host.until("both are in", |health| health.parked == 0 && health.idle()).await;
    let attempt = |spans: &[Span]| of_trace(spans).into_iter().find(|span| span.name == "attempt").cloned();
    let spans = collector.spans("the attempt", |spans| attempt(spans).is_some()).await;
    let way = ["attempt", "inbox append", "POST /alcmeon/{environment}/notify"];
    assert_eq!(way_up(&spans, &attempt(&spans).unwrap()), way);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_retries_is_below_the_request_and_what_an_operation_retries_is_linked_to_it() {
    let collector = Collector::start(Manner::Takes).await;
    let host = traced(&collector).await;
    for number in 1..=2 {
        host.notify(received(number, number, "nobody", "")).await;
    }
    let id = host.idle().await[0]["id"].as_str().unwrap().to_owned();
    host.post(&format!("/v1/sync-errors/{id}/retry"), json!({})).await;
    host.idle().await;
    let retried = |spans: &[Span]| {
        let request = spans.iter().find(|span| span.name == "POST /v1/sync-errors/{id}/retry")?;
        spans.iter().find(|span| span.name == "attempt" && span.parent_span_id == request.span_id).cloned()
    };
    let spans = collector.spans("the retry", |spans| retried(spans).is_some()).await;
    let attempt = retried(&spans).unwrap();
    assert_eq!(said(&attempt, "switchyard.class").unwrap(), "policy");
    assert_eq!(attempt.status.unwrap().code, 2);
    host.post("/v1/operations", json!({ "task": "retry" })).await;
    let linked = |spans: &[Span]| {
        let request = spans.iter().find(|span| span.name == "POST /v1/operations");
        let linked =
            |span: &&Span| request.is_some_and(|request| span.links.iter().any(|link| link.span_id == request.span_id));
        spans.iter().filter(|span| span.name == "attempt" && span.parent_span_id.is_empty()).filter(linked).count()
    };
    collector.spans("the attempts of the operation", |spans| linked(spans) == 2).await;
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_that_the_caller_does_not_record_is_named_in_the_problem_and_not_recorded() {
    let collector = Collector::start(Manner::Takes).await;
    let host = traced(&collector).await;
    let url = format!("http://{}/v1/sync-errors/nothing", host.app.address);
    let parent = format!("00-{TRACE}-{PARENT}-00");
    let answer = host.http.get(&url).bearer_auth(ADMIN).header("traceparent", parent).send().await.unwrap();
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(problem["trace_id"], TRACE);
    notify(&host, received(1, 1, "billing", ""), false).await;
    host.idle().await;
    // One that is no traceparent is as none.
    let answer = host.http.get(&url).bearer_auth(ADMIN).header("traceparent", "00-x").send().await.unwrap();
    assert_ne!(answer.json::<Value>().await.unwrap()["trace_id"], TRACE);
    let spans = collector.spans("the last request", |spans| !spans.is_empty()).await;
    assert!(of_trace(&spans).is_empty() && spans.iter().all(|span| span.name != "attempt"), "{spans:?}");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_does_not_take_spans_costs_nobody_anything_and_is_a_trouble_until_it_does() {
    // Nobody listens there.
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let silent = Collector::start(Manner::Hangs).await;
    let failing = Collector::start(Manner::Answers(500)).await;
    let busy = Collector::start(Manner::Answers(503)).await;
    let refused = format!("[traces]\nendpoint = 'http://{nobody}'\n");
    for (settings, collector) in [
        (refused, None),
        (silent.settings(), Some(&silent)),
        (failing.settings(), Some(&failing)),
        (busy.settings(), Some(&busy)),
    ] {
        let host = TestHost::set_up(Setup { more: &settings, ..Setup::default() }).await;
        host.notify(received(1, 1, "billing", "jane@example.com")).await;
        host.idle().await;
        if let Some(collector) = collector {
            collector.asked(1).await;
        }
        host.notify(received(2, 2, "billing", "jane@example.com")).await;
        host.idle().await;
        assert_eq!(host.query("SELECT Id FROM alcmeon__Conversation__c").await.len(), 2);
        let troubled =
            |list: &Value| list["troubles"].as_array().is_some_and(|all| all.iter().any(|one| one["kind"] == "traces"));
        if !collector.is_some_and(|collector| std::ptr::eq(collector, &silent)) {
            host.seen("/v1/troubles", troubled).await;
        }
        if collector.is_some_and(|collector| std::ptr::eq(collector, &busy)) {
            busy.becomes(Manner::Takes);
            let attempts = |spans: &[Span]| spans.iter().filter(|span| span.name == "attempt").count() == 2;
            busy.spans("what waited", attempts).await;
            host.seen("/v1/troubles", |list| !troubled(list)).await;
        }
        let metrics = host.app.metrics.clone();
        let stopped = tokio::time::timeout(Duration::from_secs(20), host.stop()).await;
        assert!(stopped.is_ok(), "the host waits for a collector");
        let lost = !metrics.render().contains("switchyard_spans_dropped_total 0\n");
        assert_eq!(lost, !settings.contains(&busy.address.to_string()), "{settings}");
    }
}

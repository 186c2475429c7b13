//! One operation retries many, while new conversations come and other requests are made.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use switchyard::clock::Stopwatch;
use tokio::sync::watch;

use crate::host::{Host, TOKEN};
use crate::questions::{ask, milliseconds};
use crate::simulator::Simulator;
use crate::{Options, tell};

/// Between two requests of whoever looks on.
const EVERY: Duration = Duration::from_millis(50);
/// How long the quiet host is looked at.
const QUIET: Duration = Duration::from_secs(20);
/// How long a call of Salesforce takes, in milliseconds.
const CALL_MS: u64 = 200;

pub(crate) async fn measure(host: &Host, simulator: &Simulator, options: &Options) {
    let http = reqwest::Client::new();
    simulator.control(Method::PUT, "latency", &json!({ "ms": CALL_MS })).await;
    let (stop, quiet) = onlookers(host, "quiet");
    tokio::time::sleep(QUIET).await;
    stop.send_replace(true);
    told("beside nothing", quiet.await);
    simulator.be_well().await;
    let query = json!({ "org": "acme", "state": "pending" });
    let post = async |body: Value| {
        let watch = Stopwatch::start();
        let request = http.request(Method::POST, format!("{}/v1/operations", host.base)).bearer_auth(TOKEN);
        let answer = request.json(&body).send().await.expect("an answer");
        let (status, value) = (answer.status(), answer.json::<Value>().await.expect("JSON"));
        assert!(status.is_success(), "{value}");
        (value, watch.elapsed())
    };
    let (dry, took) = post(json!({ "task": "retry", "query": query, "dry_run": true })).await;
    tell(&format!("a dry run over {}, ms", dry["matched"]), format!("{:.1}", took.as_secs_f64() * 1_000.0));
    let (stop, looking) = onlookers(host, "busy");
    let watch = Stopwatch::start();
    let (operation, took) = post(json!({ "task": "retry", "query": query })).await;
    tell("accepted after, ms", format!("{:.1}", took.as_secs_f64() * 1_000.0));
    let path = format!("/v1/operations/{}", operation["id"].as_str().expect("an id"));
    let report = loop {
        let (report, _) = ask(&http, host, &path).await;
        if report["ended_at"].is_string() || report["passed"].as_u64() >= Some(options.retried) {
            break report;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    let (passed, seconds) = (report["passed"].as_u64().expect("a count"), watch.elapsed().as_secs_f64());
    stop.send_replace(true);
    told("beside the operation", looking.await);
    tell(&format!("{passed} retried: a second"), format!("{:.0}", passed as f64 / seconds));
    let calls = simulator.calls().await;
    tell(
        "Salesforce calls for 1,000 (new conversations included)",
        format!("{:.1}", calls as f64 * 1_000.0 / passed as f64),
    );
}

/// How long three kinds of requests took.
type Took = [(&'static str, Vec<Duration>); 3];

fn told(when: &str, took: Took) {
    for (name, took) in took {
        tell(&format!("{name} {when}, ms p50 / p99 / max"), milliseconds(took));
    }
}

/// One conversation for the busy organization and one for another, and a page of another, again and again.
fn onlookers(host: &Host, name: &'static str) -> (watch::Sender<bool>, impl Future<Output = Took> + use<>) {
    let (stop, stopped) = watch::channel(false);
    let base = host.base.clone();
    let run = |kind: &'static str| tokio::spawn(onlooker(base.clone(), stopped.clone(), name, kind));
    let (same, other, page) = (run("shop"), run("org01"), run("page"));
    let all = async move {
        [
            ("a new conversation of the organization", same.await.expect("a task that ends")),
            ("a new conversation of another", other.await.expect("a task that ends")),
            ("a page of another", page.await.expect("a task that ends")),
        ]
    };
    (stop, all)
}

async fn onlooker(base: String, stopped: watch::Receiver<bool>, name: &str, kind: &str) -> Vec<Duration> {
    let (http, mut took) = (reqwest::Client::new(), Vec::new());
    for number in 0_u64.. {
        if *stopped.borrow() {
            break;
        }
        let request = match kind {
            "page" => http.get(format!("{base}/v1/sync-errors?org=org02&state=pending")),
            source => http.post(format!("{base}/v1/intake/{source}")).json(&json!({
                "id": format!("{name}{number}"), "account": "web", "channel": "chat", "team": "care",
                "customer": { "name": "Jane Doe" },
                "messages": [{ "id": format!("{name}{number}"), "body": "Hello", "sent_at": "2026-09-21T10:00:00Z" }],
            })),
        };
        let watch = Stopwatch::start();
        let answer = request.bearer_auth(TOKEN).send().await.expect("an answer");
        let (status, body) = (answer.status(), answer.text().await.expect("a body"));
        assert!(status.is_success(), "{status} {body}");
        took.push(watch.elapsed());
        tokio::time::sleep(EVERY).await;
    }
    took
}

//! Conversations into a Salesforce behind a slow network, against a plain script that upserts one after another.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use serde_json::{Value, json};
use switchyard::clock::Stopwatch;
use switchyard_simulator::{Options, Simulator};

use crate::host::Host;
use crate::notify;

/// Of each call.
const LATENCY_MS: u64 = 200;
/// What the host is given, and what the script is.
const CONVERSATIONS: u64 = 10_000;
const OF_THE_SCRIPT: u64 = 500;
/// Calls at the same moment, the host's default.
const CONCURRENCY: usize = 4;

pub(crate) async fn slow_network(folder: &Path) {
    println!(
        "\n{:<52}{:>10}{:>10}{:>14}{:>10}",
        format!("{LATENCY_MS} ms a call, {CONCURRENCY} calls at once"),
        "seconds",
        "conv./s",
        "calls/1,000",
        "refused"
    );
    for (failing, title) in [(false, "all are written"), (true, "a twentieth is refused")] {
        let name = if failing { "failing" } else { "written" };
        host(&folder.join(name), failing, title).await;
        script(failing, title).await;
    }
}

async fn host(folder: &Path, failing: bool, title: &str) {
    let simulator = simulator(failing).await;
    let host = Host::serve(folder, &simulator.salesforce);
    let watch = Stopwatch::start();
    notify::all(&host.address, 64, &Arc::new(AtomicU64::new(1)), |number| number <= CONVERSATIONS).await;
    let refused = if failing { CONVERSATIONS / 20 } else { 0 };
    let idle = |org: &Value| ["waiting", "sending", "scheduled", "unmerged"].iter().all(|what| org[what] == 0);
    let org = host.until(|org| idle(org) && org["sync_errors"]["pending"] == refused).await;
    let seconds = watch.elapsed().as_secs_f64();
    let calls = org["salesforce"]["calls"].as_f64().expect("calls");
    row(&format!("Switchyard, {title}"), CONVERSATIONS, seconds, calls, refused);
}

/// Nothing where the clients of the simulator's proof were not installed yet.
async fn script(failing: bool, title: &str) {
    let (here, modules) = (PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(".."), modules());
    if !modules.join("jsforce").exists() {
        return println!("jsforce is not there; tests/clients/run installs it");
    }
    let simulator = simulator(failing).await;
    let script = here.join("tests/clients/one_by_one.cjs");
    let (count, at_once) = (OF_THE_SCRIPT.to_string(), CONCURRENCY.to_string());
    let address = simulator.salesforce.clone();
    let run =
        move || Command::new("node").arg(script).args([&address, &count, &at_once]).env("NODE_PATH", modules).output();
    let output = tokio::task::spawn_blocking(run).await.expect("a thread").expect("node runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told: Value = serde_json::from_slice(&output.stdout).expect("what it did");
    let number = |what: &str| told[what].as_f64().unwrap_or_else(|| panic!("{what} in {told}"));
    row(&format!("jsforce, {title}"), OF_THE_SCRIPT, number("seconds"), number("calls"), number("refused") as u64);
}

/// Where `tests/clients/run` installs what it needs: beside the folder of this program.
fn modules() -> PathBuf {
    let program = std::env::current_exe().expect("a path");
    program.ancestors().nth(3).expect("a target folder").join("clients/node_modules")
}

async fn simulator(failing: bool) -> Simulator {
    let simulator = switchyard_simulator::start(Options::default()).await.expect("the simulator starts");
    let rule = json!({
        "object": "alcmeon__Conversation__c", "field": "alcmeon__User_name__c", "contains": "bad egg",
        "message": "No bad eggs",
    });
    let settings = json!({
        "client_id": "app", "client_secret": "shh", "refresh_token": "acme-refresh",
        "queues": [{ "name": "Finance", "objects": ["alcmeon__Conversation__c"] }],
        "validation_rules": if failing { vec![rule] } else { Vec::new() },
    });
    let http = reqwest::Client::new();
    for (path, body) in [("orgs/acme", settings), ("latency", json!({ "ms": LATENCY_MS }))] {
        let answer = http.put(format!("{}/control/{path}", simulator.salesforce)).json(&body).send().await;
        let answer = answer.expect("an answer");
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap_or_default());
    }
    simulator
}

fn row(title: &str, conversations: u64, seconds: f64, calls: f64, refused: u64) {
    let each = conversations as f64;
    println!("{title:<52}{seconds:>10.1}{:>10.0}{:>14.1}{refused:>10}", each / seconds, calls * 1_000.0 / each);
}

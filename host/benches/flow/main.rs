//! Measures the real binary from outside: durable acknowledgements, memory while conversations wait, Salesforce behind a slow
//! network, and conversations end to end.

mod host;
mod notification;
mod notify;
mod salesforce;

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use serde_json::{Value, json};
use switchyard::clock::Stopwatch;

use host::{BINARY, Host};

/// How long each row of the acknowledgements is measured.
const EACH: Duration = Duration::from_secs(5);
/// Conversations that wait while memory is looked at.
const WAITING: u64 = 100_000;

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    // Those that are named behind `--`; all where none is.
    let named: Vec<_> = std::env::args().skip(1).filter(|name| !name.starts_with('-')).collect();
    let wanted = |name: &str| named.is_empty() || named.iter().any(|named| named == name);
    let at = |name: &str| folder.path().join(name);
    runtime.block_on(async {
        if wanted("acknowledgements") {
            acknowledgements(&at("acknowledgements")).await;
        }
        if wanted("waiting") {
            waiting(&at("waiting")).await;
        }
        if wanted("slow-network") {
            salesforce::slow_network(&at("slow-network")).await;
        }
    });
    if wanted("end-to-end") {
        end_to_end(folder.path());
    }
}

/// Notifications of as many conversations, over so many connections, each waiting for its answer before the next. What is
/// measured is the intake, with a sync loop beside it whose Salesforce does not answer.
async fn acknowledgements(folder: &Path) {
    let host = Host::serve(folder, "http://127.0.0.1:9");
    let numbers = Arc::new(AtomicU64::new(1));
    println!(
        "\n{:<44}{:>10}{:>10}{:>10}{:>10}",
        "durable acknowledgements of notifications", "a second", "p50 ms", "p99 ms", "max ms"
    );
    for connections in [1, 8, 32, 128] {
        let watch = Stopwatch::start();
        let still = move |_| watch.elapsed() < EACH;
        let mut took = notify::all(&host.address, connections, &numbers, still).await;
        let rate = took.len() as f64 / watch.elapsed().as_secs_f64();
        took.sort_unstable();
        let at = |share: usize| took[(took.len() - 1) * share / 100].as_secs_f64() * 1_000.0;
        let title = format!("{connections} connections");
        println!("{title:<44}{rate:>10.0}{:>10.1}{:>10.1}{:>10.1}", at(50), at(99), at(100));
    }
}

/// What the process holds while so many conversations wait for a Salesforce that does not answer.
async fn waiting(folder: &Path) {
    let host = Host::serve(folder, "http://127.0.0.1:9");
    let before = host.resident_mb();
    let numbers = Arc::new(AtomicU64::new(1));
    notify::all(&host.address, 64, &numbers, |number| number <= WAITING).await;
    // In an outage some were tried, and wait for their next attempt.
    let waits =
        |org: &Value| ["waiting", "sending", "scheduled"].iter().filter_map(|what| org[what].as_u64()).sum::<u64>();
    host.until(|org| org["unmerged"] == 0 && waits(org) >= WAITING).await;
    println!(
        "\nresident memory: {before:.0} MB at the start, {:.0} MB while {WAITING} conversations wait",
        host.resident_mb()
    );
}

/// The demo with conversations of a file: Alcmeon, host and Salesforce on this machine's cores, from start to end.
fn end_to_end(folder: &Path) {
    const CONVERSATIONS: usize = 3_000;
    println!(
        "\n{:<44}{:>10}{:>10}{:>10}{:>12}",
        "conversations end to end", "seconds", "conv./s", "msg./s", "calls/1,000"
    );
    for messages in [1, 8] {
        // The file's name is the team, and the demo's policies know where `finance` belongs.
        let file = folder.join("finance.tsv");
        let mut text = "conversationId\tturnNumber\tutteranceId\tutterance\tslot-labels\tintent\n".to_owned();
        for conversation in 0..CONVERSATIONS {
            for turn in 0..messages {
                writeln!(text, "c{conversation}\t{turn}\tu\twhere is order {turn} of {conversation}\tO\tasking")
                    .expect("text");
            }
        }
        std::fs::write(&file, text).expect("a file");
        let output = Command::new(BINARY).args(["demo", "--once", "--json", "--data"]).arg(&file).output();
        let output = output.expect("it runs");
        let summary: Value = serde_json::from_slice(&output.stdout).expect("a summary");
        assert_eq!(summary["salesforce"]["conversations"], json!(CONVERSATIONS), "{summary}");
        let seconds = summary["seconds"].as_f64().expect("seconds");
        let calls = summary["salesforce"]["calls"].as_f64().expect("calls");
        let each = CONVERSATIONS as f64;
        println!(
            "{:<44}{seconds:>10.1}{:>10.0}{:>10.0}{:>12.0}",
            format!("{CONVERSATIONS} conversations, {messages} messages each"),
            each / seconds,
            each * messages as f64 / seconds,
            calls * 1_000.0 / each
        );
    }
}

//! Measures the real binary from outside: durable acknowledgements of notifications, and conversations end to end.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use switchyard::clock::Stopwatch;

const BINARY: &str = env!("CARGO_BIN_EXE_switchyard");
const SECRET: &str = "1309768d3f6f8462";
const PATH: &str = "/alcmeon/main/notify";
/// How long each row of the acknowledgements is measured.
const EACH: Duration = Duration::from_secs(5);

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(acknowledgements(folder.path()));
    end_to_end(folder.path());
}

/// Notifications of as many conversations, over so many connections, each waiting for its answer before the next.
async fn acknowledgements(folder: &Path) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (host, address) = serve(folder);
    let url = format!("http://{address}{PATH}");
    let numbers = Arc::new(AtomicU64::new(1));
    println!(
        "\n{:<44}{:>10}{:>10}{:>10}{:>10}",
        "durable acknowledgements of notifications", "a second", "p50 ms", "p99 ms", "max ms"
    );
    for connections in [1, 8, 32, 128] {
        let watch = Stopwatch::start();
        let run = |_| tokio::spawn(notify(url.clone(), Arc::clone(&numbers)));
        let running: Vec<_> = (0..connections).map(run).collect();
        let mut took = Vec::new();
        for running in running {
            took.extend(running.await.expect("a task that ends"));
        }
        let rate = took.len() as f64 / watch.elapsed().as_secs_f64();
        took.sort_unstable();
        let at = |share: usize| took[(took.len() - 1) * share / 100].as_secs_f64() * 1_000.0;
        let title = format!("{connections} connections");
        println!("{title:<44}{rate:>10.0}{:>10.1}{:>10.1}{:>10.1}", at(50), at(99), at(100));
    }
    end(host);
}

async fn notify(url: String, numbers: Arc<AtomicU64>) -> Vec<Duration> {
    let http = reqwest::Client::new();
    let (all, mut took) = (Stopwatch::start(), Vec::new());
    while all.elapsed() < EACH {
        let body = notification(numbers.fetch_add(1, Ordering::Relaxed));
        let request = http.post(&url).header("x-alcmeon-webhook-signature", signature(&body)).body(body);
        let watch = Stopwatch::start();
        let answer = request.send().await.expect("an answer");
        took.push(watch.elapsed());
        assert!(answer.status().is_success(), "{}", answer.status());
    }
    took
}

fn notification(number: u64) -> String {
    let task = json!({
        "id": number, "url": format!("https://alcmeon.example/{number}"), "conversation_id": number,
        "conversation": { "id": number, "custom_fields": [{ "field_id": 1, "field_value": "care" }] }, "tags": [],
        "message": {
            "id": number, "content": "Hello, where is my order 1234?", "date": "2026-09-21", "time": "10:00:00",
            "author": { "id": 88, "name": "Jane Doe" },
        },
    });
    let action = json!({
        "id": number, "type": "task-create", "date": "2026-09-21", "time": "10:00:00",
        "account": { "id": 12, "name": "Acme page", "type": "whatsapp" }, "task": task,
    });
    json!({ "id": number, "action": action }).to_string()
}

fn signature(body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("any key fits");
    mac.update(format!("{PATH} {body}").as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

/// A host whose Salesforce does not answer: what is measured is the intake, with the sync loop working beside it.
fn serve(folder: &Path) -> (Child, String) {
    let config = format!(
        "[http]\nlisten = '127.0.0.1:0'\n[[http.tokens]]\nname = 'ops'\nsecret = 'a-long-enough-secret'\nscopes = ['read']\n\
         [alcmeon.main]\nbase_url = 'http://127.0.0.1:9'\ninstance_id = 'main'\nsecret = '{SECRET}'\nteam_field = 1\npoll = false\n\
         [[orgs]]\nid = 'acme'\naccounts = ['main/12']\n\
         [orgs.salesforce]\nlogin_url = 'http://127.0.0.1:9'\nclient_id = 'app'\nrefresh_token = 'token'\n\
         [secrets]\nkeys = ['000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f']\n"
    );
    let path = folder.join("switchyard.toml");
    std::fs::write(&path, config).expect("a file");
    let log = Stdio::piped();
    let mut host = Command::new(BINARY).args(["serve", "--config"]).arg(path).stderr(log).spawn().expect("it starts");
    let mut lines = BufReader::new(host.stderr.take().expect("a log")).lines().map_while(Result::ok);
    let address = lines
        .find_map(|line| line.split_once("the host is running address=").map(|(_, address)| address.to_owned()))
        .expect("an address");
    // What it says later has to go somewhere.
    std::thread::spawn(move || lines.for_each(drop));
    (host, address)
}

fn end(mut host: Child) {
    host.kill().expect("an end");
    host.wait().expect("an end");
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

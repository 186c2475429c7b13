//! How long it takes until a change is heard of: alone, and beside many who listen and read slowly.

use std::time::Duration;

use reqwest::{Method, Response};
use serde_json::{Value, json};
use switchyard::clock::Stopwatch;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::host::{Host, LISTENING, TOKEN, listening_token};
use crate::questions::{ask, milliseconds};
use crate::{Options, tell};

/// Those who read slowly:
const SLOW: usize = 1_000;
/// so many bytes at a time, and then nothing for so long.
const BYTES: usize = 512;
const PAUSE: Duration = Duration::from_secs(1);

pub(crate) async fn measure(host: &Host, options: &Options) {
    println!(
        "milliseconds p50 / p99 / max: a change until it is answered, until it is heard of, and how much later that is"
    );
    changes(host, options, "alone").await;
    let before = host.cost().processor_seconds;
    let slow = slow(host).await;
    changes(host, options, &format!("beside {SLOW} who read slowly")).await;
    let (page, _) = ask(&reqwest::Client::new(), host, "/v1/groups?org=org01&limit=500").await;
    let groups: Vec<_> = page["groups"].as_array().expect("a list").iter().map(|group| group["id"].clone()).collect();
    let query = json!({ "org": "org01", "state": "pending", "group": groups });
    post(host, "/v1/operations", &json!({ "task": "ignore", "reason": "a figure", "query": query })).await;
    changes(host, options, "beside them and an operation that ignores many").await;
    drop(slow);
    let seconds = host.cost().processor_seconds - before;
    tell("  processor time with those who read slowly, s", format!("{seconds:.1}"));
}

async fn post(host: &Host, path: &str, body: &Value) -> Duration {
    let (http, watch) = (reqwest::Client::new(), Stopwatch::start());
    let request = http.request(Method::POST, format!("{}{path}", host.base)).bearer_auth(TOKEN).json(body);
    let answer = request.send().await.expect("an answer");
    let (took, status) = (watch.elapsed(), answer.status());
    assert!(status.is_success(), "{path}: {status} {}", answer.text().await.expect("a body"));
    took
}

/// Reads until a sync error is told of.
async fn heard(stream: &mut Response, id: &str) {
    let mut text = String::new();
    while !text.contains(&format!("\"sync_error\":\"{id}\"")) {
        let piece = stream.chunk().await.expect("a stream").expect("more of it");
        text += &String::from_utf8_lossy(&piece);
    }
}

/// One sync error is ignored and reopened, again and again.
async fn changes(host: &Host, options: &Options, when: &str) {
    let http = reqwest::Client::new();
    let (page, _) = ask(&http, host, "/v1/sync-errors?org=acme&state=pending&limit=1").await;
    let id = page["sync_errors"][0]["id"].as_str().expect("an id").to_owned();
    let url = format!("{}/v1/events?org=acme", host.base);
    let mut stream = http.get(url).bearer_auth(TOKEN).send().await.expect("an answer");
    assert!(stream.status().is_success(), "{}", stream.status());
    let (mut answered, mut told, mut later) = (Vec::new(), Vec::new(), Vec::new());
    // Once each way first: the next one finds everything warm.
    for number in 0..options.requests + 2 {
        let verb = if number % 2 == 0 { "ignore" } else { "reopen" };
        let (path, body) = (format!("/v1/sync-errors/{id}/{verb}"), json!({ "reason": "a figure" }));
        let body = if verb == "ignore" { body } else { json!({}) };
        let watch = Stopwatch::start();
        let hears = async {
            heard(&mut stream, &id).await;
            watch.elapsed()
        };
        let (answer, hears) = tokio::join!(post(host, &path, &body), hears);
        if number >= 2 {
            answered.push(answer);
            told.push(hears);
            later.push(hears.saturating_sub(answer));
        }
    }
    for (what, took) in [("answered", answered), ("heard of", told), ("heard of after the answer", later)] {
        tell(&format!("  {what}, {when}"), milliseconds(took));
    }
}

/// Listens so many times; those who listen go when what is answered is dropped.
async fn slow(host: &Host) -> JoinSet<()> {
    let address = host.base.strip_prefix("http://").expect("an address").to_owned();
    let mut all = JoinSet::new();
    for number in 0..SLOW {
        let mut connection = TcpStream::connect(&address).await.expect("a connection");
        let token = listening_token(number % LISTENING);
        let head = format!("GET /v1/events HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\r\n");
        connection.write_all(head.as_bytes()).await.expect("sent");
        let mut piece = [0; BYTES];
        connection.read_exact(&mut piece[..12]).await.expect("an answer");
        assert_eq!(&piece[..12], b"HTTP/1.1 200", "listener {number}");
        all.spawn(async move {
            while connection.read(&mut piece).await.is_ok_and(|bytes| bytes > 0) {
                tokio::time::sleep(PAUSE).await;
            }
        });
    }
    all
}

//! Clients that hang up in the middle of a long answer: nothing more is read for them, and others are served meanwhile.

use std::sync::Arc;
use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};
use switchyard::store::{Fault, Point};
use switchyard_tests::{ADMIN, TestHost};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use crate::at_once::{unmapped, with_errors};

/// How long anything may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(30);

/// Returns when it is so; the host answers others meanwhile.
async fn until(host: &TestHost, what: &str, so: impl Fn() -> bool) {
    let looking = async {
        while !so() {
            assert_eq!(host.get("/healthz").await.0, StatusCode::OK);
        }
    };
    assert!(tokio::time::timeout(PATIENCE, looking).await.is_ok(), "it never came to: {what}");
}

/// Sends a request on a connection of its own.
async fn asked(host: &TestHost, head: &str, body: &str) -> TcpStream {
    let mut connection = TcpStream::connect(host.app.address).await.unwrap();
    let request = format!(
        "{head} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {ADMIN}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        host.app.address,
        body.len()
    );
    connection.write_all(request.as_bytes()).await.unwrap();
    connection
}

/// Reads of keys with a prefix from now on: `free` of them are made, the next one waits until the gate is opened.
struct Reads<'a> {
    host: &'a TestHost,
    prefix: &'static str,
    gate: Arc<Semaphore>,
    /// What was struck before.
    before: usize,
}

impl<'a> Reads<'a> {
    fn of(host: &'a TestHost, prefix: &'static str, free: usize) -> Self {
        let (gate, before) = (Arc::new(Semaphore::new(free)), host.store.struck());
        let fault = Fault::at(Point::Read).of(prefix).times(free + 1).waiting_for(Arc::clone(&gate));
        host.store.plan([fault]);
        Self { host, prefix, gate, before }
    }

    /// Returns when one waits.
    async fn waits(&self, free: usize) {
        until(self.host, "a read waits", || self.host.store.struck() == self.before + free + 1).await;
    }

    /// Returns when whoever waited is gone, while the gate is still closed, and opens it.
    async fn given_up(&self) {
        // The plan holds it no more, so only a read that waits does beside the test.
        until(self.host, "the read is given up", || Arc::strong_count(&self.gate) == 1).await;
        self.gate.add_permits(1_000);
    }

    /// How many reads something makes that nobody hangs up on.
    async fn made(&self, something: impl Future<Output = ()>) -> usize {
        let open = Arc::new(Semaphore::new(100_000));
        self.host.store.plan([Fault::at(Point::Read).of(self.prefix).waiting_for(open)]);
        let before = self.host.store.struck();
        something.await;
        self.host.store.struck() - before
    }
}

async fn whole_export(host: &TestHost, count: u64) {
    let url = format!("http://{}/v1/sync-errors/export?org=acme", host.app.address);
    let text = host.http.get(url).bearer_auth(ADMIN).send().await.unwrap().text().await.unwrap();
    assert_eq!(text.lines().count() as u64, count);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_reads_nothing_more_once_its_client_has_hung_up_and_others_get_theirs_meanwhile() {
    // Three pages.
    const COUNT: u64 = 450;
    let host = with_errors(COUNT, unmapped).await;
    let reads = Reads::of(&host, "error/", 1);
    let mut client = asked(&host, "GET /v1/sync-errors/export?org=acme", "").await;
    let mut begin = [0; 4096];
    client.read_exact(&mut begin).await.unwrap();
    assert!(begin.starts_with(b"HTTP/1.1 200"));
    reads.waits(1).await;
    let alone = reads.made(whole_export(&host, COUNT)).await;
    assert!(alone >= 3, "{alone} reads");
    drop(client);
    reads.given_up().await;
    assert_eq!(reads.made(whole_export(&host, COUNT)).await, alone, "somebody else reads as well");
    host.stop().await;
}

/// The texts of the policy in force, with a queue for the team that has none.
fn mapped(host: &TestHost) -> Value {
    let toml = std::fs::read_to_string(host.policy_file("acme.toml")).unwrap() + "nobody = \"Care\"\n";
    let script = std::fs::read_to_string(host.policy_file("acme.rhai")).unwrap();
    json!({ "toml": toml, "scripts": { "acme.rhai": script } })
}

#[tokio::test(flavor = "multi_thread")]
async fn previews_ask_nothing_more_once_their_clients_have_hung_up_and_the_next_one_comes_to_its_end() {
    // So many that the candidate is made for many; the good ones are looked at first, and then each sync error.
    const COUNT: u64 = 230;
    const FREE: usize = COUNT as usize + 20;
    let host = with_errors(COUNT, unmapped).await;
    let texts = mapped(&host);
    let whole = async || {
        let (mut passes, mut next) = (0, String::new());
        loop {
            let (status, page) = host.post(&format!("/v1/policies/acme/preview{next}"), texts.clone()).await;
            assert_eq!(status, StatusCode::OK, "{page}");
            passes += page["groups"][0]["would_pass"].as_u64().unwrap();
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            next = format!("?cursor={cursor}");
        }
        assert_eq!(passes, COUNT);
    };
    let reads = Reads::of(&host, "conversation/acme/", FREE);
    let client = asked(&host, "POST /v1/policies/acme/preview", &texts.to_string()).await;
    reads.waits(FREE).await;
    let alone = reads.made(whole()).await;
    assert!(alone > FREE, "{alone} reads, so the first one is in the middle of its sync errors");
    drop(client);
    reads.given_up().await;
    assert_eq!(reads.made(whole()).await, alone, "somebody else reads as well");
    host.stop().await;
}

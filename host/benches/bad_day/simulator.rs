//! The simulator as a process of its own: this program, started again, with one organization whose calls can be made to hang.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use reqwest::Method;
use serde_json::{Value, json};

/// The argument with which this program is the simulator.
pub(crate) const ARGUMENT: &str = "simulator";
/// Longer than any run: a call that hangs is given up by its caller.
const FOR_EVER_MS: u64 = 86_400_000;

/// Prints Salesforce's address, and serves until the standard input ends, as it does when whoever started it is gone.
pub(crate) fn serve() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let servers =
        runtime.block_on(switchyard_simulator::start(switchyard_simulator::Options::default())).expect("it starts");
    println!("{}", servers.salesforce);
    let mut rest = Vec::new();
    std::io::stdin().read_to_end(&mut rest).expect("the end of the input");
    runtime.block_on(servers.stop());
}

pub(crate) struct Simulator {
    process: Child,
    salesforce: String,
    http: reqwest::Client,
}

impl Simulator {
    /// With these organizations, which are well.
    pub(crate) async fn start(orgs: &[String]) -> Self {
        let mut process = Command::new(std::env::current_exe().expect("a path"))
            .arg(ARGUMENT)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut line = String::new();
        let out = process.stdout.as_mut().expect("an output");
        BufReader::new(out).read_line(&mut line).expect("an address");
        let simulator = Self { process, salesforce: line.trim().to_owned(), http: reqwest::Client::new() };
        for org in orgs {
            let settings = json!({
                "client_id": "app", "client_secret": "shh", "refresh_token": format!("{org}-refresh"),
                "api_limit": 10_000_000,
                "queues": [{ "name": "Finance", "objects": ["alcmeon__Conversation__c"] }],
            });
            simulator.control(Method::PUT, &format!("orgs/{org}"), &settings).await;
        }
        simulator
    }

    pub(crate) fn address(&self) -> &str {
        &self.salesforce
    }

    /// From now on no call is answered, one for a token neither.
    pub(crate) async fn hang(&self) {
        self.control(Method::POST, "orgs/acme/faults", &json!({ "latency_ms": FOR_EVER_MS })).await;
    }

    /// New calls are answered again, and counted from here on.
    pub(crate) async fn be_well(&self) {
        self.control(Method::DELETE, "calls", &Value::Null).await;
        self.control(Method::DELETE, "orgs/acme/faults", &Value::Null).await;
    }

    /// Conversations that are in Salesforce.
    pub(crate) async fn delivered(&self) -> u64 {
        let org = self.control(Method::GET, "orgs/acme", &Value::Null).await;
        org["records"]["alcmeon__Conversation__c"].as_u64().expect("a count")
    }

    /// Calls that were answered since it was well.
    pub(crate) async fn calls(&self) -> u64 {
        self.control(Method::GET, "orgs/acme", &Value::Null).await["totals"]["calls"].as_u64().expect("a count")
    }

    pub(crate) async fn control(&self, method: Method, path: &str, body: &Value) -> Value {
        let mut request = self.http.request(method, format!("{}/control/{path}", self.salesforce));
        if !body.is_null() {
            request = request.json(body);
        }
        let answer = request.send().await.expect("an answer");
        assert!(answer.status().is_success(), "{path}: {}", answer.text().await.unwrap_or_default());
        answer.json().await.expect("JSON")
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

//! A real host between the simulator's servers, for one test.

mod collector;
mod keys;
mod registry;
mod setup;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use sha2::Sha256;
use switchyard::app::App;
use switchyard::clock::ManualClock;
use switchyard::config::Config;
use switchyard::domain::OrgId;
use switchyard::engine::OrgHealth;
use switchyard::store::{Fault, FaultyStore, Point};
use switchyard_simulator::Simulator;

pub use self::collector::{Collector, Manner, Span, said};
pub use self::keys::Keys;
pub use self::registry::{Registry, digest};
pub use self::setup::Setup;

/// The secret of the environment `main`.
pub const SECRET: &str = "1309768d3f6f8462";
/// The token of an operator; no other scope than read and errors.
pub const OPERATOR: &str = "operator-token-0123456789";
/// A token for everything.
pub const ADMIN: &str = "admin-token-0123456789abc";
/// A token for looking, and nothing else.
pub const READER: &str = "reader-token-0123456789ab";
/// What the host seals tokens with.
pub const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
/// How long anything may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(30);

/// A host with two organizations, `acme` (account 12) and `other` (account 13), and everything around it.
pub struct TestHost {
    /// The host.
    pub app: App,
    /// The world around it.
    pub simulator: Simulator,
    /// Its store, which can be made to fail: in memory, or on sled where `SWITCHYARD_TEST_STORE=sled` is set.
    pub store: Arc<FaultyStore>,
    /// Its clock; retries and polls wait for it.
    pub clock: ManualClock,
    /// Speaks HTTP.
    pub http: Client,
    folder: tempfile::TempDir,
    config: Config,
}

impl TestHost {
    /// Everything in the store, as an export has it.
    pub async fn exported(&self) -> String {
        let mut lines = Vec::new();
        switchyard::store::export(self.store.as_ref(), &mut lines).await.expect("an export");
        String::from_utf8(lines).expect("text")
    }

    /// Makes every commit fail from now on, as with a full disk, or succeed again.
    pub fn fill_disk(&self, full: bool) {
        self.store.plan(full.then(|| Fault::at(Point::BeforeCommit)));
    }

    /// The file of a policy or script.
    #[must_use]
    pub fn policy_file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The file of a plugin that was handed in.
    #[must_use]
    pub fn plugin_file(&self, name: &str) -> PathBuf {
        self.folder.path().join("plugins").join(name)
    }

    /// The folder of what the host keeps beside the store.
    #[must_use]
    pub fn data(&self) -> &std::path::Path {
        &self.config.store.path
    }

    /// Returns what the API answers at this path once it is as wanted.
    pub async fn seen(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        let looking = async {
            loop {
                last = self.get(path).await.1;
                if wanted(&last) {
                    return;
                }
            }
        };
        let found = tokio::time::timeout(PATIENCE, looking).await;
        assert!(found.is_ok(), "{path} never came to that: {last}");
        last
    }

    /// The same, with a minute passing before each look.
    pub async fn seen_while_time_passes(&self, path: &str, wanted: impl Fn(&Value) -> bool) {
        for _ in 0..100 {
            if wanted(&self.get(path).await.1) {
                return;
            }
            self.clock.advance(Duration::from_secs(61));
            let _ = tokio::time::timeout(Duration::from_millis(600), std::future::pending::<()>()).await;
        }
        panic!("{path} never came to that");
    }

    /// Asks the API as the administrator.
    pub async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.call(Method::GET, path, ADMIN, None).await
    }

    /// Sends to the API as the administrator.
    pub async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        self.call(Method::POST, path, ADMIN, Some(body)).await
    }

    /// Calls the API with a token.
    pub async fn call(&self, method: Method, path: &str, token: &str, body: Option<Value>) -> (StatusCode, Value) {
        let mut request = self.http.request(method, format!("http://{}{path}", self.app.address)).bearer_auth(token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        read(request).await
    }

    /// Notifies the host of an action as Alcmeon does.
    pub async fn notify(&self, action: Value) -> (StatusCode, Value) {
        let body = json!({ "id": action["id"], "action": action }).to_string();
        self.notify_raw(&body, &sign("/alcmeon/main/notify", &body)).await
    }

    /// Notifies the host with this body and signature.
    pub async fn notify_raw(&self, body: &str, signature: &str) -> (StatusCode, Value) {
        let url = format!("http://{}/alcmeon/main/notify", self.app.address);
        let request = self.http.post(url).header("x-alcmeon-webhook-signature", signature).body(body.to_owned());
        read(request).await
    }

    /// The log of the calls that reached the organization `acme` so far.
    pub async fn calls(&self) -> Vec<Value> {
        let (_, calls) = read(self.http.get(format!("{}/control/calls?org=acme", self.simulator.salesforce))).await;
        calls.as_array().cloned().unwrap_or_else(|| panic!("a list: {calls}"))
    }

    /// Sets something of a Salesforce organization.
    pub async fn salesforce(&self, method: Method, path: &str, body: Value) -> Value {
        control(&self.http, method, &format!("{}/control/orgs/{path}", self.simulator.salesforce), body).await
    }

    /// Sets something of Alcmeon.
    pub async fn alcmeon(&self, method: Method, path: &str, body: Value) -> Value {
        control(&self.http, method, &format!("{}/control/environments/main{path}", self.simulator.alcmeon), body).await
    }

    /// The rows that a query of `acme` finds, with a token of its own.
    pub async fn query(&self, soql: &str) -> Vec<Value> {
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", "acme-refresh"),
            ("client_id", "app"),
            ("client_secret", "shh"),
        ];
        let (_, token) =
            read(self.http.post(format!("{}/services/oauth2/token", self.simulator.salesforce)).form(&form)).await;
        let url = format!("{}/services/data/v62.0/query", self.simulator.salesforce);
        let token = token["access_token"].as_str().expect("a token").to_owned();
        let (status, page) = read(self.http.get(url).query(&[("q", soql)]).bearer_auth(token)).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        page["records"].as_array().cloned().unwrap_or_default()
    }

    /// Returns when `acme` has come to this.
    pub async fn until(&self, what: &str, wanted: impl FnMut(&OrgHealth) -> bool) -> OrgHealth {
        let org = OrgId::new("acme").expect("an id");
        let mut health = self.app.engine.watch(&org).expect("the organization");
        let found = tokio::time::timeout(PATIENCE, health.wait_for(wanted)).await;
        match found {
            Ok(found) => found.expect("the lane runs").clone(),
            Err(_) => panic!("it never came to: {what}; {:?}", self.app.engine.org(&org).map(|(_, health)| health)),
        }
    }

    /// Returns when there is nothing to do any more; answers the sync errors, those that failed first first.
    pub async fn idle(&self) -> Vec<Value> {
        self.until("idle", OrgHealth::idle).await;
        let (_, list) = self.get("/v1/sync-errors?org=acme&sort=first_seen").await;
        list["sync_errors"].as_array().cloned().expect("a list")
    }

    /// The mails once there are so many. Where they do not come at once, minutes pass: mails wait for more of the same.
    pub async fn mails(&self, at_least: usize) -> Vec<Value> {
        let mut mails = Vec::new();
        for _ in 0..12 {
            let url = format!("{}/api/mails?at_least={at_least}&wait_ms=3000", self.simulator.mailbox);
            let (_, found) = read(self.http.get(url)).await;
            mails = found.as_array().cloned().unwrap_or_else(|| panic!("a list: {found}"));
            if mails.len() >= at_least {
                break;
            }
            self.clock.advance(Duration::from_secs(61));
        }
        mails
    }

    /// Sets something of the mailbox.
    pub async fn mailbox(&self, path: &str, body: Value) -> Value {
        control(&self.http, Method::PUT, &format!("{}/control/{path}", self.simulator.mailbox), body).await
    }

    /// Returns once so many connections to the mail server were made.
    pub async fn mail_clients(&self, at_least: u64) {
        let url = format!("{}/control/clients?at_least={at_least}&wait_ms=20000", self.simulator.mailbox);
        let (_, clients) = read(self.http.get(url)).await;
        assert!(clients.as_u64() >= Some(at_least), "only {clients} of {at_least} connections");
    }

    /// Stops the host and the world, and asserts that nothing was left on its way.
    pub async fn stop(self) {
        let engine = Arc::clone(&self.app.engine);
        self.app.stop().await;
        for (org, health) in engine.orgs() {
            assert_eq!(health.sending, 0, "{} still has something on its way", org.id);
        }
        self.simulator.stop().await;
    }
}

/// A customer's message as Alcmeon tells of it: conversation, message and team.
#[must_use]
pub fn received(action: u64, conversation: u64, team: &str, email: &str) -> Value {
    json!({
        "id": action, "type": "task-create", "date": "2026-09-21", "time": "10:00:00", "status": "ok",
        "account": { "id": 12, "name": "Acme page", "type": "whatsapp" },
        "task": {
            "id": action, "url": format!("https://alcmeon.example/{action}"), "conversation_id": conversation,
            "conversation": { "id": conversation, "custom_fields": [{ "field_id": 1, "field_value": team }] },
            "state": "pending", "tags": [],
            "message": {
                "id": 5000 + action, "content": format!("message {action}"), "date": "2026-09-21",
                "time": format!("10:00:{:02}", action % 60),
                "author": { "id": 88, "name": "Jane Doe", "group": { "id": 99, "custom_fields": [{ "field_id": 2, "field_value": email }] } },
            },
        },
    })
}

/// Alcmeon's signature of a notification.
#[must_use]
pub fn sign(path: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("any key fits");
    mac.update(format!("{path} {body}").as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

async fn control(http: &Client, method: Method, url: &str, body: Value) -> Value {
    let (status, answer) = read(http.request(method, url).json(&body)).await;
    assert!(status.is_success(), "{url}: {status} {answer}");
    answer
}

async fn read(request: reqwest::RequestBuilder) -> (StatusCode, Value) {
    let answer = request.send().await.expect("an answer");
    let status = answer.status();
    let text = answer.text().await.expect("a body");
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

//! The world around the demo's host: three organizations, an Alcmeon environment and what goes wrong there.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use reqwest::{Client, Method};
use serde::Deserialize;
use serde_json::{Value, json};
use switchyard_simulator::Simulator;

use crate::app::App;
use crate::config::Config;

/// The policies of the demo, written out so that they can be edited while it runs.
const POLICIES: [(&str, &str); 5] = [
    ("demo-retail.toml", include_str!("../../../../policies/demo-retail.toml")),
    ("demo-retail.rhai", include_str!("../../../../policies/demo-retail.rhai")),
    ("demo-bank.toml", include_str!("../../../../policies/demo-bank.toml")),
    ("demo-travel.toml", include_str!("../../../../policies/demo-travel.toml")),
    ("demo-travel.rhai", include_str!("../../../../policies/demo-travel.rhai")),
];
/// The name of the environment, and its secret, which nobody but the simulator knows.
const ENVIRONMENT: &str = "demo";
const SECRET: &str = "64656d6f2d736563726574";
/// Notifications under way at the same moment.
const PUSHERS: usize = 32;

pub(super) struct World {
    pub(super) salesforce: String,
    alcmeon: String,
    pub(super) mailbox: String,
    smtp: SocketAddr,
    http: Client,
    /// Whether things go wrong that a person has to mend.
    troubled: bool,
}

/// What the simulated Alcmeon has told.
#[derive(Debug, Deserialize)]
pub(super) struct Source {
    pub(super) conversations: u64,
    pub(super) messages: u64,
    pub(super) actions: u64,
    pub(super) acknowledged: u64,
    pub(super) pending: u64,
}

pub(super) const ORGS: [&str; 3] = ["retail", "bank", "travel"];

impl World {
    pub(super) fn new(servers: &Simulator, troubled: bool) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self {
            salesforce: servers.salesforce.clone(),
            alcmeon: servers.alcmeon.clone(),
            mailbox: servers.mailbox.clone(),
            smtp: servers.smtp,
            http: Client::new(),
            troubled,
        }
    }

    /// The host's configuration, as an operator would write it.
    pub(super) fn config(&self, folder: &Path, listen: SocketAddr) -> anyhow::Result<Config> {
        let policies = folder.join("policies");
        std::fs::create_dir_all(&policies)?;
        for (file, text) in POLICIES {
            // What somebody edited in the demo's folder stays.
            if !policies.join(file).exists() {
                std::fs::write(policies.join(file), text)?;
            }
        }
        let key = folder.join("switchyard.key");
        if !key.exists() {
            let mut bytes = [0; 32];
            getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no random numbers: {error}"))?;
            crate::disk::replace(folder, "switchyard.key", hex::encode(bytes).as_bytes())?;
        }
        let key = std::fs::read_to_string(key)?;
        let quoted = |path: &Path| toml::Value::String(path.display().to_string()).to_string();
        let mut text = format!(
            "[http]\nlisten = \"{listen}\"\n[store]\npath = {}\n[secrets]\nkeys = [\"{key}\"]\n[policies]\nfolder = {}\nplugins = {}\n\
             [alerts]\ngather_seconds = 2\noutage_seconds = 10\n[mail]\nhost = \"{}\"\nport = {}\nsecurity = \"none\"\nfrom = \"Switchyard <switchyard@example.com>\"\n\
             [alcmeon.{ENVIRONMENT}]\nbase_url = \"{}\"\ninstance_id = \"{ENVIRONMENT}\"\nsecret = \"{SECRET}\"\n\
             team_field = 1\nemail_field = 2\nphone_field = 3\n",
            quoted(&folder.join("store")),
            quoted(&policies),
            quoted(&folder.join("plugins")),
            self.smtp.ip(),
            self.smtp.port(),
            self.alcmeon,
        );
        for (org, name, accounts) in
            [("retail", "Demo shop", [11, 12]), ("bank", "Demo bank", [21, 22]), ("travel", "Demo travel", [31, 32])]
        {
            text += &format!(
                "[[orgs]]\nid = \"{org}\"\nname = \"{name}\"\naccounts = [\"{ENVIRONMENT}/{}\", \"{ENVIRONMENT}/{}\"]\n\
                 policy = \"demo-{org}\"\nalert_recipients = [\"{org}-admin@example.com\"]\n\
                 [orgs.salesforce]\nlogin_url = \"{}\"\nclient_id = \"{org}-app\"\nclient_secret = \"{org}-secret\"\n\
                 refresh_token = \"{org}-refresh\"\n",
                accounts[0], accounts[1], self.salesforce,
            );
            if org == "retail" {
                text += "[orgs.salesforce.cases]\n";
            }
        }
        let mut config = Config::parse(&text, "the demo's configuration")?;
        config.http.shows_parts = true;
        config.check()?;
        Ok(config)
    }

    /// Makes the organizations and the environment, unless they are there from an earlier start.
    pub(super) async fn furnish(&self) -> anyhow::Result<()> {
        let queues = |names: &[&str]| -> Vec<Value> {
            names.iter().map(|name| json!({ "name": name, "objects": ["Case", "alcmeon__Conversation__c"] })).collect()
        };
        let shared = json!([
            { "LastName": "Keller", "FirstName": "Anna", "Email": "shared.inbox@example.com" },
            { "LastName": "Keller", "FirstName": "Paul", "Email": "shared.inbox@example.com" },
        ]);
        for org in ORGS {
            let mut settings = json!({
                "client_id": format!("{org}-app"), "client_secret": format!("{org}-secret"),
                "refresh_token": format!("{org}-refresh"), "client_credentials": true, "api_limit": 1_000_000,
            });
            match org {
                "retail" => {
                    // Somebody has renamed a queue that the policy names.
                    let returns = if self.troubled { "Returns_Desk" } else { "Returns" };
                    settings["external_ids"] = json!([{ "object": "Case", "field": "Switchyard_Id__c" }]);
                    settings["queues"] = json!(queues(&["Orders", returns, "Delivery", "Vip_Care"]));
                }
                "bank" => {
                    settings["case_trigger"] = json!(true);
                    settings["queues"] = json!(queues(&["Accounts", "Cards", "Loans", "Fraud", "Insurance"]));
                }
                _ => {
                    let names = ["Flights", "Hotels", "Travel_Desk", "Flights_FR", "Hotels_FR", "Travel_Desk_FR"];
                    settings["queues"] = json!(queues(&names));
                    settings["contacts"] = shared.clone();
                    if self.troubled {
                        settings["validation_rules"] = json!([{
                            "object": "alcmeon__Conversation__c", "field": "alcmeon__Social_media_type__c", "contains": "twitter",
                            "message": "We have left Twitter: its conversations are not kept.",
                        }]);
                    }
                }
            }
            self.salesforce(Method::PUT, &format!("orgs/{org}?if_absent=true"), settings).await?;
        }
        let environment = json!({ "secret": SECRET, "team_field": 1, "email_field": 2, "phone_field": 3 });
        self.alcmeon(Method::PUT, "?if_absent=true", environment).await?;
        Ok(())
    }

    /// Lets people authorize, lets things go wrong, plants the conversations and lets Alcmeon tell the host of them.
    pub(super) async fn feed(&self, app: &App, conversations: Vec<Value>) -> anyhow::Result<()> {
        if self.source().await?.conversations == 0 {
            if self.troubled {
                self.salesforce(Method::POST, "orgs/bank/revoke", json!({})).await?;
                let lock = json!([{ "errorCode": "UNABLE_TO_LOCK_ROW", "message": "unable to obtain exclusive access to this record or 1 records: 0035g00000XyZabAAF", "fields": [] }]);
                let fault = json!({ "method": "PATCH", "path": "alcmeon__Conversation__c", "status": 400, "json": lock, "times": 3 });
                self.salesforce(Method::POST, "orgs/travel/faults", fault).await?;
            }
            self.alcmeon(Method::POST, "/conversations?interleave=true", Value::Array(conversations)).await?;
        }
        for org in ORGS {
            let port = app.address.port();
            let back = ["127.0.0.1", "localhost"].map(|host| format!("http://{host}:{port}/oauth/callback"));
            self.salesforce(Method::PATCH, &format!("orgs/{org}"), json!({ "callback_urls": back })).await?;
        }
        let url = format!("http://{}/alcmeon/{ENVIRONMENT}/notify", app.address);
        self.alcmeon(Method::PUT, "/push", json!({ "url": url, "pushers": PUSHERS, "retries": true })).await?;
        Ok(())
    }

    /// What Alcmeon has told so far.
    pub(super) async fn source(&self) -> anyhow::Result<Source> {
        Ok(serde_json::from_value(self.alcmeon(Method::GET, "/status", Value::Null).await?)?)
    }

    /// The same, as soon as there is nothing more to tell, or after so long.
    pub(super) async fn wait_for_push(&self, most: Duration) -> anyhow::Result<Source> {
        let path = format!("/status?settled_ms={}", most.as_millis());
        Ok(serde_json::from_value(self.alcmeon(Method::GET, &path, Value::Null).await?)?)
    }

    /// The conversations that customers have written in, each with the address of its newest message.
    pub(super) async fn newest(&self) -> anyhow::Result<Vec<Newest>> {
        let (mut all, mut after) = (Vec::<Newest>::new(), 0);
        loop {
            let url = format!("{}/control/environments/{ENVIRONMENT}/newest?after={after}", self.alcmeon);
            let text = self.http.get(url).send().await?.error_for_status()?.text().await?;
            let page = text.lines().map(serde_json::from_str).collect::<Result<Vec<Newest>, _>>()?;
            let Some(last) = page.last() else { return Ok(all) };
            after = last.conversation_id;
            all.extend(page);
        }
    }

    /// The environment's name, which every conversation's id begins with.
    pub(super) const fn environment() -> &'static str {
        ENVIRONMENT
    }

    async fn alcmeon(&self, method: Method, path: &str, body: Value) -> anyhow::Result<Value> {
        self.call(method, format!("{}/control/environments/{ENVIRONMENT}{path}", self.alcmeon), body).await
    }

    pub(super) async fn salesforce(&self, method: Method, path: &str, body: Value) -> anyhow::Result<Value> {
        self.call(method, format!("{}/control/{path}", self.salesforce), body).await
    }

    async fn call(&self, method: Method, url: String, body: Value) -> anyhow::Result<Value> {
        let mut request = self.http.request(method, &url);
        if !body.is_null() {
            request = request.json(&body);
        }
        let answer = request.send().await.with_context(|| url.clone())?;
        let (status, text) = (answer.status(), answer.text().await?);
        if !status.is_success() {
            bail!("the simulator answered {url} with {status}: {text}");
        }
        Ok(if text.is_empty() { Value::Null } else { serde_json::from_str(&text)? })
    }

    /// A query over REST, all pages, with a token of its own.
    pub(super) async fn query<T: for<'a> Deserialize<'a>>(
        &self,
        org: &str,
        soql: &str,
    ) -> anyhow::Result<(u64, Vec<T>)> {
        #[derive(Deserialize)]
        struct Token {
            access_token: String,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Page<T> {
            total_size: u64,
            records: Vec<T>,
            next_records_url: Option<String>,
        }
        let (id, secret) = (format!("{org}-app"), format!("{org}-secret"));
        let form = [("grant_type", "client_credentials"), ("client_id", &id), ("client_secret", &secret)];
        let url = format!("{}/services/oauth2/token", self.salesforce);
        let token: Token = self.http.post(url).form(&form).send().await?.error_for_status()?.json().await?;
        let mut request = self.http.get(format!("{}/services/data/v62.0/query", self.salesforce)).query(&[("q", soql)]);
        let mut all = Vec::new();
        loop {
            let page: Page<T> =
                request.bearer_auth(&token.access_token).send().await?.error_for_status()?.json().await?;
            all.extend(page.records);
            let Some(next) = page.next_records_url else { return Ok((page.total_size, all)) };
            request = self.http.get(format!("{}{next}", self.salesforce));
        }
    }
}

/// A conversation of the source at its newest message.
#[derive(Debug, Deserialize)]
pub(super) struct Newest {
    pub(super) conversation_id: u64,
    pub(super) url: String,
}

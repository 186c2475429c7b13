//! How a host is set up, and started again.

use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::{Client, Method};
use serde_json::json;
use switchyard::app::{App, Outside};
use switchyard::clock::{Clock, ManualClock};
use switchyard::config::Config;
use switchyard::domain::Timestamp;
use switchyard::store::{FaultyStore, MemoryStore, SledStore, Store};
use switchyard_simulator::{Options, Simulator};

use super::{ADMIN, KEY, OPERATOR, READER, SECRET, TestHost, control};

const POLICY: &str =
    "plugin = \"script\"\nscript = \"acme.rhai\"\n[settings.queues]\nbilling = \"Billing\"\ncare = \"Care\"\n";
const SCRIPT: &str = include_str!("../../policies/default.rhai");

/// What differs from the host that most tests want.
#[derive(Default)]
pub struct Setup<'a> {
    /// More lines for the organization `acme`.
    pub org: &'a str,
    /// More lines for the organization `acme`'s `[orgs.salesforce]`.
    pub salesforce: &'a str,
    /// More lines for `[alcmeon.main]`.
    pub alcmeon: &'a str,
    /// Who hears of the organization `acme`; `acme-admin@example.com` where nobody is given.
    pub recipients: &'a [&'a str],
    /// More lines for `[mail]`.
    pub mail: &'a str,
    /// Lines for the end of the file.
    pub more: &'a str,
    /// Files of the folder of policies, before the start; `acme.toml` and `acme.rhai` are there.
    pub files: &'a [(&'a str, &'a [u8])],
    /// The policy of `other`; that of `acme` where not given.
    pub other_policy: Option<&'a str>,
}

impl TestHost {
    /// Starts everything on ports of its own.
    pub async fn start() -> Self {
        Self::with("").await
    }

    /// The same, with more lines for the organization `acme`'s `[orgs.salesforce]`. Where they name a flow, they have to
    /// give all that it needs but the consumer key.
    pub async fn with(salesforce: &str) -> Self {
        Self::set_up(Setup { salesforce, ..Setup::default() }).await
    }

    /// The same, where `acme` has another mode.
    pub async fn with_mode(mode: &str) -> Self {
        Self::set_up(Setup { org: &format!("mode = {mode}\n"), ..Setup::default() }).await
    }

    /// The same, set up in another way.
    pub async fn set_up(setup: Setup<'_>) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().expect("a folder");
        let simulator = switchyard_simulator::start(Options::default()).await.expect("the simulator starts");
        let http = Client::new();
        for org in ["acme", "other"] {
            let objects = json!(["Case", "alcmeon__Conversation__c"]);
            let queues = json!([{ "name": "Billing", "objects": objects }, { "name": "Care", "objects": objects }]);
            let contacts = json!([
                { "LastName": "Doe", "FirstName": "Jane", "Email": "jane@example.com" },
                { "LastName": "Twin", "FirstName": "A", "Email": "twin@example.com" },
                { "LastName": "Twin", "FirstName": "B", "Email": "twin@example.com" },
            ]);
            let settings = json!({
                "client_id": "app", "client_secret": "shh", "refresh_token": format!("{org}-refresh"), "queues": queues,
                "contacts": contacts, "external_ids": [{ "object": "Case", "field": "Switchyard_Id__c" }],
            });
            control(&http, Method::PUT, &format!("{}/control/orgs/{org}", simulator.salesforce), settings).await;
        }
        let environment = json!({ "secret": SECRET, "rate_per_minute": 1000 });
        control(&http, Method::PUT, &format!("{}/control/environments/main", simulator.alcmeon), environment).await;
        std::fs::write(folder.path().join("acme.toml"), POLICY).expect("a policy");
        std::fs::write(folder.path().join("acme.rhai"), SCRIPT).expect("a script");
        std::fs::create_dir(folder.path().join("plugins")).expect("a folder");
        for (name, content) in setup.files {
            std::fs::write(folder.path().join(name), content).expect("a file");
        }
        let config = config(&simulator, folder.path(), &setup);
        let store = Arc::new(FaultyStore::new(store_below(&config.store.path)));
        let clock = ManualClock::new(Timestamp::from_millis(1_790_000_000_000));
        let app = begin(&config, &store, &clock).await;
        Self { app, simulator, store, clock, http, config, folder }
    }

    /// Stops the host and starts it again, with what it kept.
    pub async fn restart(self) -> Self {
        self.app.stop().await;
        let app = begin(&self.config, &self.store, &self.clock).await;
        Self { app, ..self }
    }

    /// The same, where something happens between.
    pub async fn restart_after(self, between: impl AsyncFnOnce()) -> Self {
        self.app.stop().await;
        between().await;
        let app = begin(&self.config, &self.store, &self.clock).await;
        Self { app, ..self }
    }

    /// The same, at this address.
    pub async fn restart_at(mut self, address: SocketAddr, between: impl AsyncFnOnce()) -> Self {
        self.config.http.listen = address;
        self.restart_after(between).await
    }

    /// The same with another configuration.
    pub async fn restart_with(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(&mut self.config);
        self.restart().await
    }
}

/// The store that the tests run on: one switch for all of them.
fn store_below(folder: &std::path::Path) -> Arc<dyn Store> {
    match std::env::var("SWITCHYARD_TEST_STORE").as_deref() {
        Err(_) | Ok("memory") => Arc::new(MemoryStore::default()),
        Ok("sled") => Arc::new(SledStore::open(folder).expect("a store on sled")),
        Ok(other) => panic!("SWITCHYARD_TEST_STORE is memory or sled, not {other}"),
    }
}

async fn begin(config: &Config, store: &Arc<FaultyStore>, clock: &ManualClock) -> App {
    let outside = Outside { clock: Clock::Manual(clock.clone()), store: Some(store.clone()) };
    App::start(config.clone(), outside).await.expect("the host starts")
}

fn config(simulator: &Simulator, folder: &std::path::Path, setup: &Setup<'_>) -> Config {
    let org = |id: &str, account: u32, policy: &str, lines: &str, more: &str| {
        let admin = format!("{id}-admin@example.com");
        let given = if id == "acme" { setup.recipients } else { &[] };
        let recipients = if given.is_empty() { vec![admin.as_str()] } else { given.to_vec() };
        let usual = format!("client_secret = 'shh'\nrefresh_token = '{id}-refresh'\n");
        let usual = if more.contains("flow = ") { String::new() } else { usual };
        format!(
            "[[orgs]]\nid = '{id}'\naccounts = ['main/{account}', 'shop-{id}/*']\npolicy = '{policy}'\n{lines}\
             alert_recipients = {recipients:?}\n[orgs.salesforce]\nlogin_url = '{}'\nclient_id = 'app'\n\
             {usual}{more}\n",
            simulator.salesforce
        )
    };
    let text = format!(
        "[http]\nlisten = '127.0.0.1:0'\nlimits = {{ requests_per_second = 1000000 }}\n\
         [[http.tokens]]\nname = 'operator'\nsecret = '{OPERATOR}'\nscopes = ['read', 'errors']\n\
         [[http.tokens]]\nname = 'admin'\nsecret = '{ADMIN}'\nscopes = ['read', 'errors', 'policies', 'intake', 'connect', 'backup', 'tokens', 'erase']\n\
         [[http.tokens]]\nname = 'reader'\nsecret = '{READER}'\nscopes = ['read']\n\
         [secrets]\nkeys = ['{KEY}']\n\
         [policies]\nfolder = '{}'\nplugins = '{}'\n\
         [mail]\nhost = '{}'\nport = {}\nsecurity = 'none'\nfrom = 'Switchyard <switchyard@example.com>'\n{}\n\
         [alcmeon.main]\nbase_url = '{}'\ninstance_id = 'main'\nsecret = '{SECRET}'\nteam_field = 1\nemail_field = 2\n{}\n\
         {}{}[store]\npath = '{}'\n{}",
        folder.display(),
        folder.join("plugins").display(),
        simulator.smtp.ip(),
        simulator.smtp.port(),
        setup.mail,
        simulator.alcmeon,
        setup.alcmeon,
        org("acme", 12, "acme", setup.org, setup.salesforce),
        org("other", 13, setup.other_policy.unwrap_or("acme"), "", ""),
        folder.join("data").display(),
        setup.more,
    );
    let config = Config::parse(&text, "the test's configuration").expect("a configuration");
    config.check().expect("a configuration that makes sense");
    config
}

//! The one place where everything is built and everything is stopped.

mod alerting;
pub(crate) mod embedded;
mod plugins;
mod policies;
mod traces;
mod watching;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::task::JoinHandle;

use self::plugins::PluginFolder;
use self::policies::PolicyFolder;
use self::watching::Watcher;
use crate::alerts::{self, Alerts, Outbox};
use crate::clock::Clock;
use crate::config::{Config, accounts};
use crate::domain::{RefreshToken, SourceId};
use crate::engine::{self, Engine, Org, OrgConfig, Settings};
use crate::folders::Folder;
use crate::ledger::{Keys, Ledger};
use crate::mail::Mailer;
use crate::otlp::Exporter;
use crate::policy::PolicyHost;
use crate::registry::Registry;
use crate::store::{Opening, SledStore, Store};
use crate::telemetry::Metrics;
use crate::troubles::{Trouble, Troubles};
use crate::{alcmeon, http, salesforce, store};

/// A running host.
pub struct App {
    /// Where it answers.
    pub address: SocketAddr,
    /// The sync loop, for whoever runs the host to watch.
    pub engine: Arc<Engine>,
    /// The policies.
    pub policies: Arc<PolicyHost>,
    /// The counters.
    pub metrics: Metrics,
    server: http::Server,
    watchers: [Watcher; 2],
    alerts: Alerts,
    /// Where spans go, where traces are on.
    exporter: Option<Exporter>,
    /// Ends the tasks that turn an organization's health into what alerts look at.
    following: Vec<JoinHandle<()>>,
}

/// What a test may replace.
pub struct Outside {
    /// The time.
    pub clock: Clock,
    /// The store; the one of the configuration where `None`.
    pub store: Option<Arc<dyn Store>>,
}

impl Default for Outside {
    fn default() -> Self {
        Self { clock: Clock::System, store: None }
    }
}

impl App {
    /// Builds everything and begins.
    ///
    /// # Errors
    /// Says which part could not begin, and why.
    pub async fn start(config: Config, outside: Outside) -> anyhow::Result<Self> {
        let Outside { clock, store: replaced } = outside;
        let (metrics, troubles) = (Metrics::default(), Troubles::default());
        // A store of somebody else's has no folder to keep anything beside.
        let compiled = replaced.is_none().then(|| config.store.path.join("compiled"));
        let door = http::Door::listen(&config.http).await?;
        let ledger = open_ledger(&config, replaced).await?;
        let (most_bytes, pulled) = (config.policies.limits.plugin_bytes, config.store.path.join("plugins"));
        let registry = Arc::new(Registry::new(config.policies.registries.clone(), pulled, most_bytes));
        let policies = Arc::new(policies::host(&config, &ledger, compiled).await?);
        embedded::add_plugins(&policies).await?;
        let http = client()?;
        let orgs = connect_all(&config, &ledger, &http, &clock, &metrics, &troubles).await?;
        let ([policies_folder, plugins_folder], policy_files, plugin_files) =
            read_folders(&config, &orgs, &policies, &registry, &clock, &troubles).await?;
        let (traces, exporter) = traces::start(config.traces.as_ref(), &http, &metrics, &troubles, &clock)?;
        let engine = Engine::start(engine::Parts {
            ledger: ledger.clone(),
            policies: Arc::clone(&policies),
            clock: clock.clone(),
            metrics: metrics.clone(),
            traces: traces.clone(),
            orgs,
            environments: environments(&config, &http),
            troubles: troubles.clone(),
            keep: config.store.keep_days.map(|days| Duration::from_secs(u64::from(days) * 86_400)),
            silent: config.alerts.silent(),
        })
        .await?;
        let mailer = config.mail.as_ref().map(Mailer::new).transpose()?;
        let outbox =
            mailer.map(|mailer| Outbox::new(mailer, ledger.clone(), clock.clone(), metrics.clone(), traces.clone()));
        let parts = http::Parts {
            engine: Arc::clone(&engine),
            policies: Arc::clone(&policies),
            policies_folder: policies_folder.clone(),
            plugins_folder: plugins_folder.clone(),
            registry,
            oci: config.policies.oci.clone(),
            environments: config.alcmeon.clone().into_iter().collect::<HashMap<_, _>>(),
            metrics: metrics.clone(),
            traces: traces.clone(),
            clock: clock.clone(),
            troubles: troubles.clone(),
            outbox: outbox.clone(),
            // Where commits may be lost, a number of an event means something else than before.
            events: ledger.events_name(config.store.accept_loss).await?,
        };
        let server = http::start(&config.http, door, parts).await?;
        let public_url = config.http.public_url.clone().unwrap_or_else(|| format!("http://{}", server.address));
        let parts =
            alerts::Parts { ledger, outbox, settings: config.alerts, public_url, clock: clock.clone(), troubles };
        let (watched, following) = alerting::watched(&engine, &policies)?;
        let alerts = Alerts::start(&parts, watched);
        let of_plugins = Watcher::start(plugins_folder, clock.clone(), plugin_files).await;
        let watchers = [of_plugins, Watcher::start(policies_folder, clock, policy_files).await];
        Ok(Self { address: server.address, engine, policies, metrics, server, watchers, alerts, exporter, following })
    }

    /// Finishes what is in flight and stops; what waits goes on at the next start.
    pub async fn stop(self) {
        self.server.stop().await;
        drop(self.watchers);
        self.engine.stop().await;
        self.alerts.stop().await;
        // Last: what the others did to the end is told too.
        if let Some(exporter) = self.exporter {
            exporter.stop().await;
        }
        for task in self.following {
            task.abort();
        }
    }
}

/// The folders of policies and of plugins, and what was read of them.
async fn read_folders(
    config: &Config,
    orgs: &[Arc<Org>],
    policies: &Arc<PolicyHost>,
    registry: &Arc<Registry>,
    clock: &Clock,
    troubles: &Troubles,
) -> anyhow::Result<([Folder; 2], PolicyFolder, PluginFolder)> {
    let folders = [&config.policies.folder, &config.policies.plugins].map(|path| Folder::new(path.clone()));
    let mut plugin_files = PluginFolder::new(Arc::clone(policies), config, clock.clone(), troubles.clone());
    plugin_files.start(&folders[1], config, registry).await;
    let most_bytes = config.policies.limits.source_bytes;
    let mut policy_files =
        PolicyFolder::new(Arc::clone(policies), orgs.to_vec(), most_bytes, clock.clone(), troubles.clone());
    policy_files.start(&folders[0]).await?;
    Ok((folders, policy_files, plugin_files))
}

/// The records, where this release can read them.
async fn open_ledger(config: &Config, replaced: Option<Arc<dyn Store>>) -> anyhow::Result<Ledger> {
    let store = match replaced {
        Some(store) => store,
        None => {
            let opening = Opening { accept_loss: config.store.accept_loss, ..Opening::default() };
            // Of millions of records this takes seconds, in which others have to be answered.
            let path = config.store.path.clone();
            Arc::new(tokio::task::spawn_blocking(move || SledStore::open_with(&path, opening)).await??)
        }
    };
    if store::format::check(store.as_ref()).await? < store::format::FORMAT {
        anyhow::bail!(
            "the store at {} was written by an earlier release: export it with that release, and import the export into an empty \
             folder",
            config.store.path.display()
        );
    }
    let ledger = Ledger::new(store).with_keys(Keys::new(&config.secrets.keys)?);
    ledger.reseal_tokens().await?;
    Ok(ledger)
}

fn environments(config: &Config, http: &reqwest::Client) -> Vec<engine::Environment> {
    let environment = |(source, environment): (&SourceId, &alcmeon::Config)| engine::Environment {
        source: source.clone(),
        client: alcmeon::Client::new(environment.clone(), http.clone(), source.clone()),
        poll: environment.poll,
        every: Duration::from_millis(environment.poll_every_ms),
        keep_webhook_on: environment.keep_webhook_on,
    };
    config.alcmeon.iter().map(environment).collect()
}

/// One client for all, with connections that are kept open. A redirect could carry a token to another server.
fn client() -> anyhow::Result<reqwest::Client> {
    // A second installation in one process (tests start many hosts) says that there is one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(10))
        .user_agent(concat!("switchyard/", env!("CARGO_PKG_VERSION")))
        .build()
        .context("the HTTP client cannot be built")
}

/// The organizations with their connections.
async fn connect_all(
    config: &Config,
    ledger: &Ledger,
    http: &reqwest::Client,
    clock: &Clock,
    metrics: &Metrics,
    troubles: &Troubles,
) -> anyhow::Result<Vec<Arc<Org>>> {
    let mut orgs = Vec::new();
    for org in &config.orgs {
        let settings = Settings::read(&org.id, org.settings(), ledger, troubles, clock.now()).await?;
        if config.mail.is_none() && !settings.now().values.alert_recipients.is_empty() {
            let what = "recipients of mails are set, and there is no [mail] in the configuration that could reach them";
            let cure = "put [mail] there and start the host again, or take the recipients away";
            troubles.raise(Trouble::new("org-settings", "alert_recipients", what, cure, clock.now()).of(&org.id));
        }
        orgs.push(connect(org, settings, config, ledger, http, clock, metrics).await?);
    }
    Ok(orgs)
}

/// An organization with its connection.
async fn connect(
    config: &OrgConfig,
    settings: Settings,
    whole: &Config,
    ledger: &Ledger,
    http: &reqwest::Client,
    clock: &Clock,
    metrics: &Metrics,
) -> anyhow::Result<Arc<Org>> {
    let linking = whole.alcmeon.iter().filter(|(_, environment)| environment.writes_records());
    let linking = linking.map(|(source, _)| source.clone()).collect();
    let org = &config.id;
    let configured = config.salesforce.refresh_token.clone();
    let token = match (ledger.refresh_token(org, configured.as_ref()).await, &configured) {
        (Ok(Some(kept)), _) => Ok(kept),
        (Ok(None), Some(configured)) => Ok(RefreshToken { token: configured.clone(), organization: None }),
        (Ok(None), None) => Err(format!("nobody has authorized {org} yet")),
        // Not the configured one: it has been used up, and using it again would end those that followed from it.
        (Err(error @ (store::Error::WrongKey { .. } | store::Error::Unreadable { .. })), _) => {
            tracing::error!(%org, %error, "an organization's refresh token cannot be opened");
            Err(format!("its refresh token cannot be opened: {error}"))
        }
        (Err(error), _) => return Err(error.into()),
    };
    let (kept_in, id, clock) = (ledger.clone(), org.clone(), clock.clone());
    let on_rotated: salesforce::OnRotated = Box::new(move |token: RefreshToken| {
        let (ledger, id, configured) = (kept_in.clone(), id.clone(), configured.clone());
        Box::pin(async move {
            let kept = ledger.keep_refresh_token(&id, configured.as_ref(), &token).await;
            kept.map_err(|error| error.to_string())
        })
    });
    let (now, metrics) = (Box::new(move || clock.now()), metrics.clone());
    let keeping = salesforce::Keeping { org: org.clone(), token, on_rotated, now, metrics };
    let calls = settings.now().values.concurrency;
    let client = salesforce::Client::new(config.salesforce.clone(), http.clone(), keeping, calls);
    Ok(Arc::new(Org {
        id: config.id.clone(),
        name: config.name.clone().unwrap_or_else(|| config.id.to_string()),
        accounts: accounts(config)?,
        settings,
        writes_cases: config.salesforce.cases.is_some(),
        linking,
        salesforce: client.with_context(|| format!("the connection of {}", config.id))?,
    }))
}

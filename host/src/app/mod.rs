//! The one place where everything is built and everything is stopped.

pub(crate) mod embedded;
mod plugins;
mod policies;
mod watching;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::sync::watch;

use self::watching::Watcher;
use crate::alerts::{self, Alerts, Standing, Watched};
use crate::clock::Clock;
use crate::config::{Config, accounts};
use crate::domain::{Class, RefreshToken, SourceId};
use crate::engine::{self, Engine, Org, OrgConfig, OrgHealth};
use crate::mail::Mailer;
use crate::policy::{PolicyHost, RolledBack};
use crate::registry::Registry;
use crate::store::{Keys, Opening, Records, SledStore, Store};
use crate::telemetry::Metrics;
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
    watchers: Vec<Watcher>,
    alerts: Alerts,
    /// Ends the tasks that turn an organization's health into what alerts look at.
    following: Vec<tokio::task::JoinHandle<()>>,
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
        let metrics = Metrics::default();
        // A store of somebody else's has no folder to keep anything beside.
        let compiled = replaced.is_none().then(|| config.store.path.join("compiled"));
        let store = match replaced {
            Some(store) => store,
            None => {
                let opening = Opening { accept_loss: config.store.accept_loss, ..Opening::default() };
                Arc::new(SledStore::open_with(&config.store.path, opening)?)
            }
        };
        store::format::check(store.as_ref()).await?;
        let records = Records::new(store).with_keys(Keys::new(&config.secrets.keys)?);
        records.reseal_tokens().await?;
        let most_bytes = config.policies.limits.plugin_bytes;
        let pulled = config.store.path.join("plugins");
        let registry = Arc::new(Registry::new(config.policies.registries.clone(), pulled, most_bytes));
        let policies = policies::start(&config, &registry, &clock, &records, compiled).await?;
        let http = client()?;
        let orgs = config
            .orgs
            .iter()
            .map(|org| connect(org, &config, &records, &http, &clock))
            .collect::<anyhow::Result<Vec<_>>>()?;
        let engine = Engine::start(engine::Parts {
            records: records.clone(),
            policies: Arc::clone(&policies),
            clock: clock.clone(),
            metrics: metrics.clone(),
            orgs,
            environments: environments(&config, &http),
            keep: config.store.keep_days.map(|days| Duration::from_secs(u64::from(days) * 86_400)),
        })
        .await?;
        let folders = [&config.policies.folder, &config.policies.plugins];
        let [policies_folder, plugins_folder] = folders.map(|path| http::Folder::new(path.clone()));
        let parts = http::Parts {
            engine: Arc::clone(&engine),
            policies: Arc::clone(&policies),
            policies_folder: config.policies.folder.is_dir().then(|| policies_folder.clone()),
            plugins_folder: plugins_folder.clone(),
            registry,
            oci: config.policies.oci.clone(),
            environments: config.alcmeon.clone().into_iter().collect::<HashMap<_, _>>(),
            metrics: metrics.clone(),
            clock: clock.clone(),
        };
        let server = http::start(&config.http, parts).await?;
        let address = server.address;
        let public_url = config.http.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
        let mailer = config.mail.as_ref().map(Mailer::new).transpose()?.map(Arc::new);
        let parts = alerts::Parts { records, mailer, public_url, clock: clock.clone(), metrics: metrics.clone() };
        let (watched, following) = follow(&engine, &policies)?;
        let alerts = Alerts::start(&parts, watched);
        let of_plugins = plugins::watch(&config, &plugins_folder, Arc::clone(&policies), clock.clone()).await?;
        let of_policies = policies::watch(&policies_folder, Arc::clone(&policies), clock).await?;
        let watchers = of_plugins.into_iter().chain(of_policies).collect();
        Ok(Self { address, engine, policies, metrics, server, watchers, alerts, following })
    }

    /// Finishes what is in flight and stops; what waits goes on at the next start.
    pub async fn stop(self) {
        self.server.stop().await;
        drop(self.watchers);
        self.engine.stop().await;
        self.alerts.stop().await;
        for task in self.following {
            task.abort();
        }
    }
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

/// An organization with its connection.
fn connect(
    config: &OrgConfig,
    whole: &Config,
    records: &Records,
    http: &reqwest::Client,
    clock: &Clock,
) -> anyhow::Result<Arc<Org>> {
    let linking = whole.alcmeon.iter().filter(|(_, environment)| environment.writes_records());
    let linking = linking.map(|(source, _)| source.clone()).collect();
    let org = &config.id;
    let configured = config.salesforce.refresh_token.clone();
    let token = match (records.refresh_token(org, configured.as_ref()), &configured) {
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
    let (kept_in, id, clock) = (records.clone(), org.clone(), clock.clone());
    let on_rotated: salesforce::OnRotated = Box::new(move |token: RefreshToken| {
        let (records, id, configured) = (kept_in.clone(), id.clone(), configured.clone());
        Box::pin(async move {
            let kept = records.keep_refresh_token(&id, configured.as_ref(), &token).await;
            kept.map_err(|error| error.to_string())
        })
    });
    let keeping = salesforce::Keeping { token, on_rotated, now: Box::new(move || clock.now()) };
    let client = salesforce::Client::new(config.salesforce.clone(), http.clone(), keeping, config.concurrency);
    Ok(Arc::new(Org {
        id: config.id.clone(),
        name: config.name.clone().unwrap_or_else(|| config.id.to_string()),
        accounts: accounts(config)?,
        policy: config.policy.clone(),
        mode: config.mode.clone(),
        concurrency: config.concurrency,
        alert_recipients: config.alert_recipients.clone(),
        writes_cases: config.salesforce.cases.is_some(),
        linking,
        salesforce: client.with_context(|| format!("the connection of {}", config.id))?,
    }))
}

/// What alerts look at is a small part of an organization's health, and changes seldom.
fn follow(
    engine: &Arc<Engine>,
    policies: &PolicyHost,
) -> anyhow::Result<(Vec<Watched>, Vec<tokio::task::JoinHandle<()>>)> {
    let (mut watched, mut tasks) = (Vec::new(), Vec::new());
    for (org, _) in engine.orgs() {
        let (mut health, mut rollbacks) = (engine.watch(&org.id)?, policies.rollbacks(&org.policy));
        // It begins with how the organization stands: what alerts see first is what they act upon.
        let told = watch::Sender::new(standing(&health.borrow(), rollbacks.borrow().clone()));
        let name = org.name.clone();
        let recipients = org.alert_recipients.clone();
        watched.push(Watched { org: org.id.clone(), name, recipients, standing: told.subscribe() });
        tasks.push(tokio::spawn(async move {
            loop {
                let over = tokio::select! {
                    changed = health.changed() => changed.is_err(),
                    changed = rollbacks.changed() => changed.is_err(),
                };
                if over {
                    return;
                }
                let now = standing(&health.borrow_and_update(), rollbacks.borrow_and_update().clone());
                told.send_if_modified(|known| std::mem::replace(known, now.clone()) != now);
            }
        }));
    }
    Ok((watched, tasks))
}

fn standing(health: &OrgHealth, rolled_back: Option<RolledBack>) -> Standing {
    let limit = health.held_back_by.as_ref().filter(|held| held.refusal.class == Class::Limit);
    Standing {
        pending: health.sync_errors.pending,
        newest: health.newest_pending.clone(),
        paused: limit.map(|held| (held.refusal.text.clone(), held.next_probe_at)),
        rolled_back,
    }
}

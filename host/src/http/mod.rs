//! The HTTP floor: the API, the webhook intake, the probes and the console, on one listener.

mod access;
mod actions;
pub(crate) mod api;
mod api_tokens;
mod authorization;
mod backup;
mod bodies;
mod caller;
mod candidates;
mod config;
mod console;
mod conversations;
mod customers;
mod descriptors;
mod door;
mod error_query;
mod etag;
mod events;
mod evidence;
mod export;
mod extract;
mod filters;
mod groups;
mod guesses;
mod idempotency;
mod intake;
mod keyring;
mod limits;
mod mails;
mod messages;
mod openapi;
mod operations;
mod org_settings;
mod orgs;
mod parameters;
mod parked;
mod plugins;
mod policies;
mod preview;
mod probes;
mod problem;
mod quarantine;
mod reach;
mod reasons;
mod recount;
mod refused;
mod repro;
mod request_id;
mod resync;
mod routes;
mod seats;
mod serving;
mod sessions;
mod stalled;
mod sync_errors;
mod timeline;
mod tokens;
mod troubles;
mod unambiguous;
mod unread;
mod wanted;
mod webhook;

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use self::access::Access;
pub use self::access::{Scope, Token, check};
use self::authorization::{CALLBACK, Waiting};
use self::bodies::Bodies;
pub use self::config::Config;
pub use self::door::Door;
use self::events::{Listeners, Tail};
use self::guesses::Guesses;
use self::idempotency::UnderWay;
pub use self::intake::read as read_conversation;
use self::limits::Callers;
pub use self::limits::Limits;
use self::openapi::Document;
use self::seats::Seats;
use crate::alcmeon;
use crate::alerts::Outbox;
use crate::clock::Clock;
use crate::domain::{PluginName, SourceId};
use crate::engine::Engine;
use crate::folders::Folder;
use crate::policy::PolicyHost;
use crate::registry::{Reference, Registry};
use crate::telemetry::{Metrics, Traces};
use crate::troubles::Troubles;

/// What the HTTP floor shows and asks.
pub struct Parts {
    /// The sync loop.
    pub engine: Arc<Engine>,
    /// The policies.
    pub policies: Arc<PolicyHost>,
    /// Where accepted policies are kept as files, if it is there, so that they are there after a restart.
    pub policies_folder: Folder,
    /// Where plugins that are handed in are kept; made when the first one is.
    pub plugins_folder: Folder,
    /// Where plugins are pulled from,
    pub registry: Arc<Registry>,
    /// and those that the configuration names.
    pub oci: BTreeMap<PluginName, Reference>,
    /// Alcmeon environments by source.
    pub environments: HashMap<SourceId, alcmeon::Config>,
    /// The counters.
    pub metrics: Metrics,
    /// Begins spans.
    pub traces: Traces,
    /// The time.
    pub clock: Clock,
    /// What an operator can cure.
    pub troubles: Troubles,
    /// Sends mails, where the configuration says by what.
    pub outbox: Option<Outbox>,
    /// The name of the sequence of events.
    pub events: String,
}

/// Why the HTTP floor cannot start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Everybody could do everything.
    #[error("{0} is a public address: at least one [[http.tokens]] is needed before the host listens there")]
    Public(SocketAddr),
    /// A token would be of no use, or somebody else's.
    #[error("{0}")]
    Token(String),
    /// It is not known who may do what.
    #[error("the tokens of the store cannot be read: {0}")]
    Store(#[from] crate::store::Error),
    /// The address cannot be had.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        error: std::io::Error,
    },
}

struct Shared {
    parts: Parts,
    access: Access,
    /// What callers ask for.
    callers: Callers,
    /// What is read of requests.
    bodies: Bodies,
    /// Wrong tokens.
    guesses: Guesses,
    /// Authorizations that wait for a browser.
    waiting: Waiting,
    /// Requests with an idempotency key.
    under_way: UnderWay,
    /// The newest events,
    tail: Arc<Tail>,
    /// and those who listen.
    listeners: Listeners,
    /// Told when the host stops.
    stopping: watch::Receiver<bool>,
    /// What the API has, made with the routes.
    document: OnceLock<Document>,
    /// Held by the recount of the store that is under way.
    recount: tokio::sync::Mutex<()>,
    /// The address under which people, and Salesforce's answers, reach the console.
    public_url: String,
    /// Whether the console has the page of its parts.
    shows_parts: bool,
    /// Whether people reach the console by https: then its cookie never travels without.
    https: bool,
}

impl Shared {
    /// Where Salesforce sends a browser back to.
    fn callback(&self) -> String {
        format!("{}{CALLBACK}", self.public_url.trim_end_matches('/'))
    }
}

type App = Arc<Shared>;

/// A running HTTP floor.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    app: App,
    stopping: watch::Sender<bool>,
    task: JoinHandle<()>,
    keeping: JoinHandle<()>,
}

/// How often what requests do not wait for is written.
const KEEP_EVERY: Duration = Duration::from_secs(60);

/// Writes it until the host stops, and then once more.
async fn keep(app: App, mut stopping: watch::Receiver<bool>) {
    loop {
        let next = app.parts.clock.now().after(KEEP_EVERY);
        tokio::select! {
            _ = stopping.wait_for(|stop| *stop) => break,
            () = app.parts.clock.sleep_until(next) => {}
        }
        app.access.keep().await;
    }
    app.access.keep().await;
}

/// Serves at an address until stopped.
///
/// # Errors
/// When the store cannot be read, or nobody answers at the address any more.
pub async fn start(config: &Config, door: Door, parts: Parts) -> Result<Server, Error> {
    let address = door.address;
    let public_url = config.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
    let https = public_url.starts_with("https://");
    let clock = || parts.clock.clone();
    let waiting = Waiting::new(clock());
    let access = Access::load(&config.tokens, parts.engine.ledger(), &parts.clock).await?;
    let bodies = Bodies::with_plugins_of(parts.policies.plugin_bytes());
    let guesses = Guesses::new(clock(), parts.metrics.clone(), parts.engine.ledger().clone());
    let bounds = serving::Bounds::with_files(descriptors::raise());
    let seats = Seats::new(bounds.connections, &parts.metrics, &parts.troubles, &parts.clock);
    let (recount, document) = (tokio::sync::Mutex::default(), OnceLock::new());
    let (under_way, callers) = (UnderWay::default(), Callers::new(config.limits));
    let listeners = Listeners::new(bounds.connections, &parts.metrics);
    let tail = Tail::new(parts.engine.ledger(), parts.events.clone(), clock());
    let stopping = watch::Sender::new(false);
    let app: App = Arc::new(Shared {
        access,
        callers,
        bodies,
        guesses,
        waiting,
        under_way,
        tail,
        listeners,
        stopping: stopping.subscribe(),
        document,
        recount,
        public_url,
        https,
        shows_parts: config.shows_parts,
        parts,
    });
    let listener = door.open().await?;
    let (router, tail, stop) = (routes::router(Arc::clone(&app)), Arc::clone(&app.tail), stopping.subscribe());
    let task = tokio::spawn(async move {
        tokio::select! {
            biased;
            () = serving::serve(listener, router, seats, bounds, stop) => {}
            () = tail.follow() => {}
        }
    });
    let keeping = tokio::spawn(keep(Arc::clone(&app), stopping.subscribe()));
    Ok(Server { address, app, stopping, task, keeping })
}

impl Server {
    /// Finishes the requests that have begun, and stops. A connection that will not end is cut after five seconds.
    pub async fn stop(mut self) {
        self.stopping.send_replace(true);
        for task in [&mut self.task, &mut self.keeping] {
            if tokio::time::timeout(Duration::from_secs(5), &mut *task).await.is_err() {
                task.abort();
            }
        }
        self.app.guesses.refused.write().await;
    }
}

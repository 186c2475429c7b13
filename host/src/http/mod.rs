//! The HTTP floor: the API, the webhook intake, the probes and the console, on one listener.

mod access;
mod actions;
mod api;
mod authorization;
mod backup;
mod bodies;
mod console;
mod conversations;
mod descriptors;
mod error_query;
mod etag;
mod evidence;
mod export;
mod extract;
mod groups;
mod guesses;
mod idempotency;
mod intake;
mod limits;
mod messages;
mod openapi;
mod operations;
mod orgs;
mod parameters;
mod parked;
mod plugins;
mod policies;
mod preview;
mod probes;
mod problem;
mod quarantine;
mod recount;
mod refused;
mod repro;
mod request_id;
mod seats;
mod serving;
mod stalled;
mod sync_errors;
mod timeline;
mod tokens;
mod troubles;
mod webhook;

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::SizeAbove;
use tracing::Instrument as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::access::{Access, guard, need};
pub use self::access::{Scope, Token, check};
use self::authorization::{CALLBACK, Waiting};
use self::bodies::Bodies;
use self::guesses::Guesses;
use self::idempotency::UnderWay;
pub use self::intake::read as read_conversation;
use self::limits::Callers;
pub use self::limits::Limits;
use self::openapi::Document;
use self::problem::{Kind, Problem};
use self::seats::Seats;
use crate::alcmeon;
use crate::clock::Clock;
use crate::domain::{PluginName, SourceId};
use crate::engine::Engine;
use crate::folders::Folder;
use crate::policy::PolicyHost;
use crate::registry::{Reference, Registry};
use crate::telemetry::Metrics;
use crate::troubles::Troubles;

/// Bodies of the API, in bytes.
const BODY_BYTES: usize = 1024 * 1024;

/// Answers of more bytes are compressed for those who take that.
const GZIP_BYTES: u16 = 1_024;

/// Where the host listens, and to whom.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Address and port; port 0 takes a free one.
    #[serde(default = "default_listen")]
    pub listen: SocketAddr,
    /// The address under which people reach the console, for links in mails; made from `listen` where not given.
    #[serde(default)]
    pub public_url: Option<String>,
    /// Who may do what.
    #[serde(default)]
    pub tokens: Vec<Token>,
    /// How much of it.
    #[serde(default)]
    pub limits: Limits,
}

fn default_listen() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 8080))
}

impl Default for Config {
    fn default() -> Self {
        Self { listen: default_listen(), public_url: None, tokens: Vec::new(), limits: Limits::default() }
    }
}

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
    /// The time.
    pub clock: Clock,
    /// What an operator can cure.
    pub troubles: Troubles,
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
    /// What the API has, made with the routes.
    document: OnceLock<Document>,
    /// Held by the recount of the store that is under way.
    recount: tokio::sync::Mutex<()>,
    /// The address under which people, and Salesforce's answers, reach the console.
    public_url: String,
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
}

/// Listens, and serves until stopped.
///
/// # Errors
/// When the address is public and there is no token, or it cannot be had.
pub async fn start(config: &Config, parts: Parts) -> Result<Server, Error> {
    if config.tokens.is_empty() && !config.listen.ip().is_loopback() {
        return Err(Error::Public(config.listen));
    }
    check(&config.tokens).map_err(Error::Token)?;
    let cannot = |error| Error::Listen { address: config.listen, error };
    let listener = TcpListener::bind(config.listen).await.map_err(cannot)?;
    let address = listener.local_addr().map_err(cannot)?;
    let public_url = config.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
    let https = public_url.starts_with("https://");
    let clock = || parts.clock.clone();
    let (access, waiting) = (Access::new(&config.tokens, clock()), Waiting::new(clock()));
    let bodies = Bodies::with_plugins_of(parts.policies.plugin_bytes());
    let guesses = Guesses::new(clock(), parts.metrics.clone(), parts.engine.ledger().clone());
    let bounds = serving::Bounds::with_files(descriptors::raise());
    let seats = Seats::new(bounds.connections, &parts.metrics, &parts.troubles, &parts.clock);
    let (recount, document) = (tokio::sync::Mutex::default(), OnceLock::new());
    let (under_way, callers) = (UnderWay::default(), Callers::new(config.limits));
    let app: App = Arc::new(Shared {
        access,
        callers,
        bodies,
        guesses,
        waiting,
        under_way,
        document,
        recount,
        public_url,
        https,
        parts,
    });
    let stopping = watch::Sender::new(false);
    let task = tokio::spawn(serving::serve(listener, router(Arc::clone(&app)), seats, bounds, stopping.subscribe()));
    Ok(Server { address, app, stopping, task })
}

impl Server {
    /// Finishes the requests that have begun, and stops. A connection that will not end is cut after five seconds.
    pub async fn stop(mut self) {
        self.stopping.send_replace(true);
        if tokio::time::timeout(std::time::Duration::from_secs(5), &mut self.task).await.is_err() {
            self.task.abort();
        }
        self.app.guesses.refused.write().await;
    }
}

/// What was begun goes on to its end, also when whoever asked hangs up meanwhile: half of a change is worse than none.
async fn to_the_end(request: Request, next: Next) -> Response {
    tokio::spawn(next.run(request).in_current_span()).await.unwrap_or_else(|error| {
        tracing::error!(%error, "a request broke off");
        Problem::new(Kind::Internal, "the host's log says why").into_response()
    })
}

/// What a token for looking is good for.
fn reading() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(sync_errors::list))
        .routes(routes!(export::export))
        .routes(routes!(evidence::show))
        .routes(routes!(repro::bundle))
        .routes(routes!(groups::list))
        .routes(routes!(groups::show))
        .routes(routes!(operations::list))
        .routes(routes!(operations::show))
        .routes(routes!(orgs::list))
        .routes(routes!(orgs::show))
        .routes(routes!(orgs::last_report))
        .routes(routes!(orgs::environments))
        .routes(routes!(parked::list))
        .routes(routes!(conversations::show))
        .routes(routes!(messages::audit))
        .routes(routes!(actions::list))
        .routes(routes!(quarantine::list))
        .routes(routes!(policies::list))
        .routes(routes!(policies::show))
        .routes(routes!(policies::revisions))
        .routes(routes!(policies::revision))
        .routes(routes!(policies::coverage))
        .routes(routes!(plugins::list))
        .routes(routes!(troubles::list))
        .routes(routes!(recount::verify))
        .routes(routes!(probes::metrics))
}

/// What is done about sync errors.
fn errors() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(sync_errors::retry))
        .routes(routes!(sync_errors::ignore))
        .routes(routes!(sync_errors::reopen))
        .routes(routes!(orgs::retry_all))
        .routes(routes!(orgs::look))
        .routes(routes!(parked::ignore))
        .routes(routes!(groups::patch))
        .routes(routes!(operations::begin))
        .routes(routes!(operations::pause))
        .routes(routes!(operations::resume))
        .routes(routes!(operations::cancel))
        .routes(routes!(operations::undo))
        .routes(routes!(quarantine::show, quarantine::delete))
        .routes(routes!(quarantine::retry))
}

fn policies() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(policies::apply, policies::delete))
        .routes(routes!(policies::restore))
        .routes(routes!(policies::start_shadow, policies::end_shadow))
        .routes(routes!(plugins::pull))
}

/// Routes for callers whose token has a scope, which the document tells.
fn scoped(app: &App, scope: Scope, router: OpenApiRouter<App>) -> OpenApiRouter<App> {
    let router = router.route_layer(from_fn_with_state(app.clone(), idempotency::once));
    let mut router = router.route_layer(from_fn_with_state((app.clone(), scope), need));
    openapi::scoped(router.get_openapi_mut(), scope);
    router
}

fn router(app: App) -> Router {
    let scoped = |scope, router| scoped(&app, scope, router);
    let one = OpenApiRouter::<App>::new;
    let connect = one().routes(routes!(authorization::start)).routes(routes!(authorization::code));
    let plugins = one().routes(routes!(plugins::put, plugins::delete));
    let plugins = plugins.layer(DefaultBodyLimit::max(app.parts.policies.plugin_bytes()));
    let webhook = one().routes(routes!(webhook::notify)).layer(DefaultBodyLimit::max(webhook::MOST_BYTES));
    let open = one().routes(routes!(probes::healthz)).routes(routes!(probes::readyz));
    // A candidate may answer with what it was asked: whoever sees that has to be one of those who see customers' data.
    let preview = scoped(Scope::Errors, scoped(Scope::Policies, one().routes(routes!(preview::preview))));
    let (preview, of_preview) = preview.split_for_parts();
    let preview = preview
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .method_not_allowed_fallback(|| async { Problem::method_not_allowed() })
        .layer(from_fn_with_state(app.clone(), guard));
    let (router, mut document) = OpenApiRouter::with_openapi(openapi::begun())
        .merge(scoped(Scope::Read, reading()))
        .merge(scoped(Scope::Errors, errors()))
        .merge(scoped(Scope::Policies, policies()))
        .merge(scoped(Scope::Intake, one().routes(routes!(intake::accept))))
        .merge(scoped(Scope::Connect, connect))
        .merge(scoped(Scope::Backup, one().routes(routes!(backup::read))))
        .merge(console::router(&app).into())
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .merge(scoped(Scope::Policies, plugins))
        .merge(webhook)
        .merge(open)
        .split_for_parts();
    document.merge(of_preview);
    let _ = app.document.set(Document::new(document));
    router
        .route("/v1/openapi.json", get(openapi::show))
        .fallback(console::nothing_here)
        .method_not_allowed_fallback(|| async { Problem::method_not_allowed() })
        .layer(from_fn_with_state(app.clone(), guard))
        .layer(from_fn(to_the_end))
        // It changes nothing, and ends when whoever asked hangs up.
        .merge(preview)
        .layer(from_fn(access::harden))
        .layer(from_fn(request_id::named))
        .layer(
            CompressionLayer::new()
                .gzip(true)
                .quality(CompressionLevel::Fastest)
                .compress_when(SizeAbove::new(GZIP_BYTES)),
        )
        .with_state(app)
}

//! A server on this machine that gives the answers a test has put in, in order, and keeps what it was asked.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, Response, StatusCode, Uri};
use serde_json::{Value, json};

use crate::domain::{OrgId, RefreshToken, Timestamp};
use crate::salesforce::{Client, Config, Keeping, OnRotated};
use crate::telemetry::Metrics;

/// What Salesforce answers to a token that has ended, with the status 401.
pub(crate) const EXPIRED: &str = r#"[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]"#;

/// Settings that are enough.
const LEAST: &str = "client_id = 'key'\nclient_secret = 'hush-secret'\nrefresh_token = 'first-refresh'";

/// What the server was asked.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) uri: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

/// An answer, or `None` to keep the caller waiting without end.
pub(crate) type Reply = Option<Response<axum::body::Body>>;

#[derive(Default)]
struct Shared {
    replies: Mutex<VecDeque<Reply>>,
    asked: Mutex<Vec<Asked>>,
    expired: Mutex<Option<String>>,
}

/// The server; token requests are answered by themselves unless a test says otherwise.
#[derive(Clone)]
pub(crate) struct StandIn {
    pub(crate) url: String,
    task: tokio::task::AbortHandle,
    shared: Arc<Shared>,
}

impl StandIn {
    pub(crate) async fn start() -> Self {
        let shared = Arc::new(Shared::default());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new().fallback(serve).with_state(Arc::clone(&shared));
        let task = tokio::spawn(async move { axum::serve(listener, app).await }).abort_handle();
        Self { url, task, shared }
    }

    /// From now on connections are refused.
    pub(crate) async fn vanish(&self) {
        self.task.abort();
        // The listener is gone once the task has been dropped.
        while tokio::net::TcpStream::connect(self.url.trim_start_matches("http://")).await.is_ok() {
            tokio::task::yield_now().await;
        }
    }

    /// The next answer.
    pub(crate) fn reply(&self, status: u16, body: &Value) -> &Self {
        self.reply_with(Some(response(status, body.to_string())))
    }

    /// The next answer, whatever it is.
    pub(crate) fn reply_with(&self, reply: Reply) -> &Self {
        self.shared.replies.lock().unwrap().push_back(reply);
        self
    }

    /// The next answer: a token.
    pub(crate) fn grant(&self, token: &str) -> &Self {
        self.grant_at(token, &self.url)
    }

    /// The next answer: a token for another server.
    pub(crate) fn grant_at(&self, token: &str, server: &str) -> &Self {
        self.reply(200, &json!({"access_token": token, "instance_url": server, "token_type": "Bearer"}))
    }

    /// From now on calls with this token are told that their session has expired.
    pub(crate) fn expire(&self, token: &str) -> &Self {
        *self.shared.expired.lock().unwrap() = Some(format!("Bearer {token}"));
        self
    }

    /// Everything that was asked so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.shared.asked.lock().unwrap().clone()
    }

    /// How often a token was asked for.
    pub(crate) fn token_requests(&self) -> usize {
        self.asked().iter().filter(|asked| asked.uri == "/services/oauth2/token").count()
    }

    /// A client that has this server as its login host and gives its rotated tokens to nobody.
    pub(crate) fn client(&self) -> Arc<Client> {
        self.client_with("", Box::new(|_| Box::pin(async { Ok(()) })))
    }

    /// A client with more settings.
    pub(crate) fn client_with(&self, more: &str, on_rotated: OnRotated) -> Arc<Client> {
        self.client_of(&format!("{LEAST}\n{more}"), on_rotated)
    }

    /// A client with these settings, of an organization that is known to have no person accounts.
    pub(crate) fn client_of(&self, settings: &str, on_rotated: OnRotated) -> Arc<Client> {
        let client = self.new_client(settings, on_rotated);
        client.customers.person_accounts.exist.know(false);
        client
    }

    /// A client that knows nothing yet.
    pub(crate) fn client_of_unknown_organization(&self) -> Arc<Client> {
        self.new_client(LEAST, Box::new(|_| Box::pin(async { Ok(()) })))
    }

    fn new_client(&self, settings: &str, on_rotated: OnRotated) -> Arc<Client> {
        let config: Config = toml::from_str(&format!("login_url = '{}'\n{settings}", self.url)).unwrap();
        // Whoever comes first installs it; the outcome is the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let token = config.refresh_token.clone().ok_or_else(|| "nobody has authorized it yet".to_owned());
        let token = token.map(|token| RefreshToken { token, organization: None });
        let org = OrgId::new("acme").unwrap();
        let now = Box::new(|| Timestamp::from_millis(1_790_000_000_000));
        Client::new(config, http, Keeping { org, token, on_rotated, now, metrics: Metrics::default() }, 4).unwrap()
    }
}

/// An answer with this status and body.
pub(crate) fn response(status: u16, body: impl Into<axum::body::Body>) -> Response<axum::body::Body> {
    Response::builder()
        .status(status)
        .header("x-sfdc-request-id", "request-7")
        .header("Sforce-Limit-Info", "api-usage=22/15000")
        .body(body.into())
        .unwrap()
}

async fn serve(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<axum::body::Body> {
    let body = String::from_utf8(body.to_vec()).unwrap();
    let token = headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
    let expired = token.is_some() && token == *shared.expired.lock().unwrap();
    shared.asked.lock().unwrap().push(Asked { method, uri: uri.to_string(), headers, body });
    if expired {
        return response(401, EXPIRED);
    }
    let reply = shared.replies.lock().unwrap().pop_front();
    match reply {
        Some(Some(reply)) => reply,
        Some(None) => std::future::pending().await,
        None => response(StatusCode::IM_A_TEAPOT.as_u16(), "the test has put in no answer"),
    }
}

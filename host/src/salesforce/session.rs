//! The access token: asked for once however many wait for it, and never used before a rotated refresh token is stored.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::answer::{Answer, Trouble, exchange};
use super::classify::{Stage, judge};
use super::config::{Config, Server};
use crate::domain::{Class, Refusal, RequestSent, Secret};

const PATH: &str = "/services/oauth2/token";

/// Stores a rotated refresh token durably; the words of an `Err` go into the refusal.
///
/// Salesforce forgets the token before it, so a host that loses this one has to be reconnected by hand.
/// It must not use the client that calls it: that one waits for it.
pub type OnRotated = Box<dyn Fn(Secret) -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// An access token and the server that takes it.
pub(super) struct Access {
    /// The token.
    pub(super) token: Secret,
    /// The organization's own server.
    pub(super) server: Server,
    /// Tells a newer one from an older one.
    pub(super) serial: u64,
}

/// Keeps the tokens of one organization.
pub(super) struct Session(Arc<Shared>);

struct Shared {
    http: reqwest::Client,
    login: Server,
    client_id: String,
    client_secret: Option<Secret>,
    timeout: Duration,
    on_rotated: OnRotated,
    /// Attempts that are over; one who waited meanwhile shares the outcome.
    over: AtomicU64,
    state: Arc<Mutex<State>>,
}

struct State {
    /// The newest one.
    refresh_token: Secret,
    /// It came by rotation and is not stored yet.
    unstored: bool,
    /// Whether Salesforce has rotated it; `None` before the first answer.
    rotates: Option<bool>,
    access: Option<Arc<Access>>,
    /// Counts the access tokens.
    serial: u64,
    /// Why the last attempt failed.
    failure: Option<Refusal>,
}

#[derive(Deserialize)]
struct Granted {
    access_token: Option<Secret>,
    instance_url: Option<String>,
    refresh_token: Option<Secret>,
}

impl Session {
    /// Asks for nothing yet.
    pub(super) fn new(config: &Config, http: reqwest::Client, on_rotated: OnRotated) -> Self {
        let state = State {
            refresh_token: config.refresh_token.clone(),
            unstored: false,
            rotates: None,
            access: None,
            serial: 0,
            failure: None,
        };
        Self(Arc::new(Shared {
            http,
            login: config.login_url.clone(),
            client_id: config.client_id.clone(),
            client_secret: config.client_secret.clone(),
            timeout: Duration::from_millis(config.timeout_ms),
            on_rotated,
            over: AtomicU64::new(0),
            state: Arc::new(Mutex::new(state)),
        }))
    }

    /// An access token other than the one with the serial `stale`, which Salesforce has refused.
    pub(super) async fn access(&self, stale: Option<u64>) -> Result<Arc<Access>, Refusal> {
        let over = self.0.over.load(Ordering::SeqCst);
        let mut state = Arc::clone(&self.0.state).lock_owned().await;
        if state.access.as_ref().is_some_and(|access| stale == Some(access.serial)) {
            state.access = None;
        }
        match &*state {
            State { access: Some(access), unstored: false, .. } => Ok(Arc::clone(access)),
            State { failure: Some(refusal), .. } if over != self.0.over.load(Ordering::SeqCst) => Err(refusal.clone()),
            _ => Arc::clone(&self.0).renew_in_a_task(state).await,
        }
    }

    /// Asks for a new access token although the present one may still be good.
    pub(super) async fn renew(&self) -> Result<Arc<Access>, Refusal> {
        let state = Arc::clone(&self.0.state).lock_owned().await;
        Arc::clone(&self.0).renew_in_a_task(state).await
    }

    /// Where the REST API answers, or else the place where tokens are asked for.
    pub(super) async fn server(&self) -> Server {
        let state = self.0.state.lock().await;
        state.access.as_ref().map_or_else(|| self.0.login.clone(), |access| access.server.clone())
    }

    /// Whether Salesforce rotates the refresh token; `None` where it has not answered yet.
    pub(super) async fn rotates(&self) -> Option<bool> {
        self.0.state.lock().await.rotates
    }
}

impl Shared {
    /// In a task of its own: a caller that gives up must not take a rotated token with it.
    async fn renew_in_a_task(self: Arc<Self>, state: OwnedMutexGuard<State>) -> Result<Arc<Access>, Refusal> {
        tokio::spawn(self.renew(state)).await.unwrap_or_else(|error| {
            let words = format!("the token request did not end: {error}");
            Err(Refusal::new(Class::Transient, "CONNECTION_FAILED", words).of_org())
        })
    }

    async fn renew(self: Arc<Self>, mut state: OwnedMutexGuard<State>) -> Result<Arc<Access>, Refusal> {
        let asked_with = state.refresh_token.clone();
        let outcome = self.ask_and_store(&mut state).await.map_err(|refusal| {
            let secrets = [Some(&asked_with), Some(&state.refresh_token), self.client_secret.as_ref()];
            scrub(refusal, secrets.into_iter().flatten())
        });
        state.failure = outcome.as_ref().err().cloned();
        // Before the lock is given back, so that whoever waited for it sees that this attempt is over.
        self.over.fetch_add(1, Ordering::SeqCst);
        outcome
    }

    async fn ask_and_store(&self, state: &mut State) -> Result<Arc<Access>, Refusal> {
        let mut granted = Ok(());
        if !state.unstored {
            granted = self.ask(state).await;
        }
        if state.unstored {
            (self.on_rotated)(state.refresh_token.clone()).await.map_err(|words| {
                let words = format!("the new refresh token could not be stored: {words}");
                Refusal::new(Class::Transient, "TOKEN_NOT_STORED", words).of_org()
            })?;
            state.unstored = false;
        }
        granted?;
        // Empty only when the answer that rotated the token had nothing else in it.
        state.access.clone().ok_or_else(|| unreadable("no access token came with the new refresh token".to_owned()))
    }

    async fn ask(&self, state: &mut State) -> Result<(), Refusal> {
        let json = judge(Stage::Token, self.request(&state.refresh_token).await).map_err(sent)?;
        let granted: Granted = serde_json::from_value(json).map_err(|error| unreadable(error.to_string()))?;
        state.rotates = Some(granted.refresh_token.as_ref().is_some_and(|token| *token != state.refresh_token));
        if let Some(token) = granted.refresh_token.filter(|token| *token != state.refresh_token) {
            state.refresh_token = token;
            state.unstored = true;
        }
        let server = granted.instance_url.ok_or_else(|| unreadable("no instance_url".to_owned()))?;
        let server = Server::try_from(server).map_err(|error| unreadable(format!("instance_url: {error}")))?;
        let token = granted.access_token.ok_or_else(|| unreadable("no access_token".to_owned()))?;
        state.serial += 1;
        state.access = Some(Arc::new(Access { token, server, serial: state.serial }));
        Ok(())
    }

    async fn request(&self, refresh_token: &Secret) -> Result<Answer, Trouble> {
        let url = self.login.at(PATH).map_err(|error| Trouble::Unsendable(error.to_string()))?;
        let mut form = vec![
            ("grant_type", "refresh_token"),
            ("client_id", &self.client_id),
            ("refresh_token", refresh_token.reveal()),
        ];
        if let Some(secret) = &self.client_secret {
            form.push(("client_secret", secret.reveal()));
        }
        exchange(self.http.post(url).timeout(self.timeout).form(&form)).await
    }
}

/// Takes secrets out of a refusal's words: a proxy's error page may repeat what it was sent.
pub(super) fn scrub<'a>(refusal: Refusal, secrets: impl IntoIterator<Item = &'a Secret>) -> Refusal {
    let secrets = secrets.into_iter().map(Secret::reveal).filter(|secret| !secret.is_empty());
    let text = secrets.fold(refusal.text.clone(), |text, secret| text.replace(secret, "[secret]"));
    Refusal { text, ..refusal }
}

fn unreadable(what: String) -> Refusal {
    sent(Refusal::new(Class::Unclassified, "UNREADABLE_ANSWER", what).of_org())
}

/// What was asked, without what must not be told.
fn sent(refusal: Refusal) -> Refusal {
    let request =
        RequestSent { method: "POST".to_owned(), path: PATH.to_owned(), body: json!({"grant_type": "refresh_token"}) };
    Refusal { request: Some(request), ..refusal }
}

//! The access token: asked for once however many wait for it, and never used before a rotated refresh token is stored.

mod renewing;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::Mutex;

use super::grant::Grant;
use super::measured::Measured;
use crate::domain::{Class, OrgId, RecordId, RefreshToken, Refusal, Secret, Timestamp};
use crate::salesforce::config::Config;
use crate::salesforce::error::Error;
use crate::salesforce::http::{HttpAnswer, HttpError};
use crate::salesforce::values::{OrganizationId, Server};
use crate::telemetry::{Metrics, here};

/// Who only wants to know whether a token is given shares the outcome of the newest request for so long.
const SELDOM: Duration = Duration::from_secs(60);
/// The same where it was refused: somebody may have mended the cause meanwhile.
const SELDOM_AFTER_FAILURE: Duration = Duration::from_secs(10);

/// What a client needs from outside: who keeps its refresh token, and what time it is.
pub struct Keeping {
    /// The organization, as the host calls it.
    pub org: OrgId,
    /// The refresh token to begin with, or why there is none. Flows without one never ask for it.
    pub token: Result<RefreshToken, String>,
    /// Stores the one that follows.
    pub on_rotated: OnRotated,
    /// The time.
    pub now: Box<dyn Fn() -> Timestamp + Send + Sync>,
    /// Takes how long calls were on their way.
    pub metrics: Metrics,
}

/// Stores a new refresh token durably; the words of an `Err` go into the refusal.
///
/// Salesforce forgets the token before it, so a host that loses this one has to be reconnected by hand.
/// It must not use the client that calls it: that one waits for it.
pub type OnRotated = Box<dyn Fn(RefreshToken) -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// An access token and the server that takes it.
pub(crate) struct AccessToken {
    /// The token.
    pub(crate) token: Secret,
    /// The organization's own server.
    pub(crate) server: Server,
    /// Tells a newer one from an older one.
    pub(crate) serial: u64,
}

/// Keeps the tokens of one organization.
pub(crate) struct Session(Arc<Inner>);

struct Inner {
    http: reqwest::Client,
    login: Server,
    grant: Grant,
    /// The organization that tokens have to be for, where it is configured.
    organization: Option<OrganizationId>,
    timeout: Duration,
    on_rotated: OnRotated,
    now: Box<dyn Fn() -> Timestamp + Send + Sync>,
    org: OrgId,
    metrics: Metrics,
    /// How many attempts are over: who waited for one shares its outcome.
    over: AtomicU64,
    /// The serial of the newest access token with which Salesforce itself has answered.
    answered: AtomicU64,
    tokens: Arc<Mutex<Tokens>>,
}

struct Tokens {
    /// The newest refresh token, or why there is none.
    refresh_token: Result<Secret, String>,
    /// The organization that tokens were for so far.
    organization: Option<RecordId>,
    /// Whether the refresh token came by rotation or authorization and is not stored yet.
    unstored: bool,
    /// Whether Salesforce has rotated it; `None` before the first answer.
    rotates: Option<bool>,
    access: Option<Arc<AccessToken>>,
    /// Counts the access tokens.
    serial: u64,
    /// Why the last attempt failed.
    failure: Option<Refusal>,
    /// When a token was asked for last, and when one was given last.
    asked_at: Option<Timestamp>,
    given_at: Option<Timestamp>,
}

impl Session {
    /// Asks for nothing yet.
    pub(crate) fn new(config: &Config, http: reqwest::Client, keeping: Keeping) -> Result<Self, Error> {
        let Keeping { org, token, on_rotated, now, metrics } = keeping;
        let organization = token.as_ref().ok().and_then(|kept| kept.organization.clone());
        let refresh_token = token.map(|kept| kept.token);
        let tokens = Tokens {
            refresh_token,
            organization,
            unstored: false,
            rotates: None,
            access: None,
            serial: 0,
            failure: None,
            asked_at: None,
            given_at: None,
        };
        Ok(Self(Arc::new(Inner {
            http,
            login: config.login_url.clone(),
            grant: Grant::new(config)?,
            organization: config.organization_id.clone(),
            timeout: Duration::from_millis(config.timeout_ms),
            on_rotated,
            now,
            org,
            metrics,
            over: AtomicU64::new(0),
            answered: AtomicU64::new(0),
            tokens: Arc::new(Mutex::new(tokens)),
        })))
    }

    /// An access token other than the one with the serial `stale`, which Salesforce has refused.
    pub(crate) async fn access(&self, stale: Option<u64>) -> Result<Arc<AccessToken>, Refusal> {
        let over = self.0.over.load(Ordering::SeqCst);
        let mut tokens = Arc::clone(&self.0.tokens).lock_owned().await;
        if tokens.access.as_ref().is_some_and(|access| stale == Some(access.serial)) {
            tokens.access = None;
        }
        match &*tokens {
            Tokens { access: Some(access), unstored: false, .. } => Ok(Arc::clone(access)),
            Tokens { failure: Some(refusal), .. } if over != self.0.over.load(Ordering::SeqCst) => Err(refusal.clone()),
            _ => in_a_task(Arc::clone(&self.0).renew(tokens)).await,
        }
    }

    /// Begins to measure a call.
    pub(super) fn begin(&self, method: &str, path: &str) -> Measured {
        Measured::begin(method, path, &self.0.org, (self.0.now)())
    }

    /// Measures a call that has ended.
    pub(super) fn end(&self, measured: Measured, outcome: &Result<HttpAnswer, HttpError>) {
        measured.end(outcome, &self.0.metrics, (self.0.now)());
    }

    /// Says that Salesforce itself has answered a call with this access token, so that its address was right.
    pub(crate) fn answered(&self, serial: u64) {
        self.0.answered.fetch_max(serial, Ordering::Relaxed);
    }

    /// The access token that follows one at whose address nobody answers any more, or somebody else does. It is asked for
    /// once: `None` until Salesforce has answered with what was given last, which has named the address just now.
    pub(crate) async fn after_a_move(&self, from: &AccessToken) -> Result<Option<Arc<AccessToken>>, Refusal> {
        let over = self.0.over.load(Ordering::SeqCst);
        let tokens = Arc::clone(&self.0.tokens).lock_owned().await;
        match &*tokens {
            Tokens { access: Some(access), unstored: false, .. } if access.serial != from.serial => {
                Ok(Some(Arc::clone(access)))
            }
            Tokens { failure: Some(refusal), .. } if over != self.0.over.load(Ordering::SeqCst) => Err(refusal.clone()),
            _ if self.0.answered.load(Ordering::Relaxed) < from.serial => Ok(None),
            _ => in_a_task(Arc::clone(&self.0).renew(tokens)).await.map(Some),
        }
    }

    /// Asks for a new access token although the present one may still be good, unless that was done just now: then that
    /// outcome is shared, with how long it is ago. Salesforce counts each request as a log-in of the user.
    pub(crate) async fn renew_seldom(&self) -> (Result<Arc<AccessToken>, Refusal>, Option<Duration>) {
        let tokens = Arc::clone(&self.0.tokens).lock_owned().await;
        let now = (self.0.now)();
        let ago = tokens.asked_at.filter(|asked| *asked <= now).map(|asked| now.since(asked));
        match (&tokens.access, &tokens.failure) {
            (_, Some(refusal)) if ago.is_some_and(|ago| ago < SELDOM_AFTER_FAILURE) => (Err(refusal.clone()), ago),
            (Some(access), None) if !tokens.unstored && ago.is_some_and(|ago| ago < SELDOM) => {
                (Ok(Arc::clone(access)), ago)
            }
            _ => (in_a_task(Arc::clone(&self.0).renew(tokens)).await, None),
        }
    }

    /// Uses the refresh token if that has not been done for so long, or not since the start: `None` where there is nothing
    /// to do.
    pub(crate) async fn renew_by_age(&self, age: Duration) -> Option<Result<(), Refusal>> {
        let tokens = Arc::clone(&self.0.tokens).lock_owned().await;
        let now = (self.0.now)();
        let young = tokens.given_at.is_some_and(|given| given <= now && now.since(given) < age);
        if young || tokens.refresh_token.is_err() {
            return None;
        }
        Some(in_a_task(Arc::clone(&self.0).renew(tokens)).await.map(drop))
    }

    /// Turns the code of a person's authorization into tokens; where that is refused, what was there before stays.
    pub(crate) async fn exchange(
        &self,
        code: Secret,
        verifier: Secret,
        redirect_uri: String,
    ) -> Result<Arc<AccessToken>, Refusal> {
        let tokens = Arc::clone(&self.0.tokens).lock_owned().await;
        let request = self.0.grant.exchange(code, verifier, redirect_uri);
        in_a_task(Arc::clone(&self.0).authorize(tokens, request)).await
    }

    /// Where the REST API answers, or else the place where tokens are asked for.
    pub(crate) async fn server(&self) -> Server {
        let tokens = self.0.tokens.lock().await;
        tokens.access.as_ref().map_or_else(|| self.0.login.clone(), |access| access.server.clone())
    }

    /// The organization's own address, where one is known without asking: that of the present token, or the configured My
    /// Domain. Nobody waits for a token that is just being asked for.
    pub(crate) fn own_server(&self) -> Option<Server> {
        let tokens = self.0.tokens.try_lock().ok();
        let known = tokens.and_then(|tokens| tokens.access.as_ref().map(|access| access.server.clone()));
        known.or_else(|| Some(self.0.login.clone()).filter(|login| !login.is_for_all()))
    }

    /// Whether Salesforce rotates the refresh token; `None` where it has not answered yet.
    pub(crate) async fn rotates(&self) -> Option<bool> {
        self.0.tokens.lock().await.rotates
    }
}

/// A caller that gives up must not take a new refresh token with it.
async fn in_a_task(
    asking: impl Future<Output = Result<Arc<AccessToken>, Refusal>> + Send + 'static,
) -> Result<Arc<AccessToken>, Refusal> {
    tokio::spawn(here().around(asking)).await.unwrap_or_else(|error| {
        let words = format!("the token request did not end: {error}");
        Err(Refusal::new(Class::Transient, "CONNECTION_FAILED", words).of_org())
    })
}

//! Calls Alcmeon with the configured authentication, within its rate limit, and asks for actions that were missed.

use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::config::{Auth, Config};
use super::json::as_text;
use super::parse::{ActionPage, actions};
use crate::domain::{Secret, SourceId, Timestamp};
use crate::foreign_json;

/// How long one call may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How large an answer may be, in bytes: ten actions with their files inside.
const LARGEST_BODY: usize = 64 * 1024 * 1024;
/// The window of Alcmeon's rate limit: how long to wait where its answer does not tell.
const WINDOW: Duration = Duration::from_secs(60);
/// How long before its end a token is no longer used.
const MARGIN: Duration = Duration::from_secs(60);
/// The longest time for which a token is used, whatever Alcmeon says.
const LONGEST_TOKEN: Duration = Duration::from_secs(3600);
/// The longest wait that an answer may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// Why a call came to nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// Ask again, but not before this time.
    #[error("Alcmeon limits the rate until {until}")]
    RateLimited {
        /// When to ask again.
        until: Timestamp,
    },
    /// Alcmeon says no, and will again: a wrong secret, a missing permission.
    #[error("Alcmeon refused with {status}: {words}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// Alcmeon's words.
        words: String,
    },
    /// Ask again later: no answer, or one from a server in trouble.
    #[error("Alcmeon cannot be reached: {0}")]
    Unreachable(String),
    /// It answered with something else than was asked for.
    #[error("Alcmeon's answer cannot be read: {0}")]
    Unreadable(String),
}

/// Asks one environment.
pub struct Client {
    config: Config,
    http: reqwest::Client,
    source: SourceId,
    /// The token that was given last, and until when it is used.
    token: Mutex<Option<(Secret, Timestamp)>>,
}

#[derive(Deserialize)]
struct Token {
    access_token: String,
    expires_in: u64,
}

impl Client {
    /// Opens no connection yet. `http` must not follow redirects: one could carry the secret to another server.
    #[must_use]
    pub fn new(config: Config, http: reqwest::Client, source: SourceId) -> Self {
        Self { config, http, source, token: Mutex::default() }
    }

    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    pub(super) fn source(&self) -> &SourceId {
        &self.source
    }

    /// The actions after `after` (0 for all), ten at most.
    ///
    /// # Errors
    /// See [`CallError`]; after none of them has anything been lost.
    pub async fn poll(&self, after: u64, now: Timestamp) -> Result<ActionPage, CallError> {
        let body = self.call(Method::GET, &format!("actions?min_action_id={after}"), None, now).await?;
        actions(&body, &self.config, &self.source).map_err(unreadable)
    }

    /// The JSON that a path answers with.
    pub(super) async fn json<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        now: Timestamp,
    ) -> Result<T, CallError> {
        let answer = self.call(method, path, body, now).await?;
        foreign_json::parse(&answer).and_then(serde_json::from_value).map_err(unreadable)
    }

    /// The body of an answer that says yes. A token that is no longer taken is replaced once.
    pub(super) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        now: Timestamp,
    ) -> Result<Vec<u8>, CallError> {
        let mut anew = false;
        loop {
            let mut request = self.request(method.clone(), path);
            request = match self.config.auth {
                Auth::Basic => request.basic_auth(&self.config.instance_id, Some(self.config.secret.reveal())),
                Auth::Oauth => request.bearer_auth(self.token(anew, now).await?.reveal()),
            };
            if let Some(body) = &body {
                request = request.json(body);
            }
            let answer = self.send(request, now).await;
            match answer {
                Err(CallError::Refused { status: 401, .. }) if self.config.auth == Auth::Oauth && !anew => anew = true,
                answer => return answer,
            }
        }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = self.config.base_url.at(path).expect("a path of our own leads to no other server");
        self.http.request(method, url).timeout(TIMEOUT)
    }

    /// A token that is good for a while. Who comes while one is being asked for waits for that one.
    async fn token(&self, anew: bool, now: Timestamp) -> Result<Secret, CallError> {
        let mut token = self.token.lock().await;
        if let Some((token, until)) = &*token
            && !anew
            && now < *until
        {
            return Ok(token.clone());
        }
        *token = None;
        let body = json!({
            "grant_type": "client_credentials", "client_id": self.config.instance_id,
            "client_secret": self.config.secret.reveal(),
        });
        let answer = self.send(self.request(Method::POST, "v1/oauth2/token").json(&body), now).await?;
        let given: Token = serde_json::from_slice(&answer).map_err(|_| unreadable("it is no token"))?;
        let good = Duration::from_secs(given.expires_in).min(LONGEST_TOKEN).saturating_sub(MARGIN);
        let given = Secret::new(given.access_token);
        *token = Some((given.clone(), now.after(good)));
        Ok(given)
    }

    async fn send(&self, request: RequestBuilder, now: Timestamp) -> Result<Vec<u8>, CallError> {
        let mut answer = request.send().await.map_err(unreachable)?;
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(unreachable)? {
            if body.len() + chunk.len() > LARGEST_BODY {
                return Err(CallError::Unreadable(format!("more than {LARGEST_BODY} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        match answer.status().as_u16() {
            200..300 => Ok(body),
            429 => Err(CallError::RateLimited { until: limited_until(&body, now) }),
            status @ 500.. => Err(CallError::Unreachable(format!("HTTP {status}: {}", self.words(&body)))),
            status => Err(CallError::Refused { status, words: self.words(&body) }),
        }
    }

    /// Alcmeon has three shapes of errors: `error` or `details` as text, or `error.reason`. The secret is never repeated.
    fn words(&self, body: &[u8]) -> String {
        let json: Value = serde_json::from_slice(body).unwrap_or_default();
        let part = |pointer: &str| json.pointer(pointer).and_then(as_text);
        let found: Vec<String> = ["/error", "/error/reason", "/details"].into_iter().filter_map(part).collect();
        let head = || String::from_utf8_lossy(&body[..body.len().min(500)]).into_owned();
        let words = if found.is_empty() { head() } else { found.join(": ") };
        let words = match self.config.secret.reveal() {
            "" => words,
            secret => words.replace(secret, "[secret]"),
        };
        words.chars().take(500).collect()
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("source", &self.source).finish_non_exhaustive()
    }
}

pub(super) fn unreadable(error: impl std::fmt::Display) -> CallError {
    CallError::Unreadable(error.to_string())
}

fn unreachable(error: reqwest::Error) -> CallError {
    let kind = if error.is_timeout() { "no answer in time" } else { "the connection failed" };
    CallError::Unreachable(format!("{kind}: {}", error.without_url()))
}

/// `details` is a text that holds a Python dictionary: `{'rate_limited_until': '2024-01-22T13:05:41Z'}`.
fn limited_until(body: &[u8], now: Timestamp) -> Timestamp {
    let text = String::from_utf8_lossy(body);
    let told = text.split_once("rate_limited_until").and_then(|(_, rest)| {
        // Only what a time is made of, after the quotes, the colon and the blank.
        let rest = rest.trim_start_matches(|c: char| !c.is_ascii_digit());
        let time = rest.split(|c: char| !(c.is_ascii_alphanumeric() || "-:.+".contains(c))).next()?;
        time.parse::<Timestamp>().or_else(|_| format!("{time}Z").parse()).ok()
    });
    told.unwrap_or_else(|| now.after(WINDOW)).clamp(now, now.after(LONGEST_WAIT))
}

#[cfg(test)]
mod tests;

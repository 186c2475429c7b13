//! Who may do what: bearer tokens with scopes, sessions of the console, and what keeps other websites out.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::App;
use super::problem::Problem;
use crate::clock::Clock;
use crate::domain::{Secret, Timestamp};

/// How long a session of the console lasts.
const SESSION: Duration = Duration::from_secs(12 * 3600);
/// Sessions that are kept; the oldest goes first.
const SESSIONS: usize = 1_000;
pub(super) const COOKIE: &str = "switchyard-session";

/// What a token may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Look at everything.
    Read,
    /// Retry, ignore and reopen sync errors.
    Errors,
    /// Put policies in force.
    Policies,
    /// Hand in conversations.
    Intake,
    /// Authorize organizations.
    Connect,
    /// Read everything that is kept, as a backup.
    Backup,
}

/// A bearer token and what it is good for.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// Whose it is; stands in audits.
    pub name: String,
    /// The token itself, 16 characters or more.
    pub secret: Secret,
    /// What it may be used for.
    pub scopes: Vec<Scope>,
}

/// Who asks.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    pub(super) name: String,
    pub(super) scopes: Vec<Scope>,
}

impl Caller {
    pub(super) fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }
}

pub(super) type Hash = [u8; 32];

pub(super) struct Access {
    /// By the hash of the secret: how long a look-up takes tells nothing of a secret.
    tokens: HashMap<Hash, Caller>,
    /// By the hash of the cookie.
    sessions: Mutex<HashMap<Hash, (Caller, Timestamp)>>,
    clock: Clock,
}

impl Access {
    pub(super) fn new(tokens: &[Token], clock: Clock) -> Self {
        let caller = |token: &Token| Caller { name: token.name.clone(), scopes: token.scopes.clone() };
        let tokens = tokens.iter().map(|token| (hash(token.secret.reveal()), caller(token))).collect();
        Self { tokens, sessions: Mutex::default(), clock }
    }

    /// Whether everybody who can connect may do everything: only on this machine itself.
    pub(super) fn open(&self) -> bool {
        self.tokens.is_empty()
    }

    /// Who asks, by bearer token or by session.
    pub(super) fn caller(&self, headers: &HeaderMap) -> Option<Caller> {
        if self.open() {
            let scopes =
                vec![Scope::Read, Scope::Errors, Scope::Policies, Scope::Intake, Scope::Connect, Scope::Backup];
            return Some(Caller { name: "local".to_owned(), scopes });
        }
        if let Some(token) = header_text(headers, header::AUTHORIZATION).and_then(|text| text.strip_prefix("Bearer ")) {
            return self.tokens.get(&hash(token)).cloned();
        }
        let session = hash(cookie_named(headers, COOKIE)?);
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let (caller, until) = sessions.get(&session)?;
        (self.clock.now() < *until).then(|| caller.clone())
    }

    /// Opens a session of the console for a token; answers the cookie's value.
    pub(super) fn sign_in(&self, token: &str) -> Option<String> {
        let caller = self.tokens.get(&hash(token)).filter(|caller| caller.may(Scope::Read))?.clone();
        let mut bytes = [0u8; 32];
        getrandom::fill(&mut bytes).ok()?;
        let value = hex::encode(bytes);
        let now = self.clock.now();
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|_, (_, until)| now < *until);
        if sessions.len() >= SESSIONS
            && let Some(oldest) = sessions.iter().min_by_key(|(_, (_, until))| *until).map(|(key, _)| *key)
        {
            sessions.remove(&oldest);
        }
        sessions.insert(hash(&value), (caller, now.after(SESSION)));
        Some(value)
    }

    /// The session of the console that a request comes from, by its hash.
    pub(super) fn session(&self, headers: &HeaderMap) -> Option<Hash> {
        cookie_named(headers, COOKIE).map(hash).filter(|session| self.lives(session))
    }

    /// Whether a session is still open.
    pub(super) fn lives(&self, session: &Hash) -> bool {
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.get(session).is_some_and(|(_, until)| self.clock.now() < *until)
    }

    pub(super) fn sign_out(&self, headers: &HeaderMap) {
        if let Some(cookie) = cookie_named(headers, COOKIE) {
            self.sessions.lock().unwrap_or_else(PoisonError::into_inner).remove(&hash(cookie));
        }
    }
}

pub(super) fn hash(text: &str) -> Hash {
    Sha256::digest(text.as_bytes()).into()
}

fn header_text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

pub(super) fn cookie_named<'a>(headers: &'a HeaderMap, wanted: &str) -> Option<&'a str> {
    let cookies = header_text(headers, header::COOKIE)?;
    cookies.split(';').filter_map(|pair| pair.trim().split_once('=')).find(|(name, _)| *name == wanted).map(|(_, v)| v)
}

/// Lets a request of the API through if its caller has the scope, and tells the handler who it is.
pub(super) async fn need(State((app, scope)): State<(App, Scope)>, mut request: Request, next: Next) -> Response {
    let Some(caller) = app.access.caller(request.headers()) else {
        return Problem::unauthorized("send a known token as `Authorization: Bearer ...`").into_response();
    };
    if !caller.may(scope) {
        let scope = serde_json::to_string(&scope).unwrap_or_default();
        return Problem::forbidden(format!("the token of {} lacks the scope {scope}", caller.name)).into_response();
    }
    request.extensions_mut().insert(caller);
    next.run(request).await
}

/// Keeps other websites from using a browser that can reach this host.
pub(super) async fn guard(State(app): State<App>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let host = header_text(headers, header::HOST).unwrap_or_default();
    if app.access.open() && !names_this_machine(host) {
        // A website whose name was made to lead here (DNS rebinding) is still another website.
        return Problem::forbidden("without tokens the host is only reached as localhost").into_response();
    }
    let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if let Some(origin) = header_text(headers, header::ORIGIN).filter(|_| !safe) {
        let same = origin.split_once("://").is_some_and(|(_, name)| name.eq_ignore_ascii_case(host));
        if !same {
            return Problem::forbidden("requests from other websites are not taken").into_response();
        }
    }
    next.run(request).await
}

fn names_this_machine(host: &str) -> bool {
    let name =
        host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit())).map_or(host, |(n, _)| n);
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    name.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

/// Nothing of this host is to be framed, sniffed, cached or extended by a page.
pub(super) async fn harden(request: Request, next: Next) -> Response {
    const HEADERS: [(&str, &str); 5] = [
        (
            "content-security-policy",
            "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
        ),
        ("x-content-type-options", "nosniff"),
        // Not "no-referrer": with that, browsers send `Origin: null` with the forms of the console's own pages.
        ("referrer-policy", "same-origin"),
        ("x-frame-options", "DENY"),
        ("cache-control", "no-store"),
    ];
    let mut response = next.run(request).await;
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_reach_a_host_without_tokens() {
        for here in ["localhost", "localhost:8080", "127.0.0.1:1", "[::1]:8080", "LOCALHOST"] {
            assert!(names_this_machine(here), "{here}");
        }
        for there in ["", "evil.example", "evil.example:8080", "127.0.0.1.evil.example", "10.0.0.1:80"] {
            assert!(!names_this_machine(there), "{there}");
        }
    }

    #[test]
    fn a_session_ends_and_a_wrong_token_opens_none() {
        let clock = crate::clock::ManualClock::new(Timestamp::from_millis(1));
        let token = Token { name: "ann".into(), secret: Secret::new("0123456789abcdef"), scopes: vec![Scope::Read] };
        let access = Access::new(&[token], Clock::Manual(clock.clone()));
        assert!(access.sign_in("0123456789abcdeX").is_none());
        let value = access.sign_in("0123456789abcdef").unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, format!("a=b; {COOKIE}={value}").parse().unwrap());
        assert_eq!(access.caller(&headers).unwrap().name, "ann");
        clock.advance(SESSION);
        assert!(access.caller(&headers).is_none());
    }
}

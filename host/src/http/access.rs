//! Who may do what: bearer tokens with scopes, sessions of the console, and what keeps other websites out.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, Version, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::App;
use super::problem::Problem;
use super::request_id::RequestId;
use super::seats::Visitor;
use super::serving::Peer;
pub(super) use super::tokens::{Hash, hash};
pub use super::tokens::{Scope, Token, check};
use crate::clock::Clock;
use crate::domain::{Asker, IdempotencyKey, Timestamp, Via};

/// How long a session of the console lasts.
const SESSION: Duration = Duration::from_secs(12 * 3600);
/// Sessions that one token may have open; its oldest goes first, and nobody else's.
const SESSIONS: usize = 50;
pub(super) const COOKIE: &str = "switchyard-session";

/// Who asks.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    pub(super) name: String,
    pub(super) scopes: Vec<Scope>,
    /// The way that the request came, and from where.
    pub(super) via: Via,
    pub(super) address: Option<IpAddr>,
    /// The id of the request.
    pub(super) request_id: Option<String>,
    /// The key with which the same request may come again.
    pub(super) key: Option<IdempotencyKey>,
}

impl Caller {
    fn new(name: &str, scopes: &[Scope]) -> Self {
        Self {
            name: name.to_owned(),
            scopes: scopes.to_vec(),
            via: Via::Api,
            address: None,
            request_id: None,
            key: None,
        }
    }

    /// As actions name it.
    pub(super) fn asker(&self) -> Asker {
        let (request_id, key) = (self.request_id.clone(), self.key.clone());
        Asker { request_id, key, ..Asker::new(&self.name, self.via, self.address) }
    }

    /// For what changes nothing: its action is no proof that it was carried out, and what broke off is done anew.
    pub(super) fn without_key(self) -> Self {
        Self { key: None, ..self }
    }

    pub(super) fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }
}

pub(super) struct Access {
    /// By the hash of the secret: how long a look-up takes tells nothing of a secret.
    tokens: HashMap<Hash, Caller>,
    /// By the hash of the cookie.
    sessions: Mutex<HashMap<Hash, Session>>,
    clock: Clock,
}

/// A session of the console.
struct Session {
    caller: Caller,
    /// The hash of the token that opened it.
    token: Hash,
    since: Timestamp,
}

impl Access {
    pub(super) fn new(tokens: &[Token], clock: Clock) -> Self {
        let caller = |token: &Token| Caller::new(&token.name, &token.scopes);
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
            let scopes = [Scope::Read, Scope::Errors, Scope::Policies, Scope::Intake, Scope::Connect, Scope::Backup];
            return Some(Caller::new("local", &scopes));
        }
        if let Some(token) = bearer(headers) {
            return self.tokens.get(&hash(token)).cloned();
        }
        let session = hash(cookie_named(headers, COOKIE)?);
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let session = sessions.get(&session)?;
        self.clock.now().is_within(SESSION, session.since).then(|| session.caller.clone())
    }

    /// Opens a session of the console for a token; answers the cookie's value, and who it is.
    pub(super) fn sign_in(&self, token: &str) -> Option<(String, Caller)> {
        let token = hash(token);
        let caller = self.tokens.get(&token).filter(|caller| caller.may(Scope::Read))?.clone();
        let mut bytes = [0u8; 32];
        getrandom::fill(&mut bytes).ok()?;
        let value = hex::encode(bytes);
        let now = self.clock.now();
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|_, session| now.is_within(SESSION, session.since));
        let own = || sessions.iter().filter(|(_, session)| session.token == token);
        let oldest = own().min_by_key(|(_, session)| session.since).map(|(key, _)| *key);
        if let Some(oldest) = oldest.filter(|_| own().count() >= SESSIONS) {
            sessions.remove(&oldest);
        }
        sessions.insert(hash(&value), Session { caller: caller.clone(), token, since: now });
        Some((value, caller))
    }

    /// The session of the console that a request comes from, by its hash.
    pub(super) fn session(&self, headers: &HeaderMap) -> Option<Hash> {
        cookie_named(headers, COOKIE).map(hash).filter(|session| self.lives(session))
    }

    /// Whether a session is still open.
    pub(super) fn lives(&self, session: &Hash) -> bool {
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.get(session).is_some_and(|session| self.clock.now().is_within(SESSION, session.since))
    }

    /// Ends the session that a request comes from; answers whose it was.
    pub(super) fn sign_out(&self, headers: &HeaderMap) -> Option<Caller> {
        let cookie = cookie_named(headers, COOKIE)?;
        let ended = self.sessions.lock().unwrap_or_else(PoisonError::into_inner).remove(&hash(cookie));
        ended.map(|session| session.caller)
    }
}

/// The token of a request. The scheme's name has no case.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = header_text(headers, header::AUTHORIZATION)?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_start())
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
        let guessed = bearer(request.headers()).is_some();
        if guessed && let Err(problem) = app.guesses.wrong(Via::Api, Peer::of(&request)).await {
            return problem.into_response();
        }
        if let Err(problem) = app.callers.admit_stranger(Peer::of(&request).map(|Peer(address)| address.ip())) {
            return problem.into_response();
        }
        return Problem::unauthorized("send a known token as `Authorization: Bearer ...`").into_response();
    };
    let by_cookie = !app.access.open() && bearer(request.headers()).is_none();
    if by_cookie && !is_safe(request.method()) && !from_here(request.headers()) {
        return Problem::forbidden("a browser's session is only taken from the pages of the console").into_response();
    }
    if !caller.may(scope) {
        let scope = serde_json::to_string(&scope).unwrap_or_default();
        return Problem::forbidden(format!("the token of {} lacks the scope {scope}", caller.name)).into_response();
    }
    let _place = match app.callers.admit(&caller.name, scope != Scope::Intake) {
        Ok(place) => place,
        Err(problem) => return problem.into_response(),
    };
    known(&mut request, caller, Via::Api);
    next.run(request).await
}

/// Tells who asks: the handler, and the connection, which stays until the answer is written.
pub(super) fn known(request: &mut Request, caller: Caller, via: Via) {
    if let Some(visitor) = request.extensions().get::<Visitor>() {
        visitor.is_known();
    }
    let address = Peer::of(request).map(|Peer(address)| address.ip());
    let request_id = request.extensions().get::<RequestId>().map(|RequestId(id)| id.clone());
    request.extensions_mut().insert(Caller { via, address, request_id, ..caller });
}

/// Whether a method changes nothing.
pub(super) fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Whether a page of this host sent the request. Browsers always say; that an `Origin` is ours is checked for every
/// request, by [`guard`].
pub(super) fn from_here(headers: &HeaderMap) -> bool {
    headers.contains_key(header::ORIGIN) || headers.get("sec-fetch-site").is_some_and(|site| site == "same-origin")
}

/// Keeps other websites from using a browser that can reach this host, and requests away whose `Host` says two things.
pub(super) async fn guard(State(app): State<App>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let host = match the_host(&request) {
        Ok(host) => host,
        Err(problem) => return problem.into_response(),
    };
    if app.access.open() && !names_this_machine(host) {
        // A website whose name was made to lead here (DNS rebinding) is still another website.
        return Problem::forbidden("without tokens the host is only reached as localhost").into_response();
    }
    if !is_safe(request.method()) && !headers.get_all(header::ORIGIN).iter().all(|origin| is_ours(origin, host)) {
        return Problem::forbidden("requests from other websites are not taken").into_response();
    }
    next.run(request).await
}

/// The one `Host` of a request (RFC 9112, 3.2): a proxy before this host and this host must not read two. HTTP/1.0 may
/// leave it out, as simple probes do.
fn the_host(request: &Request) -> Result<&str, Problem> {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let (first, second) = (hosts.next(), hosts.next());
    match first {
        Some(host) if second.is_none() => {
            host.to_str().map_err(|_| Problem::bad_request("the header Host is no text of ASCII"))
        }
        Some(_) => Err(Problem::bad_request("there is more than one header Host")),
        None if request.version() < Version::HTTP_11 => Ok(""),
        None => Err(Problem::bad_request("the header Host is missing")),
    }
}

/// Whether an `Origin` is this host itself; one that cannot be read is somebody else's.
fn is_ours(origin: &HeaderValue, host: &str) -> bool {
    let name = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
    name.is_some_and(|(_, name)| name.eq_ignore_ascii_case(host))
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
mod tests;

//! Who may do what: bearer tokens with scopes, sessions of the console, and what keeps other websites out.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, Version, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::App;
pub(super) use super::caller::Caller;
use super::keyring::Keyring;
use super::problem::Problem;
pub(super) use super::reach::Reach;
use super::request_id::RequestId;
use super::seats::Visitor;
use super::serving::Peer;
use super::sessions::Sessions;
pub(super) use super::tokens::{Hash, hash};
pub use super::tokens::{Scope, Token, check};
use crate::clock::Clock;
use crate::domain::{Action, Via};
use crate::ledger::Ledger;
use crate::store::Error;

pub(super) const COOKIE: &str = "switchyard-session";

pub(super) struct Access {
    pub(super) keyring: Keyring,
    pub(super) sessions: Sessions,
    is_open: bool,
}

impl Access {
    /// Reads what the store has of tokens and sessions.
    pub(super) async fn load(configured: &[Token], ledger: &Ledger, clock: &Clock) -> Result<Self, Error> {
        let keyring = Keyring::load(configured, ledger.clone(), clock.clone()).await?;
        let sessions = Sessions::load(ledger.clone(), clock.clone()).await?;
        Ok(Self { keyring, sessions, is_open: configured.is_empty() })
    }

    /// Whether everybody who can connect may do everything: only on this machine itself.
    pub(super) fn open(&self) -> bool {
        self.is_open
    }

    /// Who asks, by bearer token or by session.
    pub(super) fn caller(&self, headers: &HeaderMap) -> Option<Caller> {
        if self.open() {
            return Some(Caller::local());
        }
        if let Some(token) = bearer(headers) {
            return self.keyring.find(token).map(|kept| kept.caller());
        }
        let cookie = cookie_named(headers, COOKIE)?;
        let session = hash(cookie);
        let kept = self.keyring.of(&self.sessions.token_of(&session)?)?;
        let is_of_it = self.sessions.is_of(cookie, &kept.token);
        is_of_it.then(|| Caller { session: Some(session), ..kept.caller() })
    }

    /// Whether whoever asked could ask again now: the token is not revoked and has not expired, and the session is not over. It
    /// costs no look into the store.
    pub(super) fn stands(&self, caller: &Caller) -> bool {
        let token = caller.token.as_ref().map_or(self.open(), |token| self.keyring.stands(token));
        token && caller.session.is_none_or(|session| self.lives(&session))
    }

    /// Opens a session of the console for a token that may look at it; answers the cookie's value.
    pub(super) async fn sign_in(
        &self,
        token: &str,
        action: impl FnOnce(Caller) -> Action + Send,
    ) -> Result<Option<String>, Problem> {
        let Some(kept) = self.keyring.find(token).filter(|kept| kept.caller().may(Scope::Read)) else {
            return Ok(None);
        };
        let mut bytes = [0u8; 32];
        getrandom::fill(&mut bytes).map_err(|_| Problem::unavailable("the system gave no random numbers"))?;
        let value = hex::encode(bytes);
        self.sessions.open(&value, &kept.token, &action(kept.caller())).await?;
        Ok(Some(value))
    }

    /// The session of the console that a request comes from, by its hash.
    pub(super) fn session(&self, headers: &HeaderMap) -> Option<Hash> {
        self.caller(headers)?.session
    }

    /// Whether a session is still open.
    pub(super) fn lives(&self, session: &Hash) -> bool {
        self.sessions.token_of(session).is_some_and(|token| self.keyring.stands(&token))
    }

    /// Ends the session that a request comes from.
    pub(super) async fn sign_out(
        &self,
        headers: &HeaderMap,
        action: impl FnOnce(Caller) -> Action + Send,
    ) -> Result<(), Error> {
        let Some(cookie) = cookie_named(headers, COOKIE) else { return Ok(()) };
        let of = |token: &_| self.keyring.get(token).map(|kept| action(kept.caller()));
        self.sessions.end(&hash(cookie), of).await
    }

    /// Writes what a request does not wait for: when tokens were used, and that sessions are over.
    pub(super) async fn keep(&self) {
        self.keyring.keep_uses().await;
        self.sessions.forget_ended(|token| self.keyring.stands(token)).await;
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
pub(super) async fn need(
    State((app, scope, reach)): State<(App, Scope, Reach)>,
    mut request: Request,
    next: Next,
) -> Response {
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
        return Problem::forbidden(format!("the token of {} lacks the scope \"{scope}\"", caller.name)).into_response();
    }
    let (mut parts, body) = request.into_parts();
    if let Err(problem) = reach.check(&app, &caller, &mut parts).await {
        return problem.into_response();
    }
    request = Request::from_parts(parts, body);
    let _place = match app.callers.admit(caller.identity(), scope != Scope::Intake) {
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
            "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
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

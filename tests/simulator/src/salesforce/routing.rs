//! Which part of the server answers a call, and for which token.

use axum::http::{HeaderValue, Method};
use axum::response::Response;

use super::answer::Answer;
use super::calls::Call;
use super::org::Org;
use super::refusal::Refusal;
use super::{Salesforce, SharedOrg, access_token, authorize, language, oauth, rest, userinfo, versions};
use crate::journal::lock;
use crate::web;

/// Bytes of path and query; a longer one is refused.
const LONGEST_TARGET: usize = 16_384;

impl Salesforce {
    pub(super) fn route(&self, org: Option<&SharedOrg>, call: &Call) -> Response {
        if call.target.len() > LONGEST_TARGET {
            return web::empty(414);
        }
        let segments: Vec<&str> = call.segments.iter().map(String::as_str).collect();
        match (&call.method, segments.as_slice()) {
            (&Method::POST, ["services", "oauth2", "token"]) => oauth::token(self, org, call),
            (&Method::POST | &Method::GET, ["services", "oauth2", "revoke"]) => oauth::revoke(self, org, call),
            (&Method::POST, ["services", "oauth2", "introspect"]) => oauth::introspect(org, call),
            (&Method::GET | &Method::POST, ["services", "oauth2", "authorize"]) => authorize::ask(self, org, call),
            (&Method::GET, ["services", "data"]) => web::json(200, &versions::all()),
            (&Method::GET | &Method::POST, ["services", "oauth2", "userinfo"]) => {
                self.authorized(org, call, 0, |org| Ok(userinfo::shown(self, org)))
            }
            (&Method::GET, ["id", _, _]) => self.authorized(org, call, 0, |org| Ok(userinfo::identity(self, org))),
            (_, ["services", "data", version, rest @ ..]) => match versions::version_of(version) {
                Ok(version) => self.authorized(org, call, version, |org| {
                    count(org, call.now_ms)?;
                    call.check_type()?;
                    rest::route(org, call, version, rest)
                }),
                Err(refusal) => refusal.response(),
            },
            _ => Refusal::not_found().response(),
        }
    }

    /// Runs an API call for a living access token: as a whole, or not at all when it is refused.
    fn authorized(
        &self,
        org: Option<&SharedOrg>,
        call: &Call,
        version: u32,
        run: impl FnOnce(&mut Org) -> Result<Answer, Refusal>,
    ) -> Response {
        let Some(access) = access_token(call) else {
            return Refusal::with_status(401, "INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE").response();
        };
        let dead = || Refusal::with_status(401, "INVALID_SESSION_ID", "Session expired or invalid").response();
        let Some(org) = org else { return dead() };
        let mut org = lock(org);
        let session_ms = org.config.session_ms;
        if !org.tokens.accept(access, session_ms, call.now_ms) {
            return dead();
        }
        let before = (org.config.parent_lock_ms > 0).then(|| (org.totals.clone(), org.usage.clone()));
        let result = run(&mut org);
        if org.locks.has_met(call.number) {
            // It waits for what another call holds, as if it had not begun.
            org.roll_back(0);
            if let Some(before) = before {
                (org.totals, org.usage) = before;
            }
            org.locks.free(call.number);
            return web::empty(503);
        }
        if result.is_err() {
            org.roll_back(0);
        }
        self.journal(&org.commit());
        let mut answer = result.unwrap_or_else(|refusal| {
            org.totals.refused += 1;
            refusal.answer(version)
        });
        if let Some(body) = &mut answer.body {
            language::translate(body, org.config.language);
        }
        let mut response = answer.response();
        // The recorded answers without a body lack it, and so do those outside the data API.
        if response.status() != 204 && version > 0 {
            let limit = org.config.api_limit;
            let usage = format!("api-usage={}/{limit}", org.usage.used(call.now_ms).min(limit));
            if let Ok(value) = HeaderValue::from_str(&usage) {
                response.headers_mut().insert("Sforce-Limit-Info", value);
            }
        }
        response
    }
}

/// Counts a call against the quota, or refuses it.
fn count(org: &mut Org, now_ms: i64) -> Result<(), Refusal> {
    let refuse = |message| Err(Refusal::with_status(403, "REQUEST_LIMIT_EXCEEDED", message));
    if org.config.concurrent_limit.is_some_and(|limit| org.under_way > limit) {
        return refuse("ConcurrentRequests (Concurrent API Requests) Limit exceeded.");
    }
    if org.usage.used(now_ms) >= org.config.api_limit {
        return refuse("TotalRequests Limit exceeded.");
    }
    org.usage.count(now_ms);
    Ok(())
}

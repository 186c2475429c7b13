//! The Salesforce server: many organizations behind one address, told apart by their tokens.

mod calls;
mod collections;
mod control;
mod define;
mod describe;
mod faults;
mod id;
mod input;
mod oauth;
mod org;
mod query;
mod refusal;
mod rest;
mod schema;
mod soql;
mod standard;
mod table;
mod tokens;
mod trigger;
mod write;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, Method, Request};
use axum::response::Response;
use serde_json::{Value, json};

use crate::journal::{Journal, lock};
use crate::{clock, web};
use calls::{Call, Log};
use faults::{Cut, Fault};
use org::{Config, Org};
use refusal::Refusal;
use write::Manner;

/// Versions the server speaks, as on a current instance.
const VERSIONS: std::ops::RangeInclusive<u32> = 31..=66;

type SharedOrg = Arc<Mutex<Org>>;

/// The connection is cut without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is cut on purpose")]
pub(crate) struct Dropped;

/// Everything the server knows.
#[derive(Debug)]
pub(crate) struct Salesforce {
    base: String,
    /// With their names, so that to find one no other has to be locked. The position is the org's number less one.
    orgs: RwLock<Vec<(String, SharedOrg)>>,
    log: Mutex<Log>,
    /// Added to every call.
    latency_ms: AtomicU64,
    /// Calls so far, for request ids.
    requests: AtomicU64,
    journal: Option<Journal>,
}

impl Salesforce {
    /// A server that answers at `base`, with what the journal remembers.
    pub(crate) fn new(base: String, journal: Option<&Path>) -> io::Result<Self> {
        let mut orgs: BTreeMap<String, Org> = BTreeMap::new();
        let journal = match journal {
            None => None,
            Some(path) => Some(Journal::open(path, |line| {
                if replay(&mut orgs, &line).is_none() {
                    tracing::warn!("a journal line makes no sense");
                }
            })?),
        };
        let mut orgs: Vec<Org> = orgs.into_values().collect();
        orgs.sort_by_key(|org| org.number);
        let orgs = orgs.into_iter().map(|org| (org.name.clone(), Arc::new(Mutex::new(org)))).collect();
        Ok(Self {
            base,
            orgs: RwLock::new(orgs),
            log: Mutex::default(),
            latency_ms: AtomicU64::new(0),
            requests: AtomicU64::new(0),
            journal,
        })
    }

    /// Answers one request.
    pub(crate) async fn handle(self: Arc<Self>, request: Request<Body>) -> Result<Response, Dropped> {
        let (parts, body) = request.into_parts();
        let Some(body) = web::read(body).await else {
            return Ok(Refusal::with_status(413, "EXCEEDED_MAX_SIZE_REQUEST", "Request body is too large.").response());
        };
        let call = Call::new(parts, body);
        if call.segments[0] == "control" {
            return Ok(control::handle(&self, &call));
        }
        let org = self.org_of(&call);
        let fault = org.as_ref().and_then(|org| lock(org).faults.strike(&call));
        let latency_ms = self.latency_ms.load(Ordering::Relaxed) + fault.as_ref().map_or(0, |fault| fault.latency_ms);
        if latency_ms > 0 {
            tokio::time::sleep(Duration::from_millis(latency_ms)).await;
        }
        let answer = self.answer(org.as_ref(), &call, fault.as_ref());
        let status = answer.as_ref().map_or(0, |response| response.status().as_u16());
        let name = org.as_ref().map(|org| {
            let mut org = lock(org);
            org.totals.count(&call, status);
            org.name.clone()
        });
        lock(&self.log).add(&call, name, status, clock::now_ms());
        answer
    }

    fn answer(&self, org: Option<&SharedOrg>, call: &Call, fault: Option<&Fault>) -> Result<Response, Dropped> {
        let cut = fault.and_then(|fault| fault.drop);
        if cut == Some(Cut::Before) {
            return Err(Dropped);
        }
        let mut response = match fault.and_then(Fault::response) {
            Some(response) => response,
            None => self.route(org, call),
        };
        if cut == Some(Cut::After) {
            return Err(Dropped);
        }
        let request = self.requests.fetch_add(1, Ordering::Relaxed);
        let headers = response.headers_mut();
        headers.insert("server", HeaderValue::from_static("sfdcedge"));
        if let Ok(value) = HeaderValue::from_str(&format!("{request:032x}")) {
            headers.insert("x-sfdc-request-id", value);
        }
        Ok(response)
    }

    fn route(&self, org: Option<&SharedOrg>, call: &Call) -> Response {
        let segments: Vec<&str> = call.segments.iter().map(String::as_str).collect();
        match (&call.method, segments.as_slice()) {
            (&Method::POST, ["services", "oauth2", "token"]) => oauth::token(self, org, call),
            (&Method::POST | &Method::GET, ["services", "oauth2", "revoke"]) => oauth::revoke(self, org, call),
            (&Method::GET, ["services", "data"]) => web::json(200, &versions()),
            (&Method::GET, ["services", "oauth2", "userinfo"]) => {
                self.authorized(org, call, |org| Ok(oauth::user_info(self, org)))
            }
            (_, ["services", "data", version, rest @ ..]) => match version_of(version) {
                Ok(version) => self.authorized(org, call, |org| {
                    org.usage += 1;
                    if org.usage > org.config.api_limit {
                        let message = "TotalRequests Limit exceeded.";
                        return Err(Refusal::with_status(403, "REQUEST_LIMIT_EXCEEDED", message));
                    }
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
        run: impl FnOnce(&mut Org) -> Result<Response, Refusal>,
    ) -> Response {
        let Some(access) = access_token(call) else {
            return Refusal::with_status(401, "INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE").response();
        };
        let dead = || Refusal::with_status(401, "INVALID_SESSION_ID", "Session expired or invalid").response();
        let Some(org) = org else { return dead() };
        let mut org = lock(org);
        let session_ms = org.config.session_ms;
        if !org.tokens.accept(access, session_ms, clock::now_ms()) {
            return dead();
        }
        let result = run(&mut org);
        if result.is_err() {
            org.roll_back(0);
        }
        self.journal(&org.commit());
        let mut response = result.unwrap_or_else(|refusal| {
            org.totals.refused += 1;
            refusal.response()
        });
        // The recorded answers without a body lack it.
        if response.status() != 204 {
            let usage = format!("api-usage={}/{}", org.usage.min(org.config.api_limit), org.config.api_limit);
            if let Ok(value) = HeaderValue::from_str(&usage) {
                response.headers_mut().insert("Sforce-Limit-Info", value);
            }
        }
        response
    }

    fn org_of(&self, call: &Call) -> Option<SharedOrg> {
        match access_token(call) {
            Some(access) => self.org_of_session(access),
            None => oauth::org_of(self, call),
        }
    }

    /// The org whose id an access token begins with, whether or not the token lives.
    fn org_of_session(&self, access: &str) -> Option<SharedOrg> {
        let number = id::parse(access.split_once('!')?.0)?.org;
        let (_, org) = self.orgs().get(number.checked_sub(1)? as usize)?.clone();
        Some(org)
    }

    fn org_named(&self, name: &str) -> Option<SharedOrg> {
        self.orgs().iter().find(|(known, _)| known == name).map(|(_, org)| Arc::clone(org))
    }

    fn find_org(&self, wanted: impl Fn(&Org) -> bool) -> Option<SharedOrg> {
        self.orgs().iter().find(|(_, org)| wanted(&lock(org))).map(|(_, org)| Arc::clone(org))
    }

    fn orgs(&self) -> std::sync::RwLockReadGuard<'_, Vec<(String, SharedOrg)>> {
        self.orgs.read().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn journal(&self, lines: &[Value]) {
        if let Some(journal) = &self.journal
            && !lines.is_empty()
        {
            journal.append(lines);
        }
    }
}

/// Does again what one journal line tells of.
fn replay(orgs: &mut BTreeMap<String, Org>, line: &Value) -> Option<()> {
    let name = line["org"].as_str()?;
    if !line["define"].is_null() {
        let number = u32::try_from(line["define"]["number"].as_u64()?).ok()?;
        let config: Config = serde_json::from_value(line["define"]["config"].clone()).ok()?;
        orgs.insert(name.to_owned(), Org::new(name, number, config));
        return Some(());
    }
    let org = orgs.get_mut(name)?;
    if !line["config"].is_null() {
        org.configure(serde_json::from_value(line["config"].clone()).ok()?);
    } else if !line["tokens"].is_null() {
        org.tokens = serde_json::from_value(line["tokens"].clone()).ok()?;
    } else {
        org.replay(line)?;
    }
    Some(())
}

/// How a call of the API itself wants its writes done.
fn manner(call: &Call) -> Manner {
    let auto_assign = !call.header("Sforce-Auto-Assign").is_some_and(|value| value.eq_ignore_ascii_case("false"));
    Manner { now_ms: clock::now_ms(), auto_assign }
}

fn access_token(call: &Call) -> Option<&str> {
    web::credentials(&call.headers, "Bearer").or_else(|| web::credentials(&call.headers, "OAuth"))
}

fn version_of(segment: &str) -> Result<u32, Refusal> {
    let version = segment
        .strip_prefix('v')
        .and_then(|text| text.strip_suffix(".0"))
        .and_then(|text| text.parse().ok())
        .ok_or_else(Refusal::not_found)?;
    if version < *VERSIONS.start() {
        let message = format!("The API version {segment} is not supported.");
        return Err(Refusal::with_status(410, "UNSUPPORTED_API_VERSION", message));
    }
    if VERSIONS.contains(&version) { Ok(version) } else { Err(Refusal::not_found()) }
}

fn versions() -> Value {
    let seasons = ["Spring", "Summer", "Winter"];
    VERSIONS
        .map(|version| {
            // v31 is Summer '14; three releases a year, and Winter carries the next year's number.
            let (since, season) = ((version - 30) / 3, seasons[(version as usize - 30) % 3]);
            let year = 14 + since + u32::from(season == "Winter");
            json!({
                "label": format!("{season} '{year}"),
                "url": format!("/services/data/v{version}.0"),
                "version": format!("{version}.0"),
            })
        })
        .collect()
}

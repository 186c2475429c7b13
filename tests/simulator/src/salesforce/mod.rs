//! The Salesforce server: many organizations behind one address, told apart by their tokens.

mod answer;
mod authorize;
mod batch;
mod calls;
mod collections;
mod composite;
mod config;
mod control;
mod custom;
mod define;
mod describe;
mod describe_field;
mod faults;
mod fresh;
mod id;
mod input;
mod jwt;
mod language;
mod limits;
mod locks;
mod oauth;
mod org;
mod query;
mod refusal;
mod rest;
mod routing;
mod rules;
mod schema;
mod search;
mod sharing;
mod soql;
mod sosl;
mod standard;
mod table;
mod tokens;
mod trigger;
mod under_way;
mod usage;
mod userinfo;
mod versions;
mod wildcard;
mod write;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, Request};
use axum::response::Response;
use serde_json::Value;

use crate::clock::Clock;
use crate::journal::{Journal, lock};
use crate::web;
use calls::{Call, Log};
use config::Config;
use faults::{Cut, Fault};
use org::Org;
use refusal::Refusal;
use under_way::{Held, UnderWay};
use write::Manner;

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
    clock: Clock,
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
        let clock = Clock::default();
        let mut orgs: Vec<Org> = orgs.into_values().collect();
        orgs.sort_by_key(|org| org.number);
        // When its objects were defined was not written down: nobody is told that they are unchanged.
        orgs.iter_mut().for_each(|org| org.schema_ms = clock.now_ms());
        let orgs = orgs.into_iter().map(|org| (org.name.clone(), Arc::new(Mutex::new(org)))).collect();
        Ok(Self {
            base,
            orgs: RwLock::new(orgs),
            log: Mutex::default(),
            latency_ms: AtomicU64::new(0),
            requests: AtomicU64::new(0),
            clock,
            journal,
        })
    }

    /// Answers one request.
    pub(crate) async fn handle(self: Arc<Self>, request: Request<Body>) -> Result<Response, Dropped> {
        let (parts, body) = request.into_parts();
        let Some(body) = web::read(body).await else {
            return Ok(Refusal::with_status(413, "EXCEEDED_MAX_SIZE_REQUEST", "Request body is too large.").response());
        };
        let number = self.requests.fetch_add(1, Ordering::Relaxed) + 1;
        let call = Call::new(parts, body, number, self.clock.now_ms());
        if call.segments[0] == "control" {
            return Ok(control::handle(&self, &call));
        }
        let org = self.org_of(&call);
        let _under_way = org.as_ref().filter(|_| call.is_data()).map(UnderWay::begin);
        let fault = org.as_ref().and_then(|org| lock(org).faults.strike(&call));
        let latency_ms = self.latency_ms.load(Ordering::Relaxed) + fault.as_ref().map_or(0, |fault| fault.latency_ms);
        if latency_ms > 0 {
            tokio::time::sleep(Duration::from_millis(latency_ms)).await;
        }
        let call = Call { now_ms: self.clock.now_ms(), ..call };
        let answer = self.answer_unlocked(org.as_ref(), &call, fault.as_ref()).await;
        let status = answer.as_ref().map_or(0, |response| response.status().as_u16());
        let name = org.as_ref().map(|org| {
            let mut org = lock(org);
            org.totals.count(&call, status);
            org.name.clone()
        });
        lock(&self.log).add(&call, name, status);
        let late_ms = fault.map_or(0, |fault| fault.late_ms);
        if late_ms > 0 {
            tokio::time::sleep(Duration::from_millis(late_ms)).await;
        }
        answer
    }

    /// Answers once what the call wants to write is free, and frees what it holds itself once it is committed.
    async fn answer_unlocked(
        &self,
        org: Option<&SharedOrg>,
        call: &Call,
        fault: Option<&Fault>,
    ) -> Result<Response, Dropped> {
        let Some(shared) = org.filter(|_| call.is_data()) else { return self.answer(org, call, fault) };
        let (freed, wait_ms) = {
            let guard = lock(shared);
            (Arc::clone(&guard.locks.freed), guard.config.lock_wait_ms)
        };
        let until = tokio::time::Instant::now() + Duration::from_millis(wait_ms);
        let _held = Held(shared, call.number);
        loop {
            let waiting = freed.notified();
            let patient = tokio::time::Instant::now() < until;
            lock(shared).locks.begin(call.number, patient);
            let answer = self.answer(org, call, fault);
            let (met, commits_ms) = {
                let guard = lock(shared);
                let commits_ms = if guard.locks.holds(call.number) { guard.config.parent_lock_ms } else { 0 };
                (guard.locks.has_met(call.number), commits_ms)
            };
            if met {
                // Whether it was freed or the time is over, it is tried again.
                let _ = tokio::time::timeout_at(until, waiting).await;
                continue;
            }
            if commits_ms > 0 {
                tokio::time::sleep(Duration::from_millis(commits_ms)).await;
            }
            return answer;
        }
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
        let request = call.number;
        let headers = response.headers_mut();
        headers.insert("server", HeaderValue::from_static("sfdcedge"));
        if let Ok(value) = HeaderValue::from_str(&format!("{request:032x}")) {
            headers.insert("x-sfdc-request-id", value);
        }
        Ok(response)
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
fn manner(call: &Call, version: u32) -> Manner {
    let auto_assign = !call.header("Sforce-Auto-Assign").is_some_and(|value| value.eq_ignore_ascii_case("false"));
    let duplicates = call.header("Sforce-Duplicate-Rule-Header").unwrap_or_default().to_ascii_lowercase();
    let says = |option: &str| {
        duplicates
            .split([';', ','])
            .filter_map(|part| part.split_once('='))
            .any(|(name, value)| name.trim() == option && value.trim() == "true")
    };
    Manner {
        now_ms: call.now_ms,
        call: call.number,
        version,
        allow_save: says("allowsave"),
        record_details: says("includerecorddetails"),
        auto_assign,
    }
}

fn access_token(call: &Call) -> Option<&str> {
    web::credentials(&call.headers, "Bearer").or_else(|| web::credentials(&call.headers, "OAuth"))
}

//! The control API of the Salesforce server: what a test or the demo sets, and what it may look at.

use std::sync::atomic::Ordering;

use axum::http::Method;
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::calls::Call;
use super::faults::Fault;
use super::org::Org;
use super::refusal::Refusal;
use super::write::Manner;
use super::{Salesforce, SharedOrg, define, input, oauth, rest, write};
use crate::journal::lock;
use crate::web;

/// Why a control call is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The caller asks for something that is not there.
    #[error("there is no such thing: {0}")]
    Unknown(String),
    /// The caller's body is wrong.
    #[error("the body is wrong: {0}")]
    Body(#[from] serde_json::Error),
    /// The record is one Salesforce would refuse.
    #[error("refused: {0}")]
    Refused(#[from] Refusal),
}

type Answer = Result<Value, Error>;

/// Answers a call below `/control`.
pub(crate) fn handle(salesforce: &Salesforce, call: &Call) -> Response {
    match route(salesforce, call) {
        Ok(value) => web::json(200, &value),
        Err(error) => {
            let status = if matches!(error, Error::Unknown(_)) { 404 } else { 400 };
            web::json(status, &json!({"error": error.to_string()}))
        }
    }
}

fn route(salesforce: &Salesforce, call: &Call) -> Answer {
    let segments: Vec<&str> = call.segments.iter().skip(1).map(String::as_str).collect();
    match (&call.method, segments.as_slice()) {
        (&Method::GET, ["state"]) => Ok(state(salesforce)),
        (&Method::PUT, ["latency"]) => {
            let latency_ms = body(call)?["ms"].as_u64().unwrap_or_default();
            salesforce.latency_ms.store(latency_ms, Ordering::Relaxed);
            Ok(json!({"ms": latency_ms}))
        }
        (&Method::PUT, ["clock"]) => set_clock(salesforce, &body(call)?),
        (&Method::GET, ["calls"]) => Ok(calls(salesforce, call)),
        (&Method::DELETE, ["calls"]) => {
            lock(&salesforce.log).clear();
            for (_, org) in salesforce.orgs().iter() {
                lock(org).totals = Default::default();
            }
            Ok(Value::Null)
        }
        (&Method::PUT, ["orgs", name]) => {
            define::put(salesforce, name, body(call)?, call.param("if_absent") == Some("true"))
        }
        (_, ["orgs", name, rest @ ..]) => {
            let org = salesforce.org_named(name).ok_or_else(|| Error::Unknown(format!("organization {name}")))?;
            on_org(salesforce, &org, call, rest)
        }
        _ => Err(unknown(call)),
    }
}

fn unknown(call: &Call) -> Error {
    Error::Unknown(format!("{} {}", call.method, call.target))
}

/// The body; an absent one is an empty object.
fn body(call: &Call) -> Result<Value, serde_json::Error> {
    if call.body.is_empty() { Ok(json!({})) } else { serde_json::from_slice(&call.body) }
}

fn on_org(salesforce: &Salesforce, org: &SharedOrg, call: &Call, rest: &[&str]) -> Answer {
    let now_ms = salesforce.clock.now_ms();
    let mut guard = lock(org);
    let org = &mut *guard;
    match (&call.method, rest) {
        (&Method::GET, []) => Ok(define::summary(org, now_ms)),
        (&Method::PATCH, []) => {
            define::change(salesforce, org, body(call)?)?;
            Ok(define::summary(org, now_ms))
        }
        (&Method::GET, ["faults"]) => Ok(json!(org.faults.list())),
        (&Method::POST, ["faults"]) => {
            let fault: Fault = serde_json::from_value(body(call)?)?;
            Ok(json!({"id": org.faults.add(fault)}))
        }
        (&Method::DELETE, ["faults"]) => {
            org.faults.remove(None);
            Ok(Value::Null)
        }
        (&Method::DELETE, ["faults", id]) => {
            org.faults.remove(Some(id.parse().map_err(|_| unknown(call))?));
            Ok(Value::Null)
        }
        (&Method::PUT, ["usage"]) => {
            let body = body(call)?;
            if let Some(used) = body["used"].as_u64() {
                org.usage.set(used, now_ms);
            }
            org.config.api_limit = body["limit"].as_u64().unwrap_or(org.config.api_limit);
            Ok(json!({"used": org.usage.used(now_ms), "limit": org.config.api_limit}))
        }
        (&Method::POST, ["token-refusals" | "refresh-tokens" | "revoke" | "revive" | "expire-sessions"]) => {
            tokens(salesforce, org, rest[0], &body(call)?)
        }
        (&Method::POST, ["locks"]) => hold(org, &body(call)?, now_ms),
        (&Method::POST, ["generate"]) => generate(salesforce, org, &body(call)?, now_ms),
        (_, ["records", rest @ ..]) => records(salesforce, org, call, rest),
        _ => Err(unknown(call)),
    }
}

/// Moves the clock: `advance_ms` by so much, `now_ms` to that instant.
fn set_clock(salesforce: &Salesforce, body: &Value) -> Answer {
    if let Some(by) = body["advance_ms"].as_i64() {
        salesforce.clock.advance(by);
    }
    if let Some(to) = body["now_ms"].as_i64() {
        salesforce.clock.advance(to - salesforce.clock.now_ms());
    }
    Ok(json!({"now_ms": salesforce.clock.now_ms()}))
}

/// Holds the record `id` for `ms` milliseconds against every call.
fn hold(org: &mut Org, body: &Value, now_ms: i64) -> Answer {
    let id = body["id"].as_str().unwrap_or_default();
    let record = org.record(id).ok_or_else(|| Error::Unknown(format!("record {id}")))?;
    let until_ms = now_ms + body["ms"].as_i64().unwrap_or(10_000);
    org.locks.hold(record, until_ms, Manner::admin(now_ms));
    Ok(json!({"until_ms": until_ms}))
}

/// Makes `count` records of one `object`; `{n}` in a text of `fields` is the record's number, from `from` (1).
fn generate(salesforce: &Salesforce, org: &mut Org, body: &Value, now_ms: i64) -> Answer {
    let name = body["object"].as_str().unwrap_or_default();
    let at = org.object(name).ok_or_else(|| Error::Unknown(format!("object {name}")))?;
    let template: Map<String, Value> = serde_json::from_value(body["fields"].clone())?;
    let (from, count) = (body["from"].as_u64().unwrap_or(1), body["count"].as_u64().unwrap_or_default());
    for number in from..from + count {
        let mut fields = template.clone();
        for text in fields.values_mut() {
            if let Value::String(text) = text {
                *text = text.replace("{n}", &number.to_string());
            }
        }
        let changes = input::changes(org, at, &fields, None)?;
        if let Err(refusal) = write::create(org, at, changes, Manner::admin(now_ms)) {
            org.roll_back(0);
            return Err(refusal.into());
        }
        // Each is final by itself, or the undo log would hold them all.
        salesforce.journal(&org.commit());
    }
    Ok(json!({"records": count}))
}

/// What an administrator does about tokens.
fn tokens(salesforce: &Salesforce, org: &mut Org, action: &str, body: &Value) -> Answer {
    let now_ms = salesforce.clock.now_ms();
    let most = org.config.approvals;
    let token = body["token"].as_str();
    match (action, token) {
        ("token-refusals", _) => return refuse_tokens(org, body),
        ("refresh-tokens", Some(token)) => org.tokens.approve(token, most, now_ms),
        ("refresh-tokens", None) => return Err(Error::Unknown("a refresh token has to be given".to_owned())),
        ("revoke", Some(token)) => {
            org.tokens.revoke(token);
        }
        ("revoke", None) => org.tokens.revoke_all(),
        ("revive", Some(token)) => org.tokens.approve(token, most, now_ms),
        ("revive", None) => org.tokens.revive_all(now_ms),
        _ => org.tokens.expire_sessions(),
    }
    salesforce.journal(&[json!({"org": org.name, "tokens": org.tokens})]);
    Ok(Value::Null)
}

/// Makes the token endpoint refuse in one of the recorded ways, `times` times or until the fault is removed.
fn refuse_tokens(org: &mut Org, body: &Value) -> Answer {
    let name = body["name"].as_str().unwrap_or_default();
    let refusal = oauth::refusal_body(name).ok_or_else(|| Error::Unknown(format!("token refusal {name}")))?;
    let fault = json!({"path": "/services/oauth2/token", "status": 400, "json": refusal, "times": body["times"]});
    Ok(json!({"id": org.faults.add(serde_json::from_value(fault)?)}))
}

/// An administrator's own writes: checked like any other, but neither counted nor struck by faults.
fn records(salesforce: &Salesforce, org: &mut Org, call: &Call, rest: &[&str]) -> Answer {
    let result = write_record(org, call, rest, Manner::admin(salesforce.clock.now_ms()));
    if result.is_err() {
        org.roll_back(0);
    }
    salesforce.journal(&org.commit());
    result
}

fn write_record(org: &mut Org, call: &Call, rest: &[&str], manner: Manner) -> Answer {
    let [name, rest @ ..] = rest else { return Err(unknown(call)) };
    let at = org.object(name).ok_or_else(|| Error::Unknown(format!("object {name}")))?;
    match (&call.method, rest) {
        (&Method::POST, []) => {
            let fields: Map<String, Value> = serde_json::from_value(body(call)?)?;
            let changes = input::changes(org, at, &fields, None)?;
            let record = write::create(org, at, changes, manner)?;
            Ok(json!({"id": org.record_id(record)}))
        }
        (&Method::PATCH, [id]) => {
            let record = rest::by_id(org, at, id)?;
            let fields: Map<String, Value> = serde_json::from_value(body(call)?)?;
            let changes = input::changes(org, at, &fields, None)?;
            write::update(org, record, changes, manner)?;
            Ok(json!({"id": org.record_id(record)}))
        }
        (&Method::DELETE, [id]) => {
            let record = rest::by_id(org, at, id)?;
            write::delete(org, record, manner)?;
            Ok(Value::Null)
        }
        _ => Err(unknown(call)),
    }
}

fn state(salesforce: &Salesforce) -> Value {
    let now_ms = salesforce.clock.now_ms();
    let orgs: Map<String, Value> =
        salesforce.orgs().iter().map(|(name, org)| (name.clone(), define::summary(&mut lock(org), now_ms))).collect();
    json!({"orgs": orgs, "now_ms": now_ms, "latency_ms": salesforce.latency_ms.load(Ordering::Relaxed)})
}

/// The log, of one org with `org=`, past a number with `after=`.
fn calls(salesforce: &Salesforce, call: &Call) -> Value {
    let after = call.param("after").and_then(|text| text.parse().ok()).unwrap_or(0);
    let org = call.param("org");
    let log = lock(&salesforce.log);
    let wanted = log.entries().filter(|entry| entry.number > after && (org.is_none() || entry.org.as_deref() == org));
    json!(wanted.collect::<Vec<_>>())
}

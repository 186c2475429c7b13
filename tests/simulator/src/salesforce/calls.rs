//! What was called: one request taken apart, the bounded log of all of them, and exact totals.

use std::collections::{BTreeMap, VecDeque};

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, request};
use serde::Serialize;
use serde_json::{Map, Value};

use super::refusal::Refusal;
use crate::web;

/// Calls the log remembers.
const REMEMBERED: usize = 10_000;

/// A request, read whole.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) method: Method,
    /// As sent, with the query string.
    pub(crate) target: String,
    /// The path, split and then percent-decoded; a trailing slash is dropped.
    pub(crate) segments: Vec<String>,
    pub(crate) params: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// From 1, in the order in which calls came in.
    pub(crate) number: u64,
    /// When it came in, by the simulator's clock.
    pub(crate) now_ms: i64,
}

impl Call {
    pub(crate) fn new(parts: request::Parts, body: Bytes, number: u64, now_ms: i64) -> Self {
        let target = parts.uri.path_and_query().map_or_else(|| parts.uri.path().to_owned(), ToString::to_string);
        Self::of(parts.method, target, parts.headers, body, number, now_ms)
    }

    fn of(method: Method, target: String, headers: HeaderMap, body: Bytes, number: u64, now_ms: i64) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let trimmed = path.trim_start_matches('/');
        let trimmed = trimmed.strip_suffix('/').unwrap_or(trimmed);
        Self {
            segments: trimmed.split('/').map(web::decode).collect(),
            params: web::pairs(query),
            method,
            headers,
            body,
            number,
            now_ms,
            target,
        }
    }

    /// A call carried inside this one. It has headers of its own only.
    pub(crate) fn inner(
        &self,
        method: &str,
        url: &str,
        headers: Option<&Map<String, Value>>,
        body: Option<&Value>,
    ) -> Result<Self, Refusal> {
        let method = method.to_ascii_uppercase().parse().map_err(|_| {
            Refusal::with_status(405, "METHOD_NOT_ALLOWED", format!("HTTP Method '{method}' not allowed."))
        })?;
        let headers = headers
            .into_iter()
            .flatten()
            .filter_map(|(name, value)| {
                Some((name.parse::<HeaderName>().ok()?, value.as_str()?.parse::<HeaderValue>().ok()?))
            })
            .collect();
        let body = body.filter(|body| !body.is_null()).map(ToString::to_string).unwrap_or_default();
        Ok(Self::of(method, url.to_owned(), headers, body.into(), self.number, self.now_ms))
    }

    /// The path as sent, without the query string.
    pub(crate) fn path(&self) -> &str {
        self.target.split_once('?').map_or(self.target.as_str(), |(path, _)| path)
    }

    /// Whether it is one of the calls that are counted and limited.
    pub(crate) fn is_data(&self) -> bool {
        matches!(self.segments.as_slice(), [services, data, _, ..] if services == "services" && data == "data")
    }

    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        web::value(&self.params, name)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Refuses a body that says it is something other than JSON.
    pub(crate) fn check_type(&self) -> Result<(), Refusal> {
        match self.header("Content-Type") {
            Some(kind) if !self.body.is_empty() && !kind.to_ascii_lowercase().contains("json") => {
                let message = format!("Content-Type header specified in HTTP request is not supported: {kind}");
                Err(Refusal::with_status(415, "UNSUPPORTED_MEDIA_TYPE", message))
            }
            _ => Ok(()),
        }
    }

    /// The body as a JSON object.
    pub(crate) fn object(&self) -> Result<Map<String, Value>, Refusal> {
        if self.body.is_empty() {
            return Err(Refusal::body());
        }
        serde_json::from_slice(&self.body)
            .map_err(|error| Refusal::new("JSON_PARSER_ERROR", format!("Unexpected character at [line:1]: {error}")))
    }

    /// The path without its values, for the totals.
    fn kind(&self) -> &'static str {
        match self.segments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            ["services", "oauth2", ..] => "oauth2",
            ["services", "data", _, "query" | "queryAll", ..] => "query",
            ["services", "data", _, "composite", ..] => "composite",
            ["services", "data", _, "sobjects", ..] => "sobjects",
            _ => "other",
        }
    }
}

/// One line of the log.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Entry {
    /// From 1, across all orgs, with no gaps.
    pub(crate) number: u64,
    pub(crate) at_ms: i64,
    pub(crate) org: Option<String>,
    pub(crate) method: String,
    pub(crate) path: String,
    /// 0 when the connection was cut instead of answered.
    pub(crate) status: u16,
    /// What was sent, cut at a thousand characters; left out for the token endpoint, whose bodies are secret.
    pub(crate) body: String,
}

/// Characters of a body that the log keeps.
const SHOWN: usize = 1_000;

/// The newest calls.
#[derive(Debug, Default)]
pub(crate) struct Log {
    entries: VecDeque<Entry>,
    count: u64,
}

impl Log {
    pub(crate) fn add(&mut self, call: &Call, org: Option<String>, status: u16) {
        if self.entries.len() >= REMEMBERED {
            self.entries.pop_front();
        }
        self.count += 1;
        self.entries.push_back(Entry {
            number: self.count,
            at_ms: call.now_ms,
            org,
            method: call.method.to_string(),
            path: call.target.clone(),
            status,
            body: shown(call),
        });
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// Forgets the entries; numbers go on.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }
}

fn shown(call: &Call) -> String {
    if call.kind() == "oauth2" {
        return String::new();
    }
    // No more bytes are looked at than that many characters can have.
    let start = &call.body[..call.body.len().min(SHOWN * 4)];
    String::from_utf8_lossy(start).chars().take(SHOWN).collect()
}

/// Exact counts since the org was made or its totals were cleared.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Totals {
    pub(crate) calls: u64,
    /// By status; 0 counts connections that were cut.
    pub(crate) by_status: BTreeMap<u16, u64>,
    /// By `METHOD kind`, such as `PATCH composite`.
    pub(crate) by_kind: BTreeMap<String, u64>,
    /// Records created, changed and refused, over the API.
    pub(crate) created: u64,
    pub(crate) updated: u64,
    pub(crate) refused: u64,
    /// The most data calls that were under way at the same moment.
    pub(crate) most_at_once: usize,
}

impl Totals {
    pub(crate) fn count(&mut self, call: &Call, status: u16) {
        self.calls += 1;
        *self.by_status.entry(status).or_default() += 1;
        *self.by_kind.entry(format!("{} {}", call.method, call.kind())).or_default() += 1;
    }
}

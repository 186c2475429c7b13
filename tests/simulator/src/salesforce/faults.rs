//! Troubles a test orders for an org: which calls or records they hit, and what happens instead.

use std::collections::BTreeMap;

use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::calls::Call;
use super::refusal::Refusal;
use crate::web;

/// A trouble. All the matchers that are given must match; parts of text are compared as they are.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fault {
    /// Given by the simulator.
    #[serde(skip_deserializing)]
    pub(crate) id: u64,
    /// How often it has struck.
    #[serde(skip_deserializing)]
    pub(crate) hits: u64,
    #[serde(default)]
    method: Option<String>,
    /// Part of path and query, encoded or decoded.
    #[serde(default)]
    path: Option<String>,
    /// Part of the body.
    #[serde(default)]
    body: Option<String>,
    /// Part of a record's external id. With a status and a JSON array it refuses single records of a collection.
    #[serde(default)]
    external_id: Option<String>,
    /// The answer's status; without one the call is done as usual, only later or with its connection cut.
    #[serde(default)]
    status: Option<u16>,
    #[serde(default)]
    json: Option<Value>,
    /// A body that is not JSON, such as an HTML page.
    #[serde(default)]
    raw: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) latency_ms: u64,
    /// How long the answer is held back once the call is done.
    #[serde(default)]
    pub(crate) late_ms: u64,
    /// How often it strikes before it is gone; always when absent.
    #[serde(default)]
    times: Option<u64>,
    #[serde(default)]
    pub(crate) drop: Option<Cut>,
}

/// When a connection is cut without an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Cut {
    /// Nothing was done.
    Before,
    /// It was done, and the caller cannot know.
    After,
}

/// The troubles of an org, in the order they were set; the first that matches strikes.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    list: Vec<Fault>,
    given: u64,
}

impl Faults {
    /// Adds one and answers its id.
    pub(crate) fn add(&mut self, mut fault: Fault) -> u64 {
        self.given += 1;
        fault.id = self.given;
        self.list.push(fault);
        self.given
    }

    pub(crate) fn list(&self) -> &[Fault] {
        &self.list
    }

    /// Removes one, or all.
    pub(crate) fn remove(&mut self, id: Option<u64>) {
        self.list.retain(|fault| id.is_some_and(|id| id != fault.id));
    }

    /// The fault that strikes this call as a whole.
    pub(crate) fn strike(&mut self, call: &Call) -> Option<Fault> {
        let collection = call.segments.get(3).is_some_and(|segment| segment == "composite");
        self.take(|fault| {
            let single = fault.external_id.as_deref().is_none_or(|part| call_has(call, part));
            single && !(collection && fault.refuses_records()) && fault.matches(call)
        })
    }

    /// The refusal that strikes one record of a collection.
    pub(crate) fn strike_record(&mut self, call: &Call, external_id: &str) -> Option<Refusal> {
        let fault = self.take(|fault| {
            fault.external_id.as_deref().is_some_and(|part| external_id.contains(part))
                && fault.refuses_records()
                && fault.matches(call)
        })?;
        let error = fault.json?;
        let refusal = Refusal::with_status(
            fault.status.unwrap_or(400),
            error[0]["errorCode"].as_str().unwrap_or("UNKNOWN_EXCEPTION"),
            error[0]["message"].as_str().unwrap_or_default(),
        );
        let fields = error[0]["fields"].as_array().into_iter().flatten().filter_map(Value::as_str);
        Some(fields.fold(refusal, Refusal::at))
    }

    fn take(&mut self, strikes: impl Fn(&Fault) -> bool) -> Option<Fault> {
        let at = self.list.iter().position(strikes)?;
        let fault = &mut self.list[at];
        fault.hits += 1;
        let struck = fault.clone();
        if fault.times.is_some_and(|times| fault.hits >= times) {
            self.list.remove(at);
        }
        Some(struck)
    }
}

fn call_has(call: &Call, part: &str) -> bool {
    call.segments.iter().any(|segment| segment.contains(part)) || contains(&call.body, part)
}

fn contains(body: &[u8], part: &str) -> bool {
    part.is_empty() || body.windows(part.len()).any(|window| window == part.as_bytes())
}

impl Fault {
    fn refuses_records(&self) -> bool {
        self.external_id.is_some()
            && self.status.is_some()
            && self.drop.is_none()
            && self.json.as_ref().is_some_and(Value::is_array)
    }

    fn matches(&self, call: &Call) -> bool {
        self.method.as_ref().is_none_or(|method| call.method.as_str().eq_ignore_ascii_case(method))
            && self
                .path
                .as_ref()
                .is_none_or(|part| call.target.contains(part) || web::decode(&call.target).contains(part))
            && self.body.as_ref().is_none_or(|part| contains(&call.body, part))
    }

    /// The answer given instead of doing the call; `None` when the call is done.
    pub(crate) fn response(&self) -> Option<Response> {
        let status = self.status?;
        let mut response = match (&self.json, &self.raw) {
            (Some(json), _) => web::json(status, json),
            (None, Some(raw)) => web::answer(status, "text/html;charset=UTF-8", raw.clone()),
            (None, None) => web::empty(status),
        };
        for (name, value) in &self.headers {
            if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse::<HeaderValue>()) {
                response.headers_mut().insert(name, value);
            }
        }
        Some(response)
    }
}

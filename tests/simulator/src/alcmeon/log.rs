//! What was called, and the troubles a test orders for the API.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Alcmeon;
use crate::journal::lock;
use crate::web;

/// Calls the log remembers.
const REMEMBERED: usize = 10_000;

/// A trouble of the API.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fault {
    /// Part of path and query; every call when absent.
    #[serde(default)]
    path: String,
    /// The answer's status; without one the call is only late.
    #[serde(default)]
    status: Option<u16>,
    #[serde(default)]
    json: Value,
    /// The answer's body as it is, also where that is no JSON; in the place of `json`.
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    latency_ms: u64,
    /// How often it strikes before it is gone; always when absent.
    #[serde(default)]
    times: Option<u64>,
}

/// One line of the log.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Entry {
    /// From 1, with no gaps.
    number: u64,
    at_ms: i64,
    method: String,
    path: String,
    status: u16,
}

/// Troubles and the newest calls.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    faults: Vec<Fault>,
    entries: VecDeque<Entry>,
    count: u64,
}

impl Watch {
    /// Adds a trouble.
    pub(crate) fn order(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    /// Ends all troubles.
    pub(crate) fn calm(&mut self) {
        self.faults.clear();
    }

    /// The calls past a number.
    pub(crate) fn entries(&self, after: u64) -> Vec<&Entry> {
        self.entries.iter().filter(|entry| entry.number > after).collect()
    }

    fn strike(&mut self, path: &str) -> Option<Fault> {
        let at = self.faults.iter().position(|fault| path.contains(&fault.path))?;
        let struck = self.faults[at].clone();
        if let Some(times) = &mut self.faults[at].times {
            *times = times.saturating_sub(1);
            if *times == 0 {
                self.faults.remove(at);
            }
        }
        Some(struck)
    }
}

/// Stands in front of every call of the API.
pub(super) async fn call(State(alcmeon): State<Arc<Alcmeon>>, request: Request<Body>, next: Next) -> Response {
    let method = request.method().to_string();
    let path = request.uri().path_and_query().map_or_else(String::new, ToString::to_string);
    let fault = lock(&alcmeon.watch).strike(&path);
    if let Some(latency_ms) = fault.as_ref().map(|fault| fault.latency_ms).filter(|ms| *ms > 0) {
        tokio::time::sleep(Duration::from_millis(latency_ms)).await;
    }
    let response = match fault.and_then(|fault| Some((fault.status?, fault.json, fault.text))) {
        Some((status, _, Some(text))) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            (status, [("content-type", "application/json")], text).into_response()
        }
        Some((status, json, None)) => web::json(status, &json),
        None => next.run(request).await,
    };
    let at_ms = alcmeon.clock.now_ms();
    let mut watch = lock(&alcmeon.watch);
    if watch.entries.len() >= REMEMBERED {
        watch.entries.pop_front();
    }
    watch.count += 1;
    let entry = Entry { number: watch.count, at_ms, method, path, status: response.status().as_u16() };
    watch.entries.push_back(entry);
    response
}

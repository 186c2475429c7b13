//! Calls of the REST API: sent with a token, replayed once after a refresh, and counted.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::places::Places;
use super::scrub::scrub;
use super::session::{AccessToken, Keeping, Session};
use crate::domain::{Class, Quota, Refusal, RequestSent};
use crate::salesforce::config::Config;
use crate::salesforce::error::Error;
use crate::salesforce::http::{HttpError, exchange};
use crate::salesforce::refusals::{
    Stage, is_salesforces, judge, may_have_moved, not_carried_out, not_salesforces, parts, read,
};
use crate::salesforce::soql::segment;
use crate::salesforce::values::Server;

/// How many pages of a query are followed; a page has 2,000 rows at most.
const MOST_PAGES: usize = 50;

/// How long the address of a page may be, in bytes; Salesforce's have some fifty.
const LONGEST_PAGE: usize = 2048;

/// Sends calls to one organization.
pub(crate) struct Transport {
    pub(crate) config: Config,
    pub(crate) session: Session,
    http: reqwest::Client,
    /// One for each call that may be on its way.
    places: Places,
    calls: AtomicU64,
    usage: Mutex<Option<Quota>>,
}

/// A call of the REST API.
pub(crate) struct Call {
    pub(crate) method: Method,
    /// Path and query.
    pub(crate) path: String,
    /// `null` for none.
    pub(crate) body: Value,
    /// A Case is written: without this, Salesforce may give it to the organization's default owner.
    pub(crate) keep_owner: bool,
}

/// An answer that said yes as a whole.
pub(crate) struct Accepted {
    /// Its JSON, `null` where it had none.
    json: Value,
    /// Salesforce's id of the request.
    request_id: Option<String>,
    status: u16,
    headers: BTreeMap<String, String>,
}

impl Accepted {
    /// Its parts, as [`parts`] finds them: each refusal among them has the id of the request, and what came with it.
    pub(crate) fn parts(self) -> Vec<Result<Value, Refusal>> {
        let named = |refusal: Refusal| {
            let answer = refusal.answer.map(|answer| Box::new(answer.with(self.status, self.headers.clone())));
            scrub(Refusal { request_id: self.request_id.clone(), answer, ..refusal }, [])
        };
        parts(self.json).into_iter().map(|part| part.map_err(named)).collect()
    }
}

impl Call {
    /// Reads something.
    pub(crate) fn get(path: String) -> Self {
        Self { method: Method::GET, path, body: Value::Null, keep_owner: false }
    }

    /// Whether twice does the same as once: it reads, or upserts.
    fn is_repeatable(&self) -> bool {
        self.method != Method::POST || self.path.ends_with("/parameterizedSearch")
    }
}

impl Transport {
    /// Opens no connection yet. `calls_at_once` calls may be on their way at the same moment.
    ///
    /// # Errors
    /// When the configuration lacks what its flow needs.
    pub(crate) fn new(
        config: Config,
        http: reqwest::Client,
        keeping: Keeping,
        calls_at_once: usize,
    ) -> Result<Self, Error> {
        let session = Session::new(&config, http.clone(), keeping)?;
        let places = Places::new(calls_at_once);
        Ok(Self { config, session, http, places, calls: AtomicU64::new(0), usage: Mutex::default() })
    }

    /// From now on so many calls may be on their way at the same moment; those that are go on.
    pub(crate) fn set_calls_at_once(&self, calls: usize) {
        self.places.resize(calls);
    }

    /// Calls so far, those refused included.
    pub(crate) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// The organization's calls within 24 hours, as its newest answer said.
    pub(crate) fn usage(&self) -> Option<Quota> {
        *self.usage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The path of a resource of the configured version.
    pub(crate) fn path(&self, rest: &str) -> String {
        format!("/services/data/{}/{rest}", self.config.api_version.as_str())
    }

    /// Sends a call; the answer's JSON, `null` where it had none.
    pub(crate) async fn send(&self, call: &Call) -> Result<Value, Refusal> {
        self.send_for_parts(call).await.map(|accepted| accepted.json)
    }

    /// Sends a call whose answer has parts.
    pub(crate) async fn send_for_parts(&self, call: &Call) -> Result<Accepted, Refusal> {
        let access = self.session.access(None).await?;
        let refusal = match self.send_with(&access, call).await {
            Ok(accepted) => return Ok(accepted),
            Err(refusal) => refusal,
        };
        // Once: a refusal after a fresh token is final.
        if refusal.class == Class::Auth {
            let access = self.session.access(Some(access.serial)).await?;
            return self.send_with(&access, call).await;
        }
        if !may_have_moved(&refusal) {
            return Err(refusal);
        }
        match self.session.after_a_move(&access).await {
            Ok(Some(now)) if now.server != access.server && (call.is_repeatable() || not_carried_out(&refusal)) => {
                self.send_with(&now, call).await
            }
            // A token that is dead says more than an address where nobody answers.
            Err(no_token) if no_token.class == Class::Auth => Err(no_token),
            _ => Err(refusal),
        }
    }

    async fn send_with(&self, access: &AccessToken, call: &Call) -> Result<Accepted, Refusal> {
        let _place = self.places.take().await;
        let request = self.request(&access.server, call).map(|request| request.bearer_auth(access.token.reveal()));
        let outcome = self.finish(request, call).await;
        if outcome.as_ref().err().is_none_or(is_salesforces) {
            self.session.answered(access.serial);
        }
        outcome.map_err(|refusal| scrub(refusal, [&access.token]))
    }

    /// Sends a call that needs no token.
    pub(crate) async fn send_openly(&self, server: &Server, call: &Call) -> Result<Value, Refusal> {
        self.finish(self.request(server, call), call).await.map(|accepted| accepted.json)
    }

    fn request(&self, server: &Server, call: &Call) -> Result<RequestBuilder, HttpError> {
        let url = server.at(&call.path).map_err(|error| HttpError::Unsendable(error.to_string()))?;
        let timeout = Duration::from_millis(self.config.timeout_ms);
        let mut request = self.http.request(call.method.clone(), url).timeout(timeout);
        if !call.body.is_null() {
            request = request.json(&call.body);
        }
        if call.keep_owner {
            request = request.header("Sforce-Auto-Assign", "FALSE");
        }
        Ok(request)
    }

    async fn finish(&self, request: Result<RequestBuilder, HttpError>, call: &Call) -> Result<Accepted, Refusal> {
        let number = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
        let measured = self.session.begin(call.method.as_str(), &call.path);
        let outcome = match request {
            Ok(request) => exchange(request).await,
            Err(error) => Err(error),
        };
        self.session.end(measured, &outcome);
        if let Ok(answer) = &outcome
            && answer.usage.is_some()
        {
            *self.usage.lock().unwrap_or_else(PoisonError::into_inner) = answer.usage;
        }
        let came = outcome.as_ref().map(|answer| (answer.request_id.clone(), answer.status, answer.headers.clone()));
        let (request_id, status, headers) = came.unwrap_or_default();
        let judged = judge(Stage::Rest, outcome).map(|json| Accepted { json, request_id, status, headers });
        // Whoever counts refusals counts those of one call once, however many records or callers it had.
        judged.map_err(|refusal| Refusal { call: Some(number), ..sent(refusal, call) })
    }

    /// Runs a query and follows its pages.
    pub(crate) async fn query<T: DeserializeOwned>(&self, soql: &str) -> Result<Vec<T>, Refusal> {
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "camelCase", bound = "T: DeserializeOwned")]
        struct Page<T> {
            records: Vec<T>,
            next_records_url: Option<String>,
        }
        let mut records = Vec::new();
        let mut path = Some(self.path(&format!("query?q={}", segment(soql))));
        for _ in 0..MOST_PAGES {
            let Some(next) = path.take() else { break };
            let call = Call::get(next);
            let page: Page<T> = read(self.send(&call).await?).map_err(|refusal| sent(refusal, &call))?;
            path = page.next_records_url;
            if let Some(long) = path.as_deref().filter(|path| path.len() > LONGEST_PAGE) {
                let words = format!("the address of the next page has {} bytes", long.len());
                return Err(sent(not_salesforces(words), &call));
            }
            records.extend(page.records);
        }
        Ok(records)
    }
}

/// The refusal, with the call that it refused.
fn sent(refusal: Refusal, call: &Call) -> Refusal {
    let request = RequestSent { method: call.method.to_string(), path: call.path.clone(), body: call.body.clone() };
    Refusal { request: Some(request), ..refusal }
}

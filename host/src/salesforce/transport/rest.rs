//! The client of one organization: sends calls with a token, replays one once after a refresh, and counts.

use std::collections::HashSet;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::{OnceCell, Semaphore};

use crate::domain::{Class, Quota, RecordId, Refusal, RequestSent};
use crate::salesforce::config::{Config, Error};
use crate::salesforce::http::{Trouble, exchange};
use crate::salesforce::queues::Cache;
use crate::salesforce::refusals::classify::{Stage, judge, parts};
use crate::salesforce::transport::session::{Access, Keeping, Session, scrub};
use crate::salesforce::values::Server;
use crate::salesforce::write::batcher::{Gathering, Object};

/// Pages of a query that are followed; a page has 2,000 rows at most.
const MOST_PAGES: usize = 50;
/// Customers that may be looked for at the same moment.
const CUSTOMERS: usize = 256;

/// Talks to one organization. Every operation says why Salesforce refused it; none retries but after a stale token.
pub struct Client {
    pub(crate) config: Config,
    pub(crate) session: Session,
    pub(crate) queues: Cache,
    /// Who looks for a customer, and may make a contact of one, holds the customer's place.
    pub(crate) customers: [tokio::sync::Mutex<()>; CUSTOMERS],
    /// Whether the organization has person accounts, once that is known.
    pub(crate) person_accounts: OnceCell<bool>,
    /// The record type of its person accounts, where there is one only.
    pub(crate) person_type: OnceCell<Option<RecordId>>,
    /// Records that wait for a call.
    pub(crate) gathering: Mutex<Gathering>,
    /// Records whose last write brought no answer: nobody knows whether they are there.
    pub(crate) doubts: Mutex<HashSet<(Object, String)>>,
    http: reqwest::Client,
    /// As many as calls may be on their way.
    places: Semaphore,
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
pub(crate) struct Said {
    /// Its JSON, `null` where it had none.
    json: Value,
    /// Salesforce's id of the request.
    request_id: Option<String>,
}

impl Said {
    /// Its parts, as [`classify::parts`](parts): each refusal among them has the id of the request.
    pub(crate) fn parts(self) -> Vec<Result<Value, Refusal>> {
        let named = |refusal| Refusal { request_id: self.request_id.clone(), ..refusal };
        parts(self.json).into_iter().map(|part| part.map_err(named)).collect()
    }
}

impl Call {
    /// Reads something.
    pub(crate) fn get(path: String) -> Self {
        Self { method: Method::GET, path, body: Value::Null, keep_owner: false }
    }
}

impl Client {
    /// Opens no connection yet.
    ///
    /// `http` must not follow redirects (`redirect::Policy::none()`): one could carry a token to another server.
    /// `calls_at_once` calls may be on their way at the same moment.
    ///
    /// # Errors
    /// When the configuration lacks what its flow needs.
    pub fn new(
        config: Config,
        http: reqwest::Client,
        keeping: Keeping,
        calls_at_once: usize,
    ) -> Result<Arc<Self>, Error> {
        let session = Session::new(&config, http.clone(), keeping)?;
        let (queues, person_accounts, person_type, doubts, calls, usage) = Default::default();
        let gathering = Mutex::new(Gathering::new(calls_at_once));
        let places = Semaphore::new(calls_at_once);
        Ok(Arc::new(Self {
            config,
            session,
            queues,
            customers: [const { tokio::sync::Mutex::const_new(()) }; CUSTOMERS],
            person_accounts,
            person_type,
            gathering,
            doubts,
            http,
            places,
            calls,
            usage,
        }))
    }

    /// Whether a person can authorize the organization in a browser.
    #[must_use]
    pub fn authorized_by_a_person(&self) -> bool {
        self.config.flow.keeps_a_token()
    }

    /// Calls of the REST API so far, those refused included.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// The organization's calls within 24 hours, as its newest answer said.
    #[must_use]
    pub fn usage(&self) -> Option<Quota> {
        *self.usage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same, where so many are used that the organization slows.
    #[must_use]
    pub fn slowed(&self) -> Option<Quota> {
        self.usage().filter(|quota| quota.slows_at(self.config.slow_at.get()))
    }

    /// The path of a resource of the configured version.
    pub(crate) fn path(&self, rest: &str) -> String {
        format!("/services/data/{}/{rest}", self.config.api_version.as_str())
    }

    /// Sends a call; the answer's JSON, `null` where it had none.
    pub(crate) async fn send(&self, call: &Call) -> Result<Value, Refusal> {
        self.send_for_parts(call).await.map(|said| said.json)
    }

    /// Sends a call whose answer has parts.
    pub(crate) async fn send_for_parts(&self, call: &Call) -> Result<Said, Refusal> {
        let access = self.session.access(None).await?;
        match self.send_with(&access, call).await {
            // Once: a refusal after a fresh token is final.
            Err(refusal) if refusal.class == Class::Auth => {
                let access = self.session.access(Some(access.serial)).await?;
                self.send_with(&access, call).await
            }
            outcome => outcome,
        }
    }

    async fn send_with(&self, access: &Access, call: &Call) -> Result<Said, Refusal> {
        // It is never closed, so waiting for a place ends in having one.
        let _place = self.places.acquire().await;
        let request = self.request(&access.server, call).map(|request| request.bearer_auth(access.token.reveal()));
        self.finish(request, call).await.map_err(|refusal| scrub(refusal, [&access.token]))
    }

    /// Sends a call that needs no token.
    pub(crate) async fn send_openly(&self, server: &Server, call: &Call) -> Result<Value, Refusal> {
        self.finish(self.request(server, call), call).await.map(|said| said.json)
    }

    fn request(&self, server: &Server, call: &Call) -> Result<RequestBuilder, Trouble> {
        let url = server.at(&call.path).map_err(|error| Trouble::Unsendable(error.to_string()))?;
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

    async fn finish(&self, request: Result<RequestBuilder, Trouble>, call: &Call) -> Result<Said, Refusal> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let outcome = match request {
            Ok(request) => exchange(request).await,
            Err(trouble) => Err(trouble),
        };
        if let Ok(answer) = &outcome
            && answer.usage.is_some()
        {
            *self.usage.lock().unwrap_or_else(PoisonError::into_inner) = answer.usage;
        }
        let request_id = outcome.as_ref().ok().and_then(|answer| answer.request_id.clone());
        let judged = judge(Stage::Rest, outcome).map(|json| Said { json, request_id });
        judged.map_err(|refusal| sent(refusal, call))
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
        let mut path = Some(self.path(&format!("query?q={}", crate::salesforce::soql::segment(soql))));
        for _ in 0..MOST_PAGES {
            let Some(next) = path.take() else { break };
            let call = Call::get(next);
            let page: Page<T> = read(self.send(&call).await?).map_err(|refusal| sent(refusal, &call))?;
            path = page.next_records_url;
            records.extend(page.records);
        }
        Ok(records)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

/// The refusal, with the call that it refused.
pub(crate) fn sent(refusal: Refusal, call: &Call) -> Refusal {
    let request = RequestSent { method: call.method.to_string(), path: call.path.clone(), body: call.body.clone() };
    Refusal { request: Some(request), ..refusal }
}

/// Reads an answer that said yes.
pub(crate) fn read<T: DeserializeOwned>(json: Value) -> Result<T, Refusal> {
    serde_json::from_value(json).map_err(unreadable)
}

/// Takes an id from an answer.
pub(crate) fn record(id: &str) -> Result<RecordId, Refusal> {
    RecordId::new(id).map_err(unreadable)
}

fn unreadable(what: impl fmt::Display) -> Refusal {
    Refusal::new(Class::Unclassified, "UNREADABLE_ANSWER", format!("Salesforce's answer could not be read: {what}"))
}

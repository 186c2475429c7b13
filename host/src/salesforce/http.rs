//! One call over HTTP: sent once, never redirected, its answer read up to a bound.

use std::collections::BTreeMap;

use reqwest::{RequestBuilder, Response, header::LOCATION};

use crate::domain::{AnswerReceived, Quota};

/// How large an answer may be, in bytes. The largest are describes and pages of 2,000 rows; both stay well below.
const LARGEST_BODY: usize = 8 * 1024 * 1024;

/// Headers that are kept of an answer that refuses: what it is, who gave it, and what Salesforce's support asks for.
const KEPT_HEADERS: [&str; 5] = ["content-type", "retry-after", "server", "sforce-limit-info", "x-sfdc-request-id"];

/// What came back.
#[derive(Debug, Default)]
pub(super) struct HttpAnswer {
    /// The HTTP status.
    pub(super) status: u16,
    /// Salesforce's id of the request.
    pub(super) request_id: Option<String>,
    /// The calls of 24 hours, where the answer tells.
    pub(super) usage: Option<Quota>,
    /// Headers that help whoever looks at a refusal, by their names in lower case.
    pub(super) headers: BTreeMap<String, String>,
    /// Where a redirect would have led.
    pub(super) location: Option<String>,
    /// The body.
    pub(super) body: Vec<u8>,
}

impl HttpAnswer {
    /// What is kept of it beside a refusal.
    pub(super) fn received(&self) -> Box<AnswerReceived> {
        Box::new(AnswerReceived::new(self.status, self.headers.clone(), &self.body))
    }
}

/// Why nothing, or nothing usable, came back.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum HttpError {
    /// The request could not be built: nothing was sent.
    #[error("the request could not be built: {0}")]
    Unsendable(String),
    /// Whether the request was carried out is unknown.
    #[error("no answer in time: {0}")]
    TimedOut(String),
    /// There was no connection: nothing was sent.
    #[error("the connection failed: {0}")]
    NotConnected(String),
    /// Whether the request was carried out is unknown.
    #[error("the connection broke off: {0}")]
    BrokeOff(String),
    /// The answer goes on past the bound.
    #[error("the answer is larger than {LARGEST_BODY} bytes")]
    TooLarge,
}

impl From<reqwest::Error> for HttpError {
    fn from(error: reqwest::Error) -> Self {
        let error = error.without_url();
        let mut words = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            words = format!("{words}: {cause}");
            source = cause.source();
        }
        if error.is_builder() {
            Self::Unsendable(words)
        } else if error.is_timeout() && !error.is_connect() {
            Self::TimedOut(words)
        } else if error.is_connect() {
            Self::NotConnected(words)
        } else {
            Self::BrokeOff(words)
        }
    }
}

/// Sends a request and reads its answer.
pub(super) async fn exchange(request: RequestBuilder) -> Result<HttpAnswer, HttpError> {
    let mut response = request.send().await?;
    let mut answer = HttpAnswer {
        status: response.status().as_u16(),
        request_id: header(&response, "x-sfdc-request-id"),
        usage: header(&response, "sforce-limit-info").as_deref().and_then(usage),
        headers: kept(&response),
        location: header(&response, LOCATION.as_str()),
        body: Vec::new(),
    };
    while let Some(chunk) = response.chunk().await? {
        if answer.body.len() + chunk.len() > LARGEST_BODY {
            return Err(HttpError::TooLarge);
        }
        answer.body.extend_from_slice(&chunk);
    }
    Ok(answer)
}

fn kept(response: &Response) -> BTreeMap<String, String> {
    KEPT_HEADERS.into_iter().filter_map(|name| Some((name.to_owned(), header(response, name)?))).collect()
}

fn header(response: &Response, name: &str) -> Option<String> {
    response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

/// `api-usage=22/15000`, perhaps followed by `; per-app-api-usage=17/250(appName=..)`.
fn usage(info: &str) -> Option<Quota> {
    let pair = info.split([';', ',']).find_map(|part| part.trim().strip_prefix("api-usage="))?;
    let (used, allowed) = pair.split_once('/')?;
    Some(Quota { used: used.parse().ok()?, allowed: allowed.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usage_is_read_with_and_without_a_named_app() {
        assert_eq!(usage("api-usage=22/15000"), Some(Quota { used: 22, allowed: 15_000 }));
        let with_app = usage("api-usage=18/5000; per-app-api-usage=17/250(appName=sample)");
        assert_eq!(with_app, Some(Quota { used: 18, allowed: 5000 }));
        assert_eq!(usage("per-app-api-usage=17/250(appName=sample)"), None);
        assert_eq!(usage("api-usage=many"), None);
    }
}

//! What is told of a call: its span, and how long it was on its way.

use crate::domain::{OrgId, Timestamp};
use crate::salesforce::http::{HttpAnswer, HttpError};
use crate::telemetry::{Called, Kind, Metrics, Span, child};

/// A call on its way.
pub(super) struct Measured {
    org: OrgId,
    since: Timestamp,
    span: Span,
}

impl Measured {
    /// A call that leaves now. Its path is told without what was asked for, which may be a customer's address.
    pub(super) fn begin(method: &str, path: &str, org: &OrgId, now: Timestamp) -> Self {
        let mut span = child("salesforce", Kind::Client);
        span.rename(format_args!("{method} salesforce"));
        span.set("http.request.method", method);
        span.set("url.path", path.split('?').next().unwrap_or_default());
        span.set("switchyard.organization", org);
        Self { org: org.clone(), since: now, span }
    }

    /// It has ended.
    pub(super) fn end(mut self, outcome: &Result<HttpAnswer, HttpError>, metrics: &Metrics, now: Timestamp) {
        let ended = match outcome {
            Ok(answer) => {
                self.span.count("http.response.status_code", answer.status);
                if answer.status < 400 { "answered" } else { "refused" }
            }
            Err(_) => "unanswered",
        };
        if ended != "answered" {
            self.span.fail(ended);
        }
        let labels = Called { org: self.org.to_string(), outcome: ended };
        metrics.call_duration.get_or_create(&labels).observe(now.since(self.since).as_secs_f64());
    }
}

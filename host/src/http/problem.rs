//! Every refusal of the API as a problem document (RFC 9457): what the caller sees; the log gets the rest.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::domain::{Stale, State};
use crate::ledger::NotPutBack;
use crate::{engine, policy, registry, store};

/// The content type of a problem document.
pub(super) const KIND: &str = "application/problem+json";
/// When to ask again what is not available or too much at the moment, in seconds.
const AGAIN_AFTER: u16 = 1;

/// A refusal as the caller sees it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Problem {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    detail: String,
    /// Where the sync error stands whose state does not allow what was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<State>,
    /// Point by point, where there are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<policy::PolicyProblem>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, kind: &str, title: &'static str, detail: impl Into<String>) -> Self {
        let kind = format!("urn:switchyard:problem:{kind}");
        Self { kind, title, status: status.as_u16(), detail: detail.into(), state: None, problems: Vec::new() }
    }

    pub(super) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "Not found", detail)
    }

    pub(super) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad-request", "The request cannot be understood", detail)
    }

    pub(super) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", "The request makes no sense", detail)
    }

    pub(super) fn method_not_allowed() -> Self {
        let detail = "this address does not take this method";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "Method not allowed", detail)
    }

    pub(super) fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "Not authorized", detail)
    }

    pub(super) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", "Forbidden", detail)
    }

    pub(super) fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", "This cannot be given as things stand", detail)
    }

    pub(super) fn too_large(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "Too large", detail)
    }

    pub(super) fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Not available now", detail)
    }

    pub(super) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    pub(super) fn title(&self) -> &'static str {
        self.title
    }

    pub(super) fn detail(&self) -> &str {
        &self.detail
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status();
        let mut response = (status, Json(&self)).into_response();
        let kind = header::HeaderValue::from_static(KIND);
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer"));
        }
        if matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
            response.headers_mut().insert(header::RETRY_AFTER, AGAIN_AFTER.into());
        }
        // The console makes a page of it.
        response.extensions_mut().insert(self);
        response
    }
}

impl From<store::Error> for Problem {
    fn from(error: store::Error) -> Self {
        tracing::error!(%error, "a request failed");
        match error {
            store::Error::TooLarge { bytes, .. } => Self::too_large(format!("this would be a record of {bytes} bytes")),
            _ => Self::unavailable("the store failed; nothing was acknowledged"),
        }
    }
}

impl From<engine::Error> for Problem {
    fn from(error: engine::Error) -> Self {
        match error {
            engine::Error::NoSuchError(_)
            | engine::Error::NoSuchGroup(_)
            | engine::Error::NoSuchOperation(_)
            | engine::Error::NoSuchOrg(_)
            | engine::Error::NotParked(_) => Self::not_found(error.to_string()),
            engine::Error::NotLinked { .. } => {
                Self::new(StatusCode::NOT_FOUND, "not-linked", "No organization is linked", error.to_string())
            }
            engine::Error::Operation(_)
            | engine::Error::OperationOver
            | engine::Error::OperationGoesOn
            | engine::Error::NotUndoable(_) => Self::new(
                StatusCode::CONFLICT,
                "operation-status",
                "The operation's status does not allow this",
                error.to_string(),
            ),
            engine::Error::Transition(why) => {
                let title = "The sync error's state does not allow this";
                let problem = Self::new(StatusCode::CONFLICT, "state", title, why.to_string());
                Self { state: Some(why.state), ..problem }
            }
            engine::Error::Stale(stale) => stale.into(),
            engine::Error::NotPutBack(NotPutBack::Store(error)) | engine::Error::Store(error) => error.into(),
            engine::Error::NotPutBack(why) => {
                Self::new(StatusCode::CONFLICT, "not-put-back", "This stays in the quarantine", why.to_string())
            }
            engine::Error::TooSlow | engine::Error::Stopping => Self::unavailable(error.to_string()),
        }
    }
}

impl From<Stale> for Problem {
    fn from(stale: Stale) -> Self {
        Self::new(StatusCode::PRECONDITION_FAILED, "stale", "It was changed meanwhile", stale.to_string())
    }
}

impl From<registry::Error> for Problem {
    fn from(error: registry::Error) -> Self {
        match error {
            registry::Error::Unreachable(_) => Self::unavailable(error.to_string()),
            _ => Self::invalid(error.to_string()),
        }
    }
}

impl From<policy::Rejection> for Problem {
    fn from(rejection: policy::Rejection) -> Self {
        let detail = rejection.to_string();
        let title = "The policy is refused; the one in force goes on serving";
        let problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "policy-refused", title, detail);
        Self { problems: rejection.problems, ..problem }
    }
}

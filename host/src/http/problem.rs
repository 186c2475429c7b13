//! How every refusal of the API is answered (RFC 9457): the caller sees what it can do; the log gets the rest.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

pub(super) use super::api::{Kind, Problem};
use crate::domain::Stale;
use crate::ledger::NotPutBack;
use crate::{engine, policy, registry, store};

/// The content type of a problem document.
pub(super) const CONTENT_TYPE: &str = "application/problem+json";
/// When to ask again what is not available or too much at the moment, in seconds.
const AGAIN_AFTER: u16 = 1;

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status();
        let mut response = (status, Json(&self)).into_response();
        let kind = header::HeaderValue::from_static(CONTENT_TYPE);
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer"));
        }
        let passes = matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
        if passes || self.is(Kind::KeyInUse) {
            response.headers_mut().insert(header::RETRY_AFTER, self.retry_after.unwrap_or(AGAIN_AFTER).into());
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
            engine::Error::NotLinked { .. } => Self::new(Kind::NotLinked, error.to_string()),
            engine::Error::Operation(_)
            | engine::Error::OperationOver
            | engine::Error::OperationGoesOn
            | engine::Error::NotUndoable(_) => Self::new(Kind::OperationStatus, error.to_string()),
            engine::Error::Transition(why) => {
                Self { state: Some(why.state), ..Self::new(Kind::State, why.to_string()) }
            }
            engine::Error::Chosen(_) | engine::Error::NothingChosen => Self::conflict(error.to_string()),
            engine::Error::NotACandidate(_) => Self::invalid(error.to_string()),
            engine::Error::Setting(problem) => Self::invalid(problem.to_string()),
            engine::Error::Stale(stale) => stale.into(),
            engine::Error::NotPutBack(NotPutBack::Store(error)) | engine::Error::Store(error) => error.into(),
            engine::Error::NotPutBack(why) => Self::new(Kind::NotPutBack, why.to_string()),
            engine::Error::TooSlow | engine::Error::Stopping => Self::unavailable(error.to_string()),
        }
    }
}

impl From<Stale> for Problem {
    fn from(stale: Stale) -> Self {
        Self::new(Kind::Stale, stale.to_string())
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
        let problem = Self::new(Kind::PolicyRefused, rejection.to_string());
        let problems = rejection.problems.into_iter().map(super::api::PolicyProblem::from).collect();
        Self { problems, ..problem }
    }
}

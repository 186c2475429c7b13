//! An answer of the API before it goes out, so that a composite call can carry it inside its own.

use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use serde_json::Value;

use crate::web;

/// Status, body and the headers that belong to the answer itself.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Absent for answers without a body, such as 204 and 304.
    pub(crate) body: Option<Value>,
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl Answer {
    /// An answer with a body.
    pub(crate) fn json(status: u16, body: Value) -> Self {
        Self { status, body: Some(body), headers: Vec::new() }
    }

    /// An answer without one.
    pub(crate) fn empty(status: u16) -> Self {
        Self { status, body: None, headers: Vec::new() }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The answer as it goes over the wire.
    pub(crate) fn response(self) -> Response {
        let mut response = match &self.body {
            Some(body) => web::json(self.status, body),
            None => web::empty(self.status),
        };
        for (name, value) in self.headers {
            if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse::<HeaderValue>()) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

//! The version of what an answer shows, and the one that a change is of.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use utoipa::IntoParams;
use utoipa::openapi::Required;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};

use super::problem::Problem;
use crate::domain::Expected;

/// Which version a change is of.
pub(super) struct IfMatch(pub(super) Expected);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let values = parts.headers.get_all(header::IF_MATCH).iter();
        let texts = values.map(|value| value.to_str().unwrap_or_default());
        Expected::read(texts).map(Self).map_err(|error| Problem::bad_request(error.to_string()))
    }
}

impl IntoParams for IfMatch {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let meaning =
            "The `ETag` that what is changed had when it was looked at: where it has another one, nothing is changed.";
        let text = ObjectBuilder::new().schema_type(Type::String);
        let header = ParameterBuilder::new().name("If-Match").parameter_in(ParameterIn::Header);
        vec![header.required(Required::False).description(Some(meaning)).schema(Some(text)).build()]
    }
}

/// An answer with the version of what it shows, where that has one.
pub(super) struct Tagged<T>(pub(super) Option<String>, pub(super) T);

impl<T: IntoResponse> IntoResponse for Tagged<T> {
    fn into_response(self) -> Response {
        let mut response = self.1.into_response();
        let tag = self.0.and_then(|tag| HeaderValue::try_from(format!("\"{tag}\"")).ok());
        tag.into_iter().for_each(|tag| drop(response.headers_mut().insert(header::ETAG, tag)));
        response
    }
}

//! What the three servers share of HTTP: answers, bodies, query strings and Basic credentials.

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use base64::Engine;
use percent_encoding::percent_decode_str;
use serde_json::Value;

/// The most a request may carry, in bytes.
pub(crate) const BODY_LIMIT_BYTES: usize = 64 * 1024 * 1024;

/// A JSON answer.
pub(crate) fn json(status: u16, value: &Value) -> Response {
    answer(status, "application/json;charset=UTF-8", value.to_string())
}

/// An answer of any type. A status outside 100..=999 becomes 500.
pub(crate) fn answer(status: u16, content_type: &str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if let Ok(value) = content_type.parse() {
        response.headers_mut().insert(header::CONTENT_TYPE, value);
    }
    response
}

/// An answer without a body.
pub(crate) fn empty(status: u16) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
}

/// The whole body; `None` when it is over the limit or the client went away.
pub(crate) async fn read(body: Body) -> Option<Bytes> {
    axum::body::to_bytes(body, BODY_LIMIT_BYTES).await.ok()
}

/// `a=b&c=d` as decoded pairs, in order; `+` is a space.
pub(crate) fn pairs(text: &str) -> Vec<(String, String)> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(&name.replace('+', " ")), decode(&value.replace('+', " ")))
        })
        .collect()
}

/// The value of one name.
pub(crate) fn value<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

/// Percent-decoding; bytes that are not UTF-8 become the replacement character.
pub(crate) fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// User and password of a Basic `Authorization` header.
pub(crate) fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let given = credentials(headers, "Basic")?;
    let decoded = base64::engine::general_purpose::STANDARD.decode(given).ok()?;
    let (user, password) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

/// What follows the scheme in the `Authorization` header.
pub(crate) fn credentials<'a>(headers: &'a HeaderMap, scheme: &str) -> Option<&'a str> {
    let text = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (given, rest) = text.split_once(' ')?;
    given.eq_ignore_ascii_case(scheme).then(|| rest.trim())
}

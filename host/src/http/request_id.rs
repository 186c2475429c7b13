//! Every request has an id: the one that was sent with it, or a new one. It stands in the answer, in the problem document and
//! in what the request itself writes to the log; what a lane does for it later has none.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument as _;

use super::problem::{CONTENT_TYPE, Problem};

const HEADER: HeaderName = HeaderName::from_static("x-request-id");
/// The longest id that is taken from outside, in bytes.
const LONGEST: usize = 128;
/// The alphabet of new ones: base 32 in lower case.
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
/// Characters of a new one.
const DIGITS: usize = 20;

/// The id of a request.
#[derive(Clone)]
pub(super) struct RequestId(pub(super) String);

/// Gives a request its id.
pub(super) async fn named(mut request: Request, next: Next) -> Response {
    let id = sent(request.headers()).unwrap_or_else(new);
    request.extensions_mut().insert(RequestId(id.to_str().unwrap_or_default().to_owned()));
    let span = tracing::info_span!("request", request_id = id.to_str().unwrap_or_default());
    let mut response = next.run(request).instrument(span).await;
    if let Some(problem) = problem_of(&response) {
        response = with_id(response, problem, &id);
    }
    response.headers_mut().insert(HEADER, id);
    response
}

/// The id that was sent, where it is one: what a log may hold, and one header.
fn sent(headers: &HeaderMap) -> Option<HeaderValue> {
    let mut all = headers.get_all(HEADER).iter();
    let (first, second) = (all.next()?, all.next());
    let bytes = first.as_bytes();
    let fits = second.is_none()
        && (1..=LONGEST).contains(&bytes.len())
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"._:-".contains(byte));
    fits.then(|| first.clone())
}

fn new() -> HeaderValue {
    let digits = (0..DIGITS).map(|_| char::from(ALPHABET[fastrand::usize(..ALPHABET.len())]));
    let id: String = "req-".chars().chain(digits).collect();
    HeaderValue::try_from(id).unwrap_or_else(|_| HeaderValue::from_static("req-"))
}

/// The problem that a response tells as a document; a page of the console is none.
fn problem_of(response: &Response) -> Option<Problem> {
    let is_document = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == CONTENT_TYPE);
    response.extensions().get::<Problem>().filter(|_| is_document).cloned()
}

fn with_id(response: Response, problem: Problem, id: &HeaderValue) -> Response {
    let (mut parts, _) = response.into_parts();
    let named = Problem { request_id: id.to_str().ok().map(str::to_owned), ..problem };
    let body = serde_json::to_vec(&named).unwrap_or_default();
    parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    Response::from_parts(parts, Body::from(body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_was_sent_is_kept_where_a_log_may_hold_it() {
        let of = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(HEADER, HeaderValue::from_bytes(value.as_bytes()).unwrap());
            }
            sent(&headers).is_some()
        };
        assert!(of(&["trace-7f.3:a_B"]) && of(&["x".repeat(LONGEST).as_str()]));
        assert!(!of(&[]) && !of(&[""]) && !of(&["a b"]) && !of(&["é"]) && !of(&["{x}"]) && !of(&["one", "two"]));
        assert!(!of(&["x".repeat(LONGEST + 1).as_str()]));
    }

    #[test]
    fn new_ids_differ_and_could_have_been_sent() {
        let (one, other) = (new(), new());
        assert_ne!(one, other);
        assert_eq!(one.len(), 4 + DIGITS);
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, one.clone());
        assert_eq!(sent(&headers), Some(one));
    }
}

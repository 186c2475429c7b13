//! Every request has an id: the one that was sent with it, or a new one. It stands in the answer, in the problem document and
//! in what the request itself writes to the log, and where traces are on, so does its trace.

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument as _;

use super::App;
use super::problem::{CONTENT_TYPE, Problem};
use crate::telemetry::{Kind, Span, Traces};

const HEADER: HeaderName = HeaderName::from_static("x-request-id");
/// Where a caller says what the request belongs to, in the way of W3C's Trace Context.
const PARENT: HeaderName = HeaderName::from_static("traceparent");
/// What machines ask all day long: a span of it tells nothing.
const QUIET: [&str; 3] = ["/healthz", "/readyz", "/metrics"];
/// The methods that spans are named after.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
/// The longest id that is taken from outside, in bytes.
const LONGEST: usize = 128;
/// The alphabet of new ones: base 32 in lower case.
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
/// Characters of a new one.
const DIGITS: usize = 20;

/// The id of a request.
#[derive(Clone)]
pub(super) struct RequestId(pub(super) String);

/// Gives a request its id, and its span where traces are on.
pub(super) async fn named(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let id = sent(request.headers()).unwrap_or_else(new);
    request.extensions_mut().insert(RequestId(id.to_str().unwrap_or_default().to_owned()));
    let mut span = begun(&app.parts.traces, &request);
    span.set("switchyard.request_id", id.to_str().unwrap_or_default());
    let trace = span.here().trace_id();
    let log = tracing::info_span!("request", request_id = id.to_str().unwrap_or_default(), trace_id = trace.as_deref());
    let mut response = span.here().around(next.run(request).instrument(log)).await;
    span.count("http.response.status_code", response.status().as_u16());
    if response.status().is_server_error() {
        span.fail(response.status().as_u16());
    }
    if let Some(problem) = problem_of(&response) {
        response = with_id(response, Problem { trace_id: trace.map(String::into_boxed_str), ..problem }, &id);
    }
    response.headers_mut().insert(HEADER, id);
    response
}

/// The span of a request, named after its route. It is below the caller's where there is one.
fn begun(traces: &Traces, request: &Request) -> Span {
    let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    if route.is_some_and(|route| QUIET.contains(&route)) {
        return Span::default();
    }
    let mut all = request.headers().get_all(PARENT).iter();
    let parent = all.next().filter(|_| all.next().is_none()).and_then(|given| given.to_str().ok());
    let mut span = traces.below(parent, "request", Kind::Server);
    // Anybody may send any word as a method, and names are few.
    let method = METHODS.into_iter().find(|known| request.method() == known).unwrap_or("_OTHER");
    span.rename(method);
    span.set("http.request.method", method);
    if let Some(route) = route {
        span.rename(format_args!("{method} {route}"));
        span.set("http.route", route);
    }
    span
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
    let named = Problem { request_id: id.to_str().ok().map(Box::from), ..problem };
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

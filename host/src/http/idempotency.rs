//! `Idempotency-Key`: the same request may be sent again, after a crash or a broken connection, and is carried out once.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use axum::body::{Body, HttpBody as _, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};

use super::App;
use super::access::Caller;
use super::problem::{Kind, Problem};
use crate::domain::IdempotencyKey;
use crate::ledger::{KeptAnswer, Repeated};

const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
/// Says that an answer is one that was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
/// The longest key, in characters.
const LONGEST: usize = 255;
/// Longer answers, in bytes, are not kept.
const ANSWER: u64 = 256 * 1024;

/// What is kept of an answer in place of its body, where that has a secret.
#[derive(Clone)]
pub(super) struct KeptBody(pub(super) String);

/// The keys of requests that are being carried out.
#[derive(Default)]
pub(super) struct UnderWay(Mutex<HashSet<String>>);

/// One of them, until it is answered.
pub(super) struct Turn<'a> {
    all: &'a UnderWay,
    id: &'a str,
}

impl UnderWay {
    fn begin<'a>(&'a self, id: &'a str) -> Option<Turn<'a>> {
        let is_first = self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned());
        is_first.then(|| Turn { all: self, id })
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.all.0.lock().unwrap_or_else(PoisonError::into_inner).remove(self.id);
    }
}

/// As the document has it.
pub(super) fn parameter() -> Parameter {
    let meaning = "Any text that is new for each thing that is to be done. The same request with the same key is carried out once, and answered \
                   again as it was the first time, for 24 hours.";
    let text = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(LONGEST));
    let text = text.pattern(Some("^[!-~]+$"));
    let header = ParameterBuilder::new().name("Idempotency-Key").parameter_in(ParameterIn::Header);
    header.required(utoipa::openapi::Required::False).description(Some(meaning)).schema(Some(text)).build()
}

/// Lets a request through the first time, and answers it again later as it was answered then.
pub(super) async fn once(State(app): State<App>, request: Request, next: Next) -> Response {
    let has_one = |caller: &Caller| caller.key.is_some();
    if request.method() != Method::POST
        || !request.headers().contains_key(HEADER)
        || request.extensions().get().is_some_and(has_one)
    {
        return next.run(request).await;
    }
    carry_out(&app, request, next).await.unwrap_or_else(IntoResponse::into_response)
}

async fn carry_out(app: &App, mut request: Request, next: Next) -> Result<Response, Problem> {
    let sent = sent(request.headers())?;
    // Read here: what was asked for is all of it.
    let mut head = Request::new(Body::empty());
    head.headers_mut().clone_from(request.headers());
    head.extensions_mut().clone_from(request.extensions());
    std::mem::swap(head.body_mut(), request.body_mut());
    let body = app.bodies.read(head).await?;
    let address = request.uri().path_and_query().map_or("", |address| address.as_str()).to_owned();
    let Some(caller) = request.extensions_mut().get_mut::<Caller>() else {
        return Ok(next.run(request).await);
    };
    let key = IdempotencyKey::new(caller.identity(), &sent, [b"POST", address.as_bytes(), &body]);
    caller.key = Some(key.clone());
    let _turn = match begin(app, &key).await? {
        Begun::Before(answer) => return Ok(again(answer)),
        Begun::Now(turn) => turn,
    };
    *request.body_mut() = Body::from(body);
    kept(app, &key, next.run(request).await).await
}

/// What a key has come to.
pub(super) enum Begun<'a> {
    /// Its request was carried out, and answered with this.
    Before(KeptAnswer),
    /// Its request is carried out now, while this is held.
    Now(Turn<'a>),
}

/// Begins to carry out a request with a key.
pub(super) async fn begin<'a>(app: &'a App, key: &'a IdempotencyKey) -> Result<Begun<'a>, Problem> {
    let Some(turn) = app.under_way.begin(&key.id) else {
        return Err(Problem::new(Kind::KeyInUse, "the first request with this key is not answered yet"));
    };
    match app.parts.engine.ledger().repeated(key, app.parts.clock.now()).await? {
        Some(Repeated::Answered(answer)) => Ok(Begun::Before(answer)),
        Some(Repeated::Otherwise) => Err(Problem::new(Kind::KeyReused, "this key came with another request before")),
        Some(Repeated::Unanswered) => {
            let detail = "this was carried out, and its answer is lost: look at what became of it";
            Err(Problem::new(Kind::AnswerLost, detail))
        }
        None => Ok(Begun::Now(turn)),
    }
}

/// The one key of a request.
fn sent(headers: &HeaderMap) -> Result<String, Problem> {
    let mut all = headers.get_all(HEADER).iter();
    let first = all.next().and_then(|value| value.to_str().ok()).unwrap_or_default();
    match is_one(first) && all.next().is_none() {
        true => Ok(first.to_owned()),
        false => {
            let words =
                format!("Idempotency-Key: neither one nor 1 to {LONGEST} visible characters of ASCII without spaces");
            Err(Problem::bad_request(words))
        }
    }
}

/// Whether a text can be a key.
pub(super) fn is_one(text: &str) -> bool {
    (1..=LONGEST).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Keeps an answer before it is given. One that another attempt would change is not kept.
async fn kept(app: &App, key: &IdempotencyKey, response: Response) -> Result<Response, Problem> {
    let status = response.status();
    let passes =
        status.is_server_error() || matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS);
    let is_short = response.body().size_hint().exact().is_some_and(|bytes| bytes <= ANSWER);
    if passes || !is_short {
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let limit = usize::try_from(ANSWER).unwrap_or(usize::MAX);
    let body = to_bytes(body, limit).await.map_err(|error| Problem::unavailable(error.to_string()))?;
    let text = |name| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let answer = KeptAnswer {
        status: status.as_u16(),
        content_type: text(header::CONTENT_TYPE),
        etag: text(header::ETAG),
        body: match parts.extensions.get() {
            Some(KeptBody(without_secret)) => without_secret.clone(),
            None => String::from_utf8_lossy(&body).into_owned(),
        },
    };
    app.parts.engine.ledger().keep_answer(key, &answer, app.parts.clock.now()).await?;
    Ok(Response::from_parts(parts, Body::from(body)))
}

fn again(answer: KeptAnswer) -> Response {
    let KeptAnswer { status, content_type, etag, body } = answer;
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    for (name, value) in [(header::CONTENT_TYPE, content_type), (header::ETAG, etag)] {
        let value = value.and_then(|value| HeaderValue::try_from(value).ok());
        value.into_iter().for_each(|value| drop(response.headers_mut().insert(&name, value)));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_one_word_that_a_header_may_have() {
        let of = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(HEADER, HeaderValue::from_bytes(value.as_bytes()).unwrap());
            }
            sent(&headers).ok()
        };
        assert_eq!(of(&["a-1_2~"]).as_deref(), Some("a-1_2~"));
        let long = "x".repeat(LONGEST + 1);
        for bad in [&[""][..], &["a b"], &["é"], &["a", "a"], &[&long]] {
            assert_eq!(of(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_key_is_under_way_until_its_request_is_answered() {
        let all = UnderWay::default();
        let first = all.begin("a");
        assert!(first.is_some() && all.begin("b").is_some());
        assert!(all.begin("a").is_none() && all.begin("a").is_none(), "one that was refused ends nothing");
        drop(first);
        assert!(all.begin("a").is_some());
    }
}

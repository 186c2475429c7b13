//! Takes requests apart; what cannot be understood becomes a problem document that says where.

use std::fmt::Display;
use std::str::FromStr;

use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::App;
use super::problem::Problem;
use super::unambiguous::Unambiguous;
use crate::foreign_json;

/// The most that is said of what cannot be understood, in characters.
const WORDS: usize = 500;

/// The one id in a path.
pub(super) struct Id<T>(pub(super) T);

impl<T, S> FromRequestParts<S> for Id<T>
where
    T: FromStr<Err: Display>,
    S: Send + Sync,
{
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let no = |error: &dyn Display| Problem::not_found(error.to_string());
        let Path(text) = Path::<String>::from_request_parts(parts, state).await.map_err(|error| no(&error))?;
        text.parse().map(Self).map_err(|error| no(&error))
    }
}

/// The one id in a path by which something new may be called: one that cannot be an id makes no sense.
pub(super) struct NewId<T>(pub(super) T);

impl<T, S> FromRequestParts<S> for NewId<T>
where
    T: FromStr<Err: Display>,
    S: Send + Sync,
{
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        let Path(text) = path.map_err(|error| Problem::invalid(error.to_string()))?;
        Self::parse(&text).map(Self)
    }
}

impl<T: FromStr<Err: Display>> NewId<T> {
    /// Reads one that stands elsewhere.
    pub(super) fn parse(text: &str) -> Result<T, Problem> {
        match text.parse() {
            Ok(_) if text.starts_with('.') => {
                Err(Problem::invalid(format!("{text} would be a hidden file, which nobody reads")))
            }
            parsed => parsed.map_err(|error: T::Err| Problem::invalid(error.to_string())),
        }
    }
}

/// The two ids in a path.
pub(super) struct Ids<A, B>(pub(super) A, pub(super) B);

impl<A, B, S> FromRequestParts<S> for Ids<A, B>
where
    A: FromStr<Err: Display>,
    B: FromStr<Err: Display>,
    S: Send + Sync,
{
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let no = |error: &dyn Display| Problem::not_found(error.to_string());
        let path = Path::<(String, String)>::from_request_parts(parts, state).await;
        let Path((one, other)) = path.map_err(|error| no(&error))?;
        Ok(Self(one.parse().map_err(|error| no(&error))?, other.parse().map_err(|error| no(&error))?))
    }
}

/// The query of an address.
pub(super) struct Asked<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(asked)) => Ok(Self(asked)),
            Err(error) => Err(Problem::bad_request(error.body_text())),
        }
    }
}

/// How many a page has: as many as are asked for, within its bound, or `usual` where nobody says.
pub(super) fn page_size(asked: Option<usize>, usual: usize, most: usize) -> Result<usize, Problem> {
    match asked.unwrap_or(usual) {
        limit if (1..=most).contains(&limit) => Ok(limit),
        limit => Err(Problem::bad_request(format!("limit: {limit} is not from 1 to {most}"))),
    }
}

/// A body within the bounds.
pub(super) struct Body(pub(super) Bytes);

impl FromRequest<App> for Body {
    type Rejection = Problem;
    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        app.bodies.read(request).await.map(Self)
    }
}

/// A body that is a JSON object of one shape; the content type is not asked for.
pub(super) struct Json<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<App> for Json<T> {
    type Rejection = Problem;
    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let Body(bytes) = Body::from_request(request, app).await?;
        object(&bytes).map(Self)
    }
}

/// Reads a JSON object. One that names a member twice says two things, and is refused.
pub(super) fn object<T: DeserializeOwned>(json: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice::<Unambiguous>(json).map_err(|error| not_expected(&error))?;
    fields(json)
}

/// Reads the fields of a JSON object. (What reads objects would take an array too, its elements for the fields in their order.)
fn fields<T: DeserializeOwned>(json: &[u8]) -> Result<T, Problem> {
    if json.trim_ascii_start().first() == Some(&b'[') {
        return Err(not_expected(&"an array, and not an object"));
    }
    serde_json::from_slice(json).map_err(|error| not_expected(&error))
}

fn not_expected(why: &dyn Display) -> Problem {
    // It repeats the names of members, however long those are.
    let why: String = why.to_string().chars().take(WORDS).collect();
    Problem::bad_request(format!("the body is not the JSON expected: {why}"))
}

/// The same from a platform elsewhere: what is wrong with a text or a number in it costs that one.
pub(super) fn foreign_object<T: DeserializeOwned>(json: &[u8]) -> Result<T, Problem> {
    fields(json).or_else(|problem| {
        let repaired = foreign_json::parse(json).ok().filter(Value::is_object);
        repaired.and_then(|value| serde_json::from_value(value).ok()).ok_or(problem)
    })
}

/// The fields of a form.
pub(super) struct Form<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<App> for Form<T> {
    type Rejection = Problem;
    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let mut read = Request::new(axum::body::Body::empty());
        *read.method_mut() = request.method().clone();
        *read.headers_mut() = request.headers().clone();
        let Body(bytes) = Body::from_request(request, app).await?;
        *read.body_mut() = bytes.into();
        let form = axum::Form::from_request(read, app).await;
        form.map(|axum::Form(fields)| Self(fields)).map_err(|error| Problem::bad_request(error.body_text()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    struct Fields {
        reason: String,
    }

    #[test]
    fn an_array_is_not_taken_for_the_fields_of_an_object() {
        assert_eq!(object::<Fields>(br#" {"reason": "x"}"#).map(|it| it.reason).ok(), Some("x".to_owned()));
        assert!(object::<Fields>(b"\n[\"x\"]").is_err());
    }

    #[test]
    fn what_names_a_member_twice_is_refused_at_any_depth_but_not_from_a_platform_elsewhere() {
        let refused = |json: &str| object::<Value>(json.as_bytes()).err().map(|problem| problem.detail().to_owned());
        assert_eq!(refused(r#"{"a":[{"b":1},{"b":1}],"b":null,"c":1.5}"#), None);
        for twice in [r#"{"a":1,"a":1}"#, r#"{"x":{"a":1,"b":2,"\u0061":1}}"#, r#"{"x":[{"a":1,"a":2}]}"#] {
            assert!(refused(twice).is_some_and(|why| why.contains("`a` twice")), "{twice}");
        }
        assert!(foreign_object::<Value>(br#"{"a":1,"a":1}"#).is_ok());
    }
}

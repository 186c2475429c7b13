//! Takes requests apart; what cannot be understood becomes a problem document that says where.

use std::fmt::Display;
use std::str::FromStr;

use axum::extract::rejection::{BytesRejection, FormRejection};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use bytes::Bytes;
use serde::de::DeserializeOwned;

use super::problem::Problem;

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
        match text.parse() {
            Ok(_) if text.starts_with('.') => {
                Err(Problem::invalid(format!("{text} would be a hidden file, which nobody reads")))
            }
            parsed => parsed.map(Self).map_err(|error| Problem::invalid(error.to_string())),
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

/// A body within the limit.
pub(super) struct Body(pub(super) Bytes);

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = Problem;
    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        Bytes::from_request(request, state).await.map(Self).map_err(|error: BytesRejection| {
            if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
                Problem::too_large("the body is longer than this address takes")
            } else {
                Problem::bad_request(error.body_text())
            }
        })
    }
}

/// A body that is JSON of one shape; the content type is not asked for.
pub(super) struct Json<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;
    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let Body(bytes) = Body::from_request(request, state).await?;
        let value = serde_json::from_slice(&bytes);
        value.map(Self).map_err(|error| Problem::bad_request(format!("the body is not the JSON expected: {error}")))
    }
}

/// The fields of a form.
pub(super) struct Form<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Form<T> {
    type Rejection = Problem;
    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let form = axum::Form::from_request(request, state).await;
        form.map(|axum::Form(fields)| Self(fields)).map_err(|error: FormRejection| {
            if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
                Problem::too_large("the form is longer than this address takes")
            } else {
                Problem::bad_request(error.body_text())
            }
        })
    }
}

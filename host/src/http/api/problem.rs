//! Refusals: what a caller sees, and what each kind of them means.

use axum::http::StatusCode;
use serde::{Serialize, Serializer};
use utoipa::openapi::{Ref, RefOr, Response};
use utoipa::{ToResponse, ToSchema};

use super::policy::PolicyProblem;
use super::settings::OrgSettings;
use crate::domain::State;

/// Where the pages of the kinds are, before the kind's own word.
pub(crate) const PAGES: &str = "/problems/";

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $name:ident = $word:literal, $status:ident, $title:literal;)*) => {
        /// What kind of refusal a problem document tells of.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Kind {
            $($(#[doc = $doc])+ $name,)*
        }

        impl Kind {
            pub(crate) const ALL: &[Self] = &[$(Self::$name),*];

            /// The last part of its address.
            pub(crate) const fn word(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }

            pub(crate) const fn status(self) -> StatusCode {
                match self {
                    $(Self::$name => StatusCode::$status,)*
                }
            }

            pub(crate) const fn title(self) -> &'static str {
                match self {
                    $(Self::$name => $title,)*
                }
            }

            /// What it means, and what a caller can do.
            pub(crate) const fn meaning(self) -> &'static str {
                match self {
                    $(Self::$name => concat!($($doc),+),)*
                }
            }
        }
    };
}

kinds! {
    /// An address, a header or a body cannot be understood, or names what nobody knows: a field, a filter, a value.
    /// `detail` says which one. The same request will be refused again.
    BadRequest = "bad-request", BAD_REQUEST, "The request cannot be understood";
    /// There is no token, or none that is known: it may be misspelt, expired or revoked. Send one as `Authorization: Bearer TOKEN`.
    Unauthorized = "unauthorized", UNAUTHORIZED, "Not authorized";
    /// The token lacks the scope that this needs, is for other organizations than this is about, or may not give what is asked for; or
    /// the request comes from a website that is not this host's.
    Forbidden = "forbidden", FORBIDDEN, "Forbidden";
    /// There is nothing by this name. It may be over and forgotten.
    NotFound = "not-found", NOT_FOUND, "Not found";
    /// No organization is linked to the account of a conversation that was handed in. Link it in the configuration.
    NotLinked = "not-linked", NOT_FOUND, "No organization is linked";
    /// The address is right and the method is not; `Allow` names those that are.
    MethodNotAllowed = "method-not-allowed", METHOD_NOT_ALLOWED, "Method not allowed";
    /// The body did not come in time: it stopped, or it came too slowly. Nothing was done; send it again.
    TooSlow = "too-slow", REQUEST_TIMEOUT, "Too slow";
    /// It cannot be given as things stand. `detail` says what stands in the way.
    Conflict = "conflict", CONFLICT, "This cannot be given as things stand";
    /// The sync error is in a state that does not allow this: what is over cannot be retried, what is pending cannot be
    /// reopened. `state` says in which one it is.
    State = "state", CONFLICT, "The sync error's state does not allow this";
    /// The operation is over, or stands where this cannot be asked of it.
    OperationStatus = "operation-status", CONFLICT, "The operation's status does not allow this";
    /// What is in the quarantine cannot be read any better than before, or something newer is in its place.
    NotPutBack = "not-put-back", CONFLICT, "This stays in the quarantine";
    /// The store is being recounted for somebody else. Ask again when that is over.
    Busy = "busy", CONFLICT, "A recount is under way";
    /// Salesforce refused to authorize the host; `detail` has its words and what to check.
    AuthorizationRefused = "authorization-refused", CONFLICT, "Salesforce refused the authorization";
    /// The first request with this `Idempotency-Key` is not answered yet. Send it again a moment later.
    KeyInUse = "key-in-use", CONFLICT, "The key is in use";
    /// What came with this `Idempotency-Key` was carried out, and its answer is lost: the host stopped before it was kept, it was too long, or
    /// it had words that were to be forgotten. Look at what became of it; it is not carried out again.
    AnswerLost = "answer-lost", CONFLICT, "This was done, and its answer is lost";
    /// The version that `If-Match` names is not the present one: somebody else was faster. Look at it again, and send the
    /// change with the `ETag` that it has now.
    Stale = "stale", PRECONDITION_FAILED, "It was changed meanwhile";
    /// A body, or the record that it would make, is larger than it may be.
    TooLarge = "too-large", PAYLOAD_TOO_LARGE, "Too large";
    /// The request can be understood, and makes no sense: a value is out of its bounds, or does not go with another one.
    Invalid = "invalid", UNPROCESSABLE_ENTITY, "The request makes no sense";
    /// This `Idempotency-Key` came with another request before: another address, or another body. Take a new key for another thing.
    KeyReused = "key-reused", UNPROCESSABLE_ENTITY, "The key is of another request";
    /// A policy has a fault. `problems` says which, with file, line and column; what was in force before goes on deciding.
    PolicyRefused = "policy-refused", UNPROCESSABLE_ENTITY, "The policy is refused; the one in force goes on serving";
    /// This token asks for more than it may: in a second, or at a time. Whoever has no token is counted by the address. `retry_after` says
    /// in how many seconds to ask again.
    TooManyRequests = "too-many-requests", TOO_MANY_REQUESTS, "Too many requests";
    /// Somebody at this address tries out tokens. `Retry-After` says when one is looked at again.
    TooManyWrongTokens = "too-many-wrong-tokens", TOO_MANY_REQUESTS, "Too many wrong tokens";
    /// The host failed at this request. Its log says why, by the request's id.
    Internal = "internal", INTERNAL_SERVER_ERROR, "This failed";
    /// The host cannot do it at the moment: its disk fails, it has too much to do, or it is stopping. Nothing was
    /// acknowledged. `Retry-After` says when to ask again.
    Unavailable = "unavailable", SERVICE_UNAVAILABLE, "Not available now";
}

impl Kind {
    /// The name of the answers that problems of its status have in the document.
    pub(crate) fn response(self) -> &'static str {
        match self.status().as_u16() {
            400 => "BadRequest",
            401 => "Unauthorized",
            403 => "Forbidden",
            404 => "NotFound",
            405 => "MethodNotAllowed",
            408 => "TooSlow",
            409 => "Conflict",
            412 => "Stale",
            413 => "TooLarge",
            422 => "Invalid",
            429 => "TooManyRequests",
            500 => "Internal",
            _ => "Unavailable",
        }
    }
}

/// What stands in the way at present.
pub(crate) struct Conflict;

/// What is changed is not what it was when it was looked at.
pub(crate) struct Stale;

impl<'r> ToResponse<'r> for Conflict {
    fn response() -> (&'r str, RefOr<Response>) {
        (Kind::Conflict.response(), Ref::from_response_name(Kind::Conflict.response()).into())
    }
}

impl<'r> ToResponse<'r> for Stale {
    fn response() -> (&'r str, RefOr<Response>) {
        (Kind::Stale.response(), Ref::from_response_name(Kind::Stale.response()).into())
    }
}

/// A refusal (RFC 9457).
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// The address of a page that says what this kind of problem means.
    #[serde(rename = "type")]
    #[schema(value_type = String, examples("/problems/not-found"))]
    pub(crate) kind: Kind,
    pub(crate) title: &'static str,
    /// That of the answer.
    pub(crate) status: u16,
    /// What is wrong with this request, in words for a person.
    pub(crate) detail: String,
    /// Where the sync error stands whose state does not allow what was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) state: Option<State>,
    /// The settings of the organization as they are now, where a change of them came too late.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) settings: Option<Box<OrgSettings>>,
    /// Point by point, where there are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) problems: Vec<PolicyProblem>,
    /// When to ask again, in seconds, where that is known; `Retry-After` has it too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) retry_after: Option<u16>,
    /// The request's id, as `X-Request-Id` and the host's log have it.
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) request_id: Option<Box<str>>,
    /// The request's trace, as the host's log has it; only where the host records traces.
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) trace_id: Option<Box<str>>,
}

impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{PAGES}{}", self.word()))
    }
}

impl Problem {
    pub(crate) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            title: kind.title(),
            status: kind.status().as_u16(),
            detail: detail.into(),
            state: None,
            settings: None,
            problems: Vec::new(),
            retry_after: None,
            request_id: None,
            trace_id: None,
        }
    }

    pub(crate) fn is(&self, kind: Kind) -> bool {
        self.kind == kind
    }

    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(Kind::NotFound, detail)
    }

    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(Kind::BadRequest, detail)
    }

    pub(crate) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(Kind::Invalid, detail)
    }

    pub(crate) fn method_not_allowed() -> Self {
        Self::new(Kind::MethodNotAllowed, "this address does not take this method")
    }

    pub(crate) fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(Kind::Unauthorized, detail)
    }

    pub(crate) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(Kind::Forbidden, detail)
    }

    pub(crate) fn conflict(detail: impl Into<String>) -> Self {
        Self::new(Kind::Conflict, detail)
    }

    pub(crate) fn too_large(detail: impl Into<String>) -> Self {
        Self::new(Kind::TooLarge, detail)
    }

    pub(crate) fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(Kind::Unavailable, detail)
    }

    pub(crate) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    pub(crate) const fn title(&self) -> &'static str {
        self.title
    }

    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }
}

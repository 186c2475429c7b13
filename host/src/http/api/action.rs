//! Who did what, when, to how many, and why.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::{self, ApiTokenId, Deed, OrgId, RequestOrigin, Timestamp, Via};

/// Something that a person or a program did.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct Action {
    pub(crate) id: String,
    pub(crate) at: Timestamp,
    pub(crate) by: String,
    pub(crate) via: Via,
    /// The token that it was asked with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) token: Option<ApiTokenId>,
    /// The address that it was asked from.
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) address: Option<IpAddr>,
    pub(crate) what: Deed,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) org: Option<OrgId>,
    /// What it was done to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) subject: Option<String>,
    /// To how many.
    pub(crate) count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// The id of the request, where it came by one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) request_id: Option<String>,
}

/// A page of actions.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct ActionList {
    /// Newest first.
    pub(crate) actions: Vec<Action>,
    /// Asks for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_cursor: Option<String>,
}

impl From<(String, domain::Action)> for Action {
    fn from((id, action): (String, domain::Action)) -> Self {
        let domain::Action { at, order: _, by, via, request, what, org, subject, count, reason, key: _ } = action;
        let RequestOrigin { token, address, request_id } = request;
        Self { id, at, by, via, token, address, what, org, subject, count, reason, request_id }
    }
}

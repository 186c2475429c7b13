//! The authorization of an organization in a browser.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::{OrgId, Secret};

/// Where a browser is to come back to.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AuthorizationRequest {
    /// On the caller's own machine.
    #[schema(examples("http://localhost:1717/oauth/callback"))]
    pub(crate) redirect_uri: String,
}

/// An authorization that has begun.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct AuthorizationStart {
    /// The page of Salesforce to open.
    pub(crate) url: String,
    /// Comes back with the code.
    pub(crate) state: String,
}

/// What a browser has brought back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AuthorizationCode {
    pub(crate) state: String,
    #[schema(value_type = String)]
    pub(crate) code: Secret,
}

/// An organization is authorized.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct Authorized {
    pub(crate) org: OrgId,
    /// The organization's own address.
    pub(crate) server: String,
    /// Sync errors that waited for the connection and are tried again.
    pub(crate) retried: u64,
}

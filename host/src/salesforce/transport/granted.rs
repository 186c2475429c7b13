//! What the token endpoint answers: tokens, whom they are for, and where they are good for.

use serde::Deserialize;
use serde_json::Value;

use crate::domain::{RecordId, Refusal, RequestSent, Secret};
use crate::salesforce::refusals::not_salesforces;
use crate::salesforce::values::{OrganizationId, Server};

/// Where tokens are asked for.
pub(super) const PATH: &str = "/services/oauth2/token";

/// An answer with tokens.
#[derive(Deserialize)]
pub(super) struct Granted {
    pub(super) access_token: Option<Secret>,
    pub(super) instance_url: Option<String>,
    pub(super) refresh_token: Option<Secret>,
    /// `https://login.salesforce.com/id/ORGANIZATION/USER`.
    id: Option<String>,
}

impl Granted {
    /// Reads an answer. One whose refresh token cannot be one is none: it would take the place of a good one.
    pub(super) fn read(json: Value) -> Result<Self, Refusal> {
        let granted: Self = serde_json::from_value(json).map_err(|error| unreadable(error.to_string()))?;
        granted.refresh_token.as_ref().map_or(Ok(()), |token| check("refresh_token", token))?;
        Ok(granted)
    }

    /// The organization in `https://login.salesforce.com/id/ORGANIZATION/USER`.
    pub(super) fn organization(&self) -> Option<RecordId> {
        let (_, rest) = self.id.as_deref()?.split_once("/id/")?;
        let id = OrganizationId::try_from(rest.split('/').next()?.to_owned()).ok()?;
        Some(id.record().clone())
    }
}

/// A token has visible ASCII characters alone (RFC 6749, appendix A). With any other one no call could be sent.
fn check(name: &str, token: &Secret) -> Result<(), Refusal> {
    let text = token.reveal();
    if !text.is_empty() && text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return Ok(());
    }
    Err(unreadable(format!("{name} is empty, or has characters that no token has")))
}

/// An access token, and where it is good for.
pub(super) fn access(token: Option<Secret>, instance_url: Option<String>) -> Result<(Secret, Server), Refusal> {
    let server = instance_url.ok_or_else(|| unreadable("no instance_url".to_owned()))?;
    let server = Server::try_from(server).map_err(|error| unreadable(format!("instance_url: {error}")))?;
    let token = token.ok_or_else(|| unreadable("no access_token".to_owned()))?;
    check("access_token", &token)?;
    Ok((token, server))
}

/// The tokens of an answer, and where they are good for.
#[cfg(any(test, fuzzing))]
pub(crate) fn granted(json: Value) -> Result<(Secret, Option<Secret>, Server), Refusal> {
    let granted = Granted::read(json)?;
    let (token, server) = access(granted.access_token, granted.instance_url)?;
    Ok((token, granted.refresh_token, server))
}

/// An answer that is no token: it is not Salesforce's, and passes.
pub(super) fn unreadable(what: String) -> Refusal {
    let request = RequestSent { method: "POST".to_owned(), path: PATH.to_owned(), body: Value::Null };
    Refusal { request: Some(request), ..not_salesforces(what) }
}

//! How routes keep a token to its organizations: each says at its registration how it does; one that says nothing is for tokens
//! that are for all of them.

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;

use super::App;
use super::caller::Caller;
use super::problem::Problem;
use crate::policy::DEFAULT_POLICY;

/// How routes keep a token to its organizations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// They are about all organizations: a token for some is refused.
    Everything,
    /// Their path names the one organization that they are about.
    OneOrg,
    /// Their path names the one policy that they are about: all organizations that it decides for have to be the token's.
    OnePolicy,
    /// Their handlers show nothing of others and do nothing to them: they ask the caller.
    Narrowed,
}

impl Reach {
    /// Lets a caller through to a route that keeps it to its organizations.
    ///
    /// # Errors
    /// When the route is about others as well; what is another's is not there.
    pub(super) async fn check(self, app: &App, caller: &Caller, parts: &mut Parts) -> Result<(), Problem> {
        if caller.orgs().is_none() || self == Self::Narrowed {
            return Ok(());
        }
        let params = RawPathParams::from_request_parts(parts, app).await.ok();
        let param = |wanted: &str| params.iter().flatten().find(|(name, _)| *name == wanted).map(|(_, value)| value);
        match self {
            Self::OneOrg if let Some(org) = param("org") => match org.parse() {
                Ok(org) if caller.sees(&org) => Ok(()),
                Ok(_) => Err(Problem::not_found(format!("there is no organization {org}"))),
                Err(error) => Err(Problem::not_found(error.to_string())),
            },
            Self::OnePolicy if let Some(policy) = param("name") => {
                let mut users = app.parts.engine.connected().into_iter().filter(|org| org.policy().as_str() == policy);
                let mut users = users.by_ref().map(|org| caller.sees(&org.id)).peekable();
                // The default one answers for everybody what others leave open.
                let own = policy != DEFAULT_POLICY && users.peek().is_some() && users.all(|own| own);
                if own { Ok(()) } else { Err(Problem::not_found(format!("there is no policy {policy}"))) }
            }
            _ => Err(Problem::forbidden("your token is for some organizations, and this is about all of them")),
        }
    }
}

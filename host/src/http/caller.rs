//! Who asks: by which token, for what, and for which organizations. What a token for some organizations is not told, it cannot ask.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use super::App;
use super::problem::Problem;
use super::tokens::{Hash, Scope};
use crate::domain::{ApiToken, ApiTokenId, Asker, IdempotencyKey, OrgId, RequestOrigin, Timestamp, Via};

/// Who asks.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    pub(super) name: String,
    /// The id of its token; none where nobody has to say who they are.
    pub(super) token: Option<ApiTokenId>,
    /// The session of the console that it comes by, by the hash of its cookie.
    pub(super) session: Option<Hash>,
    pub(super) scopes: BTreeSet<Scope>,
    /// The organizations that it is for; `None`: all.
    pub(super) orgs: Option<Arc<BTreeSet<OrgId>>>,
    /// From when on its token is worth nothing.
    pub(super) expires_at: Option<Timestamp>,
    /// The way that the request came, and from where.
    pub(super) via: Via,
    pub(super) address: Option<IpAddr>,
    /// The id of the request.
    pub(super) request_id: Option<String>,
    /// The key with which the same request may come again.
    pub(super) key: Option<IdempotencyKey>,
}

impl Caller {
    /// Whoever has this token.
    pub(super) fn of(token: &ApiToken) -> Self {
        Self {
            name: token.name.clone(),
            token: Some(token.id.clone()),
            scopes: token.scopes.clone(),
            orgs: token.orgs.clone().map(Arc::new),
            expires_at: token.expires_at,
            ..Self::local()
        }
    }

    /// Everybody who can connect, on a host without tokens.
    pub(super) fn local() -> Self {
        Self {
            name: "local".to_owned(),
            token: None,
            session: None,
            scopes: Scope::ALL.into(),
            orgs: None,
            expires_at: None,
            via: Via::Api,
            address: None,
            request_id: None,
            key: None,
        }
    }

    /// As actions name it.
    pub(super) fn asker(&self) -> Asker {
        let (token, address, request_id) = (self.token.clone(), self.address, self.request_id.clone());
        let request = RequestOrigin { token, address, request_id };
        Asker { name: self.name.clone(), via: self.via, request, key: self.key.clone() }
    }

    /// What tells it from others: two tokens may have one name.
    pub(super) fn identity(&self) -> &str {
        self.token.as_ref().map_or(&self.name, ApiTokenId::as_str)
    }

    /// For what changes nothing: its action is no proof that it was carried out, and what broke off is done anew.
    pub(super) fn without_key(self) -> Self {
        Self { key: None, ..self }
    }

    pub(super) fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }

    /// The organizations that it is for; `None`: all.
    pub(super) fn orgs(&self) -> Option<&BTreeSet<OrgId>> {
        self.orgs.as_deref()
    }

    /// Whether it may know of an organization.
    pub(super) fn sees(&self, org: &OrgId) -> bool {
        self.orgs().is_none_or(|orgs| orgs.contains(org))
    }

    /// Narrows a filter of organizations to those that it may know of.
    ///
    /// # Errors
    /// When the filter names another one, or one that there is not: to the caller that is the same.
    pub(super) fn narrow(&self, app: &App, orgs: &mut BTreeSet<OrgId>) -> Result<(), Problem> {
        if let Some(org) = orgs.iter().find(|org| !self.sees(org) || !app.parts.engine.knows(org)) {
            return Err(no_such_org(org));
        }
        if let Some(own) = self.orgs().filter(|_| orgs.is_empty()) {
            orgs.clone_from(own);
        }
        Ok(())
    }

    /// Whether it has all that a token would have: it may make no other one.
    ///
    /// # Errors
    /// Names what it lacks.
    pub(super) fn covers(
        &self,
        scopes: &BTreeSet<Scope>,
        orgs: Option<&BTreeSet<OrgId>>,
        expires_at: Option<Timestamp>,
    ) -> Result<(), String> {
        if let Some(scope) = scopes.iter().find(|scope| !self.may(**scope)) {
            return Err(format!("scopes: your token has no scope `{scope}` to give"));
        }
        match (self.orgs(), orgs) {
            (None, _) => {}
            (Some(_), None) => return Err("orgs: your token is for some organizations: name which of them".to_owned()),
            (Some(own), Some(wanted)) => {
                if let Some(org) = wanted.iter().find(|org| !own.contains(org)) {
                    return Err(format!("orgs: your token is not for an organization {org}"));
                }
            }
        }
        match (self.expires_at, expires_at) {
            (Some(own), wanted) if wanted.is_none_or(|wanted| wanted > own) => {
                Err(format!("expires_at: your token expires at {own}: it may make none that lasts longer"))
            }
            _ => Ok(()),
        }
    }
}

/// A filter names an organization that does not exist.
pub(super) fn no_such_org(org: &OrgId) -> Problem {
    Problem::bad_request(format!("org: there is no organization {org}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn orgs(names: &[&str]) -> BTreeSet<OrgId> {
        names.iter().map(|name| OrgId::new(name).unwrap()).collect()
    }

    #[test]
    fn nobody_makes_a_token_that_has_more_than_their_own() {
        let at = Timestamp::from_millis;
        let (scopes, own) = ([Scope::Read, Scope::Tokens].into(), Some(Arc::new(orgs(&["acme", "shop"]))));
        let caller = Caller { scopes, orgs: own, expires_at: Some(at(10)), ..Caller::local() };
        let covers = |scopes: &[Scope], names: Option<&[&str]>, expires_at| {
            let names = names.map(orgs);
            caller.covers(&scopes.iter().copied().collect(), names.as_ref(), expires_at).is_ok()
        };
        assert!(covers(&[Scope::Read], Some(&["acme"]), Some(at(10))));
        assert!(covers(&[Scope::Tokens], Some(&["acme", "shop"]), Some(at(9))));
        assert!(!covers(&[Scope::Read, Scope::Errors], Some(&["acme"]), Some(at(10))), "a scope more");
        assert!(!covers(&[Scope::Read], Some(&["acme", "other"]), Some(at(10))), "an organization more");
        assert!(!covers(&[Scope::Read], None, Some(at(10))), "all organizations");
        assert!(!covers(&[Scope::Read], Some(&["acme"]), Some(at(11))), "a moment longer");
        assert!(!covers(&[Scope::Read], Some(&["acme"]), None), "for ever");
        let everything = Caller::local();
        assert!(everything.covers(&Scope::ALL.into(), None, None).is_ok());
    }
}

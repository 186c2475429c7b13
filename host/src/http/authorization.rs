//! A person authorizes an organization: begun over the API or the console, ended by the code that the browser brings back.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};

use super::App;
use super::access::{Caller, Hash, hash};
use super::actions::{record, record_by};
use super::api::{AuthorizationCode, AuthorizationRequest, AuthorizationStart, Authorized as View, Conflict};
use super::extract::{self, Id};
use super::problem::{Kind, Problem};
use crate::clock::Clock;
use crate::domain::{Asker, BaseUrl, Deed, OrgId, Refusal, Secret, Timestamp};
use crate::salesforce::{Authorization, advice};

/// How long a person may take at Salesforce's page.
const PATIENCE: Duration = Duration::from_secs(600);
/// Authorizations of one person that wait at a time; their oldest goes first, and nobody else's.
const MOST: usize = 10;
/// Where browsers come back to.
pub(super) const CALLBACK: &str = "/oauth/callback";

/// Who began it, and from where: only from there can it be ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// A caller of the API, by the id of its token.
    Api(String),
    /// A browser at the console, by the hash of a cookie of its own and that of its session (none where nobody signs in).
    Console { cookie: Hash, session: Option<Hash> },
}

/// Authorizations that have begun and wait for their code, by the hash of their state. Each is ended once.
pub(super) struct Waiting {
    clock: Clock,
    begun: Mutex<HashMap<Hash, Begun>>,
}

pub(super) struct Begun {
    pub(super) org: OrgId,
    pub(super) origin: Origin,
    /// For the actions.
    pub(super) by: Asker,
    authorization: Authorization,
    since: Timestamp,
}

impl Waiting {
    pub(super) fn new(clock: Clock) -> Self {
        Self { clock, begun: Mutex::default() }
    }

    fn keep(&self, org: OrgId, origin: Origin, by: Asker, authorization: Authorization) {
        let now = self.clock.now();
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        begun.retain(|_, one| now.is_within(PATIENCE, one.since));
        let own =
            || begun.iter().filter(|(_, one)| (&one.by.name, &one.by.request.token) == (&by.name, &by.request.token));
        let oldest = own().min_by_key(|(_, one)| one.since).map(|(key, _)| *key);
        if let Some(oldest) = oldest.filter(|_| own().count() >= MOST) {
            begun.remove(&oldest);
        }
        let key = hash(authorization.state.reveal());
        begun.insert(key, Begun { org, origin, by, authorization, since: now });
    }

    /// The one that waits for this state, if whoever asks may end it; it waits no longer.
    pub(super) fn take(&self, state: &str, may_end: impl FnOnce(&Begun) -> bool) -> Option<Begun> {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        let key = hash(state);
        let fits = begun.get(&key).is_some_and(|one| self.clock.now().is_within(PATIENCE, one.since) && may_end(one));
        if fits { begun.remove(&key) } else { None }
    }
}

/// Begins one; answers the page of Salesforce to open, and the state that comes back from it.
pub(super) async fn begin(
    app: &App,
    id: &OrgId,
    by: &Caller,
    origin: Origin,
    redirect_uri: String,
) -> Result<(String, Secret), Problem> {
    let (org, _) = app.parts.engine.org(id)?;
    let authorization =
        org.salesforce.begin_authorization(redirect_uri).map_err(|error| Problem::conflict(error.to_string()))?;
    let (url, state) = (authorization.url.clone(), authorization.state.clone());
    app.waiting.keep(id.clone(), origin, by.asker(), authorization);
    record(app, by, Deed::AuthorizeStart, |action| action.of(id)).await?;
    Ok((url, state))
}

/// What an authorization has come to.
pub(super) struct Authorized {
    /// The organization's own address.
    pub(super) server: String,
    /// Sync errors that waited for the connection and are tried again.
    pub(super) retried: u64,
}

/// Ends one with its code.
pub(super) async fn finish(app: &App, begun: Begun, code: Secret) -> Result<Result<Authorized, Refusal>, Problem> {
    let Begun { org: id, by, authorization, .. } = begun;
    let (org, _) = app.parts.engine.org(&id)?;
    match org.salesforce.finish_authorization(authorization, code).await {
        Ok(server) => {
            let action = app.parts.engine.action(&by, Deed::Authorize).of(&id).about(&server);
            let retried = app.parts.engine.lift(&id, Some(action)).await?;
            Ok(Ok(Authorized { server, retried }))
        }
        Err(refusal) => {
            record_by(app, &by, Deed::AuthorizeRefused, |action| action.of(&id).because(&refusal.code)).await?;
            Ok(Err(refusal))
        }
    }
}

/// Begin the authorization of an organization
///
/// For a program on the caller's own machine, which opens `url` in a browser and waits at `redirect_uri` for the code.
#[utoipa::path(post, path = "/v1/orgs/{org}/authorization", operation_id = "start_authorization", tag = "organizations",
    params(("org" = OrgId, Path)), request_body = AuthorizationRequest,
    responses((status = 201, description = "It has begun, and waits ten minutes for its code.", body = AuthorizationStart),
        (status = 409, response = Conflict)))]
pub(super) async fn start(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<OrgId>,
    extract::Json(AuthorizationRequest { redirect_uri }): extract::Json<AuthorizationRequest>,
) -> Result<(StatusCode, Json<AuthorizationStart>), Problem> {
    let here = BaseUrl::try_from(redirect_uri.clone()).is_ok() && redirect_uri.starts_with("http://");
    if !here {
        let words = "redirect_uri: a code is only brought to the caller's own machine, as http://localhost:PORT/...";
        return Err(Problem::invalid(words));
    }
    let (url, state) = begin(&app, &id, &caller, Origin::Api(caller.identity().to_owned()), redirect_uri).await?;
    Ok((StatusCode::CREATED, Json(AuthorizationStart { url, state: state.reveal().to_owned() })))
}

/// End the authorization of an organization with its code
///
/// Only whoever began it can end it, once.
#[utoipa::path(post, path = "/v1/orgs/{org}/authorization/code", operation_id = "finish_authorization",
    tag = "organizations", params(("org" = OrgId, Path)), request_body = AuthorizationCode,
    responses((status = 200, description = "The organization is authorized.", body = View),
        (status = 409, response = Conflict)))]
pub(super) async fn code(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<OrgId>,
    extract::Json(AuthorizationCode { state, code }): extract::Json<AuthorizationCode>,
) -> Result<Json<View>, Problem> {
    let own = Origin::Api(caller.identity().to_owned());
    let begun = app.waiting.take(&state, |begun| begun.org == id && begun.origin == own);
    let begun = begun.ok_or_else(|| Problem::conflict("no authorization waits for this state: begin again"))?;
    let authorized = finish(&app, begun, code).await?.map_err(|refusal| {
        let advice = advice(&refusal);
        let detail = format!("{}: {}. {} {}", refusal.code, refusal.text, advice.happened, advice.check);
        Problem::new(Kind::AuthorizationRefused, detail)
    })?;
    Ok(Json(View { org: id, server: authorized.server, retried: authorized.retried }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use crate::domain::Via;

    fn asker(name: &str) -> Asker {
        Asker::new(name, Via::Api, None)
    }

    fn waiting(clock: &ManualClock) -> (Waiting, String) {
        let waiting = Waiting::new(Clock::Manual(clock.clone()));
        let authorization = Authorization::for_tests("a-state");
        let origin = Origin::Console { cookie: hash("cookie"), session: None };
        waiting.keep(OrgId::new("acme").unwrap(), origin, asker("ann"), authorization);
        (waiting, "a-state".to_owned())
    }

    #[test]
    fn an_authorization_is_ended_once_in_time_and_by_whoever_began_it() {
        let clock = ManualClock::new(Timestamp::from_millis(1));
        let (one, state) = waiting(&clock);
        assert!(one.take("another-state", |_| true).is_none());
        assert!(one.take(&state, |begun| begun.origin == Origin::Api("ann".to_owned())).is_none());
        assert!(one.take(&state, |begun| begun.by.name == "ann").is_some());
        assert!(one.take(&state, |_| true).is_none(), "a code is used once");

        let (late, state) = waiting(&clock);
        clock.advance(PATIENCE);
        assert!(late.take(&state, |_| true).is_none());
    }

    #[test]
    fn whoever_begins_many_ends_none_of_others() {
        let clock = ManualClock::new(Timestamp::from_millis(1));
        let (waiting, anns) = waiting(&clock);
        let org = || OrgId::new("acme").unwrap();
        for number in 0..2 * MOST {
            let origin = Origin::Api("bob".to_owned());
            waiting.keep(org(), origin, asker("bob"), Authorization::for_tests(&format!("bobs-{number}")));
        }
        assert!(waiting.take(&anns, |_| true).is_some());
        assert_eq!(waiting.begun.lock().unwrap().len(), MOST);
    }
}

//! The tokens with which people and programs ask: made, shown once, listed and revoked.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Deserialize;
use utoipa::IntoParams;

use super::App;
use super::access::Caller;
use super::api::{Conflict, MadeToken, Token as View, TokenList, TokenRequest};
use super::error_query::{LARGEST_PAGE, PAGE};
use super::extract::{self, Asked, Id, page_size};
use super::idempotency::KeptBody;
use super::keyring::{Kept, MOST, Making};
use super::problem::Problem;
use super::tokens::hash;
use crate::domain::{Action, ApiToken, ApiTokenId, Deed, Timestamp, api_token_text, token_name};

/// Organizations of a token that is not for all.
const ORGS: usize = 200;
/// The longest life of a token that has an end, in seconds: ten years.
const LONGEST: u64 = 10 * 365 * 24 * 3600;
/// Random bytes for the text of a token: twice what is needed.
const RANDOM: usize = 64;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Query {
    /// Tokens of a page; 50 without it.
    #[param(minimum = 1, maximum = 500)]
    pub(super) limit: Option<usize>,
    /// The `next_cursor` of a page.
    #[param(value_type = Option<ApiTokenId>)]
    pub(super) cursor: Option<String>,
}

/// Whether a caller may know of a token: it is for no other organizations than the caller's.
fn sees(caller: &Caller, token: &ApiToken) -> bool {
    caller.orgs().is_none_or(|own| token.orgs.as_ref().is_some_and(|orgs| orgs.is_subset(own)))
}

fn view(app: &App, kept: &Kept) -> View {
    View::of(kept.token.clone(), kept.of_configuration, kept.used_at(), app.access.keyring.now())
}

/// List tokens
///
/// Those of the store, the newest first, and those of the configuration, in pages; never their secrets. What has expired or was
/// revoked stays in the list for 30 days.
#[utoipa::path(get, path = "/v1/tokens", operation_id = "list_tokens", tag = "tokens", params(Query),
    responses((status = 200, description = "A page of tokens.", body = TokenList)))]
pub(super) async fn list(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Asked(query): Asked<Query>,
) -> Result<Json<TokenList>, Problem> {
    page(&app, &caller, query).map(Json)
}

/// A page of them.
pub(super) fn page(app: &App, caller: &Caller, query: Query) -> Result<TokenList, Problem> {
    let limit = page_size(query.limit, PAGE, LARGEST_PAGE)?;
    let cursor = query.cursor.filter(|cursor| !cursor.is_empty()).map(ApiTokenId::new).transpose();
    let cursor = cursor.map_err(|error| Problem::bad_request(format!("cursor: {error}")))?;
    let mut found = app.access.keyring.list(cursor.as_ref(), limit + 1, |kept| sees(caller, &kept.token));
    let more = found.len() > limit;
    found.truncate(limit);
    let next_cursor = found.last().filter(|_| more).map(|last| last.token.id.clone());
    Ok(TokenList { tokens: found.iter().map(|kept| view(app, kept)).collect(), next_cursor })
}

pub(super) fn find(app: &App, caller: &Caller, id: &ApiTokenId) -> Result<std::sync::Arc<Kept>, Problem> {
    let found = app.access.keyring.get(id).filter(|kept| sees(caller, &kept.token));
    found.ok_or_else(|| Problem::not_found(format!("there is no token {id}")))
}

/// Look at a token
///
/// What it is for, who made it, and when it was used last.
#[utoipa::path(get, path = "/v1/tokens/{id}", operation_id = "get_token", tag = "tokens",
    params(("id" = ApiTokenId, Path)), responses((status = 200, description = "The token.", body = View)))]
pub(super) async fn show(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<ApiTokenId>,
) -> Result<Json<View>, Problem> {
    Ok(Json(view(&app, &*find(&app, &caller, &id)?)))
}

/// Make a token
///
/// For a person or a program. It has no more scopes and organizations than the token with which it is asked for, and expires no
/// later. Its secret is in this answer, and nowhere else: where the answer is lost, revoke it and make another one.
#[utoipa::path(post, path = "/v1/tokens", operation_id = "make_token", tag = "tokens", request_body = TokenRequest,
    responses((status = 201, description = "The token, with its secret.", body = MadeToken),
        (status = 409, response = Conflict)))]
pub(super) async fn make(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    extract::Json(asked): extract::Json<TokenRequest>,
) -> Result<Response, Problem> {
    let made = made(&app, &caller, asked).await?;
    let shown_again = serde_json::to_string(&MadeToken { token: made.token.clone(), secret: None }).unwrap_or_default();
    let mut response = (StatusCode::CREATED, Json(made)).into_response();
    response.extensions_mut().insert(KeptBody(shown_again));
    Ok(response)
}

/// Makes one.
pub(super) async fn made(app: &App, caller: &Caller, asked: TokenRequest) -> Result<MadeToken, Problem> {
    if app.access.open() {
        let why = "the configuration has no token, so everybody on this machine may do everything without one: put the first \
                   one there, with the scope `tokens`";
        return Err(Problem::conflict(why));
    }
    let mut random = [0; RANDOM];
    getrandom::fill(&mut random).map_err(|_| Problem::unavailable("the system gave no random numbers"))?;
    let secret = api_token_text(&random).ok_or_else(|| Problem::unavailable("the system gave no random numbers"))?;
    let token = wanted(app, caller, asked, &secret)?;
    let action = said(app, caller, Deed::TokenMake, &token);
    match app.access.keyring.make(token.clone(), &action).await? {
        Making::Done => {}
        Making::Full => {
            return Err(Problem::conflict(format!("there are {MOST} tokens, as many as may be: revoke some")));
        }
        Making::MakerEnded => return Err(Problem::unauthorized("your token was revoked or has expired")),
    }
    let token = View::of(token, false, None, app.access.keyring.now());
    Ok(MadeToken { token, secret: Some(secret) })
}

/// The token that is asked for, where the caller may make it.
fn wanted(app: &App, caller: &Caller, asked: TokenRequest, secret: &str) -> Result<ApiToken, Problem> {
    let name = token_name(&asked.name).map_err(Problem::invalid)?.to_owned();
    let scopes: BTreeSet<_> = asked.scopes.into_iter().collect();
    if scopes.is_empty() {
        return Err(Problem::invalid("scopes: name at least one"));
    }
    let orgs: Option<BTreeSet<_>> = asked.orgs.map(|orgs| orgs.into_iter().collect());
    if orgs.as_ref().is_some_and(|orgs| !(1..=ORGS).contains(&orgs.len())) {
        return Err(Problem::invalid(format!("orgs: name 1 to {ORGS}, or leave it out where the token is for all")));
    }
    let now = app.parts.clock.now();
    let expires_at = expiry(now, asked.expires_at, asked.expires_in)?;
    caller.covers(&scopes, orgs.as_ref(), expires_at).map_err(Problem::forbidden)?;
    if let Some(org) = orgs.iter().flatten().find(|org| !app.parts.engine.knows(org)) {
        return Err(Problem::invalid(format!("orgs: there is no organization {org}")));
    }
    Ok(ApiToken {
        id: ApiTokenId::made(now, fastrand::u64(..)),
        name,
        hash: hex::encode(hash(secret)),
        scopes,
        orgs,
        made_by: caller.name.clone(),
        made_by_token: caller.token.clone(),
        made_at: now,
        expires_at,
        revoked_at: None,
        revoked_by: None,
    })
}

fn expiry(now: Timestamp, at: Option<Timestamp>, within: Option<u64>) -> Result<Option<Timestamp>, Problem> {
    let latest = now.after(Duration::from_secs(LONGEST));
    let at = match (at, within) {
        (Some(_), Some(_)) => return Err(Problem::invalid("expires_in: not with `expires_at`")),
        (at, None) => at,
        (None, Some(seconds)) => Some(now.after(Duration::from_secs(seconds))),
    };
    match at {
        Some(at) if at <= now => Err(Problem::invalid("expires_at: that is over already")),
        Some(at) if at > latest => {
            Err(Problem::invalid("expires_at: more than ten years ahead; leave it out for never"))
        }
        at => Ok(at),
    }
}

/// The action of making or revoking a token; it is an organization's where the token is for that one alone.
fn said(app: &App, caller: &Caller, what: Deed, token: &ApiToken) -> Action {
    let list = |texts: Vec<&str>| texts.join(", ");
    let scopes = list(token.scopes.iter().map(|scope| scope.as_str()).collect());
    let orgs = token.orgs.as_ref().map(|orgs| list(orgs.iter().map(|org| org.as_str()).collect()));
    let of = orgs.map_or_else(String::new, |orgs| format!(", for {orgs}"));
    let why = format!("{}: {scopes}{of}", token.name);
    let action = app.parts.engine.action(&caller.asker(), what).about(&token.id).because(&why);
    match token.orgs.as_ref().filter(|orgs| orgs.len() == 1).and_then(BTreeSet::first) {
        Some(org) => action.of(org),
        None => action,
    }
}

/// Revoke a token
///
/// The next request with it is refused, and the sessions of the console that were opened with it are over. One that is revoked
/// already stays so. Those that were made with it go on: `made_by_token` tells which.
#[utoipa::path(delete, path = "/v1/tokens/{id}", operation_id = "revoke_token", tag = "tokens",
    params(("id" = ApiTokenId, Path)),
    responses((status = 204, description = "It is revoked."), (status = 409, response = Conflict)))]
pub(super) async fn revoke(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<ApiTokenId>,
) -> Result<StatusCode, Problem> {
    revoked(&app, &caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Revokes it.
pub(super) async fn revoked(app: &App, caller: &Caller, id: &ApiTokenId) -> Result<(), Problem> {
    let kept = find(app, caller, id)?;
    if kept.of_configuration {
        let why = "this token is in the configuration: take it out there, and start the host again";
        return Err(Problem::conflict(why));
    }
    let sessions = app.access.sessions.of(id);
    let action = said(app, caller, Deed::TokenRevoke, &kept.token);
    app.access.keyring.revoke(id, &sessions, &caller.name, action).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expiry_is_ahead_and_said_once() {
        let now = Timestamp::from_millis(1_790_000_000_000);
        let at = |seconds: u64| now.after(Duration::from_secs(seconds));
        assert_eq!(expiry(now, None, None).ok(), Some(None));
        assert_eq!(expiry(now, None, Some(60)).ok(), Some(Some(at(60))));
        assert_eq!(expiry(now, Some(at(60)), None).ok(), Some(Some(at(60))));
        for (at, within) in [
            (Some(now), None),
            (Some(Timestamp::default()), None),
            (None, Some(0)),
            (None, Some(LONGEST + 1)),
            (None, Some(u64::MAX)),
            (Some(at(LONGEST + 1)), None),
            (Some(at(60)), Some(60)),
        ] {
            assert!(expiry(now, at, within).is_err(), "{at:?} {within:?}");
        }
    }
}

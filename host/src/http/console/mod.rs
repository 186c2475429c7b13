//! The console: server-rendered pages for the people who clear errors. A script makes them move; none needs it.

mod actions;
mod around;
mod assets;
mod authorization;
mod cause;
mod causes;
mod choosing;
mod conversation;
mod customers;
mod going_on;
mod home;
mod incident;
mod lines;
mod list_address;
mod mails;
mod messages;
mod notices;
mod once;
mod operation;
mod operations;
mod org_card;
mod org_list;
mod org_mails;
mod org_settings;
mod orgs;
mod pages;
mod paging;
mod parked;
mod parts;
mod policies;
mod quarantine;
mod question;
mod reference;
mod session;
mod settings_forms;
mod style;
mod sync_error;
mod sync_errors;
#[cfg(test)]
mod tests;
mod tokens;
mod words;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use self::parts::{Visit, as_of, local};
use super::App;
use super::access::{Reach, Scope, from_here, is_safe, known};
use super::problem::Problem;
use super::serving::Peer;
use crate::domain::Via;

/// A page that needs no session, or one that may do this, and how the page keeps to the organizations of its token.
type Needed = Option<(Scope, Reach)>;

pub(super) fn router(app: &App) -> Router<App> {
    let entered =
        |needed: Needed, router: Router<App>| router.route_layer(from_fn_with_state((app.clone(), needed), enter));
    Router::new()
        .merge(entered(Some((Scope::Read, Reach::Narrowed)), pages::read()))
        .merge(entered(Some((Scope::Read, Reach::OneOrg)), pages::read_of_org()))
        .merge(entered(Some((Scope::Read, Reach::Everything)), pages::read_everything()))
        .merge(entered(Some((Scope::Read, Reach::OnePolicy)), policies::of_one()))
        .merge(entered(Some((Scope::Policies, Reach::OnePolicy)), policies::changing_one()))
        .merge(entered(Some((Scope::Policies, Reach::Everything)), policies::changing_everything(app)))
        // A policy may answer with what customers wrote: whoever asks it has to be one of those who see that.
        .merge(entered(
            Some((Scope::Policies, Reach::OnePolicy)),
            entered(Some((Scope::Errors, Reach::OnePolicy)), policies::trying_one()),
        ))
        .merge(entered(Some((Scope::Errors, Reach::Narrowed)), pages::errors()))
        .merge(entered(Some((Scope::Errors, Reach::OneOrg)), pages::errors_of_org()))
        .merge(entered(Some((Scope::Errors, Reach::Everything)), pages::errors_of_everything()))
        .merge(entered(Some((Scope::Erase, Reach::Narrowed)), pages::erase()))
        .merge(entered(Some((Scope::Tokens, Reach::Narrowed)), pages::tokens()))
        .merge(entered(Some((Scope::Connect, Reach::OneOrg)), pages::connect()))
        .merge(entered(None, pages::anybody()))
        .route("/style.css", get(assets::style))
        .route("/console.js", get(assets::script))
        .route("/icon.svg", get(assets::icon))
}

/// Tells the handler who visits which page, and makes a page of every refusal.
async fn enter(State((app, needed)): State<(App, Needed)>, request: Request, next: Next) -> Response {
    as_of(app.parts.clock.now(), visited(app, needed, request, next)).await
}

async fn visited(app: App, needed: Needed, mut request: Request, next: Next) -> Response {
    let caller = app.access.caller(request.headers());
    let mut visit = Visit::new(caller, app.access.open(), request.uri());
    let reads = is_safe(request.method());
    if !reads && !from_here(request.headers()) {
        return visit.refusal(&Problem::forbidden("forms are only taken from the pages of this console"));
    }
    if visit.caller().is_none() {
        let address = Peer::of(&request).map(|Peer(address)| address.ip());
        if let Err(problem) = app.callers.admit_stranger(address) {
            return visit.refusal(&problem);
        }
    }
    if let Some((scope, reach)) = needed {
        let Some(caller) = visit.caller().cloned() else {
            let next = if reads { visit.here().to_owned() } else { came_from(request.headers()) };
            return Redirect::to(&format!("/login?next={}", utf8_percent_encode(&next, NON_ALPHANUMERIC)))
                .into_response();
        };
        if !caller.may(scope) {
            let detail = format!("the token of {} lacks the scope `{scope}`, which this needs", caller.name);
            return visit.refusal(&Problem::forbidden(detail));
        }
        let (mut parts, body) = request.into_parts();
        if let Err(problem) = reach.check(&app, &caller, &mut parts).await {
            return visit.refusal(&problem);
        }
        request = Request::from_parts(parts, body);
        visit = visit.with_waiting(notices::waiting(&app, &caller));
        if reads {
            let notice = notices::told(&app, &caller, &visit).await;
            visit = visit.with_notice(notice);
        }
        known(&mut request, caller, Via::Console);
    }
    request.extensions_mut().insert(visit.clone());
    let mut response = next.run(request).await;
    match response.extensions_mut().remove::<Problem>() {
        Some(problem) => visit.refusal(&problem),
        None => response,
    }
}

/// The page of this host that a form stood on, where the browser says so: who has to sign in first goes on there.
fn came_from(headers: &HeaderMap) -> String {
    let referer = headers.get(header::REFERER).and_then(|referer| referer.to_str().ok());
    let path = referer.and_then(|referer| referer.split_once("://")?.1.split_once('/'));
    path.map_or_else(|| "/".to_owned(), |(_, path)| local(Some(&format!("/{path}"))).to_owned())
}

/// What an address that nobody answers shows: a page to a browser, a problem document to everybody else.
pub(super) async fn nothing_here(State(app): State<App>, request: Request) -> Response {
    let problem = Problem::not_found("there is nothing at this address");
    let accepts = request.headers().get(header::ACCEPT).and_then(|accepts| accepts.to_str().ok());
    if !accepts.is_some_and(|accepts| accepts.contains("text/html")) {
        return problem.into_response();
    }
    Visit::new(app.access.caller(request.headers()), app.access.open(), request.uri()).refusal(&problem)
}

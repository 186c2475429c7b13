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
mod home;
mod incident;
mod lines;
mod list_address;
mod mails;
mod messages;
mod notices;
mod operation;
mod operations;
mod org_card;
mod org_settings;
mod orgs;
mod paging;
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
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use self::parts::{Visit, as_of, local};
use super::App;
use super::access::{Reach, Scope, from_here, is_safe, known};
use super::api::PAGES;
use super::authorization::CALLBACK;
use super::problem::Problem;
use super::repro;
use super::serving::Peer;
use crate::domain::Via;

/// A token and where to go on: more is not read of somebody whom nobody knows.
const SIGN_IN_BYTES: usize = 16 * 1024;

/// A page that needs no session, or one that may do this, and how the page keeps to the organizations of its token.
type Needed = Option<(Scope, Reach)>;

pub(super) fn router(app: &App) -> Router<App> {
    let entered =
        |needed: Needed, router: Router<App>| router.route_layer(from_fn_with_state((app.clone(), needed), enter));
    let read = Router::new()
        .route("/", get(home::show))
        .route("/causes", get(causes::list))
        .route("/causes/{id}", get(cause::show))
        .route("/operations", get(operations::list))
        .route("/operations/{id}", get(operation::show))
        .route("/sync-errors", get(sync_errors::list))
        .route("/sync-errors/{id}", get(sync_error::show))
        .route("/sync-errors/{id}/repro", get(repro::bundle))
        .route("/conversations/{id}", get(conversation::show))
        .route("/mails", get(mails::list))
        .route("/messages/{id}", get(messages::show))
        .route("/actions", get(actions::list));
    let read_of_org = Router::new()
        .route("/orgs/{org}/checks", get(orgs::checks))
        .route("/orgs/{org}/settings", get(org_settings::show));
    let read_everything = policies::of_everything().route("/quarantine", get(quarantine::list));
    let errors = Router::new()
        .route("/causes/{id}", post(cause::put))
        .route("/operations/new", get(question::ask))
        .route("/operations", post(question::begin))
        .route("/operations/{id}/pause", post(operation::pause))
        .route("/operations/{id}/resume", post(operation::resume))
        .route("/operations/{id}/cancel", post(operation::cancel))
        .route("/operations/{id}/undo", post(operation::undo))
        .route("/sync-errors/{id}/retry", post(sync_error::retry))
        .route("/sync-errors/{id}/choose", get(choosing::show).post(choosing::choose))
        .route("/causes/{id}/choose", get(choosing::first))
        .route("/sync-errors/{id}/ignore", post(sync_error::ignore))
        .route("/sync-errors/{id}/reopen", post(sync_error::reopen))
        .route("/customers", get(customers::list));
    let erase = Router::new()
        .route("/customers/erase", get(customers::ask).post(customers::erase))
        .route("/customers/erased", get(customers::result));
    let tokens = Router::new()
        .route("/tokens", get(tokens::list).post(tokens::make))
        .route("/tokens/{id}/revoke", post(tokens::revoke));
    let errors_of_org = Router::new()
        .route("/orgs/{org}/checks", post(orgs::look))
        .route("/orgs/{org}/retry-all", post(orgs::retry_all));
    let errors_of_everything = Router::new()
        .route("/quarantine/{id}", get(quarantine::show))
        .route("/quarantine/{id}/retry", post(quarantine::retry))
        .route("/quarantine/{id}/forget", post(quarantine::drop));
    let connect = Router::new()
        .route("/orgs/{org}/authorize", post(authorization::start))
        .route("/orgs/{org}/settings", post(settings_forms::save))
        .route("/orgs/{org}/mute", post(settings_forms::mute))
        .route("/orgs/{org}/test-mail", post(settings_forms::test_mail));
    let reference =
        Router::new().route("/docs", get(reference::api)).route(&format!("{PAGES}{{word}}"), get(reference::problem));
    let anybody = Router::new()
        .merge(reference)
        .route(CALLBACK, get(authorization::callback))
        .route("/login", get(session::form).post(session::sign_in))
        .route("/logout", post(session::sign_out))
        .layer(DefaultBodyLimit::max(SIGN_IN_BYTES));
    Router::new()
        .merge(entered(Some((Scope::Read, Reach::Narrowed)), read))
        .merge(entered(Some((Scope::Read, Reach::OneOrg)), read_of_org))
        .merge(entered(Some((Scope::Read, Reach::Everything)), read_everything))
        .merge(entered(Some((Scope::Read, Reach::OnePolicy)), policies::of_one()))
        .merge(entered(Some((Scope::Policies, Reach::OnePolicy)), policies::changing_one()))
        .merge(entered(Some((Scope::Policies, Reach::Everything)), policies::changing_everything()))
        // A policy may answer with what customers wrote: whoever asks it has to be one of those who see that.
        .merge(entered(
            Some((Scope::Policies, Reach::OnePolicy)),
            entered(Some((Scope::Errors, Reach::OnePolicy)), policies::trying_one()),
        ))
        .merge(entered(Some((Scope::Errors, Reach::Narrowed)), errors))
        .merge(entered(Some((Scope::Errors, Reach::OneOrg)), errors_of_org))
        .merge(entered(Some((Scope::Errors, Reach::Everything)), errors_of_everything))
        .merge(entered(Some((Scope::Erase, Reach::Narrowed)), erase))
        .merge(entered(Some((Scope::Tokens, Reach::Narrowed)), tokens))
        .merge(entered(Some((Scope::Connect, Reach::OneOrg)), connect))
        .merge(entered(None, anybody))
        .route("/style", get(style::show))
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
            let detail = format!("the token of {} may look at this but not change it", caller.name);
            return visit.refusal(&Problem::forbidden(detail));
        }
        let (mut parts, body) = request.into_parts();
        if let Err(problem) = reach.check(&app, &caller, &mut parts).await {
            return visit.refusal(&problem);
        }
        request = Request::from_parts(parts, body);
        if reads {
            let notice = notices::told(&app, &caller, &visit).await;
            visit = visit.with_waiting(notices::waiting(&app, &caller)).with_notice(notice);
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

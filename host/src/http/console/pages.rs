//! The addresses of the pages, by what a visitor has to be allowed.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};

use super::{
    actions, authorization, cause, causes, choosing, conversation, customers, home, mails, messages, operation,
    operations, org_list, org_settings, orgs, parked, policies, quarantine, question, reference, session,
    settings_forms, style, sync_error, sync_errors, tokens,
};
use crate::http::App;
use crate::http::api::PAGES;
use crate::http::authorization::CALLBACK;
use crate::http::repro;

/// A token and where to go on: more is not read of somebody whom nobody knows.
const SIGN_IN_BYTES: usize = 16 * 1024;

/// What a token for looking is good for, whichever organizations it is for.
pub(super) fn read() -> Router<App> {
    Router::new()
        .route("/", get(home::show))
        .route("/orgs", get(org_list::list))
        .route("/causes", get(causes::list))
        .route("/causes/{id}", get(cause::show))
        .route("/operations", get(operations::list))
        .route("/operations/{id}", get(operation::show))
        .route("/sync-errors", get(sync_errors::list))
        .route("/sync-errors/{id}", get(sync_error::show))
        .route("/sync-errors/{id}/repro", get(repro::bundle))
        .route("/conversations/{id}", get(conversation::show))
        .route("/parked", get(parked::list))
        .route("/mails", get(mails::list))
        .route("/messages/{id}", get(messages::show))
        .route("/actions", get(actions::list))
}

/// The same about one organization.
pub(super) fn read_of_org() -> Router<App> {
    Router::new().route("/orgs/{org}/checks", get(orgs::checks)).route("/orgs/{org}/settings", get(org_settings::show))
}

/// The same about everything.
pub(super) fn read_everything() -> Router<App> {
    policies::of_everything().route("/quarantine", get(quarantine::list))
}

/// What is done about sync errors.
pub(super) fn errors() -> Router<App> {
    Router::new()
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
        .route("/customers", get(customers::list))
}

/// What is erased of customers.
pub(super) fn erase() -> Router<App> {
    Router::new()
        .route("/customers/erase", get(customers::ask).post(customers::erase))
        .route("/customers/erased", get(customers::result))
}

/// Who may do what.
pub(super) fn tokens() -> Router<App> {
    Router::new()
        .route("/tokens", get(tokens::list).post(tokens::make))
        .route("/tokens/{id}/revoke", post(tokens::revoke))
}

/// What is done about the sync errors and the parked conversations of one organization.
pub(super) fn errors_of_org() -> Router<App> {
    Router::new()
        .route("/orgs/{org}/checks", post(orgs::look))
        .route("/orgs/{org}/parked/{conversation}/ignore", post(parked::ignore))
}

/// What is done about the quarantine.
pub(super) fn errors_of_everything() -> Router<App> {
    Router::new()
        .route("/quarantine/{id}", get(quarantine::show))
        .route("/quarantine/{id}/retry", post(quarantine::retry))
        .route("/quarantine/{id}/forget", post(quarantine::drop))
}

/// How an organization is connected, and its settings.
pub(super) fn connect() -> Router<App> {
    Router::new()
        .route("/orgs/{org}/authorize", post(authorization::start))
        .route("/orgs/{org}/settings", post(settings_forms::save))
        .route("/orgs/{org}/mute", post(settings_forms::mute))
        .route("/orgs/{org}/test-mail", post(settings_forms::test_mail))
}

/// What needs no session.
pub(super) fn anybody() -> Router<App> {
    Router::new()
        .route("/docs", get(reference::api))
        .route(&format!("{PAGES}{{word}}"), get(reference::problem))
        .route("/style", get(style::show))
        .route(CALLBACK, get(authorization::callback))
        .route("/login", get(session::form).post(session::sign_in))
        .route("/logout", post(session::sign_out))
        .layer(DefaultBodyLimit::max(SIGN_IN_BYTES))
}

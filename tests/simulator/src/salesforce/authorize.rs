//! The page where a user lets an app in, and the way back with a code.

use axum::response::Response;
use maud::{DOCTYPE, html};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

use super::calls::Call;
use super::config::Consent;
use super::oauth;
use super::{Salesforce, SharedOrg};
use crate::journal::lock;
use crate::web;

/// GET or POST /services/oauth2/authorize; the POST is the answer of the page.
pub(crate) fn ask(salesforce: &Salesforce, org: Option<&SharedOrg>, call: &Call) -> Response {
    let form = oauth::form(call);
    let given = |name| web::value(&form, name);
    let Some(org) = org else { return oauth::refuse("unknown_client") };
    let mut org = lock(org);
    let callback = given("redirect_uri").unwrap_or_default();
    let known = &org.config.callback_urls;
    if callback.is_empty() || !(known.is_empty() || known.iter().any(|url| url == callback)) {
        return oauth::refuse("wrong_callback");
    }
    let state = given("state");
    if given("response_type") != Some("code") {
        return back(
            callback,
            &[("error", "unsupported_response_type"), ("error_description", "response type not supported")],
            state,
        );
    }
    let decision = match (org.config.consent, given("decision")) {
        (Consent::Ask, None) => return page(call),
        (Consent::Ask, Some("approve")) => Consent::Approve,
        (Consent::Ask, Some(_)) => Consent::Deny,
        (set, _) => set,
    };
    match decision {
        Consent::Deny | Consent::Ask => {
            back(callback, &[("error", "access_denied"), ("error_description", "end-user denied authorization")], state)
        }
        Consent::Blocked => back(
            callback,
            &[("error", "OAUTH_APP_BLOCKED"), ("error_description", "this app is blocked by admin")],
            state,
        ),
        Consent::Approve => {
            let org_id = org.id();
            let code = org.tokens.code(callback, given("code_challenge"), &org_id, call.now_ms);
            salesforce.journal(&[json!({"org": org.name, "tokens": org.tokens})]);
            back(callback, &[("code", &code)], state)
        }
    }
}

/// Leads the browser back to the app.
fn back(callback: &str, pairs: &[(&str, &str)], state: Option<&str>) -> Response {
    let mut address = callback.to_owned();
    let state = state.map(|state| ("state", state));
    for (name, value) in pairs.iter().copied().chain(state) {
        address.push(if address.contains('?') { '&' } else { '?' });
        address += &format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC));
    }
    let mut response = web::empty(302);
    if let Ok(value) = address.parse() {
        response.headers_mut().insert("Location", value);
    }
    response
}

fn page(call: &Call) -> Response {
    let page = html! {
        (DOCTYPE)
        title { "Allow access?" }
        h1 { "Allow access?" }
        form method="post" action=(call.target) {
            button name="decision" value="approve" { "Allow" }
            button name="decision" value="deny" { "Deny" }
        }
    };
    web::answer(200, "text/html;charset=UTF-8", page.into_string())
}

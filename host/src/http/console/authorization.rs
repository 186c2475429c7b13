//! Authorizing an organization from the console: the way to Salesforce's page, and the page that it comes back to.

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::parts::format::{self, counted};
use super::parts::{Section, Visit};
use super::session::secure;
use crate::domain::{Action, Class, Deed, OrgId, Refusal, Secret};
use crate::engine::Org;
use crate::http::App;
use crate::http::access::{Caller, Scope, cookie_named, hash};
use crate::http::actions::record_by;
use crate::http::authorization::{Authorized, CALLBACK, Origin, begin, finish};
use crate::http::extract::{Asked, Id};
use crate::http::problem::Problem;
use crate::salesforce::advice;

/// Unlike the session's, this cookie comes along when Salesforce sends the browser back: it names the browser, no more.
const COOKIE: &str = "switchyard-authorization";

/// The button, for who may press it.
pub(super) fn button(visit: &Visit, org: &Org, callback: &str) -> Markup {
    html! {
        @if org.salesforce.authorized_by_a_person() && visit.may(Scope::Connect) {
            form method="post" action={ "/orgs/" (org.id) "/authorize" } data-whole { button type="submit" { "Authorize" } }
            p.hint {
                "Opens Salesforce. Log in there as the integration user, not as yourself. The app has to have the callback URL "
                code { (callback) } "."
            }
        }
    }
}

/// Sends the browser to Salesforce.
pub(super) async fn start(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Id(id): Id<OrgId>,
) -> Result<Response, Problem> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|_| Problem::unavailable("the system gave no random numbers"))?;
    let browser = hex::encode(bytes);
    let origin = Origin::Console { cookie: hash(&browser), session: app.access.session(&headers) };
    let (url, _) = begin(&app, &id, &caller, origin, app.callback()).await?;
    // Not a redirect: browsers let the answer to a form lead only where `form-action` allows, and where Salesforce
    // leads from its first page is nobody's to know.
    let content = html! {
        h1 data-once { "On to Salesforce" }
        p { a href=(url) rel="noreferrer" { "Go on to Salesforce" } " and log in as the integration user." }
    };
    let secure = if secure(&app, &headers) { "; Secure" } else { "" };
    let cookie = format!("{COOKIE}={browser}; HttpOnly; SameSite=Lax; Path={CALLBACK}; Max-Age=600{secure}");
    let headers = [(header::SET_COOKIE, cookie), (header::REFRESH, format!("0;url={url}"))];
    Ok((headers, visit.page("On to Salesforce", Section::Home, &content)).into_response())
}

/// What Salesforce sends back with the browser.
#[derive(Deserialize)]
pub(super) struct Back {
    #[serde(default)]
    state: String,
    code: Option<Secret>,
    error: Option<String>,
    error_description: Option<String>,
}

/// The browser is back.
pub(super) async fn callback(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    headers: HeaderMap,
    Asked(back): Asked<Back>,
) -> Result<Response, Problem> {
    let cookie = cookie_named(&headers, COOKIE).map(hash);
    let begun = app.waiting.take(&back.state, |begun| match &begun.origin {
        Origin::Console { cookie: own, session } => {
            cookie.as_ref() == Some(own) && session.is_none_or(|session| app.access.lives(&session))
        }
        Origin::Api(_) => false,
    });
    let Some(begun) = begun else {
        let words =
            "no authorization that this browser began is waiting for this; begin again on the organization's page";
        return Err(Problem::conflict(words));
    };
    let org = begun.org.clone();
    let ended = match (back.code, back.error) {
        (Some(code), None) => finish(&app, begun, code).await?,
        (_, error) => {
            let refusal = not_allowed(error, back.error_description);
            let about = |action: Action| action.of(&org).because(&refusal.code);
            record_by(&app, &begun.by, Deed::AuthorizeRefused, about).await?;
            Err(refusal)
        }
    };
    let (org, _) = app.parts.engine.org(&org)?;
    let (status, content) = match &ended {
        Ok(authorized) => (StatusCode::OK, done(&org, authorized)),
        Err(refusal) => (StatusCode::CONFLICT, refused(&org, refusal)),
    };
    let over = format!("{COOKIE}=; HttpOnly; SameSite=Lax; Path={CALLBACK}; Max-Age=0");
    Ok((status, [(header::SET_COOKIE, over)], visit.page("Authorization", Section::Home, &content)).into_response())
}

/// Salesforce's page was left without a code.
fn not_allowed(error: Option<String>, description: Option<String>) -> Refusal {
    let cut = |text: String, most: usize| text.chars().take(most).collect::<String>();
    let code = cut(error.unwrap_or_else(|| "NO_CODE".to_owned()), 100);
    Refusal::new(Class::Auth, &code, cut(description.unwrap_or_default(), 500)).of_org()
}

fn done(org: &Org, authorized: &Authorized) -> Markup {
    html! {
        h1 data-once { (org.name) " is authorized" }
        p { "Salesforce gave tokens for " code { (authorized.server) } ", and they are stored." }
        @if authorized.retried > 0 {
            p {
                (counted(authorized.retried, "conversation that waited for the connection is", "conversations that waited for the connection are"))
                " tried again."
            }
        }
        p { "What stands under the first points to check was found before: look again there." }
        p.links {
            a href="/" { "Home" }
            a href={ "/orgs/" (org.id) "/checks" } { "The first points to check" }
        }
    }
}

fn refused(org: &Org, refusal: &Refusal) -> Markup {
    let advice = advice(refusal);
    html! {
        h1 data-once { (org.name) " is not authorized" }
        p.notice.bad { code { (refusal.code) } ": " (format::cut(&refusal.text)) }
        p { (advice.happened) " " (advice.check) }
        p { "What was in force before stays in force." }
        p.links { a href={ "/orgs/" (org.id) "/checks" } { "Back to " (org.name) } }
    }
}

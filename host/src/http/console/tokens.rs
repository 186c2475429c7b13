//! The tokens of people and programs: which there are, a new one, whose secret is shown once, and revoking one.

use axum::Extension;
use axum::extract::State;
use axum::response::Redirect;
use maud::{Markup, html};
use serde::Deserialize;

use super::once;
use super::paging::pages;
use super::parts::format;
use super::parts::{Back, Done, Icon, Section, Visit, cell, icon, table};
use crate::domain::{ApiTokenId, OrgId, TokenScope};
use crate::http::App;
use crate::http::access::Caller;
use crate::http::api::{MadeToken, Token, TokenRequest, TokenSource, TokenStatus};
use crate::http::api_tokens::{Query, made, page, revoked};
use crate::http::extract::{Asked, Form, Id};
use crate::http::idempotency::{Begun, begin};
use crate::http::orgs;
use crate::http::problem::{Kind, Problem};

/// For how long a token may be, in days.
const DAYS: [(u64, &str); 4] = [(7, "a week"), (30, "30 days"), (90, "90 days"), (365, "a year")];

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Choice {
    cursor: String,
}

/// All tokens that the caller may know of, and a form for a new one.
pub(super) async fn list(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Extension(caller): Extension<Caller>,
    Asked(choice): Asked<Choice>,
) -> Result<Markup, Problem> {
    let query = Query { limit: None, cursor: Some(choice.cursor.clone()) };
    let found = page(&app, &caller, query)?;
    let content = html! {
        h1 { "Tokens" }
        p.hint { "With a token a person signs in here, and a program asks the API. What has ended stays listed for 30 days." }
        @if found.tokens.is_empty() { p.empty { "There is no token that you may know of." } }
        @else {
            (table(&["Name", "May", "Organizations", "Used", "Ends", "Made by", "What to do"],
                &html! { @for token in &found.tokens { (row(&visit, token)) } }))
        }
        (pages("/tokens", &[], choice.cursor.is_empty(), found.next_cursor.as_ref().map(ApiTokenId::as_str)))
        h2 { "Make a token" }
        (form(&app, &caller))
    };
    Ok(visit.page("Tokens", Section::Tokens, &content))
}

fn row(visit: &Visit, token: &Token) -> Markup {
    let scopes: Vec<_> = token.scopes.iter().map(|scope| scope.as_str()).collect();
    let orgs = token.orgs.iter().flatten().map(OrgId::as_str).collect::<Vec<_>>().join(", ");
    let ends = match (token.status, token.revoked_at, token.expires_at) {
        (TokenStatus::Revoked, Some(at), _) => html! {
            span.badge.bad { "revoked" } " " (format::time(at))
            @if let Some(by) = &token.revoked_by { " by " (by) }
        },
        (TokenStatus::Expired, _, Some(at)) => html! { span.badge { "expired" } " " (format::time(at)) },
        (_, _, Some(at)) => format::time(at),
        _ => html! { "never" },
    };
    let can_end = matches!(token.status, TokenStatus::Valid) && matches!(token.source, TokenSource::Store);
    html! {
        tr role="row" {
            (cell("Name", &html! { b title=(token.id) { (token.name) } }))
            (cell("May", &html! { (scopes.join(", ")) }))
            (cell("Organizations", &html! { @if token.orgs.is_some() { (orgs) } @else { "all" } }))
            (cell("Used", &html! { @if let Some(at) = token.last_used_at { (format::time(at)) } @else { "never" } }))
            (cell("Ends", &ends))
            (cell("Made by", &html! {
                @if let Some(by) = &token.made_by { (by) } @else { "the configuration" }
                @if let Some(at) = token.made_at { " " (format::time(at)) }
            }))
            (cell("What to do", &html! { @if can_end { (revoking(visit, token)) } }))
        }
    }
}

/// The question stands where the button is.
fn revoking(visit: &Visit, token: &Token) -> Markup {
    html! {
        details.ignore {
            summary aria-label={ "Revoke " (token.name) } { "Revoke …" }
            form method="post" action={ "/tokens/" (token.id) "/revoke" } {
                (visit.way_back())
                span { "The next request with it is refused, and sessions that were opened with it end. This cannot be undone." }
                button.danger type="submit" { "Revoke “" (token.name) "”" }
            }
        }
    }
}

fn form(app: &App, caller: &Caller) -> Markup {
    if app.access.open() {
        return html! {
            p { "The configuration has no token, so everybody on this machine may do everything without one. Put the first one there, \
                 with the scope " code { "tokens" } "." }
        };
    }
    let orgs = orgs::seen(app, caller);
    html! {
        form.card.fields method="post" action="/tokens" {
            (once::field())
            label { "Which person or program it is for" input name="name" required maxlength="100" autocomplete="off"; }
            fieldset {
                legend { "What it may do" }
                @for scope in TokenScope::ALL.into_iter().filter(|scope| caller.may(*scope)) {
                    div { label {
                        input type="checkbox" name={ "scope-" (scope) } checked[scope == TokenScope::Read];
                        " " b { (scope) } " " (may(scope))
                    } }
                }
            }
            fieldset {
                legend { "For which organizations" @if caller.orgs().is_none() { " (none ticked: all, and those to come)" } }
                @for org in &orgs {
                    div { label { input type="checkbox" name={ "org-" (org.id) }; " " (org.name) } }
                }
            }
            label {
                "For how long"
                select name="days" {
                    @for (days, words) in DAYS { option value=(days) selected[days == 90] { (words) } }
                    @if caller.expires_at.is_none() { option value="" { "without an end" } }
                }
            }
            div.actions { button type="submit" { (icon(Icon::Tokens)) "Make the token" } }
        }
    }
}

/// What a scope is good for.
const fn may(scope: TokenScope) -> &'static str {
    match scope {
        TokenScope::Read => "look, and sign in here",
        TokenScope::Errors => "retry and ignore sync errors, see whole conversations and find customers",
        TokenScope::Policies => "put policies in force",
        TokenScope::Intake => "hand in conversations",
        TokenScope::Connect => "authorize organizations, and change their settings",
        TokenScope::Backup => "read everything that is kept",
        TokenScope::Tokens => "make and revoke tokens",
        TokenScope::Erase => "erase what is kept of a customer",
    }
}

/// What a form asks for.
fn asked(fields: &[(String, String)]) -> Result<TokenRequest, Problem> {
    let given = |wanted: &str| fields.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
    let ticked = |prefix: &'static str| fields.iter().filter_map(move |(name, _)| name.strip_prefix(prefix));
    let scopes = TokenScope::ALL.into_iter().filter(|scope| ticked("scope-").any(|name| name == scope.as_str()));
    let orgs = ticked("org-").map(OrgId::new).collect::<Result<Vec<_>, _>>();
    let orgs = orgs.map_err(|error| Problem::invalid(format!("orgs: {error}")))?;
    let days = given("days").filter(|days| !days.is_empty());
    let days = days.map(str::parse::<u32>).transpose().map_err(|error| Problem::invalid(format!("days: {error}")))?;
    Ok(TokenRequest {
        name: given("name").unwrap_or_default().to_owned(),
        scopes: scopes.collect(),
        orgs: Some(orgs).filter(|orgs| !orgs.is_empty()),
        expires_at: None,
        expires_in: days.map(|days| u64::from(days) * 86_400),
    })
}

/// Makes a token, once for each form. Its secret stands on the page that answers the form: no address and no other page ever has it,
/// nor this one when it is sent again.
pub(super) async fn make(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Extension(caller): Extension<Caller>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Markup, Problem> {
    let key = once::key(&caller, "/tokens", &fields)?;
    let _turn = match begin(&app, &key).await {
        Ok(Begun::Now(turn)) => turn,
        Err(problem) if !(problem.is(Kind::AnswerLost) || problem.is(Kind::KeyInUse)) => return Err(problem),
        Ok(Begun::Before(_)) | Err(_) => return Ok(visit.page("A new token", Section::Tokens, &made_before())),
    };
    let caller = Caller { key: Some(key.clone()), ..caller };
    let MadeToken { token, secret } = made(&app, &caller, asked(&fields)?).await?;
    let content = html! {
        h1 { "The token “" (token.name) "” is made" }
        div.notice.wait role="status" {
            div {
                p { b { "This is its secret. It is shown this once: take it now." } }
                pre tabindex="0" role="region" aria-label="The secret" { (secret.unwrap_or_default()) }
            }
        }
        p.hint { "Whoever has it may do what the token may. Where it is lost, revoke the token and make another one." }
        p { a.button href="/tokens" { "I have it" } }
    };
    Ok(visit.page("A new token", Section::Tokens, &content))
}

/// The form was sent before.
fn made_before() -> Markup {
    html! {
        h1 { "This token is made already" }
        p { "Its secret was shown once and is kept nowhere. Where nobody took it, revoke the token and make another one." }
        p { a.button href="/tokens" { "All tokens" } }
    }
}

/// Revokes a token.
pub(super) async fn revoke(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<ApiTokenId>,
    Form(back): Form<Back>,
) -> Result<Redirect, Problem> {
    revoked(&app, &caller, &id).await?;
    Ok(back.with(&Done::Revoked(id)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_asks_for_what_is_ticked_and_nothing_else() {
        let fields = |pairs: &[(&str, &str)]| {
            let pairs: Vec<_> = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            asked(&pairs)
        };
        let of = fields(&[
            ("name", "robot"),
            ("scope-read", "on"),
            ("scope-root", "on"),
            ("org-acme", "on"),
            ("days", "30"),
        ]);
        let of = of.ok().unwrap();
        assert_eq!((of.scopes, of.orgs.unwrap().len(), of.expires_in), (vec![TokenScope::Read], 1, Some(30 * 86_400)));
        let of = fields(&[("name", "robot"), ("days", "")]).ok().unwrap();
        assert!(of.scopes.is_empty() && of.orgs.is_none() && of.expires_in.is_none());
        assert!(fields(&[("org-a/b", "on")]).is_err());
        assert!(fields(&[("days", "-1")]).is_err());
    }
}

//! The log of mails: what was sent to whom, and what the mail server said.

use axum::Extension;
use axum::extract::State;
use maud::{Markup, html};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::parts::{Section, Visit, cell, choice_of_org, format, table};
use crate::domain::{MailOutcome, OrgId, SentMail};
use crate::http::App;
use crate::http::access::Caller;
use crate::http::extract::Asked;
use crate::http::mails::{self, Query};
use crate::http::orgs;
use crate::http::problem::Problem;

/// All mails, or those about one organization.
pub(super) async fn list(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Extension(caller): Extension<Caller>,
    Asked(query): Asked<Query>,
) -> Result<Markup, Problem> {
    let found = mails::page(&app, &caller, &query).await?;
    let orgs = orgs::seen(&app, &caller);
    let now = app.parts.clock.now();
    let muted = orgs.iter().filter_map(|org| Some((org, org.settings.now().muted(now)?.clone())));
    let chosen = query.org.as_deref().filter(|org| !org.is_empty());
    let content = html! {
        h1 { "Mails" }
        p.hint { "The newest thousand about each organization: to whom, about what, and what the mail server said." }
        @for (org, mute) in muted {
            div.notice.wait {
                div {
                    "Mails about " a href={ "/orgs/" (org.id) "/settings" } { (org.name) } " are muted until "
                    (format::time(mute.until)) " by " (mute.by) "."
                }
            }
        }
        form.filters method="get" action="/mails" {
            label { "Organization" (choice_of_org("All", chosen, &orgs)) }
            button.quiet type="submit" { "Show" }
        }
        (rows(&found.mails, true))
        (pages(chosen, query.cursor.is_some(), found.next.as_deref()))
    };
    Ok(visit.page("Mails", Section::Mails, &content))
}

/// The newest mails about an organization.
pub(super) async fn newest(app: &App, org: &OrgId, most: usize) -> Result<Markup, Problem> {
    let found = app.parts.engine.ledger().mails(std::slice::from_ref(org), None, most).await?;
    Ok(html! {
        (rows(&found.mails, false))
        @if found.next.is_some() { p.links { a href={ "/mails?org=" (org) } { "All mails about it" } } }
    })
}

fn rows(mails: &[(String, SentMail)], with_org: bool) -> Markup {
    if mails.is_empty() {
        return html! { p.empty { "No mail was sent yet." } };
    }
    let row = |mail: &SentMail| {
        html! {
            tr role="row" {
                (cell("When", &format::time(mail.last_at)))
                @if with_org {
                    (cell("About", &html! { a href={ "/orgs/" (mail.org) "/settings" } { (mail.org) } }))
                }
                (cell("To", &html! { (mail.to) }))
                (cell("Subject", &html! { (mail.subject.trim_start_matches("[Switchyard] ")) }))
                (cell("What became of it", &outcome(mail)))
            }
        }
    };
    let columns: &[&str] = match with_org {
        true => &["When", "About", "To", "Subject", "What became of it"],
        false => &["When", "To", "Subject", "What became of it"],
    };
    table(columns, &html! { @for (_, mail) in mails { (row(mail)) } })
}

fn outcome(mail: &SentMail) -> Markup {
    let tone = match mail.outcome {
        MailOutcome::Sent => "good",
        MailOutcome::Delayed => "wait",
        MailOutcome::Refused | MailOutcome::Failed => "bad",
    };
    html! {
        span class={ "badge " (tone) } { (mail.outcome.as_str()) }
        @if mail.attempts > 1 { " after " (format::counted(u64::from(mail.attempts), "try", "tries")) }
        @if let Some(words) = &mail.words { " " (format::cut(words)) }
    }
}

fn pages(org: Option<&str>, further: bool, next: Option<&str>) -> Markup {
    let quoted = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let of = org.map(|org| format!("org={}&", quoted(org))).unwrap_or_default();
    html! {
        @if further || next.is_some() {
            nav.pages aria-label="Pages" {
                @if further { a href={ "/mails?" (of) } { "First page" } }
                @if let Some(next) = next { a href={ "/mails?" (of) "cursor=" (quoted(next)) } rel="next" { "Next page" } }
            }
        }
    }
}

//! All organizations, a line each: for whoever has more than the home page shows.

use axum::Extension;
use axum::extract::State;
use maud::{Markup, html};
use serde::Deserialize;

use super::home::worst_first;
use super::org_card::warning;
use super::paging::pages;
use super::parts::format::grouped;
use super::parts::{Section, Visit, cell, table};
use crate::domain::folded;
use crate::engine::{Org, OrgHealth};
use crate::http::App;
use crate::http::access::Caller;
use crate::http::extract::Asked;
use crate::http::orgs;
use crate::http::problem::Problem;

/// Lines of a page.
const LINES: usize = 100;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Choice {
    /// A part of a name or an id.
    q: String,
    /// How many lines stand on the pages before.
    cursor: String,
}

/// Those whose name or id has a text in it, the worst first.
pub(super) async fn list(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Extension(caller): Extension<Caller>,
    Asked(choice): Asked<Choice>,
) -> Result<Markup, Problem> {
    let before: usize = match choice.cursor.as_str() {
        "" => 0,
        text => text.parse().map_err(|_| Problem::bad_request("cursor: it is not one of this list"))?,
    };
    let text = folded(choice.q.trim());
    let mut orgs = orgs::standing(&app, &caller);
    orgs.retain(|(org, _)| org.id.as_str().contains(&text) || folded(&org.name).contains(&text));
    worst_first(&mut orgs);
    let next = (orgs.len() > before.saturating_add(LINES)).then(|| (before + LINES).to_string());
    let columns = ["Organization", "Waits", "Pending", "Retrying", "Ignored", "Policy", "What to do"];
    let content = html! {
        h1 { "Organizations" }
        p.hint { "Those to which nothing gets through come first, then those of which the most waits for somebody." }
        form.filters method="get" action="/orgs" role="search" aria-label="Narrow the list" {
            label { "Name or id" input type="search" name="q" value=(choice.q) maxlength="100"; }
            button.quiet type="submit" { "Show" }
        }
        @if orgs.is_empty() { p.empty { "There is none." } }
        @else {
            p.hint { (grouped(orgs.len() as u64)) " in all." }
            (table(&columns, &html! { @for (org, health) in orgs.iter().skip(before).take(LINES) { (row(org, health)) } }))
        }
        (pages("/orgs", &[("q", &choice.q)], before == 0, next.as_deref()))
    };
    Ok(visit.page("Organizations", Section::Home, &content))
}

fn row(org: &Org, health: &OrgHealth) -> Markup {
    let list = |state: &str, count: u64| {
        html! { a href={ "/sync-errors?org=" (org.id) "&state=" (state) } { (grouped(count)) } }
    };
    html! {
        tr role="row" id={ "org-" (org.id) } data-live {
            (cell("Organization", &html! { a href={ "/sync-errors?org=" (org.id) } { bdi { (org.name) } } }))
            (cell("Waits", &warning(&org.id, health)))
            (cell("Pending", &list("pending", health.sync_errors.pending)))
            (cell("Retrying", &list("retrying", health.sync_errors.retrying)))
            (cell("Ignored", &list("ignored", health.sync_errors.ignored)))
            (cell("Policy", &html! { a href={ "/policies/" (org.policy()) } { (org.policy()) } }))
            (cell("What to do", &html! {
                a href={ "/orgs/" (org.id) "/checks" } { "First points" } " "
                a href={ "/orgs/" (org.id) "/settings" } { "Settings" }
            }))
        }
    }
}

//! The list of operations: what was asked of many at once, by whom, over what, and how far it is.

use axum::Extension;
use axum::extract::{Query, State};
use maud::{Markup, html};
use serde::Deserialize;

use super::operation::{came, is_going_on, status};
use super::parts::{Icon, Section, Visit, choice_of_org, format, icon};
use super::words::{self, Names, causes_of};
use crate::domain::OrgId;
use crate::http::App;
use crate::http::access::{Caller, Scope};
use crate::http::api::{InOrg, Operation};
use crate::http::operations::{Which, listed};
use crate::http::orgs;
use crate::http::problem::Problem;

/// Operations of the page, and of the long one.
const SHORT: usize = 50;
const LONG: usize = 500;

/// Other fields are passed over.
#[derive(Deserialize)]
pub(super) struct Asked {
    org: Option<String>,
    all: Option<String>,
}

/// The newest operations, those that go on first.
pub(super) async fn list(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Extension(caller): Extension<Caller>,
    Query(asked): Query<Asked>,
) -> Result<Markup, Problem> {
    let org: Option<OrgId> = asked
        .org
        .filter(|org| !org.is_empty())
        .map(|org| org.parse())
        .transpose()
        .map_err(|error: <OrgId as std::str::FromStr>::Err| Problem::bad_request(format!("org: {error}")))?;
    let limit = if asked.all.is_some() { LONG } else { SHORT };
    let which = Which { org: org.clone(), limit: Some(limit) };
    let operations = listed(&app, &caller, which).await?.operations;
    let names = Names::with_titles(&app, operations.iter().flat_map(|operation| causes_of(&operation.orgs))).await?;
    let moving = operations.iter().any(is_going_on);
    let content = html! {
        div.head {
            h1 { "Operations" }
            @if visit.may(Scope::Errors) {
                a href="/operations/new?task=resync" { "Send conversations once more…" }
            }
        }
        p.hint { "What was asked of many at once. Those that go on stand first." }
        (choice(&app, &caller, org.as_ref()))
        (rows(&operations, &names))
        @if operations.len() == limit && limit < LONG {
            p.pages {
                a href={ "/operations?all=1" @if let Some(org) = &org { "&org=" (org) } } { "Older ones too, the newest 500" }
            }
        }
        @if moving { noscript { meta http-equiv="refresh" content="5"; } }
    };
    Ok(visit.page("Operations", Section::Operations, &content))
}

fn choice(app: &App, caller: &Caller, chosen: Option<&OrgId>) -> Markup {
    let orgs = orgs::seen(app, caller);
    html! {
        @if orgs.len() > 1 {
            form.filters method="get" action="/operations" {
                label { "Organization" (choice_of_org("all", chosen.map(OrgId::as_str), &orgs)) }
                button.quiet type="submit" { "Show" }
            }
        }
    }
}

fn rows(operations: &[Operation], names: &Names) -> Markup {
    if operations.is_empty() {
        return html! {
            p.empty #operations data-live {
                "Nothing was asked of many at once. " a href="/causes" { "A cause" } " has the buttons for all of its sync errors."
            }
        };
    }
    let head = |class: &str, words: &str| html! { th class=(class) role="columnheader" scope="col" { (words) } };
    html! {
        table.lines #operations data-live role="table" {
            thead role="rowgroup" {
                tr role="row" {
                    (head("w-l", "What")) (head("", "Over what")) (head("w-s", "Stands"))
                    (head("w-l", "Became of it")) (head("w-s", "By")) (head("w-s", "Begun"))
                }
            }
            tbody role="rowgroup" { @for operation in operations { (row(operation, names)) } }
        }
    }
}

fn row(operation: &Operation, names: &Names) -> Markup {
    let cell = |class: &str, column: &str, content: Markup| {
        html! { td class=(class) role="cell" data-label=(column) { div { (content) } } }
    };
    let mark = match &*operation.task {
        "ignore" | "auto-ignore" => Icon::Ignore,
        "reopen" => Icon::Reopen,
        "assign" => Icon::Assign,
        _ => Icon::Retry,
    };
    html! {
        tr role="row" {
            (cell("main", "What", html! {
                a href={ "/operations/" (operation.id) } { (icon(mark)) " " (words::title(&operation.task, operation.sums.matched)) }
            }))
            (cell("side", "Over what", html! {
                @for (at, of) in operation.orgs.iter().enumerate() { @if at > 0 { "; " } (over(of, names)) }
            }))
            (cell("side", "Stands", html! { (status(operation)) }))
            (cell("side", "Became of it", html! { (came(operation)) }))
            (cell("side", "By", html! { span title=(operation.by) { (operation.by) } }))
            (cell("side", "Begun", format::time(operation.created_at)))
        }
    }
}

/// What an operation is about in one organization, in words.
fn over(of: &InOrg, names: &Names) -> Markup {
    match &of.resync {
        Some(query) => html! { b { (names.org(&of.org)) } ", " (words::over_delivered(query)) },
        None => words::over(&of.query, names),
    }
}

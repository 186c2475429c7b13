//! The quarantine: what could not be read or kept, with its reason, and a button for what can be done about it.

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Redirect;
use maud::{Markup, html};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::parts::format::{self, counted, grouped};
use super::parts::{Back, Done, Section, Visit, cell, table};
use crate::domain::{OrgId, SourceId};
use crate::http::App;
use crate::http::access::{Caller, Scope};
use crate::http::api::{QuarantineList as List, Quarantined};
use crate::http::extract::{Asked, Form};
use crate::http::problem::Problem;
use crate::http::quarantine::{Query, forget, page, put_back};

/// Entries are counted up to so many.
const COUNTED: usize = 1_000;

#[derive(Deserialize)]
pub(super) struct Choice {
    cursor: Option<String>,
}

/// The link to the quarantine, where it holds something.
pub(super) async fn link(app: &App) -> Result<Markup, Problem> {
    let count = app.parts.engine.ledger().quarantine_size(COUNTED).await?;
    let more = if count == COUNTED { " or more" } else { "" };
    Ok(html! {
        @if count > 0 {
            p.links {
                a href="/quarantine" {
                    (counted(count as u64, "record is", "records are")) (more) " in the quarantine"
                }
            }
        }
    })
}

/// What was set aside.
pub(super) async fn list(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Asked(choice): Asked<Choice>,
) -> Result<Markup, Problem> {
    let query = Query { limit: None, cursor: choice.cursor };
    let found = page(&app, &query).await?;
    let content = html! {
        h1 { "Quarantine" }
        p.hint {
            "Records that could not be read or kept. Nothing else waits for them. Retry puts one back under its key, where it \
             is read again: after an update, or when what was wrong with it is mended. Forget removes it for good."
        }
        (rows(&visit, &found))
        (pages(query.cursor.is_some(), found.next_cursor.as_deref()))
    };
    Ok(visit.page("Quarantine", Section::Quarantine, &content))
}

fn rows(visit: &Visit, found: &List) -> Markup {
    if found.quarantine.is_empty() {
        return html! { p.empty { "Nothing is in the quarantine." } };
    }
    let may = visit.may(Scope::Errors);
    let row = |entry: &Quarantined| {
        html! {
            tr role="row" {
                (cell("Why", &format::cut(&entry.reason)))
                (cell("Record", &html! { code { (entry.key) } }))
                (cell("Whose", &html! { (entry.org.as_ref().map(OrgId::as_str).or(entry.source.as_ref().map(SourceId::as_str)).unwrap_or_default()) }))
                (cell("Since", &format::time(entry.at)))
                (cell("Bytes", &html! { (grouped(entry.bytes as u64)) }))
                @if may { (cell("What to do", &actions(visit, entry))) }
            }
        }
    };
    let columns = ["Why", "Record", "Whose", "Since", "Bytes", "What to do"];
    let shown = if may { columns.len() } else { columns.len() - 1 };
    table(&columns[..shown], &html! { @for entry in &found.quarantine { (row(entry)) } })
}

fn actions(visit: &Visit, entry: &Quarantined) -> Markup {
    let form = |verb: &str, name: &str, quiet: bool| {
        html! {
            form method="post" action={ "/quarantine/" (entry.id) "/" (verb) } {
                (visit.way_back())
                button.quiet[quiet] type="submit" aria-label={ (name) " " (entry.key) } { (name) }
            }
        }
    };
    html! {
        div.actions {
            @if entry.source.is_none() { (form("retry", "Retry", false)) }
            (form("forget", "Forget", true))
        }
    }
}

fn pages(further: bool, next: Option<&str>) -> Markup {
    html! {
        @if further || next.is_some() {
            nav.pages aria-label="Pages" {
                @if further { a href="/quarantine" { "First page" } }
                @if let Some(next) = next {
                    a href={ "/quarantine?cursor=" (utf8_percent_encode(next, NON_ALPHANUMERIC)) } rel="next" { "Next page" }
                }
            }
        }
    }
}

/// Puts an entry back.
pub(super) async fn retry(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Form(back): Form<Back>,
) -> Result<Redirect, Problem> {
    put_back(&app, &caller, &id).await?;
    Ok(back.with(&Done::PutBack))
}

/// Forgets an entry.
pub(super) async fn drop(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Form(back): Form<Back>,
) -> Result<Redirect, Problem> {
    forget(&app, &caller, &id).await?;
    Ok(back.with(&Done::Forgotten))
}

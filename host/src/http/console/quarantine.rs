//! The quarantine: what could not be read or kept, with its reason, and a button for what can be done about it.

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Redirect;
use maud::{Markup, html};
use serde::Deserialize;

use super::paging::pages;
use super::parts::format::{self, counted, grouped};
use super::parts::{Back, Done, Icon, Section, Visit, cell, icon, table};
use crate::domain::{OrgId, SourceId};
use crate::http::App;
use crate::http::access::{Caller, Scope};
use crate::http::api::{QuarantineList as List, Quarantined};
use crate::http::extract::{Asked, Form};
use crate::http::problem::Problem;
use crate::http::quarantine::{Query, find, forget, page, put_back};

/// Entries are counted up to so many.
const COUNTED: usize = 1_000;
/// Of what one holds so many bytes are shown.
const SHOWN: usize = 16 * 1024;

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
            "Records that could not be read or kept, and what sources sent that nobody can use. Nothing else waits for them. Put a \
             record back when what was wrong with it is mended, as after an update: it is read again."
        }
        (rows(&visit, &found))
        (pages("/quarantine", &[], query.cursor.is_none(), found.next_cursor.as_deref()))
    };
    Ok(visit.page("Quarantine", Section::Quarantine, &content))
}

fn whose(entry: &Quarantined) -> &str {
    entry.org.as_ref().map(OrgId::as_str).or(entry.source.as_ref().map(SourceId::as_str)).unwrap_or_default()
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
                (cell("Record", &html! {
                    @if may { a href={ "/quarantine/" (entry.id) } { code { (entry.key) } } } @else { code { (entry.key) } }
                }))
                (cell("Whose", &html! { (whose(entry)) }))
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
    html! {
        div.actions {
            @if entry.source.is_none() {
                form method="post" action={ "/quarantine/" (entry.id) "/retry" } {
                    (visit.way_back())
                    button.quiet type="submit" aria-label={ "Put back " (entry.key) } { (icon(Icon::Retry)) "Put back" }
                }
            }
            details.ignore {
                summary aria-label={ "Forget " (entry.key) } { "Forget …" }
                form method="post" action={ "/quarantine/" (entry.id) "/forget" } {
                    input type="hidden" name="back" value="/quarantine";
                    span { "The record is gone for good then, with what it holds. This cannot be undone." }
                    button.danger type="submit" { "Forget it" }
                }
            }
        }
    }
}

/// One entry, with what it holds.
pub(super) async fn show(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Path(id): Path<String>,
) -> Result<Markup, Problem> {
    let mut entry = find(&app, &id).await?;
    let value = std::mem::take(&mut entry.value);
    let text = String::from_utf8_lossy(&value[..value.len().min(SHOWN)]).into_owned();
    let entry = Quarantined::from(entry);
    let content = html! {
        h1 { "A record in the quarantine" }
        dl.wide {
            dt { "Why" } dd { (format::cut(&entry.reason)) }
            dt { "Record" } dd { code { (entry.key) } }
            dt { "Whose" } dd { (whose(&entry)) }
            dt { "Since" } dd { (format::time(entry.at)) }
            dt { "Bytes" } dd { (grouped(entry.bytes as u64)) }
        }
        h2 { "What it holds" }
        @if value.is_empty() { p.empty { "Nothing of it was kept." } }
        @else {
            @if value.len() > SHOWN { p.hint { "The first " (grouped(SHOWN as u64)) " bytes." } }
            pre tabindex="0" role="region" aria-label="What it holds" { (text) }
        }
        (actions(&visit, &entry))
        p.links { a href="/quarantine" { "All of the quarantine" } }
    };
    Ok(visit.page("A record in the quarantine", Section::Quarantine, &content))
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

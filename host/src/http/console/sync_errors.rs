//! The list of sync errors with its filters, and what can be done about each.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use maud::{Markup, html};
use serde::Deserialize;

use super::format::{self, counted, grouped};
use super::page::{Section, Visit, cell, table};
use super::sync_error::actions;
use crate::domain::{Class, OrgId, State as ErrorState, SyncError};
use crate::engine::{Org, OrgHealth};
use crate::http::App;
use crate::http::access::Scope;
use crate::http::extract::Asked;
use crate::http::problem::Problem;
use crate::http::sync_errors::{PAGE, Query};
use crate::ledger::{ErrorFilter, ErrorPage};

/// What the address asks for. Unlike in the API, other fields are passed over and no state means the pending ones.
#[derive(Deserialize)]
pub(super) struct Choice {
    org: Option<String>,
    state: Option<String>,
    class: Option<String>,
    group: Option<String>,
    cursor: Option<String>,
}

type Orgs = Vec<(Arc<Org>, OrgHealth)>;

/// The list.
pub(super) async fn list(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Asked(choice): Asked<Choice>,
) -> Result<Markup, Problem> {
    let state = choice.state.or_else(|| Some(ErrorState::Pending.to_string()));
    let query =
        Query { org: choice.org, state, class: choice.class, group: choice.group, cursor: choice.cursor, limit: None };
    let filter = query.filter()?;
    let page = app.parts.engine.ledger().sync_errors(&filter, query.cursor.as_deref(), PAGE).await?;
    let orgs = app.parts.engine.orgs();
    let chosen = filter.org.as_ref().and_then(|id| orgs.iter().find(|(org, _)| org.id == *id));
    let title = chosen.map_or_else(|| "Sync errors".to_owned(), |(org, _)| format!("Sync errors of {}", org.name));
    let content = html! {
        div.head {
            h1 { (title) }
            @if let Some((org, health)) = chosen { (retry_everything(&visit, org, health)) }
        }
        p.hint {
            "Retry after the cause is mended. Ignore where no further synchronization is expected. "
            @if let Some((org, _)) = chosen {
                a href={ "/orgs/" (org.id) "/checks" } { "The first points to check" } "."
            }
        }
        (filters(&filter, &orgs))
        (elsewhere(&filter, &orgs))
        (rows(&visit, &filter, &page, &orgs))
        (pages(&filter, query.cursor.is_some(), page.next.as_deref()))
    };
    Ok(visit.page(&title, Section::SyncErrors, &content))
}

fn retry_everything(visit: &Visit, org: &Org, health: &OrgHealth) -> Markup {
    let open = health.sync_errors.pending + health.sync_errors.retrying;
    html! {
        @if open > 0 && visit.may(Scope::Errors) {
            form method="post" action={ "/orgs/" (org.id) "/retry-all" } {
                (visit.way_back())
                button type="submit" { "Retry all " (grouped(open)) }
            }
        }
    }
}

fn filters(filter: &ErrorFilter, orgs: &Orgs) -> Markup {
    let gone = filter.org.as_ref().filter(|id| orgs.iter().all(|(org, _)| org.id != **id));
    html! {
        form.filters method="get" action="/sync-errors" {
            label { "Organization"
                select name="org" {
                    option value="" { "all" }
                    @for (org, _) in orgs {
                        option value=(org.id) selected[filter.org.as_ref() == Some(&org.id)] { (org.name) }
                    }
                    @if let Some(id) = gone { option value=(id) selected { (id) " (no longer connected)" } }
                }
            }
            label { "State"
                select name="state" {
                    option value="" selected[filter.state.is_none()] { "all" }
                    @for state in ErrorState::ALL { option selected[filter.state == Some(state)] { (state) } }
                }
            }
            label { "Class"
                select name="class" {
                    option value="" { "all" }
                    @for class in Class::ALL { option selected[filter.class == Some(class)] { (class) } }
                }
            }
            button.quiet type="submit" { "Show" }
        }
    }
}

/// Who looks for a sync error among the pending ones may find it among those that are being retried.
fn elsewhere(filter: &ErrorFilter, orgs: &Orgs) -> Markup {
    let meant = orgs.iter().filter(|(org, _)| filter.org.as_ref().is_none_or(|id| *id == org.id));
    let retrying: u64 = meant.map(|(_, health)| health.sync_errors.retrying).sum();
    html! {
        @if filter.state == Some(ErrorState::Pending) && retrying > 0 {
            p.hint {
                a href=(address(filter, Some(ErrorState::Retrying), None)) {
                    (counted(retrying, "more is", "more are")) " retrying"
                }
                ": tried again by themselves, nothing to do."
            }
        }
    }
}

fn rows(visit: &Visit, filter: &ErrorFilter, page: &ErrorPage<SyncError>, orgs: &Orgs) -> Markup {
    if page.items.is_empty() {
        let words = match (filter.state, &page.next) {
            (_, Some(_)) => "None among those looked at so far.",
            (Some(ErrorState::Pending), None) => "Nothing is pending.",
            _ => "There is none.",
        };
        return html! { p.empty { (words) } };
    }
    let names: HashMap<_, _> = orgs.iter().map(|(org, _)| (&org.id, org.name.as_str())).collect();
    let name = |id: &OrgId| names.get(id).map_or_else(|| id.to_string(), |name| (*name).to_owned());
    let row = |error: &SyncError| {
        html! {
            tr role="row" {
                (cell("Sync error", &summary(error)))
                @if filter.org.is_none() { (cell("Organization", &html! { (name(&error.org)) })) }
                (cell("Conversation", &html! {
                    (error.conversation) br; a href={ "/messages/" (error.message) } { "audit of the message" }
                }))
                (cell("First and last seen", &html! {
                    (format::time(error.first_seen))
                @if error.last_seen != error.first_seen { br; (format::time(error.last_seen)) }
                }))
                (cell("Attempts", &attempts(error)))
                @if visit.may(Scope::Errors) { (cell("What to do", &actions(visit, error))) }
            }
        }
    };
    let mut columns =
        vec!["Sync error", "Organization", "Conversation", "First and last seen", "Attempts", "What to do"];
    columns.retain(|column| match *column {
        "Organization" => filter.org.is_none(),
        "What to do" => visit.may(Scope::Errors),
        _ => true,
    });
    table(&columns, &html! { @for error in &page.items { (row(error)) } })
}

fn summary(error: &SyncError) -> Markup {
    html! {
        a.code href={ "/sync-errors/" (error.id) } { (error.refusal.code) } " " (format::class(error.refusal.class))
        @if error.state != ErrorState::Pending { " " (format::state(error.state)) }
        div.said { (format::cut(&error.refusal.text)) }
        @if let Some(reason) = &error.reason { div.hint { "Ignored: " (format::cut(reason)) } }
    }
}

fn attempts(error: &SyncError) -> Markup {
    html! {
        (error.attempts)
        @if let Some(at) = error.next_attempt_at { div.hint { "the next not before " (format::time(at)) } }
    }
}

fn pages(filter: &ErrorFilter, further: bool, next: Option<&str>) -> Markup {
    html! {
        @if further || next.is_some() {
            nav.pages aria-label="Pages" {
                @if further { a href=(address(filter, filter.state, None)) { "First page" } }
                @if let Some(next) = next {
                    a href=(address(filter, filter.state, Some(next))) rel="next" { "Next page" }
                }
            }
        }
    }
}

/// The address of a list. Nothing in it has to be quoted: ids, words and cursors are made of plain characters.
fn address(filter: &ErrorFilter, state: Option<ErrorState>, cursor: Option<&str>) -> String {
    let mut address = format!("/sync-errors?state={}", state.map_or("", ErrorState::as_str));
    if let Some(org) = &filter.org {
        address += &format!("&org={org}");
    }
    if let Some(class) = filter.class {
        address += &format!("&class={class}");
    }
    if let Some(group) = &filter.group {
        address += &format!("&group={group}");
    }
    if let Some(cursor) = cursor {
        address += &format!("&cursor={cursor}");
    }
    address
}

//! The list of sync errors with its filters, and what can be done about each.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use axum::Extension;
use axum::extract::{RawQuery, State};
use maud::{Markup, html};

use super::parts::format::{self, counted, grouped};
use super::parts::{Section, Visit, cell, table};
use super::sync_error::actions;
use crate::domain::{Class, ErrorQuery, OrgId, State as ErrorState, SyncError};
use crate::engine::{Org, OrgHealth};
use crate::http::App;
use crate::http::access::{Caller, Scope};
use crate::http::error_query::{ListAsked, fields};
use crate::http::problem::Problem;
use crate::ledger::{Cursor, ErrorPage};

type Orgs = Vec<(Arc<Org>, OrgHealth)>;

/// The list. Unlike in the API, other fields are passed over and no state means the pending ones.
pub(super) async fn list(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Extension(caller): Extension<Caller>,
    RawQuery(address): RawQuery,
) -> Result<Markup, Problem> {
    let address = address.unwrap_or_default();
    let mut asked = ListAsked::read(&app, &caller, &address, false)?;
    if url::form_urlencoded::parse(address.as_bytes()).all(|(name, _)| name != "state") {
        asked.query.states = [ErrorState::Pending].into();
    }
    let paging = asked.paging()?;
    let query = &asked.query;
    let page = app.parts.engine.ledger().sync_errors(query, &paging).await?;
    let mut orgs = app.parts.engine.orgs();
    orgs.retain(|(org, _)| caller.sees(&org.id));
    let chosen = only(&query.orgs).and_then(|id| orgs.iter().find(|(org, _)| org.id == *id));
    let title = chosen.map_or_else(|| "Sync errors".to_owned(), |(org, _)| format!("Sync errors of {}", org.name));
    let content = html! {
        div.head {
            h1 { (title) }
            @if let Some((org, health)) = chosen.filter(|_| is_whole(query)) { (retry_everything(&visit, org, health)) }
        }
        p.hint {
            "Retry after the cause is mended. Ignore where no further synchronization is expected. "
            @if let Some((org, _)) = chosen {
                a href={ "/orgs/" (org.id) "/checks" } { "The first points to check" } "."
            }
        }
        (filters(query, &orgs))
        (elsewhere(query, &orgs))
        (rows(&visit, query, &page, &orgs))
        (pages(query, &page))
    };
    Ok(visit.page(&title, Section::SyncErrors, &content))
}

/// The one value of a filter that has one.
fn only<T: Ord>(set: &BTreeSet<T>) -> Option<&T> {
    if set.len() == 1 { set.first() } else { None }
}

/// Whether nothing but organization and state is chosen: then what is listed is all that *Retry all* acts on.
fn is_whole(query: &ErrorQuery) -> bool {
    let others = ErrorQuery { orgs: BTreeSet::new(), states: BTreeSet::new(), ..query.clone() };
    others == ErrorQuery::default()
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

fn filters(query: &ErrorQuery, orgs: &Orgs) -> Markup {
    let (org, state, class) = (only(&query.orgs), only(&query.states), only(&query.classes));
    let gone = org.filter(|id| orgs.iter().all(|(org, _)| org.id != **id));
    let chosen = ["org", "state", "class", "q"];
    let others: Vec<_> = fields(query).into_iter().filter(|(name, _)| !chosen.contains(name)).collect();
    html! {
        form.filters method="get" action="/sync-errors" {
            label { "Organization"
                select name="org" {
                    option value="" { "all" }
                    @for (org, _) in orgs {
                        option value=(org.id) selected[query.orgs.contains(&org.id)] { (org.name) }
                    }
                    @if let Some(id) = gone { option value=(id) selected { (id) " (no longer connected)" } }
                }
            }
            label { "State"
                select name="state" {
                    option value="" selected[state.is_none()] { "all" }
                    @for known in ErrorState::ALL { option selected[state == Some(&known)] { (known) } }
                }
            }
            label { "Class"
                select name="class" {
                    option value="" { "all" }
                    @for known in Class::ALL { option selected[class == Some(&known)] { (known) } }
                }
            }
            label { "Search"
                input type="search" name="q" maxlength="200" value=(query.q.as_deref().unwrap_or_default())
                    placeholder="customer, id or words";
            }
            // What a link has narrowed the list to stays so.
            @for (name, value) in &others { input type="hidden" name=(name) value=(value); }
            button.quiet type="submit" { "Show" }
        }
        @if !others.is_empty() {
            p.hint {
                "Only "
                @for (at, (name, value)) in others.iter().enumerate() {
                    @if at > 0 { ", " }
                    (name.replace('_', " ")) " " code { (value) }
                }
                ". " a href="/sync-errors" { "Show all" }
            }
        }
    }
}

/// Who looks for a sync error among the pending ones may find it among those that are being retried.
fn elsewhere(query: &ErrorQuery, orgs: &Orgs) -> Markup {
    let meant = orgs.iter().filter(|(org, _)| query.orgs.is_empty() || query.orgs.contains(&org.id));
    let retrying: u64 = meant.map(|(_, health)| health.sync_errors.retrying).sum();
    let there = ErrorQuery { states: [ErrorState::Retrying].into(), ..query.clone() };
    html! {
        @if only(&query.states) == Some(&ErrorState::Pending) && is_whole(query) && retrying > 0 {
            p.hint {
                a href=(address(&there, None)) { (counted(retrying, "more is", "more are")) " retrying" }
                ": tried again by themselves, nothing to do."
            }
        }
    }
}

fn rows(visit: &Visit, query: &ErrorQuery, page: &ErrorPage<SyncError>, orgs: &Orgs) -> Markup {
    if page.items.is_empty() {
        let words = match (only(&query.states), &page.next) {
            (_, Some(_)) => "None among those looked at so far.",
            (Some(ErrorState::Pending), None) if is_whole(query) => "Nothing is pending.",
            _ => "There is none.",
        };
        return html! { p.empty { (words) } };
    }
    let with_org = only(&query.orgs).is_none();
    let names: HashMap<_, _> = orgs.iter().map(|(org, _)| (&org.id, org.name.as_str())).collect();
    let name = |id: &OrgId| names.get(id).map_or_else(|| id.to_string(), |name| (*name).to_owned());
    let row = |error: &SyncError| {
        html! {
            tr role="row" {
                (cell("Sync error", &summary(error)))
                @if with_org { (cell("Organization", &html! { (name(&error.org)) })) }
                (cell("Conversation", &conversation(error)))
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
        "Organization" => with_org,
        "What to do" => visit.may(Scope::Errors),
        _ => true,
    });
    html! {
        @if let Some(total) = page.total { p.hint { (counted(total, "sync error", "sync errors")) " in all, newest first." } }
        (table(&columns, &html! { @for error in &page.items { (row(error)) } }))
    }
}

fn conversation(error: &SyncError) -> Markup {
    let name = error.person.as_ref().and_then(|person| person.name.as_ref());
    html! {
        @if let Some(name) = name { (format::cut(name)) br; }
        (error.conversation) br; a href={ "/messages/" (error.message) } { "audit of the message" }
    }
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

fn pages(query: &ErrorQuery, page: &ErrorPage<SyncError>) -> Markup {
    html! {
        @if page.previous.is_some() || page.next.is_some() {
            nav.pages aria-label="Pages" {
                @if let Some(previous) = &page.previous {
                    a href=(address(query, None)) { "First page" }
                    a href=(address(query, Some(previous))) rel="prev" { "Previous page" }
                }
                @if let Some(next) = &page.next {
                    a href=(address(query, Some(next))) rel="next" { "Next page" }
                }
            }
        }
    }
}

/// The address of a list. A query of all states has to say so.
fn address(query: &ErrorQuery, cursor: Option<&Cursor>) -> String {
    let mut fields = fields(query);
    if query.states.is_empty() {
        fields.push(("state", String::new()));
    }
    fields.extend(cursor.map(|cursor| ("cursor", cursor.to_string())));
    let fields = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    format!("/sync-errors?{fields}")
}

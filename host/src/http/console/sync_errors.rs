//! The sync error page: the list with its filters, one sync error whole, and what can be done about each.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Redirect;
use maud::{Markup, html};
use serde::Deserialize;

use super::messages::timeline;
use super::page::{Back, Done, Section, Visit, cell, table};
use super::words::{self, counted, grouped};
use crate::domain::{Advice, Class, OrgId, PolicyRef, Refusal, State as ErrorState, SyncError, SyncErrorId};
use crate::engine::{Org, OrgHealth};
use crate::http::App;
use crate::http::access::{Caller, Scope};
use crate::http::extract::{Asked, Form, Id};
use crate::http::problem::Problem;
use crate::http::sync_errors::{PAGE, Query, REASON, find, ignore_because};
use crate::salesforce;
use crate::store::{ErrorFilter, Page};

/// What the address asks for. Unlike in the API, other fields are passed over and no state means the pending ones.
#[derive(Deserialize)]
pub(super) struct Choice {
    org: Option<String>,
    state: Option<String>,
    class: Option<String>,
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
    let query = Query { org: choice.org, state, class: choice.class, cursor: choice.cursor, limit: None };
    let filter = query.filter()?;
    let page = app.parts.engine.records().sync_errors(&filter, query.cursor.as_deref(), PAGE)?;
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

fn rows(visit: &Visit, filter: &ErrorFilter, page: &Page<SyncError>, orgs: &Orgs) -> Markup {
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
                    (words::time(error.first_seen))
                @if error.last_seen != error.first_seen { br; (words::time(error.last_seen)) }
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
        a.code href={ "/sync-errors/" (error.id) } { (error.refusal.code) } " " (words::class(error.refusal.class))
        @if error.state != ErrorState::Pending { " " (words::state(error.state)) }
        div.said { (words::cut(&error.refusal.text)) }
        @if let Some(reason) = &error.reason { div.hint { "Ignored: " (words::cut(reason)) } }
    }
}

fn attempts(error: &SyncError) -> Markup {
    html! {
        (error.attempts)
        @if let Some(at) = error.next_attempt_at { div.hint { "the next not before " (words::time(at)) } }
    }
}

/// The forms that the state allows, for who may use them.
fn actions(visit: &Visit, error: &SyncError) -> Markup {
    if !visit.may(Scope::Errors) || error.state == ErrorState::Resolved {
        return html! {};
    }
    let form = |verb: &str, content: Markup| {
        html! {
            form method="post" action={ "/sync-errors/" (error.id) "/" (verb) } { (visit.way_back()) (content) }
        }
    };
    let button = |name: &str, quiet: bool| {
        html! {
            button.quiet[quiet] type="submit" aria-label={ (name) " " (error.conversation) } { (name) }
        }
    };
    let reason = html! {
        label { "Reason" input name="reason" required maxlength=(REASON); }
        (button("Ignore", true))
    };
    html! {
        div.actions {
            @match error.state {
                ErrorState::Ignored => { (form("reopen", button("Reopen", false))) }
                _ => {
                    (form("retry", button("Retry", false)))
                    details.ignore { summary { "Ignore…" } (form("ignore", reason)) }
                }
            }
        }
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
    if let Some(cursor) = cursor {
        address += &format!("&cursor={cursor}");
    }
    address
}

/// One sync error with everything that is known of it.
pub(super) async fn show(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Id(id): Id<SyncErrorId>,
) -> Result<Markup, Problem> {
    let error = find(&app, &id)?;
    let history = app.parts.engine.records().audit(&error.message)?;
    let org = app.parts.engine.org(&error.org).map_or_else(|_| error.org.to_string(), |(org, _)| org.name.clone());
    let content = html! {
        p.hint { a href={ "/sync-errors?org=" (error.org) } { "Sync errors of " (org) } }
        h1 {
            span.code { (error.refusal.code) } " "
            (words::class(error.refusal.class)) " " (words::state(error.state))
        }
        blockquote.said { (words::cut(&error.refusal.text)) }
        (advised(&salesforce::advice(&error.refusal)))
        (actions(&visit, &error))
        h2 { "The sync error" }
        (registry(&error, &org))
        h2 { "The refusal" }
        (refusal(&error.refusal))
        h2 { "The audit of the message" }
        (timeline(&history))
    };
    Ok(visit.page(&format!("Sync error {}: {}", error.id, error.refusal.code), Section::SyncErrors, &content))
}

fn advised(advice: &Advice) -> Markup {
    html! {
        dl.wide {
            dt { "What happened" } dd { (advice.happened) }
            dt { "What to check" } dd { (advice.check) }
            dt { "By itself" } dd { (advice.by_itself) }
        }
    }
}

fn registry(error: &SyncError, org: &str) -> Markup {
    html! {
        dl.wide {
            dt { "Id" } dd { code { (error.id) } }
            dt { "Organization" }
            dd { (org) ", " a href={ "/orgs/" (error.org) "/checks" } { "the first points to check" } }
            dt { "Conversation" } dd { code { (error.conversation) } }
            dt { "Message" } dd { a.code href={ "/messages/" (error.message) } { (error.message) } }
            dt { "Attempts" } dd { (error.attempts) }
            dt { "First seen" } dd { (words::time(error.first_seen)) }
            dt { "Last seen" } dd { (words::time(error.last_seen)) }
            @if let Some(at) = error.next_attempt_at { dt { "Next attempt" } dd { "not before " (words::time(at)) } }
            @if let Some(policy) = &error.judged_by {
                dt { "Judged by" }
                dd {
                    (of_policy(policy)) ", " a href={ "/sync-errors/" (error.id) "/repro" } { "repro bundle" }
                    " (without personal data)"
                }
            }
            @if let Some(who) = &error.touched_by { dt { "Last touched by" } dd { (who) } }
            @if let Some(reason) = &error.reason { dt { "Ignored because" } dd { (words::cut(reason)) } }
            @if let Some(ending) = error.ending { dt { "Over" } dd { (words::ending(ending)) } }
        }
    }
}

fn refusal(refusal: &Refusal) -> Markup {
    let named = |names: &[String]| {
        html! {
            @for (place, name) in names.iter().enumerate() { @if place > 0 { ", " } code { (name) } }
        }
    };
    html! {
        dl.wide {
            @if let Some(blame) = &refusal.blame {
                dt { "At fault" }
                dd {
                    (of_policy(&blame.policy)) ", asked to " (blame.question) ": "
                    (words::cut(&blame.fault.to_string()))
                }
            }
            @if let Some(status) = refusal.status { dt { "HTTP status" } dd { (status) } }
            @if !refusal.fields.is_empty() { dt { "Fields" } dd { (named(&refusal.fields)) } }
            @if !refusal.records.is_empty() { dt { "Records" } dd { (named(&refusal.records)) } }
            @if let Some(id) = &refusal.request_id { dt { "x-sfdc-request-id" } dd { code { (id) } } }
            @match &refusal.request {
                Some(request) => {
                    dt { "Request as sent" } dd { code { (request.method) " " (request.path) } }
                }
                None => { dt { "Request" } dd { "none was sent" } }
            }
        }
        @if let Some(request) = refusal.request.as_ref().filter(|request| !request.body.is_null()) {
            (words::json("The body of the request", &request.body))
        }
    }
}

fn of_policy(policy: &PolicyRef) -> Markup {
    html! { a href={ "/policies#" (policy.name) } { (policy) } }
}

/// Another attempt.
pub(super) async fn retry(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<SyncErrorId>,
    Form(back): Form<Back>,
) -> Result<Redirect, Problem> {
    app.parts.engine.retry(&id, &caller.name).await?;
    Ok(back.with(Done::Retried(1)))
}

#[derive(Deserialize)]
pub(super) struct Reason {
    reason: String,
    #[serde(flatten)]
    back: Back,
}

/// No further synchronization is expected, and why.
pub(super) async fn ignore(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<SyncErrorId>,
    Form(Reason { reason, back }): Form<Reason>,
) -> Result<Redirect, Problem> {
    ignore_because(&app, &caller, &id, &reason).await?;
    Ok(back.with(Done::Ignored))
}

/// An ignored one is pending again.
pub(super) async fn reopen(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<SyncErrorId>,
    Form(back): Form<Back>,
) -> Result<Redirect, Problem> {
    app.parts.engine.reopen(&id, &caller.name).await?;
    Ok(back.with(Done::Reopened))
}

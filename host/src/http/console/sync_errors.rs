//! The list of sync errors: one line each, tabs by state with their counts, filters, and what can be done about all that match.

mod nothing;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use axum::Extension;
use axum::extract::{RawQuery, State};
use maud::{Markup, html};

use self::nothing::nothing;
use super::choosing::choose_each_link;
use super::going_on;
use super::incident::above_list;
use super::lines::{self, Line};
use super::list_address::{address, with_fields};
use super::parts::format::{self, counted, grouped};
use super::parts::{Icon, Section, Visit, choice_of_org, icon};
use super::question::SELECTED;
use super::words;
use crate::domain::{Class, ErrorQuery, Fingerprint, Group, OrgId, State as ErrorState, SyncError};
use crate::engine::{Org, OrgHealth};
use crate::http::App;
use crate::http::access::{Caller, Scope};
use crate::http::error_query::{ListAsked, fields};
use crate::http::orgs;
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
    let orgs = orgs::standing(&app, &caller);
    let meant: Vec<_> = orgs.iter().filter(|(org, _)| query.orgs.is_empty() || query.orgs.contains(&org.id)).collect();
    let parked = meant.iter().map(|(_, health)| health.parked).sum();
    let chosen = only(&query.orgs).and_then(|id| orgs.iter().find(|(org, _)| org.id == *id));
    let mut causes = match only(&query.groups) {
        Some(group) => app.parts.engine.ledger().group(group).await?,
        None => Vec::new(),
    };
    causes.retain(|cause| caller.sees(&cause.org));
    let title = chosen.map_or_else(|| "Errors".to_owned(), |(org, _)| format!("Errors of {}", org.name));
    let lines = lines_of(&app, &visit, &page.items, first_of(&address)).await?;
    let going_on = going_on::in_list(&app, &caller, query).await?;
    let is_empty = page.items.is_empty() && page.next.is_none() && page.previous.is_none();
    let total = if is_empty { Some(0) } else { page.total };
    let content = html! {
        div.head {
            h1.few { "Errors" @if let Some((org, _)) = chosen { " of " bdi { (org.name) } } }
            @if let Some((org, _)) = chosen {
                a.button.quiet href={ "/orgs/" (org.id) "/checks" } { "The first points to check" }
            }
        }
        (above_list(&app, &visit, &meant))
        (tabs(query, &meant))
        (filters(query, &orgs, &causes))
        (going_on)
        (what_to_do(&visit, query, total))
        @for cause in &causes { (choose_each_link(&visit, &cause.org, &cause.id, cause.class, cause.counts.pending)) }
        // A table without lines is there as well: so the script tells of the first one that comes.
        div #nothing data-live { @if page.items.is_empty() { (nothing(query, page.next.is_some(), parked)) } }
        (rows(&visit, query, &page, &lines, &orgs))
        (pages(query, &page, first_of(&address).unwrap_or(1), asked.limit as u64))
    };
    Ok(visit.page(&title, Section::SyncErrors, &content))
}

/// The one value of a filter that has one.
fn only<T: Ord>(set: &BTreeSet<T>) -> Option<&T> {
    if set.len() == 1 { set.first() } else { None }
}

/// What the lines say beside the sync errors: titles of the causes, and the last words for those who may read them.
async fn lines_of(app: &App, visit: &Visit, errors: &[SyncError], first: Option<u64>) -> Result<Vec<Line>, Problem> {
    let ledger = app.parts.engine.ledger();
    let mut by_org: BTreeMap<&OrgId, BTreeSet<Fingerprint>> = BTreeMap::new();
    for error in errors {
        by_org.entry(&error.org).or_default().insert(error.group.clone());
    }
    let mut titles = HashMap::new();
    for (org, ids) in by_org {
        let of_org = ledger.group_titles(org, &ids.into_iter().collect::<Vec<_>>()).await?;
        titles.extend(of_org.into_iter().map(|(id, title)| ((org, id), title)));
    }
    let said = match visit.may(Scope::Errors) {
        true => {
            let of: Vec<_> = errors.iter().map(|error| (&error.org, &error.conversation)).collect();
            ledger.last_words(&of).await?
        }
        false => vec![None; errors.len()],
    };
    let line = |(place, (error, words)): (u64, (&SyncError, Option<String>))| Line {
        at: first.map(|first| first.saturating_add(place)),
        title: titles.get(&(&error.org, error.group.clone())).cloned().unwrap_or_default(),
        words: words.unwrap_or_default(),
    };
    Ok((0..).zip(errors.iter().zip(said)).map(line).collect())
}

/// The same filters in each state, with the counts where they are known.
fn tabs(query: &ErrorQuery, meant: &[&(Arc<Org>, OrgHealth)]) -> Markup {
    let count = |state| meant.iter().map(|(_, health)| health.sync_errors.within([state].into_iter())).sum();
    let others = ErrorQuery { orgs: BTreeSet::new(), states: BTreeSet::new(), ..query.clone() };
    let whole = others == ErrorQuery::default();
    let tab = |states: &[ErrorState], name: &str| {
        let there = ErrorQuery { states: states.iter().copied().collect(), ..query.clone() };
        let here = there.states == query.states;
        html! {
            li {
                a href=(address(&there, None)) aria-current=[here.then_some("page")] {
                    (name)
                    @if whole && let [state] = states && *state != ErrorState::Resolved {
                        " " span.hint id={ "tab-" (state) } data-live { (grouped(count(*state))) }
                    }
                }
            }
        }
    };
    html! {
        ul.tabs {
            @for state in ErrorState::ALL { (tab(&[state], &format::capital(state.as_str()))) }
            (tab(&[], "All"))
        }
    }
}

fn filters(query: &ErrorQuery, orgs: &Orgs, causes: &[Group]) -> Markup {
    let (org, class) = (only(&query.orgs), only(&query.classes));
    let connected: Vec<_> = orgs.iter().map(|(org, _)| Arc::clone(org)).collect();
    let chosen = ["org", "class", "q", "state"];
    let others: Vec<_> = fields(query).into_iter().filter(|(name, _)| !chosen.contains(name)).collect();
    let states: Vec<_> = query.states.iter().map(|state| state.as_str()).collect();
    let narrowed = !others.is_empty() || class.is_some() || query.q.is_some();
    html! {
        form.filters method="get" action="/sync-errors" role="search" aria-label="Narrow the list" {
            label { span { "Organization" }
                (choice_of_org("All organizations", org.map(OrgId::as_str), &connected))
            }
            label { span { "Class" }
                select name="class" {
                    option value="" { "All classes" }
                    @for known in Class::ALL { option selected[class == Some(&known)] { (known) } }
                }
            }
            label.desk { span { "Search" }
                input type="search" name="q" maxlength="200" value=(query.q.as_deref().unwrap_or_default())
                    placeholder="customer, id or words";
            }
            // What a link has narrowed the list to stays so.
            input type="hidden" name="state" value=(states.join(","));
            @for (name, value) in &others { input type="hidden" name=(name) value=(value); }
            button.quiet type="submit" { "Show" }
            @if narrowed {
                a href=(address(&ErrorQuery { states: query.states.clone(), ..ErrorQuery::default() }, None)) { "Show all" }
            }
        }
        @if !others.is_empty() {
            p.hint {
                "Only "
                @for (at, (name, value)) in others.iter().enumerate() {
                    @if at > 0 { ", " }
                    @match causes.iter().find(|cause| *name == "group" && cause.id.as_str() == value) {
                        Some(cause) => { "the cause " a href=(words::cause(&cause.org, &cause.id)) { (cause.title) } }
                        None => { (name.replace('_', " ")) " " code { (value) } }
                    }
                }
                "."
            }
        }
    }
}

/// What can be done about all that match, and about those that are chosen.
fn what_to_do(visit: &Visit, query: &ErrorQuery, total: Option<u64>) -> Markup {
    if !visit.may(Scope::Errors) || total == Some(0) {
        return html! {};
    }
    let those = match total {
        Some(1) => "this one".to_owned(),
        Some(total) => format!("these {}", grouped(total)),
        None => "all that match".to_owned(),
    };
    let these = |verb: &str| html! { span id={ "these-" (verb) } data-live { (verb) " " (those) } };
    let asks =
        |task: &str| format!("/operations/new?{}", with_fields(query, &[("task", task), ("back", visit.here())]));
    let is_open = query.states().any(|state| matches!(state, ErrorState::Pending | ErrorState::Retrying));
    let is_ignored = query.states().any(|state| state == ErrorState::Ignored);
    let selected = |task: &str, key: &str, of: Icon| {
        html! {
            button.quiet form="selection" type="submit" name="task" value=(task) data-selected data-key=(key) {
                (icon(of)) (format::capital(task)) " " span data-number {} " selected"
            }
        }
    };
    html! {
        div.actions.sticky {
            @if is_open {
                a.button href=(asks("retry")) { (icon(Icon::Retry)) (these("Retry")) }
                a.button.quiet href=(asks("ignore")) { (icon(Icon::Ignore)) (these("Ignore")) }
            }
            @if is_ignored { a.button.quiet href=(asks("reopen")) { (icon(Icon::Reopen)) (these("Reopen")) } }
            span.actions data-when-selected {
                @if is_open { (selected("retry", "r", Icon::Retry)) (selected("ignore", "i", Icon::Ignore)) }
                @if is_ignored { (selected("reopen", "u", Icon::Reopen)) }
            }
            a.button.quiet.desk href={ "/v1/sync-errors/export?" (with_fields(query, &[("format", "csv")])) } {
                (icon(Icon::Download)) "CSV"
            }
        }
        form #selection method="get" action="/operations/new" {
            (visit.way_back())
            input type="hidden" name=(SELECTED) value="1";
        }
    }
}

fn rows(visit: &Visit, query: &ErrorQuery, page: &ErrorPage<SyncError>, lines: &[Line], orgs: &Orgs) -> Markup {
    let names: HashMap<_, _> = orgs.iter().map(|(org, _)| (&org.id, org.name.as_str())).collect();
    let with_org = only(&query.orgs).is_none().then_some(&names);
    html! {
        table.lines role="table" hidden[page.items.is_empty()] {
            (lines::head(visit, with_org.is_some(), only(&query.states).is_none()))
            tbody role="rowgroup" data-rows {
                @for (error, line) in page.items.iter().zip(lines) {
                    (lines::row(visit, error, line, with_org, query))
                }
            }
        }
    }
}

/// The number of a page's first line in the list, as far as its address tells.
fn first_of(address: &str) -> Option<u64> {
    let field = |wanted: &str| url::form_urlencoded::parse(address.as_bytes()).find(|(name, _)| name == wanted);
    match field("from") {
        Some((_, value)) => value.parse().ok(),
        None => field("cursor").is_none().then_some(1),
    }
}

fn pages(query: &ErrorQuery, page: &ErrorPage<SyncError>, first: u64, limit: u64) -> Markup {
    let shown = page.items.len() as u64;
    let last = first + shown.saturating_sub(1);
    let turned = |cursor: &Cursor, from: u64| format!("{}&from={from}", address(query, Some(cursor)));
    html! {
        nav.pages aria-label="Pages" {
            @if let Some(previous) = &page.previous {
                a href=(address(query, None)) { "First page" }
                a href=(turned(previous, first.saturating_sub(limit).max(1))) rel="prev" { (icon(Icon::Previous)) "Previous page" }
            }
            @if shown > 0 {
                span.hint {
                    (grouped(first)) "–" (grouped(last))
                    @if let Some(total) = page.total { " of " (counted(total.max(last), "sync error", "sync errors")) }
                    ", the newest first"
                }
            }
            @if let Some(next) = &page.next {
                a href=(turned(next, last + 1)) rel="next" { "Next page" (icon(Icon::Next)) }
            }
        }
    }
}

//! A sync error as one line of a list: who, what is wrong, what was said last, and what can be done.

use std::collections::HashMap;

use maud::{Markup, html};

use super::conversation;
use super::list_address::address_in;
use super::notices::who;
use super::parts::{Icon, Visit, box_cell, box_head, format, icon};
use super::words::question;
use crate::domain::{ErrorQuery, Group, OrgId, State, SyncError};
use crate::http::access::Scope;

/// What a line says beside the sync error.
pub(super) struct Line {
    /// Its number in the list, where that is known.
    pub(super) at: Option<u64>,
    /// Of the cause.
    pub(super) title: String,
    /// What was said last; empty for who may not read it.
    pub(super) words: String,
}

/// What is wrong, in words for a person: of the cause, or else the code.
pub(super) fn title_of<'a>(group: Option<&'a Group>, error: &'a SyncError) -> &'a str {
    group.map(|group| group.title.as_str()).filter(|title| !title.is_empty()).unwrap_or(&error.refusal.code)
}

/// The columns.
pub(super) fn head(visit: &Visit, with_org: bool, with_state: bool) -> Markup {
    let may = visit.may(Scope::Errors);
    html! {
        thead role="rowgroup" {
            tr role="row" {
                @if may { (box_head()) }
                th.w-l role="columnheader" scope="col" { "Customer" }
                th role="columnheader" scope="col" { "What is wrong" }
                @if may { th role="columnheader" scope="col" { "Last words" } }
                @if with_org { th.w-m role="columnheader" scope="col" { "Organization" } }
                th.w-m role="columnheader" scope="col" { "Team" }
                th.w-s role="columnheader" scope="col" { "Channel" }
                @if with_state { th.w-s role="columnheader" scope="col" { "State" } }
                th.w-s role="columnheader" scope="col" { "Last seen" }
                @if may { th.w-acts role="columnheader" scope="col" { span.quietly { "What to do" } } }
            }
        }
    }
}

/// One of them. `names` are those of the organizations, where the list has several.
pub(super) fn row(
    visit: &Visit,
    error: &SyncError,
    line: &Line,
    names: Option<&HashMap<&OrgId, &str>>,
    query: &ErrorQuery,
) -> Markup {
    let may = visit.may(Scope::Errors);
    let who = who(error);
    let wrong = if line.title.is_empty() { &error.refusal.code } else { &line.title };
    html! {
        tr role="row" data-key=(error.id) {
            @if may { (box_cell(error.id.as_str(), &who)) }
            td.main role="cell" {
                div.beside {
                    a href=(address_in(&error.id, query, line.at)) data-open dir="auto" { (who) }
                    a.desk href=(conversation::address(&error.conversation)) title="The conversation"
                        aria-label={ "The conversation of " (who) } { (icon(Icon::Conversation)) }
                }
            }
            td.main role="cell" title=(wrong) { div dir="auto" { (wrong) } }
            @if may { td.rest role="cell" title=(line.words) { div.soft dir="auto" { (line.words) } } }
            @if let Some(names) = names {
                td.side role="cell" { div dir="auto" { (names.get(&error.org).copied().unwrap_or(error.org.as_str())) } }
            }
            td.side role="cell" { div dir="auto" { (error.team.as_deref().unwrap_or_default()) } }
            td.rest role="cell" { div { (error.channel) } }
            @if query.states.len() != 1 { td.side role="cell" { div { (format::state(error.state)) } } }
            td.side role="cell" { div { (format::time(error.last_seen)) } }
            @if may { td.acts role="cell" { div { (quick(visit, error, &who)) } } }
        }
    }
}

/// What can be done with one press; the reason for an ignore is asked for on a page of its own.
fn quick(visit: &Visit, error: &SyncError, who: &str) -> Markup {
    let form = |verb: &str, key: &str, of: Icon| {
        html! {
            form method="post" action={ "/sync-errors/" (error.id) "/" (verb) } {
                (visit.way_back())
                button.quiet type="submit" data-key=(key) aria-label={ (format::capital(verb)) " " (who) } title=(format::capital(verb)) {
                    (icon(of))
                }
            }
        }
    };
    let ignore = question("ignore", &[("id", error.id.to_string()), ("back", visit.here().to_owned())]);
    html! {
        @match error.state {
            State::Resolved => {}
            State::Ignored => { (form("reopen", "u", Icon::Reopen)) }
            State::Pending | State::Retrying => {
                (form("retry", "r", Icon::Retry))
                a.button.quiet href=(ignore) data-key="i"
                    aria-label={ "Ignore " (who) } title="Ignore" { (icon(Icon::Ignore)) }
            }
        }
    }
}

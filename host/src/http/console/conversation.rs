//! A conversation: where it stands in each organization, what was said, what it became in Salesforce, and what happened.

use axum::Extension;
use axum::extract::State;
use maud::{Markup, html};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::incident::above_list;
use super::parts::{Icon, RecordPages, Section, Visit, cell, format, icon, record, table};
use crate::domain::{ConversationId, Fact, MessageId, OrgId};
use crate::http::App;
use crate::http::access::{Caller, Scope};
use crate::http::api::{AuditEntry, ConversationInOrg, Message};
use crate::http::conversations::{ENTRIES, seen, view};
use crate::http::extract::{Asked, Id};
use crate::http::problem::Problem;
use crate::http::timeline::Place;

/// Messages that a sync error's page shows, the newest.
const LAST: usize = 3;

#[derive(Deserialize)]
pub(super) struct Older {
    org: Option<OrgId>,
    cursor: Option<String>,
}

/// The conversation, in each organization that the caller sees.
pub(super) async fn show(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<ConversationId>,
    Asked(older): Asked<Older>,
) -> Result<Markup, Problem> {
    let masked = !visit.may(Scope::Errors);
    let before = older.cursor.as_deref().and_then(Place::parse);
    let stories = seen(&app, &caller, &id).await?;
    let of: Vec<_> = stories
        .into_iter()
        .map(|story| {
            let before = before.filter(|_| older.org.as_ref() == Some(&story.org));
            view(&app, &id, story, masked, before, ENTRIES)
        })
        .collect();
    let name = of.iter().filter_map(|it| it.details.as_ref()?.customer.name.clone()).next();
    let title = name.unwrap_or_else(|| id.to_string());
    let content = html! {
        h1 { bdi { (title) } }
        p.facts { span { code { (id) } } @if masked { span { "personal data is left out for your token" } } }
        @for it in &of {
            @if let Ok(org) = app.parts.engine.org(&it.org) { (above_list(&app, &visit, &[&org])) }
            (in_org(&app, &id, it))
        }
    };
    Ok(visit.page(&title, Section::SyncErrors, &content))
}

fn in_org(app: &App, id: &ConversationId, it: &ConversationInOrg) -> Markup {
    let name = app.parts.engine.org(&it.org).map_or_else(|_| it.org.to_string(), |(org, _)| org.name.clone());
    html! {
        section aria-labelledby={ "in-" (it.org) } {
            div.head {
                h2 id={ "in-" (it.org) } { (name) }
                span.actions {
                    span class={ "badge " (it.state) } { (it.state) }
                    @if let Some(since) = it.since { span.hint { "since " (format::time(since)) } }
                    @if let Some(at) = it.next_attempt_at { span.hint { "next attempt not before " (format::time(at)) } }
                }
            }
            @if !it.connected { p.notice.wait { "The organization is not in the configuration any more: nothing is sent." } }
            div.two {
                div { h3 { "What was said" } (messages(&it.messages, &it.timeline)) }
                div { (details(it)) (records(it)) (errors(it)) }
            }
            h3 { "What happened" }
            (timeline(&it.timeline, &RecordPages::of(app, &it.org)))
            @if let Some(cursor) = &it.older_cursor {
                p {
                    a href={ (address(id)) "?org=" (it.org) "&cursor=" (cursor) } { "What happened before that" }
                }
            }
        }
    }
}

/// Who had a message forgotten, as far as these entries tell: the newest of them counts.
fn forgotten(message: &MessageId, entries: &[AuditEntry]) -> String {
    let about = |entry: &&AuditEntry| entry.message == *message || entry.also.contains(message);
    let told = entries.iter().rev().filter(about).find_map(|entry| match &entry.fact.0 {
        Fact::Erased { by, .. } => Some(by.as_deref()),
        _ => None,
    });
    match told {
        Some(Some(by)) => format!("erased by {by}"),
        Some(None) => "forgotten, because its source said so".to_owned(),
        None => "forgotten".to_owned(),
    }
}

/// What was said, oldest first, with the entries that tell who had it forgotten.
pub(super) fn messages(all: &[Message], entries: &[AuditEntry]) -> Markup {
    html! {
        @if all.is_empty() { p.hint { "No message is kept." } }
        ol.said-by {
            @for message in all {
                li class=(message.author) {
                    div.when {
                        b { bdi { @if message.name.is_empty() { (message.author) } @else { (message.name) } } }
                        @if let Some(at) = message.sent_at { " " (format::time(at)) }
                    }
                    div.said dir="auto" {
                        @if message.erased { span.hint { (forgotten(&message.id, entries)) } }
                        (format::cut(&message.text))
                        @if let Some(bytes) = message.cut_from { span.hint { " … cut off: it has " (bytes) " bytes" } }
                    }
                }
            }
        }
    }
}

fn details(it: &ConversationInOrg) -> Markup {
    let Some(of) = &it.details else { return html! { p.hint { "Its record could not be read or kept." } } };
    let line = |name: &str, value: Option<&str>| {
        html! { @if let Some(value) = value.filter(|value| !value.is_empty()) { dt { (name) } dd { bdi { (value) } } } }
    };
    html! {
        h3 { "The conversation" }
        dl {
            (line("Customer", of.customer.name.as_deref()))
            (line("E-mail", of.customer.email.as_deref()))
            (line("Phone", of.customer.phone.as_deref()))
            (line("Channel", Some(&of.channel)))
            (line("Team", of.team.as_deref()))
            (line("Agent", of.agent.as_deref()))
            dt { "State" } dd { @if of.closed { "closed" } @else { "open" } }
            (line("Tags", Some(&of.tags.join(", "))))
            @if let Some(url) = &it.url {
                dt { "Source" } dd { a href=(url) rel="noreferrer" { "Open it there " (icon(Icon::Outside)) } }
            }
        }
    }
}

fn records(it: &ConversationInOrg) -> Markup {
    html! {
        @if !it.records.is_empty() {
            h3 { "In Salesforce" }
            dl {
                @for of in &it.records {
                    dt { (of.object) }
                    dd {
                        (record(of.id.as_str(), of.url.as_deref()))
                    }
                }
            }
        }
    }
}

fn errors(it: &ConversationInOrg) -> Markup {
    let rows = html! {
        @for error in it.sync_errors.iter().rev() {
            tr role="row" {
                (cell("Sync error", &html! { a href={ "/sync-errors/" (error.id) } { (error.title) } }))
                (cell("State", &format::state(error.state)))
                (cell("Last seen", &format::time(error.last_seen)))
            }
        }
    };
    html! {
        @if !it.sync_errors.is_empty() {
            h3 { "Sync errors" }
            (table(&["Sync error", "State", "Last seen"], &rows))
        }
    }
}

/// The last that was said, for the page of a sync error.
pub(super) fn said(it: &ConversationInOrg) -> Markup {
    let all = &it.messages;
    html! {
        h2 { "What was said last" }
        (messages(&all[all.len().saturating_sub(LAST)..], &it.timeline))
    }
}

/// What happened, in the order in which it is given.
pub(super) fn timeline(entries: &[AuditEntry], pages: &RecordPages) -> Markup {
    html! {
        ol.timeline {
            @for entry in entries {
                li class=(format::tone(&entry.fact.0)) {
                    div.when { (format::time(entry.at)) }
                    div {
                        (format::sentence(&entry.fact.0, pages))
                        @if let Some(asked) = &entry.request { (format::request(asked)) }
                    }
                }
            }
        }
    }
}

/// The page of a conversation.
pub(super) fn address(id: &ConversationId) -> String {
    format!("/conversations/{}", utf8_percent_encode(id.as_str(), NON_ALPHANUMERIC))
}

/// The way to a conversation.
pub(super) fn link_to(id: &ConversationId, words: &str) -> Markup {
    html! { a href=(address(id)) { (words) } }
}

//! A customer asks what is kept of them, or to be forgotten: find them, look at what is kept, and erase it.

use std::collections::BTreeSet;

use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::response::Redirect;
use maud::{Markup, html};
use serde::Deserialize;

use super::paging::{address, pages};
use super::parts::format::{self, counted};
use super::parts::{Icon, Section, Visit, box_cell, box_head, cell, icon, table, table_of};
use super::question::{Fields, fields_of};
use crate::domain::ConversationId;
use crate::http::App;
use crate::http::access::{Caller, Scope};
use crate::http::api::{CustomerList, OfCustomer};
use crate::http::customers::{self, NOT_REACHED, Query, erased, named, page};
use crate::http::extract::{Asked, Form};
use crate::http::problem::Problem;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Choice {
    q: String,
    cursor: String,
}

/// What is found, and what is kept of it.
pub(super) async fn list(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Extension(caller): Extension<Caller>,
    Asked(choice): Asked<Choice>,
) -> Result<Markup, Problem> {
    let q = choice.q.trim();
    let query = || Query { q: q.to_owned(), org: None, limit: None, cursor: Some(choice.cursor.clone()) };
    let mut found = if q.is_empty() { None } else { Some(page(&app, &caller, &query()).await?) };
    if let Some(found) = &mut found {
        // Those of one customer stand together, and those of whom nothing is known last.
        found.conversations.sort_by(|one, other| {
            (one.customer.is_none(), &one.customer).cmp(&(other.customer.is_none(), &other.customer))
        });
    }
    let content = html! {
        h1 { "Customers" }
        p.hint { "What is kept of a customer who asks, and forgetting it. All conversations are looked through, with a sync error or without." }
        form.filters role="search" method="get" action="/customers" {
            label { "Name, address, phone number or id" input type="search" name="q" value=(q) required minlength="2" maxlength="200"; }
            button type="submit" { (icon(Icon::Search)) "Find" }
        }
        p.hint { "Of a name or an address the beginning is enough. Ids are the source's of the customer, a contact's of Salesforce, a conversation's or a message's." }
        @if let Some(found) = &found { (results(&visit, q, found)) }
        @if let Some(found) = &found { (pages("/customers", &[("q", q)], choice.cursor.is_empty(), found.next_cursor.as_deref())) }
    };
    Ok(visit.page("Customers", Section::Customers, &content))
}

fn results(visit: &Visit, q: &str, found: &CustomerList) -> Markup {
    let may = visit.may(Scope::Erase);
    html! {
        @if !found.complete {
            div.notice.wait { div { "There are more than can be found at once: say more of the name, or an id." } }
        }
        @if found.conversations.is_empty() {
            p.empty {
                "No customer's name has a word that begins with “" (q) "”, no address or number begins so, and nothing has this id."
            }
        } @else {
            div.head {
                h2 {
                    (counted(found.total, "conversation", "conversations"))
                    @if found.total == found.conversations.len() as u64 { (of_whom(&found.conversations)) }
                }
                @if may && found.conversations.iter().any(has_words) {
                    form #selection method="get" action="/customers/erase" {
                        input type="hidden" name="q" value=(q);
                        button.danger type="submit" data-selected { "Erase the chosen " span data-number {} " …" }
                    }
                }
            }
            (rows(&found.conversations, may))
            @if !may {
                p.hint { "To erase them, a token with the scope " code { "erase" } " is needed." }
            }
        }
    }
}

/// Whose they are, where that can be said.
fn of_whom(found: &[OfCustomer]) -> String {
    let ids: BTreeSet<_> = found.iter().map(|of| &of.customer).collect();
    match (ids.len(), found.iter().find_map(|of| of.name.as_deref())) {
        (1, Some(name)) => format!(" of {name}"),
        (1, None) => String::new(),
        _ => " of several customers".to_owned(),
    }
}

/// Whether something is left to be erased.
fn has_words(of: &OfCustomer) -> bool {
    let is_called = of.name.is_some() || of.email.is_some() || of.phone.is_some();
    is_called || of.messages > 0 || of.erased_until.is_none()
}

fn rows(found: &[OfCustomer], with_boxes: bool) -> Markup {
    let columns = ["Customer", "Conversation", "Newest message", "Kept here", "In Salesforce"];
    let lines = html! { @for of in found { (row(of, with_boxes)) } };
    if with_boxes { table_of(&box_head(), &columns, &lines) } else { table(&columns, &lines) }
}

/// The way to all that is kept of this customer.
fn narrowed(id: &str) -> Markup {
    html! { " " a.hint href=(address("/customers", &[("q", id)])) title="This customer only" { (id) } }
}

fn row(of: &OfCustomer, with_boxes: bool) -> Markup {
    let names = [&of.name, &of.email, &of.phone].into_iter().flatten().map(String::as_str).collect::<Vec<_>>();
    let who = format!("{} of {}", of.conversation, names.first().copied().unwrap_or("somebody unknown"));
    html! {
        tr role="row" {
            @if with_boxes {
                @if has_words(of) { (box_cell(of.conversation.as_str(), &who)) } @else { td.w-box role="cell" {} }
            }
            (cell("Customer", &html! {
                @if names.is_empty() { "(unknown)" } @else { b { (names.join(", ")) } }
                @if let Some(id) = &of.customer { (narrowed(id)) }
            }))
            (cell("Conversation", &html! {
                a href={ "/conversations/" (of.conversation) } { (of.conversation) } span.hint { " · " (of.org) @if let Some(channel) = &of.channel { ", " (channel) } }
            }))
            (cell("Newest message", &html! { @if let Some(at) = of.last_message_at { (format::time(at)) } }))
            (cell("Kept here", &kept(of)))
            (cell("In Salesforce", &html! {
                @if of.records.is_empty() { "nothing" }
                @for record in &of.records {
                    @match &record.url {
                        Some(url) => { a href=(url) rel="noreferrer" title=(record.object) { (short(&record.object)) } " " }
                        None => { span title=(record.object) { (short(&record.object)) } " " code { (record.id) } " " }
                    }
                }
            }))
        }
    }
}

/// An object's name without its namespace and its ending: `alcmeon__Conversation__c` is a Conversation.
fn short(object: &str) -> &str {
    let name = object.strip_suffix("__c").unwrap_or(object);
    name.rsplit_once("__").map_or(name, |(_, name)| name)
}

fn kept(of: &OfCustomer) -> Markup {
    html! {
        @if let Some(until) = of.erased_until { span.badge.good { "erased" } " " (format::time(until)) " · " }
        (counted(of.messages, "message", "messages")) ", "
        @if of.sync_errors > 0 {
            a href=(address("/sync-errors", &[("conversation", of.conversation.as_str())])) {
                (counted(of.sync_errors, "sync error", "sync errors"))
            }
        } @else { "no sync error" }
        ", " (counted(of.audit_entries, "audit entry", "audit entries"))
    }
}

/// The conversations that a form or an address names.
fn ids_of(fields: &Fields) -> Result<Vec<ConversationId>, Problem> {
    let ids = fields.iter().filter(|(name, _)| name == "id").map(|(_, id)| id.parse::<ConversationId>());
    ids.collect::<Result<_, _>>().map_err(|error| Problem::invalid(format!("id: {error}")))
}

/// What is to be erased, what that reaches and what not; and the question.
pub(super) async fn ask(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Extension(caller): Extension<Caller>,
    RawQuery(query): RawQuery,
) -> Result<Markup, Problem> {
    let fields = fields_of(&query.unwrap_or_default());
    let q = fields.iter().find(|(name, _)| name == "q").map_or("", |(_, q)| q.as_str());
    let (ids, back) = (ids_of(&fields)?, address("/customers", &[("q", q)]));
    if ids.is_empty() {
        let content = html! {
            h1 { "Nothing is chosen" }
            p { "Tick the conversations that are to be erased. " a href=(back) { "Back to them" } }
        };
        return Ok(visit.page("Erase a customer", Section::Customers, &content));
    }
    let found = views(&app, &caller, &ids).await?;
    let many = counted(found.len() as u64, "conversation", "conversations");
    let content = html! {
        h1 { "Erase " (many) (of_whom(&found)) "?" }
        (rows(&found, false))
        p {
            "Names, addresses and all that was said go from their records, from sync errors and audits, from reasons that were given, \
             from the quarantine and from kept answers. That there were conversations, their ids and what happened stay."
        }
        p { b { "It does not reach" } ":" }
        ul { @for words in NOT_REACHED { li { (words) } } }
        form.card.fields method="post" action="/customers/erase" {
            @for of in &found { input type="hidden" name="id" value=(of.conversation); }
            p { b { "This cannot be undone." } }
            div.actions {
                button.danger type="submit" { "Erase " (many) }
                a.button.quiet href=(back) { "Keep them" }
            }
        }
    };
    Ok(visit.page("Erase a customer", Section::Customers, &content))
}

async fn views(app: &App, caller: &Caller, ids: &[ConversationId]) -> Result<Vec<OfCustomer>, Problem> {
    let mut views = Vec::new();
    for of in named(app, caller, ids, None).await? {
        let mut view = customers::view(app, of).await?;
        if !caller.may(Scope::Errors) {
            // Who may only erase is not told whom.
            (view.name, view.email, view.phone) = (None, None, None);
        }
        views.push(view);
    }
    Ok(views)
}

/// Erases them.
pub(super) async fn erase(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Form(fields): Form<Fields>,
) -> Result<Redirect, Problem> {
    let found = named(&app, &caller, &ids_of(&fields)?, None).await?;
    erased(&app, &caller, &found).await?;
    let ids: BTreeSet<_> = found.iter().map(|of| of.id.as_str()).collect();
    let ids: Vec<_> = ids.into_iter().map(|id| ("id", id)).collect();
    Ok(Redirect::to(&address("/customers/erased", &ids)))
}

/// What became of it, as of now.
pub(super) async fn result(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Extension(caller): Extension<Caller>,
    RawQuery(query): RawQuery,
) -> Result<Markup, Problem> {
    let found = views(&app, &caller, &ids_of(&fields_of(&query.unwrap_or_default()))?).await?;
    let left = found.iter().filter(|of| has_words(of)).count();
    let done = (found.len() - left) as u64;
    let content = html! {
        h1 { "Erased" }
        div.notice.good[left == 0].wait[left > 0] role="status" data-live #erased {
            div {
                (counted(done, "conversation is", "conversations are")) " erased."
                @if left > 0 {
                    " " (counted(left as u64, "waits", "wait")) " for the organization to come to it, or has new words since; it is on record and not lost."
                }
            }
        }
        (rows(&found, false))
        p { b { "It did not reach" } ":" }
        ul { @for words in NOT_REACHED { li { (words) } } }
        p.links { a href="/customers" { "Find another customer" } a href=(address("/actions", &[("what", "erase")])) { "Who erased what" } }
    };
    Ok(visit.page("Erased", Section::Customers, &content))
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn an_object_is_called_by_its_name_alone() {
        for (object, name) in [("alcmeon__Conversation__c", "Conversation"), ("Case", "Case"), ("Chat__c", "Chat")] {
            assert_eq!(short(object), name);
        }
    }
}

//! A customer asks what is kept of them, or to be forgotten: find them, look at what is kept, and erase it.

use std::collections::BTreeSet;

use axum::Extension;
use axum::extract::State;
use axum::response::Redirect;
use maud::{Markup, html};
use serde::Deserialize;

use super::paging::{address, pages};
use super::parts::format::{self, counted};
use super::parts::{Icon, Section, Visit, cell, icon, table};
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
    let found = if q.is_empty() { None } else { Some(page(&app, &caller, &query()).await?) };
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
    let left: Vec<_> = found.conversations.iter().filter(|of| has_words(of)).collect();
    html! {
        @if !found.complete {
            div.notice.wait { div { "There are more than can be found at once: say more of the name, or an id." } }
        }
        @if found.conversations.is_empty() {
            p.empty { "Nothing is kept of “" (q) "”." }
        } @else {
            div.head {
                h2 { (counted(found.total, "conversation", "conversations")) }
                @if visit.may(Scope::Erase) && !left.is_empty() {
                    a.button.danger href=(asking(left.iter().map(|of| &of.conversation))) {
                        "Erase " (counted(left.len() as u64, "conversation", "conversations")) " …"
                    }
                }
            }
            (rows(&found.conversations))
            @if !visit.may(Scope::Erase) {
                p.hint { "To erase them, a token with the scope " code { "erase" } " is needed." }
            }
        }
    }
}

/// Whether something is left to be erased.
fn has_words(of: &OfCustomer) -> bool {
    let is_called = of.name.is_some() || of.email.is_some() || of.phone.is_some();
    is_called || of.messages > 0 || of.erased_until.is_none()
}

/// The address of the question.
fn asking<'a>(ids: impl Iterator<Item = &'a ConversationId>) -> String {
    address("/customers/erase", &[("conversations", joined(ids).as_str())])
}

fn joined<'a>(ids: impl Iterator<Item = &'a ConversationId>) -> String {
    ids.map(ConversationId::as_str).collect::<Vec<_>>().join(",")
}

fn rows(found: &[OfCustomer]) -> Markup {
    let columns = ["Customer", "Conversation", "Newest message", "Kept here", "In Salesforce"];
    table(&columns, &html! { @for of in found { (row(of)) } })
}

fn row(of: &OfCustomer) -> Markup {
    let names = [&of.name, &of.email, &of.phone].into_iter().flatten().map(String::as_str).collect::<Vec<_>>();
    html! {
        tr role="row" {
            (cell("Customer", &html! {
                @if names.is_empty() { "(unknown)" } @else { b { (names.join(", ")) } }
                @if let Some(id) = &of.customer { span.hint { " " (id) } }
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
                        Some(url) => { a href=(url) rel="noreferrer" { (record.object) } " " }
                        None => { (record.object) " " code { (record.id) } " " }
                    }
                }
            }))
        }
    }
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
        ", " (counted(of.audit_entries, "entry", "entries")) " of the audit"
    }
}

/// Which conversations a form or an address names.
#[derive(Deserialize)]
pub(super) struct Named {
    conversations: String,
    /// How many they are, typed by whoever wants them erased.
    #[serde(default)]
    confirm: String,
}

impl Named {
    fn ids(&self) -> Result<Vec<ConversationId>, Problem> {
        let ids = self
            .conversations
            .split(',')
            .filter(|id| !id.is_empty())
            .map(str::parse::<ConversationId>)
            .collect::<Result<Vec<_>, _>>();
        ids.map_err(|error| Problem::invalid(format!("conversations: {error}")))
    }
}

/// What is to be erased, what that reaches and what not; and the question.
pub(super) async fn ask(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Extension(caller): Extension<Caller>,
    Asked(asked): Asked<Named>,
) -> Result<Markup, Problem> {
    let found = views(&app, &caller, &asked.ids()?).await?;
    let count = found.len() as u64;
    let many = counted(count, "conversation", "conversations");
    let whose = found.iter().find_map(|of| of.name.as_deref()).map(|name| format!(" of {name}")).unwrap_or_default();
    let content = html! {
        h1 { "Erase " (many) (whose) "?" }
        (rows(&found))
        p {
            "Names, addresses and all that was said go from their records, from sync errors and audits, from reasons that were given, \
             from the quarantine and from kept answers. That there were conversations, their ids and what happened stay."
        }
        p { b { "It does not reach" } ":" }
        ul { @for words in NOT_REACHED { li { (words) } } }
        form.card.fields method="post" action="/customers/erase" {
            input type="hidden" name="conversations" value=(joined(found.iter().map(|of| &of.conversation)));
            label {
                "This cannot be undone. Type " b { (count) } " to erase " (many)
                input name="confirm" required inputmode="numeric" autocomplete="off";
            }
            div.actions {
                button.danger type="submit" { "Erase " (many) }
                a.button.quiet href="/customers" { "Keep them" }
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
    Form(asked): Form<Named>,
) -> Result<Redirect, Problem> {
    let found = named(&app, &caller, &asked.ids()?, None).await?;
    if asked.confirm.trim() != found.len().to_string() {
        let words = format!("nothing is erased: type {} to erase that many conversations", found.len());
        return Err(Problem::invalid(words));
    }
    erased(&app, &caller, &found).await?;
    let ids: BTreeSet<_> = found.iter().map(|of| &of.id).collect();
    Ok(Redirect::to(&address("/customers/erased", &[("conversations", joined(ids.into_iter()).as_str())])))
}

/// What became of it, as of now.
pub(super) async fn result(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Extension(caller): Extension<Caller>,
    Asked(asked): Asked<Named>,
) -> Result<Markup, Problem> {
    let found = views(&app, &caller, &asked.ids()?).await?;
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
        (rows(&found))
        p { b { "It did not reach" } ":" }
        ul { @for words in NOT_REACHED { li { (words) } } }
        p.links { a href="/customers" { "Find another customer" } a href=(address("/actions", &[("what", "erase")])) { "Who erased what" } }
    };
    Ok(visit.page("Erased", Section::Customers, &content))
}

//! One message: whose it is and what it says, and everything that happened to it.

use std::collections::BTreeSet;

use axum::Extension;
use axum::extract::State;
use maud::{Markup, html};

use super::conversation::{link_to, messages, timeline};
use super::parts::{Icon, RecordPages, Section, Visit, icon};
use crate::domain::{ConversationId, MessageId};
use crate::http::App;
use crate::http::access::{Caller, Scope};
use crate::http::api::ConversationInOrg;
use crate::http::conversations::view;
use crate::http::extract::Id;
use crate::http::problem::Problem;

/// The message, in each organization that the caller sees.
pub(super) async fn show(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<MessageId>,
) -> Result<Markup, Problem> {
    let (ledger, masked) = (app.parts.engine.ledger(), !visit.may(Scope::Errors));
    let places = ledger.conversations_of(&id).await?;
    let conversations: BTreeSet<_> = places.iter().map(|(_, conversation)| conversation).collect();
    let mut found = Vec::new();
    for conversation in conversations {
        for mut story in ledger.stories(conversation).await? {
            story.audit.retain(|entry| entry.is_about(&id));
            if caller.sees(&story.org) && !story.audit.is_empty() {
                found.push((conversation, view(&app, conversation, story, masked, None, usize::MAX)));
            }
        }
    }
    if found.is_empty() {
        return Err(Problem::not_found(format!("nothing is known of message {id}")));
    }
    let title = found.iter().filter_map(|(_, it)| it.details.as_ref()?.customer.name.clone()).next();
    let title = title.unwrap_or_else(|| format!("Message {id}"));
    let content = html! {
        h1 { bdi { (title) } }
        p.facts {
            span { "Message " code { (id) } }
            @if masked { span { "personal data is left out for your token" } }
        }
        @for (conversation, it) in &found { (in_org(&app, &id, conversation, it)) }
    };
    Ok(visit.page(&format!("Message {id}"), Section::Other, &content))
}

fn in_org(app: &App, id: &MessageId, conversation: &ConversationId, it: &ConversationInOrg) -> Markup {
    let name = app.parts.engine.org(&it.org).map_or_else(|_| it.org.to_string(), |(org, _)| org.name.clone());
    let said = it.messages.iter().position(|message| message.id == *id).map(|at| &it.messages[at..=at]);
    html! {
        p.facts {
            @if let Some(of) = &it.details {
                @if !of.channel.is_empty() { span { (of.channel) } }
                @if let Some(team) = &of.team { span { "team " bdi { (team) } } }
            }
            span { a href={ "/sync-errors?org=" (it.org) } { bdi { (name) } } }
            span { (link_to(conversation, "Conversation")) }
            @if let Some(url) = &it.url { span { a href=(url) rel="noreferrer" { "Alcmeon " (icon(Icon::Outside)) } } }
        }
        @match said { Some(said) => { (messages(said, &it.timeline)) } None => { p.hint { "What it says is not kept, or left out for your token." } } }
        h2 { "What happened to it" }
        (timeline(&it.timeline, &RecordPages::of(app, &it.org)))
    }
}

//! One sync error whole: who and what, what to do, what was sent and came back, and what happened to its conversation.

mod acts;
mod refusal;

use axum::Extension;
use axum::extract::State;
use maud::{Markup, html};
use serde::Deserialize;

pub(super) use self::acts::{Act, Reason, act, ignore, reopen, retry};
use self::refusal::refusal;

use super::around;
use super::choosing::choose_link;
use super::conversation::{link_to, said, timeline};
use super::going_on;
use super::incident::above_list;
use super::lines::title_of;
use super::notices::who;
use super::parts::format::{self, counted, grouped};
use super::parts::{Icon, RecordPages, Section, Visit, icon};
use super::policies::{names_no_queue, ways};
use crate::domain::{Advice, Fact, Group, PolicyRef, State as ErrorState, SyncError, SyncErrorId};
use crate::http::App;
use crate::http::access::{Caller, Scope};
use crate::http::api::ConversationInOrg;
use crate::http::conversations;
use crate::http::extract::{Asked, Id};
use crate::http::problem::Problem;
use crate::http::reasons::given_before;
use crate::http::sync_errors::{REASON, find};
use crate::salesforce;

/// Entries of the conversation's timeline that are shown, the newest.
const ENTRIES: usize = 40;
/// Actions that are looked at for reasons that were given before.
const ACTIONS: usize = 200;

#[derive(Deserialize)]
pub(super) struct From {
    /// The filters of the list that it was opened from.
    list: Option<String>,
    /// Its number in that list.
    at: Option<u64>,
}

/// One sync error with everything that is known of it.
pub(super) async fn show(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<SyncErrorId>,
    Asked(From { list, at }): Asked<From>,
) -> Result<Markup, Problem> {
    let error = find(&app, &caller, &id).await?;
    let mut groups = app.parts.engine.ledger().group(&error.group).await?;
    groups.retain(|group| group.org == error.org);
    let stories = conversations::seen(&app, &caller, &error.conversation).await.unwrap_or_default();
    let story = stories.into_iter().find(|story| story.org == error.org);
    let masked = !visit.may(Scope::Errors);
    let story = story.map(|story| conversations::view(&app, &error.conversation, story, masked, None, ENTRIES));
    let around = around::of(&app, &caller, list.as_deref(), at, &error).await?;
    let org = app.parts.engine.org(&error.org).map_or_else(|_| error.org.to_string(), |(org, _)| org.name.clone());
    let pages = RecordPages::of(&app, &error.org);
    let going_on = going_on::over(&app, &caller, &error).await?;
    let reasons = match can_be_ignored(&visit, &error) {
        true => given_before(&app, &caller, ACTIONS).await?,
        false => Vec::new(),
    };
    let who = who(&error);
    let content = html! {
        (around::links(&around))
        div.head {
            h1 { bdi { (who) } }
            span.actions { (format::class(error.refusal.class)) span #state data-live { (format::state(error.state)) } }
        }
        (facts(&error, &org, story.as_ref()))
        @if let Ok(of) = app.parts.engine.org(&error.org) { (above_list(&app, &visit, &[&of])) }
        blockquote {
            b { (title_of(groups.first(), &error)) }
            div.said {
                @if names_no_queue(&error.refusal.code) { (error.refusal.text) } @else { (format::cut(&error.refusal.text)) }
            }
        }
        (going_on)
        (erased(&error, story.as_ref()))
        div.sticky #actions data-live {
            (actions(&visit, &error, &reasons)) (choose_link(&visit, &error)) (cause(groups.first(), &error))
        }
        (ways(&app, &visit, &error))
        div.two {
            div {
                @if is_open(&error) { (advised(&salesforce::advice(&error.refusal))) }
                h2 { "What was sent, and what came back" }
                (refusal(&error.refusal, &pages))
            }
            div {
                @if let Some(story) = &story { (said(story)) }
                h2 { "The sync error" }
                (registry(&error))
            }
        }
        @if let Some(story) = &story {
            h2 { "What happened to the conversation" }
            (timeline(&story.timeline, &pages))
            @if story.older_cursor.is_some() { p { (link_to(&error.conversation, "All that happened")) } }
        }
    };
    Ok(visit.page(&format!("{who}: {}", error.refusal.code), Section::SyncErrors, &content))
}

/// Where it came from and where it is, in a line.
fn facts(error: &SyncError, org: &str, story: Option<&ConversationInOrg>) -> Markup {
    let outside =
        |url: &str, words: &str| html! { a href=(url) rel="noreferrer" { (words) " " (icon(Icon::Outside)) } };
    html! {
        p.facts {
            @if let Some(person) = &error.person {
                @for address in [&person.email, &person.phone].into_iter().flatten() { span { bdi { (address) } } }
            }
            @if !error.channel.is_empty() { span { (error.channel) } }
            @if let Some(team) = &error.team { span { "team " bdi { (team) } } }
            span { a href={ "/sync-errors?org=" (error.org) } { (org) } }
            span { (link_to(&error.conversation, "Conversation")) }
            @if let Some(story) = story {
                @if let Some(url) = &story.url { span { (outside(url, "Alcmeon")) } }
                @for record in &story.records {
                    @match &record.url {
                        Some(url) => { span { (outside(url, &record.object)) } }
                        None => { span { (record.object) " " code { (record.id) } } }
                    }
                }
            }
        }
    }
}

/// The way to all of the same cause.
fn cause(group: Option<&Group>, error: &SyncError) -> Markup {
    html! {
        @if let Some(group) = group {
            @let others = group.open();
            a.button.quiet href={ "/causes/" (group.id) "?org=" (group.org) } {
                (icon(Icon::Causes)) "The cause"
                @if others > 1 { ": " (counted(others, "open", "open")) }
            }
        }
        a.button.quiet href={ "/orgs/" (error.org) "/checks" } { "The first points to check" }
    }
}

/// It waits for a person or for its next attempt.
const fn is_open(error: &SyncError) -> bool {
    matches!(error.state, ErrorState::Pending | ErrorState::Retrying)
}

fn can_be_ignored(visit: &Visit, error: &SyncError) -> bool {
    visit.may(Scope::Errors) && is_open(error)
}

/// What another attempt lacks where the conversation was forgotten.
fn erased(error: &SyncError, story: Option<&ConversationInOrg>) -> Markup {
    let by = story.and_then(|story| {
        story.timeline.iter().rev().find_map(|entry| match &entry.fact.0 {
            Fact::Erased { by, .. } => by.as_deref(),
            _ => None,
        })
    });
    html! {
        @if error.state != ErrorState::Resolved && error.refusal.is_erased() {
            div.notice.wait {
                div {
                    "What was said and who the customer is are erased" @if let Some(by) = by { ", by " (by) }
                    ": a retry may fail, or write the records without them."
                }
            }
        }
    }
}

/// The forms that the state allows, for who may use them; `reasons` are offered to whoever ignores it.
fn actions(visit: &Visit, error: &SyncError, reasons: &[String]) -> Markup {
    if !visit.may(Scope::Errors) || error.state == ErrorState::Resolved {
        return html! {};
    }
    let form = |verb: &str, content: Markup| {
        html! {
            form method="post" action={ "/sync-errors/" (error.id) "/" (verb) } { (visit.way_back()) (content) }
        }
    };
    let button = |name: &str, of: Icon, key: Option<&str>, quiet: bool| {
        html! { button.quiet[quiet] type="submit" data-key=[key] { (icon(of)) (name) } }
    };
    let reason = html! {
        label { "Reason" input name="reason" required maxlength=(REASON) list="reasons"; }
        datalist #reasons { @for reason in reasons { option value=(reason) {} } }
        (button("Ignore", Icon::Ignore, None, false))
    };
    html! {
        div.actions {
            @match error.state {
                ErrorState::Ignored => { (form("reopen", button("Reopen", Icon::Reopen, Some("u"), false))) }
                _ => {
                    (form("retry", button("Retry", Icon::Retry, Some("r"), false)))
                    details.ignore { summary data-key="i" { (icon(Icon::Ignore)) "Ignore…" } (form("ignore", reason)) }
                }
            }
        }
    }
}

fn advised(advice: &Advice) -> Markup {
    html! {
        h2 { "What to do" }
        dl.wide {
            dt { "What happened" } dd { (advice.happened) }
            dt { "What to check" } dd { (advice.check) }
            dt { "By itself" } dd { (advice.by_itself) }
        }
    }
}

fn registry(error: &SyncError) -> Markup {
    html! {
        dl.wide {
            dt { "Id" } dd { code { (error.id) } }
            dt { "Conversation" } dd { code { (error.conversation) } }
            dt { "Newest message" } dd { a.code href={ "/messages/" (error.message) } { (error.message) } }
            dt { "Attempts" }
            dd { (grouped(error.attempts.into())) @if error.attempts_since_retry != error.attempts { ", " (error.attempts_since_retry) " since the last retry" } }
            dt { "First seen" } dd { (format::time(error.first_seen)) }
            dt { "Last seen" } dd { (format::time(error.last_seen)) }
            @if let Some(at) = error.next_attempt_at { dt { "Next attempt" } dd { "not before " (format::time(at)) } }
            @if let Some(policy) = &error.judged_by {
                dt { "Judged by" }
                dd {
                    (of_policy(policy)) ", " a href={ "/sync-errors/" (error.id) "/repro" } { "repro bundle" }
                    " (without personal data)"
                }
            }
            @if let Some(who) = &error.touched_by { dt { "Last touched by" } dd { (who) } }
            @if let Some(reason) = &error.reason { dt { "Ignored because" } dd { (format::cut(reason)) } }
            @if let Some(held) = &error.held { dt { "Not ignored" } dd { (format::cut(held)) } }
            @if let Some(ending) = error.ending { dt { "Over" } dd { (format::ending(ending)) } }
        }
    }
}

fn of_policy(policy: &PolicyRef) -> Markup {
    html! { a href={ "/policies/" (policy.name) } { (policy) } }
}

//! One sync error whole: who and what, what to do, what was sent and came back, and what happened to its conversation.

use axum::Extension;
use axum::extract::State;
use axum::response::Redirect;
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::Value;

use super::around;
use super::choosing::choose_link;
use super::conversation::{link_to, said, timeline};
use super::lines::title_of;
use super::notices::who;
use super::parts::format::{self, counted, grouped};
use super::parts::{Back, Done, Icon, Section, Visit, icon};
use super::policies::ways;
use crate::domain::{Advice, AnswerReceived, Group, PolicyRef, Refusal, State as ErrorState, SyncError, SyncErrorId};
use crate::engine::Error;
use crate::http::App;
use crate::http::access::{Caller, Scope};
use crate::http::api::ConversationInOrg;
use crate::http::conversations;
use crate::http::extract::{Asked, Form, Id};
use crate::http::problem::Problem;
use crate::http::sync_errors::{REASON, a_reason, find, sees};
use crate::salesforce;

/// Entries of the conversation's timeline that are shown, the newest.
const ENTRIES: usize = 40;

#[derive(Deserialize)]
pub(super) struct From {
    /// The filters of the list that it was opened from.
    list: Option<String>,
}

/// One sync error with everything that is known of it.
pub(super) async fn show(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<SyncErrorId>,
    Asked(From { list }): Asked<From>,
) -> Result<Markup, Problem> {
    let error = find(&app, &caller, &id).await?;
    let mut groups = app.parts.engine.ledger().group(&error.group).await?;
    groups.retain(|group| group.org == error.org);
    let stories = conversations::seen(&app, &caller, &error.conversation).await.unwrap_or_default();
    let story = stories.into_iter().find(|story| story.org == error.org);
    let masked = !visit.may(Scope::Errors);
    let story = story.map(|story| conversations::view(&app, &error.conversation, story, masked, None, ENTRIES));
    let around = around::of(&app, &caller, list.as_deref(), &error).await?;
    let org = app.parts.engine.org(&error.org).map_or_else(|_| error.org.to_string(), |(org, _)| org.name.clone());
    let who = who(&error);
    let content = html! {
        (around::links(&around))
        div.head {
            h1 { bdi { (who) } }
            span.actions { (format::class(error.refusal.class)) span #state data-live { (format::state(error.state)) } }
        }
        (facts(&error, &org, story.as_ref()))
        blockquote {
            b { (title_of(groups.first(), &error)) }
            div.said { (format::cut(&error.refusal.text)) }
        }
        div.sticky #actions data-live {
            (actions(&visit, &error)) (choose_link(&visit, &error)) (cause(groups.first(), &error))
        }
        (ways(&visit, &error))
        div.two {
            div {
                (advised(&salesforce::advice(&error.refusal)))
                h2 { "What was sent, and what came back" }
                (refusal(&error.refusal))
            }
            div {
                @if let Some(story) = &story { (said(story)) }
                h2 { "The sync error" }
                (registry(&error))
            }
        }
        @if let Some(story) = &story {
            h2 { "What happened to the conversation" }
            (timeline(&story.timeline))
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

/// The forms that the state allows, for who may use them.
pub(super) fn actions(visit: &Visit, error: &SyncError) -> Markup {
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
        label { "Reason" input name="reason" required maxlength=(REASON); }
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
                    (format::cut(&blame.fault.to_string()))
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
            (format::json("The body of the request", &request.body))
        }
        @if let Some(answer) = &refusal.answer { (answered(answer)) }
    }
}

fn answered(answer: &AnswerReceived) -> Markup {
    html! {
        dl.wide {
            dt { "Answer as received" }
            dd {
                "HTTP " (answer.status)
                @if let Some(bytes) = answer.cut_from { ", cut off: it had " (bytes) " bytes" }
            }
        }
        @if !answer.headers.is_empty() {
            details {
                summary { "Headers of the answer" }
                dl.wide { @for (name, value) in &answer.headers { dt { (name) } dd { code { (value) } } } }
            }
        }
        @match &answer.body {
            Value::Null => {}
            Value::String(text) => {
                details {
                    summary { "The body of the answer" }
                    pre tabindex="0" role="region" aria-label="The body of the answer" { (text) }
                }
            }
            json => { (format::json("The body of the answer", json)) }
        }
    }
}

fn of_policy(policy: &PolicyRef) -> Markup {
    html! { a href={ "/policies/" (policy.name) } { (policy) } }
}

/// Another attempt.
pub(super) async fn retry(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<SyncErrorId>,
    Form(back): Form<Back>,
) -> Result<Redirect, Problem> {
    sees(&app, &caller, &id).await?;
    let retried = app.parts.engine.retry(&id, &caller.asker()).await;
    answered_as(&back, retried, Done::Retried(id))
}

#[derive(Deserialize)]
pub(super) struct Reason {
    pub(super) reason: String,
    #[serde(flatten)]
    pub(super) back: Back,
}

/// No further synchronization is expected, and why.
pub(super) async fn ignore(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<SyncErrorId>,
    Form(Reason { reason, back }): Form<Reason>,
) -> Result<Redirect, Problem> {
    let reason = a_reason(&reason)?;
    sees(&app, &caller, &id).await?;
    let ignored = app.parts.engine.ignore(&id, &caller.asker(), reason).await;
    answered_as(&back, ignored, Done::Ignored(id))
}

/// An ignored one is pending again.
pub(super) async fn reopen(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<SyncErrorId>,
    Form(back): Form<Back>,
) -> Result<Redirect, Problem> {
    sees(&app, &caller, &id).await?;
    let reopened = app.parts.engine.reopen(&id, &caller.asker()).await;
    answered_as(&back, reopened, Done::Reopened(id))
}

/// Back to where the form stood. Somebody may have been quicker: then the page says what became of it, and by whom.
fn answered_as(back: &Back, answer: Result<SyncError, Error>, done: Done) -> Result<Redirect, Problem> {
    match (answer, done) {
        (Err(Error::Transition(_)), Done::Retried(id) | Done::Ignored(id) | Done::Reopened(id)) => {
            Ok(back.with(&Done::Late(id)))
        }
        (answer, done) => answer.map(|_| back.with(&done)).map_err(Problem::from),
    }
}

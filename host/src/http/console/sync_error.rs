//! One sync error whole, the forms for what can be done about it, and what follows from them.

use axum::Extension;
use axum::extract::State;
use axum::response::Redirect;
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::Value;

use super::messages::timeline;
use super::parts::format;
use super::parts::{Back, Done, Section, Visit};
use crate::domain::{Advice, AnswerReceived, PolicyRef, Refusal, State as ErrorState, SyncError, SyncErrorId};
use crate::engine::Error;
use crate::http::App;
use crate::http::access::{Caller, Scope};
use crate::http::extract::{Form, Id};
use crate::http::problem::Problem;
use crate::http::sync_errors::{REASON, a_reason, find, sees};
use crate::salesforce;

/// One sync error with everything that is known of it.
pub(super) async fn show(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<SyncErrorId>,
) -> Result<Markup, Problem> {
    let error = find(&app, &caller, &id).await?;
    let history = app.parts.engine.ledger().audit(&error.message, |org| caller.sees(org)).await?;
    let org = app.parts.engine.org(&error.org).map_or_else(|_| error.org.to_string(), |(org, _)| org.name.clone());
    let content = html! {
        p.hint { a href={ "/sync-errors?org=" (error.org) } { "Sync errors of " (org) } }
        h1 {
            span.code { (error.refusal.code) } " "
            (format::class(error.refusal.class)) " " (format::state(error.state))
        }
        blockquote.said { (format::cut(&error.refusal.text)) }
        (advised(&salesforce::advice(&error.refusal)))
        (actions(&visit, &error))
        h2 { "The sync error" }
        (registry(&error, &org, app.parts.engine.org(&error.org).is_ok()))
        h2 { "The refusal" }
        (refusal(&error.refusal))
        h2 { "The audit of the message" }
        (timeline(&history))
    };
    Ok(visit.page(&format!("Sync error {}: {}", error.id, error.refusal.code), Section::SyncErrors, &content))
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

fn advised(advice: &Advice) -> Markup {
    html! {
        dl.wide {
            dt { "What happened" } dd { (advice.happened) }
            dt { "What to check" } dd { (advice.check) }
            dt { "By itself" } dd { (advice.by_itself) }
        }
    }
}

fn registry(error: &SyncError, org: &str, connected: bool) -> Markup {
    html! {
        dl.wide {
            dt { "Id" } dd { code { (error.id) } }
            dt { "Organization" }
            dd {
                (org) ", "
                @if connected {
                    a href={ "/orgs/" (error.org) "/checks" } { "the first points to check" }
                } @else {
                    "no longer connected"
                }
            }
            dt { "Conversation" } dd { code { (error.conversation) } }
            dt { "Message" } dd { a.code href={ "/messages/" (error.message) } { (error.message) } }
            dt { "Attempts" }
            dd { (error.attempts) @if error.attempts_since_retry != error.attempts { ", " (error.attempts_since_retry) " since the last retry" } }
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
            @for (name, value) in &answer.headers { dt { (name) } dd { code { (value) } } }
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
    html! { a href={ "/policies#" (policy.name) } { (policy) } }
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

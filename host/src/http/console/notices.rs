//! What stands above every page: how many wait for somebody, and what became of the form that led here, as it is now.

use maud::{Markup, html};

use super::parts::{Done, Icon, Visit, Waiting, format, icon};
use crate::domain::{OperationStatus, State, SyncError, SyncErrorId};
use crate::engine::OrgHealth;
use crate::http::App;
use crate::http::access::{Caller, Scope};
use crate::http::api::Operation;
use crate::http::api_tokens;
use crate::http::operations::seen;
use crate::http::sync_errors::find;

/// What waits of all that the caller sees.
pub(super) fn waiting(app: &App, caller: &Caller) -> Waiting {
    let sum = |of: fn(&OrgHealth) -> u64| app.parts.engine.sum(|org| caller.sees(org), of);
    Waiting { pending: sum(|health| health.sync_errors.pending), parked: sum(|health| health.parked) }
}

/// What became of what the form did; nothing where that cannot be found any more.
pub(super) async fn told(app: &App, caller: &Caller, visit: &Visit) -> Option<Markup> {
    let done = visit.done()?;
    match done {
        Done::Revoked(id) => {
            let kept = api_tokens::find(app, caller, id).ok();
            let name =
                kept.as_ref().map_or_else(|| html! { code { (id) } }, |kept| html! { "of " b { (kept.token.name) } });
            let is_so = kept.as_ref().is_none_or(|kept| kept.token.revoked_at.is_some());
            is_so.then(|| notice("", &html! { "The token " (name) " is revoked." }, &html! {}))
        }
        Done::Overtaken(id) => seen(app, caller, id.clone()).await.ok().map(|operation| overtaken(&operation)),
        Done::Retried(id) | Done::Ignored(id) | Done::Reopened(id) | Done::Chose(id) | Done::Late(id) => {
            let error = find(app, caller, id).await.ok()?;
            Some(of_error(visit, &error, done))
        }
        plain => plain.plain().map(|words| notice("", &html! { (words) }, &html! {})),
    }
}

fn notice(tone: &str, words: &Markup, what_next: &Markup) -> Markup {
    html! { div class={ "notice " (tone) } role="status" #done data-live { div { (words) } (what_next) } }
}

/// How a sync error stands, in words, with who brought it there.
fn of_error(visit: &Visit, error: &SyncError, done: &Done) -> Markup {
    let by = error.history.last().and_then(|moment| moment.by.as_deref());
    let when = error.history.last().map_or(error.last_seen, |moment| moment.at);
    let (tone, stands) = match error.state {
        State::Pending => {
            let failed = error.attempts_since_retry > 0 && error.last_seen >= when;
            let words = if failed { "failed again, and is pending: " } else { "is pending: " };
            match done {
                Done::Reopened(_) => ("", html! { "waits for somebody again" }),
                _ => ("wait", html! { (words) code { (error.refusal.code) } }),
            }
        }
        State::Retrying => ("", html! { "is tried again" }),
        State::Ignored => {
            let reason = error.reason.as_deref().unwrap_or_default();
            ("", html! { "is ignored: “" (format::cut(reason)) "”" })
        }
        State::Resolved => {
            let how = error.ending.map(format::ending).unwrap_or_default();
            ("good", html! { "is resolved" @if !how.is_empty() { ": " (how) } })
        }
    };
    let words = html! {
        @if matches!(done, Done::Late(_)) { b { "Nothing was done: it had changed meanwhile. " } }
        a href={ "/sync-errors/" (error.id) } { (who(error)) } " " (stands)
        " (" @if let Some(by) = by { (by) ", " } (format::time(when)) ")."
    };
    let undo = error.state == State::Ignored && visit.may(Scope::Errors);
    let chose = matches!(done, Done::Chose(_)) && visit.may(Scope::Errors);
    let what_next = html! {
        @if undo { (reopen(visit, &error.id)) }
        @if chose { a href={ "/sync-errors/" (error.id) "/choose" } { "Change the choice" } }
    };
    notice(tone, &words, &what_next)
}

fn reopen(visit: &Visit, id: &SyncErrorId) -> Markup {
    html! {
        form method="post" action={ "/sync-errors/" (id) "/reopen" } {
            (visit.way_back())
            button.quiet type="submit" { (icon(Icon::Reopen)) "Undo" }
        }
    }
}

/// Whom a sync error is about: the customer, or else the conversation.
pub(super) fn who(error: &SyncError) -> String {
    let name = error.person.as_ref().and_then(|person| person.name.clone());
    name.unwrap_or_else(|| error.conversation.to_string())
}

/// How far an operation is that somebody came too late for.
fn overtaken(operation: &Operation) -> Markup {
    let sums = &operation.sums;
    let (failed, left) = (sums.failed_alike + sums.failed_otherwise, sums.skipped + sums.changed);
    let tone = match operation.status {
        OperationStatus::Done if failed > 0 => "wait",
        OperationStatus::Done => "good",
        _ => "",
    };
    let part = |count: u64, words: &str| html! { @if count > 0 { ", " (format::grouped(count)) " " (words) } };
    let words = html! {
        b { "Nothing was done: it does not allow that any more. " }
        a href={ "/operations/" (operation.id) } { (format::capital(&operation.task)) }
        @if let Some(matched) = sums.matched { " of " (format::counted(matched, "sync error", "sync errors")) }
        ": " (operation.status.as_str()) ", " (format::grouped(sums.done)) " done"
        (part(sums.passed, "got through")) (part(failed, "failed again")) (part(sums.under_way, "on their way"))
        (part(left, "left, as they had changed")) "."
    };
    notice(tone, &words, &html! {})
}

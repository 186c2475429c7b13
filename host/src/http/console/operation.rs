//! One operation: how far it is, what became of what it acted on, and what can be asked of it.

mod report;
mod standing;

use axum::Extension;
use axum::extract::State;
use axum::response::Redirect;
use maud::{Markup, html};

use self::report::report;
use self::standing::{acted, sends};
pub(super) use self::standing::{came, is_going_on, percent, status};
use super::list_address::address;
use super::paging;
use super::parts::format::{self, grouped};
use super::parts::{Back, Done, Icon, Section, Visit, icon};
use super::words::{self, Names, causes_of, figure};
use crate::domain::{OperationId, OperationStatus};
use crate::http::App;
use crate::http::access::{Caller, Scope};
use crate::http::api::{InOrg, Operation};
use crate::http::extract::{Asked, Form, Id};
use crate::http::operations::{change, seen, take_back};
use crate::http::problem::{Kind, Problem};

/// The operation as it is now. Where no script moves the page, it comes anew by itself while the operation goes on.
pub(super) async fn show(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<OperationId>,
    Asked(back): Asked<Back>,
) -> Result<Markup, Problem> {
    let operation = seen(&app, &caller, id).await?;
    let names = Names::with_titles(&app, causes_of(&operation.orgs)).await?;
    let title = words::title(&operation.task, operation.sums.matched);
    let content = html! {
        p.hint { a href="/operations" { "Operations" } (back.link()) }
        div.head { h1 { (title) } }
        p {
            (format::capital(&operation.task)) " by " b { (operation.by) } ", begun " (format::time(operation.created_at))
            @if let Some(reason) = &operation.reason { ", because: “" (format::cut(reason)) "”" }
            @if operation.task == "assign" {
                @match &operation.assignee { Some(name) => { ", to " b { (name) } } None => { ", to nobody" } }
            }
            "."
        }
        ul { @for of in &operation.orgs { li { (over(of, &names)) } } }
        div #progress data-live {
            (stands(&app, &operation))
            (figures(&operation))
            (actions(&visit, &operation, &back))
            (report(&operation, &names))
        }
        @if is_going_on(&operation) { noscript { meta http-equiv="refresh" content="3"; } }
    };
    Ok(visit.page(&title, Section::Operations, &content))
}

/// What it is about in one organization, in words; leads to the list of what is left of it.
fn over(of: &InOrg, names: &Names) -> Markup {
    html! {
        @match &of.resync {
            Some(query) => { b { (names.org(&of.org)) } ", " (words::over_delivered(query)) }
            None => { (words::over(&of.query, names)) " (" a href=(address(&of.query, None)) { "what is left of it" } ")" }
        }
    }
}

/// The address of an operation, with the list that it was begun from.
pub(super) fn address_of(id: &OperationId, back: &Back) -> String {
    paging::address(&format!("/operations/{id}"), &[("back", back.list().unwrap_or_default())])
}

/// The bar, and when it ends.
fn stands(app: &App, operation: &Operation) -> Markup {
    let share = operation.progress.unwrap_or(0.0);
    html! {
        p.actions {
            (status(operation))
            @match (operation.ended_at, operation.estimated_end_at) {
                (Some(at), _) => { span.hint { "It ended " (format::time(at)) "." } }
                (None, Some(at)) if is_going_on(operation) => { span.hint { "It ends " (format::time(at)) " if it goes on as it did." } }
                _ => {}
            }
        }
        @if operation.ended_at.is_none() && operation.task != "auto-ignore" {
            @if operation.progress.is_some() {
                progress value=(format!("{share:.4}")) max="1" aria-label="How far it is" { (percent(share)) }
            } @else if is_going_on(operation) {
                progress max="1" aria-label="How far it is" { "Nobody knows how much there is." }
            }
        }
        @for of in operation.orgs.iter().filter(|_| sends(operation) && operation.ended_at.is_none()) {
            @if app.parts.engine.org(&of.org).is_ok_and(|(_, health)| health.incident.is_some()) {
                div.notice.wait {
                    div {
                        "It waits: nothing gets through to " b { (of.org) } " at present. "
                        a href={ "/orgs/" (of.org) "/checks" } { "The first points to check" }
                    }
                }
            }
        }
    }
}

fn figures(operation: &Operation) -> Markup {
    let sums = &operation.sums;
    let looked_at: u64 = operation.orgs.iter().filter_map(|of| of.looked_at).sum();
    html! {
        ul.figures {
            @if let Some(matched) = sums.matched { (figure(matched, "matched")) }
            @if looked_at > 0 { (figure(looked_at, "looked at")) }
            (figure(sums.done, acted(operation)))
            @if sends(operation) {
                (figure(sums.passed, "got through"))
                (figure(sums.failed_alike, "failed by the same cause"))
                (figure(sums.failed_otherwise, "failed by another one"))
                (figure(sums.under_way, "on their way"))
                (figure(sums.changed, "changed before they were tried"))
            }
            @if operation.task != "auto-ignore" { (figure(sums.skipped, "left: they had changed")) }
            @if let Some(left) = left_alone(operation) { (figure(left, "left alone: the first ones failed alike")) }
        }
    }
}

/// Those of causes of which it left the rest alone, once it is over.
fn left_alone(operation: &Operation) -> Option<u64> {
    let stopped = operation.orgs.iter().any(|of| !of.stopped.is_empty());
    let left = operation.sums.matched?.saturating_sub(operation.sums.done + operation.sums.skipped);
    (stopped && operation.ended_at.is_some() && left > 0).then_some(left)
}

/// What can be asked of it as it stands. Undo takes back what it ignored, and nothing that somebody has changed since.
fn actions(visit: &Visit, operation: &Operation, back: &Back) -> Markup {
    if !visit.may(Scope::Errors) {
        return html! {};
    }
    let button = |verb: &str, mark: Icon, words: &str| {
        html! {
            form method="post" action={ "/operations/" (operation.id) "/" (verb) } {
                @if let Some(list) = back.list() { input type="hidden" name="back" value=(list); }
                button.quiet type="submit" { (icon(mark)) (words) }
            }
        }
    };
    let by_policy = operation.task == "auto-ignore";
    let ended = operation.ended_at.is_some();
    let held = operation.orgs.iter().any(|of| of.brake.as_ref().is_some_and(|brake| brake.hold.is_some()));
    let undo = format!("Take back these {}", grouped(operation.sums.done));
    html! {
        div.actions {
            @if !ended {
                @match operation.status {
                    OperationStatus::Running if held => { (button("resume", Icon::Resume, "Let the policy go on")) }
                    OperationStatus::Running => { (button("pause", Icon::Pause, "Pause")) }
                    OperationStatus::Paused => { (button("resume", Icon::Resume, "Resume")) }
                    OperationStatus::Cancelled | OperationStatus::Done => {}
                }
                @if !by_policy && operation.status != OperationStatus::Cancelled {
                    (button("cancel", Icon::Cancel, "Cancel the rest"))
                }
            }
            @if operation.sums.done > 0 && (by_policy || ended && operation.task == "ignore") {
                (button("undo", Icon::Reopen, &undo))
            }
        }
    }
}

/// It does not go on until it is resumed.
pub(super) async fn pause(
    app: State<App>,
    caller: Extension<Caller>,
    id: Id<OperationId>,
    back: Form<Back>,
) -> Result<Redirect, Problem> {
    becomes(&app, &caller, id.0, OperationStatus::Paused, &back.0).await
}

/// It goes on.
pub(super) async fn resume(
    app: State<App>,
    caller: Extension<Caller>,
    id: Id<OperationId>,
    back: Form<Back>,
) -> Result<Redirect, Problem> {
    becomes(&app, &caller, id.0, OperationStatus::Running, &back.0).await
}

/// It ends; what it has done stays.
pub(super) async fn cancel(
    app: State<App>,
    caller: Extension<Caller>,
    id: Id<OperationId>,
    back: Form<Back>,
) -> Result<Redirect, Problem> {
    becomes(&app, &caller, id.0, OperationStatus::Cancelled, &back.0).await
}

async fn becomes(
    app: &App,
    caller: &Caller,
    id: OperationId,
    status: OperationStatus,
    back: &Back,
) -> Result<Redirect, Problem> {
    match change(app, caller, id.clone(), status).await {
        Ok(_) => Ok(Redirect::to(&address_of(&id, back))),
        Err(problem) => late(&id, back, problem),
    }
}

/// What it ignored waits for a person again: an operation of its own, which the answer leads to.
pub(super) async fn undo(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<OperationId>,
    Form(back): Form<Back>,
) -> Result<Redirect, Problem> {
    match take_back(&app, &caller, &id).await {
        Ok(undo) => Ok(Redirect::to(&address_of(&undo.id, &back))),
        Err(problem) => late(&id, &back, problem),
    }
}

/// Somebody was quicker, or it has ended: its page says so.
fn late(id: &OperationId, back: &Back, problem: Problem) -> Result<Redirect, Problem> {
    match problem.is(Kind::OperationStatus) {
        true => Ok(Done::Overtaken(id.clone()).at(&address_of(id, back))),
        false => Err(problem),
    }
}

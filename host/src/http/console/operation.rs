//! One operation: how far it is, what became of what it acted on, and what can be asked of it.

use axum::Extension;
use axum::extract::State;
use axum::response::Redirect;
use maud::{Markup, html};

use super::parts::format::{self, counted, grouped};
use super::parts::{Done, Icon, Section, Visit, icon};
use super::words::{self, Names, causes_of, figure};
use crate::domain::{OperationId, OperationStatus, Timestamp};
use crate::http::App;
use crate::http::access::{Caller, Scope};
use crate::http::api::{InOrg, Operation};
use crate::http::extract::Id;
use crate::http::operations::{change, seen, take_back};
use crate::http::problem::{Kind, Problem};

/// The operation as it is now. Where no script moves the page, it comes anew by itself while the operation goes on.
pub(super) async fn show(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<OperationId>,
) -> Result<Markup, Problem> {
    let operation = seen(&app, &caller, id).await?;
    let names = Names::with_titles(&app, causes_of(&operation.orgs)).await?;
    let title = words::title(&operation.task, operation.sums.matched);
    let content = html! {
        p.hint { a href="/operations" { "Operations" } }
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
            (actions(&visit, &operation))
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
            None => { (words::over(&of.query, names)) " (" a href=(words::list(&of.query)) { "what is left of it" } ")" }
        }
    }
}

/// Whether it moves without anybody's doing. What a policy ignores moves only when something fails.
pub(super) fn is_going_on(operation: &Operation) -> bool {
    operation.ended_at.is_none() && operation.status == OperationStatus::Running && operation.task != "auto-ignore"
}

/// How it stands, in a word.
pub(super) fn status(operation: &Operation) -> Markup {
    let (tone, words) = match operation.status {
        OperationStatus::Running if operation.task == "auto-ignore" => ("note", "in force"),
        OperationStatus::Running => ("note", "going on"),
        OperationStatus::Paused => ("wait", "paused"),
        OperationStatus::Cancelled if operation.ended_at.is_none() => ("wait", "ending"),
        OperationStatus::Cancelled => ("wait", "cancelled"),
        OperationStatus::Done => ("good", "done"),
    };
    html! {
        span class={ "badge " (tone) } {
            (words)
            @if let Some(share) = operation.progress.filter(|_| is_going_on(operation)) { " " (percent(share)) }
        }
    }
}

fn percent(share: f64) -> String {
    format!("{:.0} %", (share * 100.0).floor().clamp(0.0, 100.0))
}

/// What became of it, in a line.
pub(super) fn came(operation: &Operation) -> String {
    let sums = &operation.sums;
    let parts = [
        (sums.passed, "got through"),
        (sums.failed_alike + sums.failed_otherwise, "failed again"),
        (sums.under_way, "on their way"),
        (sums.skipped + sums.changed, "had changed"),
    ];
    let mut said: Vec<_> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, words)| format!("{} {words}", grouped(*count)))
        .collect();
    if !sends(operation) && sums.done > 0 {
        said.insert(0, format!("{} {}", grouped(sums.done), acted(operation)));
    }
    if said.is_empty() { "nothing yet".to_owned() } else { said.join(", ") }
}

fn sends(operation: &Operation) -> bool {
    matches!(&*operation.task, "retry" | "resync")
}

/// What was done with those that it acted on.
fn acted(operation: &Operation) -> &'static str {
    match &*operation.task {
        "ignore" | "auto-ignore" => "ignored",
        "reopen" => "reopened",
        "assign" => "assigned",
        "resync" => "sent again",
        _ => "retried",
    }
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
        }
    }
}

/// What can be asked of it as it stands. Undo takes back what it ignored, and nothing that somebody has changed since.
fn actions(visit: &Visit, operation: &Operation) -> Markup {
    if !visit.may(Scope::Errors) {
        return html! {};
    }
    let button = |verb: &str, mark: Icon, words: &str| {
        html! {
            form method="post" action={ "/operations/" (operation.id) "/" (verb) } {
                (visit.way_back())
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

/// By what it failed, what it left, and why it did nothing, where it did nothing.
fn report(operation: &Operation, names: &Names) -> Markup {
    let failed: Vec<_> =
        operation.orgs.iter().flat_map(|of| of.failed_as.iter().map(move |entry| (of, entry))).collect();
    let stopped: Vec<_> = operation.orgs.iter().flat_map(|of| of.stopped.iter().map(move |id| (of, id))).collect();
    html! {
        @if operation.ended_at.is_some() { (why_nothing(operation)) }
        @if !stopped.is_empty() {
            div.notice.wait {
                div {
                    "The first ones failed by the same cause again, so the rest of it was left alone. Mend it first: "
                    @for (at, (of, id)) in stopped.iter().enumerate() {
                        @if at > 0 { ", " } a href=(words::cause(&of.org, id)) { (names.cause(&of.org, id)) }
                    }
                }
            }
        }
        @if !failed.is_empty() {
            h2 { "Failed again" }
            table role="table" {
                thead role="rowgroup" {
                    tr role="row" { @for column in ["Cause", "Organization", "Sync errors"] { th role="columnheader" scope="col" { (column) } } }
                }
                tbody role="rowgroup" {
                    @for (of, (id, count)) in &failed {
                        tr role="row" {
                            td role="cell" data-label="Cause" {
                                div {
                                    @match id.parse() {
                                        Ok(id) => { a href=(words::cause(&of.org, &id)) { (names.cause(&of.org, &id)) } }
                                        Err(_) => { (id) }
                                    }
                                }
                            }
                            td role="cell" data-label="Organization" { div { (names.org(&of.org)) } }
                            td.number role="cell" data-label="Sync errors" { div { (grouped(**count)) } }
                        }
                    }
                }
            }
        }
        @if operation.orgs.len() > 1 { (by_org(operation, names)) }
        @for of in &operation.orgs {
            @if let Some(hold) = of.brake.as_ref().and_then(|brake| brake.hold.as_ref()) {
                div.notice.wait { div { "Held since " (format::time(hold.at)) ": " (hold.why) "." } }
            }
        }
    }
}

fn why_nothing(operation: &Operation) -> Markup {
    let sums = &operation.sums;
    html! {
        @if sums.done == 0 && operation.task != "auto-ignore" {
            p.notice.wait {
                @match (operation.status, sums.matched) {
                    (OperationStatus::Cancelled, _) => { "It did nothing: it was cancelled before it came to the first one." }
                    (_, None) => { "It did nothing: of what got through nothing matched." }
                    (_, Some(matched)) => {
                        "It did nothing: " (counted(matched, "one that matched had", "that matched had all")) " changed before it came to them."
                    }
                }
            }
        }
    }
}

fn by_org(operation: &Operation, names: &Names) -> Markup {
    let columns = ["Organization", "Stands", "Matched", "Done", "Got through", "Failed again", "Ended"];
    let cell = |column: &str, content: Markup| {
        html! { td role="cell" data-label=(column) { div { (content) } } }
    };
    let ended = |at: Option<Timestamp>| html! { @if let Some(at) = at { (format::time(at)) } };
    html! {
        h2 { "By organization" }
        table role="table" {
            thead role="rowgroup" { tr role="row" { @for column in columns { th role="columnheader" scope="col" { (column) } } } }
            tbody role="rowgroup" {
                @for of in &operation.orgs {
                    tr role="row" {
                        (cell("Organization", html! { (names.org(&of.org)) }))
                        (cell("Stands", html! { (of.status) }))
                        (cell("Matched", html! { @if let Some(matched) = of.sums.matched { (grouped(matched)) } }))
                        (cell("Done", html! { (grouped(of.sums.done)) }))
                        (cell("Got through", html! { (grouped(of.sums.passed)) }))
                        (cell("Failed again", html! { (grouped(of.sums.failed_alike + of.sums.failed_otherwise)) }))
                        (cell("Ended", ended(of.ended_at)))
                    }
                }
            }
        }
    }
}

/// It does not go on until it is resumed.
pub(super) async fn pause(
    app: State<App>,
    caller: Extension<Caller>,
    id: Id<OperationId>,
) -> Result<Redirect, Problem> {
    becomes(&app, &caller, id.0, OperationStatus::Paused).await
}

/// It goes on.
pub(super) async fn resume(
    app: State<App>,
    caller: Extension<Caller>,
    id: Id<OperationId>,
) -> Result<Redirect, Problem> {
    becomes(&app, &caller, id.0, OperationStatus::Running).await
}

/// It ends; what it has done stays.
pub(super) async fn cancel(
    app: State<App>,
    caller: Extension<Caller>,
    id: Id<OperationId>,
) -> Result<Redirect, Problem> {
    becomes(&app, &caller, id.0, OperationStatus::Cancelled).await
}

async fn becomes(app: &App, caller: &Caller, id: OperationId, status: OperationStatus) -> Result<Redirect, Problem> {
    let address = format!("/operations/{id}");
    match change(app, caller, id.clone(), status).await {
        Ok(_) => Ok(Redirect::to(&address)),
        Err(problem) => late(&id, problem),
    }
}

/// What it ignored waits for a person again: an operation of its own, which the answer leads to.
pub(super) async fn undo(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<OperationId>,
) -> Result<Redirect, Problem> {
    match take_back(&app, &caller, &id).await {
        Ok(undo) => Ok(Redirect::to(&format!("/operations/{}", undo.id))),
        Err(problem) => late(&id, problem),
    }
}

/// Somebody was quicker, or it has ended: its page says so.
fn late(id: &OperationId, problem: Problem) -> Result<Redirect, Problem> {
    match problem.is(Kind::OperationStatus) {
        true => Ok(Redirect::to(&format!("/operations/{id}?done={}", Done::Overtaken(id.clone()).as_text()))),
        false => Err(problem),
    }
}

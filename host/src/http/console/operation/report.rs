//! What became of an operation: by what it failed again, what it left alone, and why it did nothing, where it did nothing.

use maud::{Markup, html};

use crate::domain::{OperationStatus, Timestamp};
use crate::http::api::Operation;
use crate::http::console::parts::format::{self, counted, grouped};
use crate::http::console::words::{self, Names};

/// By what it failed, what it left, and why it did nothing, where it did nothing.
pub(crate) fn report(operation: &Operation, names: &Names) -> Markup {
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

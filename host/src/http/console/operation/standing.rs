//! How an operation stands, in words.

use maud::{Markup, html};

use crate::domain::OperationStatus;
use crate::http::api::Operation;
use crate::http::console::parts::format::grouped;

/// Whether it moves without anybody's doing. What a policy ignores moves only when something fails.
pub(crate) fn is_going_on(operation: &Operation) -> bool {
    operation.ended_at.is_none() && operation.status == OperationStatus::Running && operation.task != "auto-ignore"
}

/// How it stands, in a word.
pub(crate) fn status(operation: &Operation) -> Markup {
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

/// A share as people say it; nothing is whole before it is.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.0} %", (share * 100.0).floor().clamp(0.0, 100.0))
}

/// What became of it, in a line.
pub(crate) fn came(operation: &Operation) -> String {
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

/// Whether what it does goes to Salesforce, and comes out there.
pub(crate) fn sends(operation: &Operation) -> bool {
    matches!(&*operation.task, "retry" | "resync")
}

/// What was done with those that it acted on.
pub(crate) fn acted(operation: &Operation) -> &'static str {
    match &*operation.task {
        "ignore" | "auto-ignore" => "ignored",
        "reopen" => "reopened",
        "assign" => "assigned",
        "resync" => "sent again",
        _ => "retried",
    }
}

//! What people did about a cause, the newest first: operations, and what they put to it.

use maud::{Markup, html};

use crate::domain::{Deed, Timestamp};
use crate::http::App;
use crate::http::access::Caller;
use crate::http::api::{Group, Operation};
use crate::http::console::parts::format::{self, grouped};
use crate::http::console::words;
use crate::http::operations::{Which, listed};
use crate::http::problem::Problem;
use crate::ledger::ActionFilter;

/// The newest operations that are looked at for those about the cause,
const OPERATIONS: usize = 100;
/// and the newest actions.
const ACTIONS: usize = 1_000;
/// Entries of its story.
const STORY: usize = 20;

/// What people did about it, the newest first: operations, and what they put to it.
pub(crate) async fn story(app: &App, caller: &Caller, group: &Group) -> Result<Vec<(Timestamp, Markup)>, Problem> {
    let which = Which { org: Some(group.org.clone()), limit: Some(OPERATIONS) };
    let operations = listed(app, caller, which).await?.operations;
    let mut story: Vec<_> = operations.iter().filter(|operation| is_about(operation, group)).map(operation).collect();
    let filter = ActionFilter {
        orgs: Some([group.org.clone()].into()),
        what: Some(Deed::GroupEdit),
        subject: Some(group.id.to_string()),
        looked_at: Some(ACTIONS),
        ..ActionFilter::default()
    };
    for (_, action) in app.parts.engine.ledger().actions(&filter, None, STORY).await?.actions {
        let what = action.reason.unwrap_or_else(|| "changed what stands beside it".to_owned());
        story.push((action.at, html! { b { (action.by) } ": " (what) }));
    }
    story.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    story.truncate(STORY);
    Ok(story)
}

fn is_about(operation: &Operation, group: &Group) -> bool {
    operation.orgs.iter().any(|of| {
        of.query.groups.contains(&group.id)
            || of.failed_as.contains_key(group.id.as_str())
            || of.stopped.contains(&group.id)
    })
}

fn operation(operation: &Operation) -> (Timestamp, Markup) {
    let sums = &operation.sums;
    let failed = sums.failed_alike + sums.failed_otherwise;
    let said = html! {
        b { (operation.by) } ": "
        a href={ "/operations/" (operation.id) } { (words::title(&operation.task, operation.sums.matched)) }
        ", " (operation.status) "; " (grouped(sums.done)) " done"
        @if sums.passed > 0 { ", " (grouped(sums.passed)) " got through" }
        @if failed > 0 { ", " (grouped(failed)) " failed again" }
        @if let Some(reason) = &operation.reason { ": “" (format::cut(reason)) "”" }
    };
    (operation.created_at, said)
}

pub(crate) fn told(story: &[(Timestamp, Markup)]) -> Markup {
    html! {
        @if story.is_empty() { p.hint { "Nobody has done anything about it lately." } } @else {
            ol.timeline {
                @for (at, said) in story { li { div.when { (format::time(*at)) } div { (said) } } }
            }
        }
    }
}

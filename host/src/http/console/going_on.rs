//! Operations that go on over sync errors that somebody looks at: who does what with how many, and how far it is.

use maud::{Markup, html};

use super::operation::{is_going_on, percent};
use super::parts::format::grouped;
use super::parts::{Icon, icon};
use crate::domain::{ErrorQuery, Operation as Kept, OrgId, Period, SyncError, Task};
use crate::http::App;
use crate::http::access::Caller;
use crate::http::api::Operation;
use crate::http::operations::seen;
use crate::http::problem::Problem;

/// Operations that are told.
const TOLD: usize = 3;

/// Those over sync errors of a list's organizations and causes.
pub(super) async fn in_list(app: &App, caller: &Caller, query: &ErrorQuery) -> Result<Markup, Problem> {
    let is_meant = |org: &OrgId| query.orgs.is_empty() || query.orgs.contains(org);
    let covers =
        |of: &ErrorQuery| query.groups.is_empty() || of.groups.is_empty() || !of.groups.is_disjoint(&query.groups);
    Ok(told(&going_on(app, caller, is_meant, |kept| covers(&kept.query)).await?, "among these"))
}

/// Those that one sync error is covered by.
pub(super) async fn over(app: &App, caller: &Caller, error: &SyncError) -> Result<Markup, Problem> {
    let found = going_on(app, caller, |org| *org == error.org, |kept| covers(kept, error)).await?;
    Ok(told(&found, "this one among them"))
}

/// Whether an operation is about a sync error. By a search it may be: that is not told.
fn covers(kept: &Kept, error: &SyncError) -> bool {
    let is_search = kept.query.q.is_some() || kept.query.text.is_some() || kept.query.message.is_some();
    // What moves as the operation goes on was so when it began.
    let query = ErrorQuery {
        states: Default::default(),
        last_seen: Period::default(),
        attempts: (None, None),
        ..kept.query.clone()
    };
    !is_search && error.first_seen <= kept.as_of && query.matches(&error.summary())
}

async fn going_on(
    app: &App,
    caller: &Caller,
    is_meant: impl Fn(&OrgId) -> bool,
    covers: impl Fn(&Kept) -> bool,
) -> Result<Vec<Operation>, Problem> {
    let (mut ids, mut found) = (Vec::new(), Vec::new());
    let orgs = app.parts.engine.orgs();
    let busy = orgs.iter().filter(|(org, health)| health.operations > 0 && caller.sees(&org.id) && is_meant(&org.id));
    for (org, _) in busy {
        let all = app.parts.engine.ledger().operations(&org.id).await?;
        let acts = |task: &Task| matches!(task, Task::Retry | Task::Ignore { .. } | Task::Reopen { .. });
        for kept in all.into_values().rev().filter(|kept| acts(&kept.task) && covers(kept)) {
            if !ids.contains(&kept.id) {
                ids.push(kept.id);
            }
        }
    }
    for id in ids {
        if found.len() < TOLD
            && let Ok(operation) = seen(app, caller, id).await
            && is_going_on(&operation)
        {
            found.push(operation);
        }
    }
    Ok(found)
}

fn told(operations: &[Operation], which: &str) -> Markup {
    html! {
        div #going-on data-live {
            @for operation in operations {
                div.notice {
                    div {
                        (icon(Icon::Operations)) " " b { (operation.by) } " "
                        @match &*operation.task { "ignore" => { "ignores" } "reopen" => { "reopens" } _ => { "retries" } }
                        " " a href={ "/operations/" (operation.id) } {
                            @match operation.sums.matched {
                                Some(1) => { "1 sync error" }
                                Some(many) => { (grouped(many)) " sync errors" }
                                None => { "sync errors" }
                            }
                        }
                        ", " (which)
                        @if let Some(share) = operation.progress { ", " (percent(share)) }
                        "."
                    }
                }
            }
        }
    }
}

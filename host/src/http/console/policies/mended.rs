//! What a mended policy did to the sync errors of a cause: how far their retry is, and the way back.

use axum::Extension;
use axum::extract::State;
use maud::{Markup, html};
use serde::Deserialize;

use super::super::parts::Visit;
use super::super::parts::format::{self, counted, grouped};
use super::policy::restoring;
use super::shared::{known, page, sync_errors_of, up};
use crate::domain::{
    Deed, ErrorQuery, Fingerprint, OperationId, OperationStatus, OrgId, PolicyName, SyncErrorId, Task,
};
use crate::engine::Plan;
use crate::http::App;
use crate::http::access::Caller;
use crate::http::api::Operation;
use crate::http::caller::no_such_org;
use crate::http::extract::{Asked, Id};
use crate::http::problem::Problem;
use crate::http::sync_errors::find;
use crate::http::{groups, operations};

/// The cause that is to be mended.
pub(super) struct Meant {
    pub(super) org: OrgId,
    pub(super) org_name: String,
    pub(super) group: Fingerprint,
    /// The team of its newest sync error.
    pub(super) team: Option<String>,
    /// The policy's words.
    pub(super) says: String,
    /// How many would be retried.
    pub(super) open: u64,
}

/// Finds the cause, by its id or by one of its sync errors.
pub(super) async fn meant(
    app: &App,
    caller: &Caller,
    name: &PolicyName,
    group: Option<Fingerprint>,
    org: Option<OrgId>,
    sync_error: Option<&SyncErrorId>,
) -> Result<Meant, Problem> {
    let ledger = app.parts.engine.ledger();
    let error = match (sync_error, group) {
        (Some(id), _) => find(app, caller, id).await?,
        (None, Some(group)) => {
            let group = groups::find(app, caller, &group, groups::OfOrg { org }).await?;
            let newest = group.samples.last();
            let newest = newest.ok_or_else(|| Problem::not_found("nothing is on record of this cause any more"))?;
            ledger
                .sync_error(newest)
                .await?
                .ok_or_else(|| Problem::not_found(format!("{newest} is over and forgotten")))?
        }
        (None, None) => return Err(Problem::bad_request("group: say which cause is to be mended")),
    };
    if error.refusal.blame.as_ref().is_none_or(|blame| blame.policy.name != *name) {
        return Err(Problem::not_found(format!("policy {name} is not what refused this")));
    }
    let open = open(app, &error.org, &error.group).await?;
    let org = app.parts.engine.org(&error.org)?.0;
    Ok(Meant {
        org: error.org,
        org_name: org.name.clone(),
        group: error.group,
        team: error.team,
        says: error.refusal.text,
        open,
    })
}

/// How many would be retried.
async fn open(app: &App, org: &OrgId, group: &Fingerprint) -> Result<u64, Problem> {
    let plans = app.parts.engine.plan_operation(&Task::Retry, &query(org, group)).await?;
    Ok(plans.iter().map(Plan::matched).sum())
}

fn query(org: &OrgId, group: &Fingerprint) -> ErrorQuery {
    ErrorQuery { orgs: [org.clone()].into(), groups: [group.clone()].into(), ..ErrorQuery::default() }
}

/// Which cause a form is about.
pub(super) fn which(meant: &Meant) -> Markup {
    html! {
        input type="hidden" name="group" value=(meant.group);
        input type="hidden" name="org" value=(meant.org);
    }
}

/// Retries all sync errors of the cause; answers the operation's id.
pub(super) async fn retry(app: &App, caller: &Caller, meant: &Meant) -> Result<String, Problem> {
    let query = query(&meant.org, &meant.group);
    let (id, begun) =
        app.parts.engine.begin_operation(Task::Retry, &query, &caller.asker(), Deed::OperationBegin).await?;
    match begun.is_empty() {
        false => Ok(id.to_string()),
        true => Err(Problem::invalid("nothing waits any more: there is no sync error to retry")),
    }
}

#[derive(Deserialize)]
pub(super) struct Query {
    group: Fingerprint,
    org: OrgId,
    operation: Option<OperationId>,
    before: Option<u32>,
}

/// How it went.
pub(super) async fn show(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Extension(caller): Extension<Caller>,
    Id(name): Id<PolicyName>,
    Asked(query): Asked<Query>,
) -> Result<Markup, Problem> {
    let policy = known(&app, &name)?;
    let Query { group, org, operation, before } = query;
    if !caller.sees(&org) {
        return Err(no_such_org(&org));
    }
    let open = open(&app, &org, &group).await?;
    let operation = match operation {
        Some(id) => Some(operations::show(State(app.clone()), Extension(caller.clone()), Id(id)).await?.0),
        None => None,
    };
    let here = visit.here().to_owned();
    let content = html! {
        (up(&name))
        h1 { "Mended" }
        @if let Some(in_force) = &policy.in_force {
            p { "Revision " (in_force.revision) " of " (name) " is in force, given by " (in_force.origin) ", "
                (format::time(in_force.applied_at)) "." }
        }
        @match &operation {
            Some(operation) => { (progress(operation)) p.actions { a href=(here) { "Look again" } } }
            None if open == 0 => { p.notice { "Nothing of this cause waits." } }
            None => {
                p.notice { "Nothing is retried yet." }
                form.actions method="post" action={ "/policies/" (name) "/mend/retry" } {
                    input type="hidden" name="group" value=(group);
                    input type="hidden" name="org" value=(org);
                    @if let Some(before) = before { input type="hidden" name="before" value=(before); }
                    button type="submit" { "Retry these " (grouped(open)) }
                }
            }
        }
        p { a href=(sync_errors_of(&org, &group)) { "The sync errors of this cause" } }
        @if let Some(before) = before {
            h2 { "Roll back" }
            p.hint { "What got through stays where it is. The next conversations are decided as before." }
            (restoring(&visit, &policy, before))
        }
    };
    Ok(page(&visit, "Mended", &content))
}

fn progress(operation: &Operation) -> Markup {
    let sums = &operation.sums;
    html! {
        p.notice role="status" #mended data-live {
            @match operation.status {
                OperationStatus::Running => { b { "The retry goes on: " } }
                _ => { b { "The retry has ended: " } }
            }
            (counted(sums.passed, "got through", "got through"))
            @if sums.under_way > 0 { ", " (grouped(sums.under_way)) " under way" }
            @let failed = sums.failed_alike + sums.failed_otherwise;
            @if failed > 0 { ", " (grouped(failed)) " failed again" }
            @let left = sums.skipped + sums.changed;
            @if left > 0 { ", " (grouped(left)) " had changed meanwhile" }
            @if let Some(matched) = sums.matched { ", of " (grouped(matched)) }
            "."
        }
        @if operation.orgs.iter().any(|of| !of.stopped.is_empty()) {
            p.notice.bad { "The first ones failed by the same cause again, so the rest was left alone." }
        }
    }
}

//! What is asked of many sync errors at once: what it would do, its beginning, and how it goes on.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Deserialize;
use utoipa::IntoParams;

use super::App;
use super::access::Caller;
use super::api::{Conflict, DryRun, MatchedGroup, Operation as View, OperationList, OperationRequest};
use super::caller::no_such_org;
use super::error_query::{Filters, PAGE};
use super::extract::{self, Asked, Id, page_size};
use super::problem::Problem;
use super::resync::resync_query;
use super::sync_errors::a_reason;
use crate::domain::{Deed, Fingerprint, Operation, OperationId, OperationStatus, OrgId, Task};
use crate::engine::{Plan, states_for};

/// Salesforce calls for 1,000 conversations, rounded up: 5.3 to 6.4 were measured, see host/benches/README.md.
const CALLS_PER_1000: u64 = 10;
/// Calls that the first attempts of each cause may take: they are written alone.
const CALLS_PER_GROUP: u64 = 9;
/// Operations of a list.
const MOST: usize = 500;

/// Refuses what is for other tasks.
fn unused(asked: &OperationRequest, name: &str, given: bool) -> Result<(), Problem> {
    match given {
        true => Err(Problem::invalid(format!("{name}: not for `{}`", asked.task))),
        false => Ok(()),
    }
}

fn task_of(asked: &OperationRequest) -> Result<Task, Problem> {
    if asked.task != "ignore" {
        unused(asked, "reason", asked.reason.is_some())?;
    }
    if asked.task != "assign" {
        unused(asked, "assignee", asked.assignee.is_some())?;
    }
    match asked.task.as_str() {
        "retry" => Ok(Task::Retry),
        "ignore" => {
            let reason = a_reason(asked.reason.as_deref().unwrap_or_default())?.to_owned();
            Ok(Task::Ignore { reason })
        }
        "reopen" => Ok(Task::Reopen { undoes: None, since: None }),
        "assign" => {
            let given = asked.assignee.as_deref().map(str::trim).filter(|name| !name.is_empty());
            let assignee = given.map(a_reason).transpose()?.map(str::to_owned);
            Ok(Task::Assign { assignee })
        }
        _ => Err(Problem::bad_request("task: none of retry, ignore, reopen, assign, resync")),
    }
}

/// Begin an operation
///
/// Retries, ignores, reopens or assigns all sync errors that a query matches, or sends what got through once more. What matches is
/// frozen at this moment; the operation survives restarts and goes behind new conversations. With `dry_run` nothing is begun, and
/// the answer tells what it would be about.
#[utoipa::path(post, path = "/v1/operations", operation_id = "begin_operation", tag = "operations",
    request_body(content = OperationRequest, example = json!({"task": "retry", "query": {"org": "travel"}, "dry_run": true})),
    responses((status = 202, description = "It has begun.", body = View),
        (status = 200, description = "Of a `dry_run`: what it would be about.", body = DryRun)))]
pub(super) async fn begin(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    extract::Json(asked): extract::Json<OperationRequest>,
) -> Result<Response, Problem> {
    if asked.task == "resync" {
        return resync(&app, &caller, &asked).await;
    }
    let task = task_of(&asked)?;
    let mut filters = Filters::default();
    if !asked.query.is_null() {
        filters.take_object(&asked.query)?;
    }
    let query = filters.known(&app, &caller)?;
    if states_for(&task, &query).is_none() {
        let states: Vec<_> = task.states().iter().map(|state| state.as_str()).collect();
        let (task, states) = (task.as_str(), states.join(" or "));
        return Err(Problem::invalid(format!("state: `{task}` is for sync errors that are {states}")));
    }
    if asked.dry_run {
        let plans = app.parts.engine.plan_operation(&task, &query).await?;
        return Ok(Json(dry_run(&app, &task, plans).await?).into_response());
    }
    let (id, begun) = app.parts.engine.begin_operation(task, &query, &caller.asker(), Deed::OperationBegin).await?;
    accepted(&app, &id, begun)
}

/// Sends what got through once more, or tells how much that would be.
async fn resync(app: &App, caller: &Caller, asked: &OperationRequest) -> Result<Response, Problem> {
    unused(asked, "reason", asked.reason.is_some())?;
    unused(asked, "assignee", asked.assignee.is_some())?;
    let engine = &app.parts.engine;
    let (orgs, query) = resync_query(&asked.query)?;
    if let Some(org) = orgs.iter().find(|org| !caller.sees(org) || engine.org(org).is_err()) {
        return Err(no_such_org(org));
    }
    let all = || engine.orgs().into_iter().map(|(org, _)| org.id.clone()).filter(|org| caller.sees(org)).collect();
    let orgs: Vec<_> = if orgs.is_empty() { all() } else { orgs.into_iter().collect() };
    if !asked.dry_run {
        let (id, begun) = engine.begin_resync(&orgs, &query, &caller.asker()).await?;
        return accepted(app, &id, begun);
    }
    let (mut matched, mut is_exact) = (0, true);
    for org in &orgs {
        let (count, exact) = engine.count_delivered(org, &query).await?;
        (matched, is_exact) = (matched + count, is_exact && exact);
    }
    let salesforce_calls = (matched * CALLS_PER_1000).div_ceil(1_000);
    Ok(Json(DryRun { task: "resync".into(), matched, is_exact, salesforce_calls, groups: Vec::new() }).into_response())
}

fn accepted(app: &App, id: &OperationId, begun: Vec<(OrgId, Operation)>) -> Result<Response, Problem> {
    if begun.is_empty() {
        return Err(Problem::invalid("nothing matches: there is no sync error to act on"));
    }
    let view = View::of(id.clone(), begun, app.parts.clock.now());
    Ok((StatusCode::ACCEPTED, Json(view)).into_response())
}

async fn dry_run(app: &App, task: &Task, plans: Vec<Plan>) -> Result<DryRun, Problem> {
    let ledger = app.parts.engine.ledger();
    let matched: u64 = plans.iter().map(Plan::matched).sum();
    let is_exact = plans.iter().all(|plan| plan.is_exact);
    let mut groups = Vec::new();
    for Plan { org, groups: of, .. } in plans {
        let ids: Vec<_> = of.iter().map(|(id, _)| id.clone()).collect();
        let titles = ledger.group_titles(&org, &ids).await?;
        let cause = |(id, matched): (Fingerprint, u64)| MatchedGroup {
            title: titles.get(&id).cloned().unwrap_or_default(),
            org: org.clone(),
            id,
            matched,
        };
        groups.extend(of.into_iter().map(cause));
    }
    let salesforce_calls = match task {
        Task::Retry => (matched * CALLS_PER_1000).div_ceil(1_000) + CALLS_PER_GROUP * groups.len() as u64,
        _ => 0,
    };
    Ok(DryRun { task: task.as_str().into(), matched, is_exact, salesforce_calls, groups })
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Of this organization only.
    org: Option<OrgId>,
    /// How many; 50 without it.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<usize>,
}

/// List operations
///
/// The newest ones, those that go on first.
#[utoipa::path(get, path = "/v1/operations", operation_id = "list_operations", tag = "operations", params(Which),
    responses((status = 200, description = "Operations.", body = OperationList)))]
pub(super) async fn list(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Asked(which): Asked<Which>,
) -> Result<Json<OperationList>, Problem> {
    let limit = page_size(which.limit, PAGE, MOST)?;
    let engine = &app.parts.engine;
    let orgs = match which.org {
        Some(org) if !caller.sees(&org) || !engine.knows(&org) => return Err(no_such_org(&org)),
        Some(org) => vec![org],
        None => engine.ledger().orgs().await?.into_iter().filter(|org| caller.sees(org)).collect(),
    };
    let mut by_id: Vec<(OperationId, Vec<(OrgId, Operation)>)> = Vec::new();
    for (org, _, operation) in engine.ledger().newest_operations(&orgs, limit).await? {
        match by_id.iter_mut().find(|(id, _)| *id == operation.id) {
            Some((_, all)) => all.push((org, operation)),
            None => by_id.push((operation.id.clone(), vec![(org, operation)])),
        }
    }
    let now = app.parts.clock.now();
    let operations: Vec<_> = by_id.into_iter().map(|(id, all)| View::of(id, all, now)).collect();
    Ok(Json(OperationList { operations }))
}

/// Look at an operation
///
/// How far it is, what passed, and what failed again.
#[utoipa::path(get, path = "/v1/operations/{id}", operation_id = "get_operation", tag = "operations",
    params(("id" = OperationId, Path)),
    responses((status = 200, description = "The operation as it is now.", body = View)))]
pub(super) async fn show(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<OperationId>,
) -> Result<Json<View>, Problem> {
    seen(&app, &caller, id).await.map(Json)
}

/// An operation, as far as it is about the caller's organizations.
pub(super) async fn seen(app: &App, caller: &Caller, id: OperationId) -> Result<View, Problem> {
    let mut found = app.parts.engine.ledger().operation(&id).await?;
    found.retain(|(org, ..)| caller.sees(org));
    if found.is_empty() {
        return Err(Problem::not_found(format!("there is no operation {id}")));
    }
    let all = found.into_iter().map(|(org, _, operation)| (org, operation)).collect();
    Ok(View::of(id, all, app.parts.clock.now()))
}

/// Whether a caller may change an operation: it is about the caller's organizations, and about no others.
async fn changes(app: &App, caller: &Caller, id: &OperationId) -> Result<(), Problem> {
    if caller.orgs().is_none() {
        return Ok(());
    }
    let all = app.parts.engine.ledger().operation(id).await?;
    let own = all.iter().filter(|(org, ..)| caller.sees(org)).count();
    match own {
        0 => Err(Problem::not_found(format!("there is no operation {id}"))),
        own if own < all.len() => Err(Problem::forbidden("this operation is about other organizations as well")),
        _ => Ok(()),
    }
}

async fn change(app: App, caller: &Caller, id: OperationId, status: OperationStatus) -> Result<Json<View>, Problem> {
    changes(&app, caller, &id).await?;
    app.parts.engine.change_operation(&id, status, &caller.asker()).await?;
    seen(&app, caller, id).await.map(Json)
}

/// Pause an operation
///
/// It does not go on until it is resumed. What is on its way comes to its end.
#[utoipa::path(post, path = "/v1/operations/{id}/pause", operation_id = "pause_operation", tag = "operations",
    params(("id" = OperationId, Path)),
    responses((status = 200, description = "The operation as it is now.", body = View), (status = 409, response = Conflict)))]
pub(super) async fn pause(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<OperationId>,
) -> Result<Json<View>, Problem> {
    change(app, &caller, id, OperationStatus::Paused).await
}

/// Resume an operation
///
/// It goes on; of what a policy ignores by itself, the brake is released.
#[utoipa::path(post, path = "/v1/operations/{id}/resume", operation_id = "resume_operation", tag = "operations",
    params(("id" = OperationId, Path)),
    responses((status = 200, description = "The operation as it is now.", body = View), (status = 409, response = Conflict)))]
pub(super) async fn resume(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<OperationId>,
) -> Result<Json<View>, Problem> {
    change(app, &caller, id, OperationStatus::Running).await
}

/// Cancel an operation
///
/// It ends; what it has done stays.
#[utoipa::path(post, path = "/v1/operations/{id}/cancel", operation_id = "cancel_operation", tag = "operations",
    params(("id" = OperationId, Path)),
    responses((status = 200, description = "The operation as it is now.", body = View), (status = 409, response = Conflict)))]
pub(super) async fn cancel(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<OperationId>,
) -> Result<Json<View>, Problem> {
    change(app, &caller, id, OperationStatus::Cancelled).await
}

/// Undo an operation that ignored
///
/// What it ignored waits for a person again, where nobody has changed it since. That is an operation of its own.
#[utoipa::path(post, path = "/v1/operations/{id}/undo", operation_id = "undo_operation", tag = "operations",
    params(("id" = OperationId, Path)),
    responses((status = 202, description = "The operation that undoes it.", body = View),
        (status = 409, response = Conflict)))]
pub(super) async fn undo(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<OperationId>,
) -> Result<Response, Problem> {
    changes(&app, &caller, &id).await?;
    let (id, begun) = app.parts.engine.undo_operation(&id, &caller.asker()).await?;
    accepted(&app, &id, begun)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begin(json: &str) -> Result<Task, Problem> {
        task_of(&serde_json::from_str(json).unwrap_or_else(|error| panic!("{json}: {error}")))
    }

    #[test]
    fn a_task_takes_what_it_needs_and_refuses_what_is_for_others() {
        assert_eq!(begin(r#"{"task":"retry"}"#).ok(), Some(Task::Retry));
        assert!(matches!(begin(r#"{"task":"ignore","reason":"spam"}"#), Ok(Task::Ignore { .. })));
        assert_eq!(begin(r#"{"task":"assign"}"#).ok(), Some(Task::Assign { assignee: None }));
        for bad in [
            r#"{"task":"ignore"}"#,
            r#"{"task":"ignore","reason":" "}"#,
            r#"{"task":"retry","reason":"x"}"#,
            r#"{"task":"reopen","assignee":"x"}"#,
            r#"{"task":"delete"}"#,
        ] {
            assert!(begin(bad).is_err(), "{bad}");
        }
    }
}

//! What is asked of many sync errors at once: what it would do, its beginning, and how it goes on.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::App;
use super::access::Caller;
use super::error_query::{Filters, PAGE, each, no_such_org, once, text, texts_of};
use super::extract::{self, Asked, Id};
use super::operation_view::View;
use super::problem::Problem;
use super::sync_errors::a_reason;
use crate::domain::{Deed, Fingerprint, Operation, OperationId, OperationStatus, OrgId, ResyncQuery, Task};
use crate::engine::{Plan, states_for};

/// Salesforce calls for 1,000 conversations, rounded up: 5.3 to 6.4 were measured, see host/benches/README.md.
const CALLS_PER_1000: u64 = 10;
/// Calls that the first attempts of each cause may take: they are written alone.
const CALLS_PER_GROUP: u64 = 9;
/// Operations of a list.
const MOST: usize = 500;

/// What is to be done with many sync errors.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Begin {
    /// retry, ignore, reopen, assign or resync.
    task: String,
    /// The filters of the list; of a resync those of what got through.
    #[serde(default)]
    query: Value,
    /// Why they are ignored.
    #[serde(default)]
    reason: Option<String>,
    /// Who looks after the causes.
    #[serde(default)]
    assignee: Option<String>,
    /// Only tell what it would be about.
    #[serde(default)]
    dry_run: bool,
}

impl Begin {
    fn unused(&self, name: &str, given: bool) -> Result<(), Problem> {
        match given {
            true => Err(Problem::invalid(format!("{name}: not for `{}`", self.task))),
            false => Ok(()),
        }
    }

    fn task(&self) -> Result<Task, Problem> {
        if self.task != "ignore" {
            self.unused("reason", self.reason.is_some())?;
        }
        if self.task != "assign" {
            self.unused("assignee", self.assignee.is_some())?;
        }
        match self.task.as_str() {
            "retry" => Ok(Task::Retry),
            "ignore" => {
                let reason = a_reason(self.reason.as_deref().unwrap_or_default())?.to_owned();
                Ok(Task::Ignore { reason })
            }
            "reopen" => Ok(Task::Reopen { undoes: None, since: None }),
            "assign" => {
                let given = self.assignee.as_deref().map(str::trim).filter(|name| !name.is_empty());
                let assignee = given.map(a_reason).transpose()?.map(str::to_owned);
                Ok(Task::Assign { assignee })
            }
            _ => Err(Problem::bad_request("task: none of retry, ignore, reopen, assign, resync")),
        }
    }
}

/// Begins an operation, or tells what it would be about.
pub(super) async fn begin(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    extract::Json(asked): extract::Json<Begin>,
) -> Result<Response, Problem> {
    if asked.task == "resync" {
        return resync(&app, &caller, &asked).await;
    }
    let task = asked.task()?;
    let mut filters = Filters::default();
    if !asked.query.is_null() {
        filters.take_object(&asked.query)?;
    }
    let query = filters.known(&app)?;
    if states_for(&task, &query).is_none() {
        let states: Vec<_> = task.states().iter().map(|state| state.as_str()).collect();
        let (task, states) = (task.as_str(), states.join(" or "));
        return Err(Problem::invalid(format!("state: `{task}` is for sync errors that are {states}")));
    }
    if asked.dry_run {
        let plans = app.parts.engine.plan_operation(&task, &query).await?;
        return Ok(Json(DryRun::of(&app, &task, plans).await?).into_response());
    }
    let (id, begun) = app.parts.engine.begin_operation(task, &query, &caller.asker(), Deed::OperationBegin).await?;
    accepted(&app, &id, begun)
}

/// Sends what got through once more, or tells how much that would be.
async fn resync(app: &App, caller: &Caller, asked: &Begin) -> Result<Response, Problem> {
    asked.unused("reason", asked.reason.is_some())?;
    asked.unused("assignee", asked.assignee.is_some())?;
    let engine = &app.parts.engine;
    let (orgs, query) = resync_query(&asked.query)?;
    if let Some(org) = orgs.iter().find(|org| engine.org(org).is_err()) {
        return Err(no_such_org(org));
    }
    let all = || engine.orgs().into_iter().map(|(org, _)| org.id.clone()).collect();
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
    Ok(Json(DryRun { task: "resync", matched, is_exact, salesforce_calls, groups: Vec::new() }).into_response())
}

/// The filters of conversations that got through.
fn resync_query(object: &Value) -> Result<(BTreeSet<OrgId>, ResyncQuery), Problem> {
    const KNOWN: &str = "org, delivered_from, delivered_before, policy, revision, queue";
    let (mut orgs, mut query) = (BTreeSet::new(), ResyncQuery::default());
    let members = match object {
        Value::Null => return Ok((orgs, query)),
        Value::Object(members) => members,
        _ => return Err(Problem::bad_request("query: not an object of filters")),
    };
    for (name, value) in members {
        for value in texts_of(name, value)? {
            match name.as_str() {
                "org" => each(name, &value, &mut orgs)?,
                "delivered_from" => once(name, &value, &mut query.delivered.from)?,
                "delivered_before" => once(name, &value, &mut query.delivered.before)?,
                "policy" => each(name, &value, &mut query.policies)?,
                "revision" => each(name, &value, &mut query.revisions)?,
                // A queue may have a comma in its name.
                "queue" => drop(query.queues.insert(text(name, &value)?)),
                _ => {
                    let name: String = name.chars().take(80).collect();
                    return Err(Problem::bad_request(format!("`{name}` is no filter of a resync; known are {KNOWN}")));
                }
            }
        }
    }
    Ok((orgs, query))
}

fn accepted(app: &App, id: &OperationId, begun: Vec<(OrgId, Operation)>) -> Result<Response, Problem> {
    if begun.is_empty() {
        return Err(Problem::invalid("nothing matches: there is no sync error to act on"));
    }
    let view = View::of(id.clone(), begun, app.parts.clock.now());
    Ok((StatusCode::ACCEPTED, Json(view)).into_response())
}

/// What an operation would be about.
#[derive(Serialize)]
struct DryRun {
    task: &'static str,
    /// Sync errors that match; at least so many where it is not exact.
    matched: u64,
    is_exact: bool,
    /// Salesforce calls that a retry of all of them may take, as an estimate from what was measured.
    salesforce_calls: u64,
    groups: Vec<Cause>,
}

#[derive(Serialize)]
struct Cause {
    id: Fingerprint,
    org: OrgId,
    title: String,
    matched: u64,
}

impl DryRun {
    async fn of(app: &App, task: &Task, plans: Vec<Plan>) -> Result<Self, Problem> {
        let ledger = app.parts.engine.ledger();
        let matched: u64 = plans.iter().map(Plan::matched).sum();
        let is_exact = plans.iter().all(|plan| plan.is_exact);
        let mut groups = Vec::new();
        for Plan { org, groups: of, .. } in plans {
            let ids: Vec<_> = of.iter().map(|(id, _)| id.clone()).collect();
            let titles = ledger.group_titles(&org, &ids).await?;
            let cause = |(id, matched): (Fingerprint, u64)| Cause {
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
        Ok(Self { task: task.as_str(), matched, is_exact, salesforce_calls, groups })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    org: Option<OrgId>,
    limit: Option<usize>,
}

/// The newest operations, those that go on first.
pub(super) async fn list(State(app): State<App>, Asked(which): Asked<Which>) -> Result<Json<Value>, Problem> {
    let limit = which.limit.unwrap_or(PAGE);
    if !(1..=MOST).contains(&limit) {
        return Err(Problem::bad_request(format!("limit: {limit} is not from 1 to {MOST}")));
    }
    let engine = &app.parts.engine;
    let orgs = match which.org {
        Some(org) if !engine.knows(&org) => return Err(no_such_org(&org)),
        Some(org) => vec![org],
        None => engine.ledger().orgs().await?,
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
    Ok(Json(json!({ "operations": operations })))
}

/// One operation.
pub(super) async fn show(State(app): State<App>, Id(id): Id<OperationId>) -> Result<Json<View>, Problem> {
    let found = app.parts.engine.ledger().operation(&id).await?;
    if found.is_empty() {
        return Err(Problem::not_found(format!("there is no operation {id}")));
    }
    let all = found.into_iter().map(|(org, _, operation)| (org, operation)).collect();
    Ok(Json(View::of(id, all, app.parts.clock.now())))
}

async fn change(app: App, caller: &Caller, id: OperationId, status: OperationStatus) -> Result<Json<View>, Problem> {
    app.parts.engine.change_operation(&id, status, &caller.asker()).await?;
    show(State(app), Id(id)).await
}

/// It does not go on until it is resumed.
pub(super) async fn pause(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<OperationId>,
) -> Result<Json<View>, Problem> {
    change(app, &caller, id, OperationStatus::Paused).await
}

/// It goes on.
pub(super) async fn resume(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<OperationId>,
) -> Result<Json<View>, Problem> {
    change(app, &caller, id, OperationStatus::Running).await
}

/// It ends; what it has done stays.
pub(super) async fn cancel(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<OperationId>,
) -> Result<Json<View>, Problem> {
    change(app, &caller, id, OperationStatus::Cancelled).await
}

/// What it ignored waits for a person again, where nobody has changed it since.
pub(super) async fn undo(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<OperationId>,
) -> Result<Response, Problem> {
    let (id, begun) = app.parts.engine.undo_operation(&id, &caller.asker()).await?;
    accepted(&app, &id, begun)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begin(json: &str) -> Result<Task, Problem> {
        serde_json::from_str::<Begin>(json).unwrap_or_else(|error| panic!("{json}: {error}")).task()
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

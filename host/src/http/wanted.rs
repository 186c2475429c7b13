//! What is asked of many sync errors at once, once it is understood: what it would be about, and its beginning.

use super::App;
use super::access::Caller;
use super::api::{DryRun, MatchedGroup, Operation as View, OperationRequest};
use super::caller::no_such_org;
use super::error_query::Filters;
use super::problem::Problem;
use super::resync::resync_query;
use super::sync_errors::a_reason;
use crate::domain::{Deed, ErrorQuery, Fingerprint, Operation, OperationId, OrgId, ResyncQuery, Task};
use crate::engine::{Plan, states_for};

/// Salesforce calls for 1,000 conversations, rounded up: 5.3 to 6.4 were measured, see host/benches/README.md.
const CALLS_PER_1000: u64 = 10;
/// Calls that the first attempts of each cause may take: they are written alone.
const CALLS_PER_GROUP: u64 = 9;
/// What is to be done, and with what.
#[derive(Debug)]
pub(super) enum Wanted {
    /// With all sync errors that match.
    Errors(Task, Box<ErrorQuery>),
    /// What got through in these organizations, and matches, is sent once more.
    Resync(Vec<OrgId>, ResyncQuery),
}

impl Wanted {
    /// Understands a request. Why something is ignored has to be known when that begins, and not before.
    pub(super) fn of(app: &App, caller: &Caller, asked: &OperationRequest) -> Result<Self, Problem> {
        let task = task_of(asked)?;
        let Some(task) = task else { return resync(app, caller, asked) };
        let mut filters = Filters::default();
        if !asked.query.is_null() {
            filters.take_object(&asked.query)?;
        }
        let query = filters.known(app, caller)?;
        if states_for(&task, &query).is_none() {
            let states: Vec<_> = task.states().iter().map(|state| state.as_str()).collect();
            let (task, states) = (task.as_str(), states.join(" or "));
            return Err(Problem::invalid(format!("state: `{task}` is for sync errors that are {states}")));
        }
        Ok(Self::Errors(task, Box::new(query)))
    }

    /// What it would be about; nothing is begun.
    pub(super) async fn plan(&self, app: &App) -> Result<DryRun, Problem> {
        let engine = &app.parts.engine;
        let (orgs, query) = match self {
            Self::Errors(task, query) => {
                return dry_run(app, task, engine.plan_operation(task, query).await?).await;
            }
            Self::Resync(orgs, query) => (orgs, query),
        };
        let (mut matched, mut is_exact) = (0, true);
        for org in orgs {
            let (count, exact) = engine.count_delivered(org, query).await?;
            (matched, is_exact) = (matched + count, is_exact && exact);
        }
        let salesforce_calls = (matched * CALLS_PER_1000).div_ceil(1_000);
        Ok(DryRun { task: "resync".into(), matched, is_exact, salesforce_calls, groups: Vec::new() })
    }

    /// Begins it: what is answered survives a restart.
    pub(super) async fn begin(self, app: &App, caller: &Caller) -> Result<View, Problem> {
        let (engine, asker) = (&app.parts.engine, caller.asker());
        let (id, begun) = match self {
            Self::Errors(task, query) => engine.begin_operation(task, &query, &asker, Deed::OperationBegin).await?,
            Self::Resync(orgs, query) => engine.begin_resync(&orgs, &query, &asker).await?,
        };
        begun_as(app, id, begun)
    }
}

/// An operation that has begun in these organizations.
pub(super) fn begun_as(app: &App, id: OperationId, begun: Vec<(OrgId, Operation)>) -> Result<View, Problem> {
    if begun.is_empty() {
        return Err(Problem::invalid("nothing matches: there is no sync error to act on"));
    }
    Ok(View::of(id, begun, app.parts.clock.now()))
}

/// Refuses what is for other tasks.
fn unused(asked: &OperationRequest, name: &str, given: bool) -> Result<(), Problem> {
    match given {
        true => Err(Problem::invalid(format!("{name}: not for `{}`", asked.task))),
        false => Ok(()),
    }
}

/// What is to be done with sync errors; `None` where it is a resync.
fn task_of(asked: &OperationRequest) -> Result<Option<Task>, Problem> {
    if asked.task != "ignore" {
        unused(asked, "reason", asked.reason.is_some())?;
    }
    if asked.task != "assign" {
        unused(asked, "assignee", asked.assignee.is_some())?;
    }
    match asked.task.as_str() {
        "retry" => Ok(Some(Task::Retry)),
        "ignore" => {
            let reason = match &asked.reason {
                None if asked.dry_run => String::new(),
                given => a_reason(given.as_deref().unwrap_or_default())?.to_owned(),
            };
            Ok(Some(Task::Ignore { reason }))
        }
        "reopen" => Ok(Some(Task::Reopen { undoes: None, since: None })),
        "assign" => {
            let given = asked.assignee.as_deref().map(str::trim).filter(|name| !name.is_empty());
            let assignee = given.map(a_reason).transpose()?.map(str::to_owned);
            Ok(Some(Task::Assign { assignee }))
        }
        "resync" => Ok(None),
        _ => Err(Problem::bad_request("task: none of retry, ignore, reopen, assign, resync")),
    }
}

fn resync(app: &App, caller: &Caller, asked: &OperationRequest) -> Result<Wanted, Problem> {
    let engine = &app.parts.engine;
    let (orgs, query) = resync_query(&asked.query)?;
    if let Some(org) = orgs.iter().find(|org| !caller.sees(org) || engine.org(org).is_err()) {
        return Err(no_such_org(org));
    }
    let all = || engine.connected().into_iter().map(|org| org.id.clone()).filter(|org| caller.sees(org)).collect();
    Ok(Wanted::Resync(if orgs.is_empty() { all() } else { orgs.into_iter().collect() }, query))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn begin(json: &str) -> Result<Option<Task>, Problem> {
        task_of(&serde_json::from_str(json).unwrap_or_else(|error| panic!("{json}: {error}")))
    }

    #[test]
    fn a_task_takes_what_it_needs_and_refuses_what_is_for_others() {
        assert_eq!(begin(r#"{"task":"retry"}"#).ok(), Some(Some(Task::Retry)));
        assert!(matches!(begin(r#"{"task":"ignore","reason":"spam"}"#), Ok(Some(Task::Ignore { .. }))));
        assert!(matches!(begin(r#"{"task":"ignore","dry_run":true}"#), Ok(Some(Task::Ignore { .. }))));
        assert_eq!(begin(r#"{"task":"assign"}"#).ok(), Some(Some(Task::Assign { assignee: None })));
        assert_eq!(begin(r#"{"task":"resync"}"#).ok(), Some(None));
        for bad in [
            r#"{"task":"ignore"}"#,
            r#"{"task":"ignore","reason":" "}"#,
            r#"{"task":"ignore","reason":" ","dry_run":true}"#,
            r#"{"task":"retry","reason":"x"}"#,
            r#"{"task":"reopen","assignee":"x"}"#,
            r#"{"task":"resync","reason":"x"}"#,
            r#"{"task":"delete"}"#,
        ] {
            assert!(begin(bad).is_err(), "{bad}");
        }
    }
}

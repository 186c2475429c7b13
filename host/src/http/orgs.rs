//! The organizations: how they stand, what to check first, and retry-all.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::Deserialize;

use super::App;
use super::access::Caller;
use super::api::{
    DepartedOrg, Environment, EnvironmentList, Health, LastReport, Org as View, OrgList, Report, RetryAll, Salesforce,
    Source, Trouble, Unsynced,
};
use super::extract::{Asked, Body, Id, object};
use super::problem::Problem;
use crate::domain::{OrgId, SourceId};
use crate::engine::{self, EnvironmentHealth, Org, OrgHealth};

/// The accounts linked to an organization, as the configuration writes them.
pub(super) fn accounts(org: &Org) -> Vec<String> {
    let account = |(source, account): &(_, Option<_>)| match account {
        Some(account) => format!("{source}/{account}"),
        None => format!("{source}/*"),
    };
    org.accounts.iter().map(account).collect()
}

/// The organizations that a caller sees, in the order of their ids.
pub(super) fn seen(app: &App, caller: &Caller) -> Vec<Arc<Org>> {
    let mut orgs = app.parts.engine.connected();
    orgs.retain(|org| caller.sees(&org.id));
    orgs
}

/// The same with how they stand.
pub(super) fn standing(app: &App, caller: &Caller) -> Vec<(Arc<Org>, OrgHealth)> {
    let mut orgs = app.parts.engine.orgs();
    orgs.retain(|(org, _)| caller.sees(&org.id));
    orgs
}

async fn view(app: &App, (org, health): (Arc<Org>, OrgHealth)) -> Result<View, Problem> {
    let settings = org.settings.now();
    Ok(View {
        id: org.id.clone(),
        name: org.name.clone(),
        policy: settings.values.policy.clone(),
        accounts: accounts(&org),
        alert_recipients: settings.values.alert_recipients.len(),
        mails_muted_until: settings.muted(app.parts.clock.now()).map(|mute| mute.until),
        troubles: app.parts.troubles.of(Some(&org.id)).into_iter().map(Trouble::from).collect(),
        incident_advice: Health::advice(&health),
        oldest_unsynced: app.parts.engine.oldest_unsynced(&org.id).await?.map(Unsynced::from),
        sources: app.parts.engine.sources(&org.id).into_iter().map(Source::from).collect(),
        health: health.into(),
        salesforce: Salesforce {
            calls: org.salesforce.calls(),
            api_usage: org.salesforce.usage().map(|quota| (quota.used, quota.allowed)),
            slowed: org.slowed(),
        },
    })
}

/// List organizations
///
/// How each stands: its counts, its incident, what is parked, its sources; and those that are only on record.
#[utoipa::path(get, path = "/v1/orgs", operation_id = "list_orgs", tag = "organizations",
    responses((status = 200, description = "All organizations.", body = OrgList)))]
pub(super) async fn list(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<OrgList>, Problem> {
    let mut orgs = Vec::new();
    for org in standing(&app, &caller) {
        orgs.push(view(&app, org).await?);
    }
    let departed = app.parts.engine.departed().into_iter().filter(|(id, _)| caller.sees(id));
    let departed = departed.map(|(id, health)| DepartedOrg { id, health: health.into() }).collect();
    Ok(Json(OrgList { orgs, departed }))
}

/// List Alcmeon environments
///
/// How each stands, and where its notifications stand.
#[utoipa::path(get, path = "/v1/environments", operation_id = "list_environments", tag = "organizations",
    responses((status = 200, description = "All environments.", body = EnvironmentList)))]
pub(super) async fn environments(State(app): State<App>) -> Json<EnvironmentList> {
    let engine = &app.parts.engine;
    let view = |(source, health): (SourceId, EnvironmentHealth)| {
        let (silent_since, arrived_at) = (engine.silent_since(&source, &health), engine.arrived_at(&source));
        Environment::of(source, health, silent_since, arrived_at)
    };
    Json(EnvironmentList { environments: engine.environments().into_iter().map(view).collect() })
}

/// Look at an organization
#[utoipa::path(get, path = "/v1/orgs/{org}", operation_id = "get_org", tag = "organizations",
    params(("org" = OrgId, Path)), responses((status = 200, description = "The organization.", body = View)))]
pub(super) async fn show(State(app): State<App>, Id(id): Id<OrgId>) -> Result<Json<View>, Problem> {
    view(&app, app.parts.engine.org(&id)?).await.map(Json)
}

/// Look at the last checks of an organization
///
/// The first points to check, as somebody found them last. Nothing is asked for it.
#[utoipa::path(get, path = "/v1/orgs/{org}/checks", operation_id = "get_checks", tag = "organizations",
    params(("org" = OrgId, Path)), responses((status = 200, description = "The points.", body = LastReport)))]
pub(super) async fn last_report(State(app): State<App>, Id(id): Id<OrgId>) -> Result<Json<LastReport>, Problem> {
    let with_age = |report: Arc<engine::Report>| {
        let age = app.parts.clock.now().since(report.checked_at).as_secs();
        (report, age)
    };
    let report = app.parts.engine.last_report(&id)?.map(with_age);
    Ok(Json(LastReport::of(id, report)))
}

/// Check an organization
///
/// The first points to check, each looked at now. Where the connection works, what an incident holds back is tried at once.
#[utoipa::path(post, path = "/v1/orgs/{org}/checks", operation_id = "check_org", tag = "organizations",
    params(("org" = OrgId, Path)), responses((status = 200, description = "The points.", body = Report)))]
pub(super) async fn look(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<OrgId>,
) -> Result<Json<Report>, Problem> {
    Ok(Json(Report::from(&*app.parts.engine.check(&id, &caller.asker()).await?)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

/// Retry all sync errors of an organization
///
/// Every one that is not over, as an operation, and an attempt at what an incident holds back. It takes no filter: an operation does.
#[utoipa::path(post, path = "/v1/orgs/{org}/retry-all", operation_id = "retry_all", tag = "sync errors",
    params(("org" = OrgId, Path)), responses((status = 202, description = "They are retried.", body = RetryAll)))]
pub(super) async fn retry_all(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<OrgId>,
    Asked(Nothing {}): Asked<Nothing>,
    Body(body): Body,
) -> Result<(StatusCode, Json<RetryAll>), Problem> {
    if !body.trim_ascii().is_empty() {
        let Nothing {} = object(&body)?;
    }
    let (retried, operation) = app.parts.engine.retry_all(&id, &caller.asker()).await?;
    Ok((StatusCode::ACCEPTED, Json(RetryAll { org: id, retried, operation })))
}

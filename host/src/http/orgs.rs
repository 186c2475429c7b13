//! The organizations: how they stand, what to check first, and retry-all.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::App;
use super::access::Caller;
use super::extract::{Asked, Body, Id, object};
use super::problem::Problem;
use crate::domain::{Advice, OrgId, PolicyName, SourceId, Unsynced};
use crate::engine::{EnvironmentHealth, Org, OrgHealth, Report, SourceStanding};
use crate::salesforce::advice;
use crate::troubles::Trouble;

#[derive(Serialize)]
pub(super) struct View {
    id: OrgId,
    name: String,
    policy: PolicyName,
    accounts: Vec<String>,
    alert_recipients: usize,
    /// What is wrong with it that an operator can cure.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    troubles: Vec<Trouble>,
    #[serde(flatten)]
    health: OrgHealth,
    /// The conversation that has waited longest without waiting for a person; `null` where none waits.
    oldest_unsynced: Option<Unsynced>,
    /// Where its conversations come from.
    sources: Vec<SourceStanding>,
    /// What happened, what to check, and what follows by itself, while there is an incident.
    #[serde(skip_serializing_if = "Option::is_none")]
    incident_advice: Option<Advice>,
    salesforce: Salesforce,
}

#[derive(Serialize)]
struct Salesforce {
    /// Calls since the start.
    calls: u64,
    /// Calls of the last 24 hours and the most that are allowed, as Salesforce said last.
    #[serde(skip_serializing_if = "Option::is_none")]
    api_usage: Option<(u64, u64)>,
    /// Why the organization slows, where it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    slowed: Option<String>,
}

/// The accounts linked to an organization, as the configuration writes them.
pub(super) fn accounts(org: &Org) -> Vec<String> {
    let account = |(source, account): &(_, Option<_>)| match account {
        Some(account) => format!("{source}/{account}"),
        None => format!("{source}/*"),
    };
    org.accounts.iter().map(account).collect()
}

async fn view(app: &App, (org, health): (Arc<Org>, OrgHealth)) -> Result<View, Problem> {
    Ok(View {
        id: org.id.clone(),
        name: org.name.clone(),
        policy: org.policy.clone(),
        accounts: accounts(&org),
        alert_recipients: org.alert_recipients.len(),
        troubles: app.parts.troubles.of(Some(&org.id)),
        incident_advice: health.incident.as_ref().map(|incident| advice(&incident.refusal)),
        oldest_unsynced: app.parts.engine.oldest_unsynced(&org.id).await?,
        sources: app.parts.engine.sources(&org.id),
        health,
        salesforce: Salesforce {
            calls: org.salesforce.calls(),
            api_usage: org.salesforce.usage().map(|quota| (quota.used, quota.allowed)),
            slowed: org.slowed(),
        },
    })
}

/// An organization that has records and is not configured any more.
#[derive(Serialize)]
struct Departed {
    id: OrgId,
    #[serde(flatten)]
    health: OrgHealth,
}

/// All organizations, with their pending counts; and those that are only on record.
pub(super) async fn list(State(app): State<App>) -> Result<Json<Value>, Problem> {
    let mut orgs = Vec::new();
    for org in app.parts.engine.orgs() {
        orgs.push(view(&app, org).await?);
    }
    let departed = app.parts.engine.departed().into_iter().map(|(id, health)| Departed { id, health });
    Ok(Json(json!({ "orgs": orgs, "departed": departed.collect::<Vec<_>>() })))
}

/// The Alcmeon environments, and how each stands.
pub(super) async fn environments(State(app): State<App>) -> Json<Value> {
    let engine = &app.parts.engine;
    let view = |(source, health): (SourceId, EnvironmentHealth)| {
        let mut view = json!(health);
        view["silent_since"] = json!(engine.silent_since(&source, &health));
        view["arrived_at"] = json!(engine.arrived_at(&source));
        view["source"] = json!(source);
        view
    };
    Json(json!({ "environments": engine.environments().into_iter().map(view).collect::<Vec<_>>() }))
}

/// One organization.
pub(super) async fn show(State(app): State<App>, Id(id): Id<OrgId>) -> Result<Json<View>, Problem> {
    view(&app, app.parts.engine.org(&id)?).await.map(Json)
}

#[derive(Serialize)]
pub(super) struct LastReport {
    #[serde(flatten)]
    report: Option<Arc<Report>>,
    org: OrgId,
    /// How old what was found is, in seconds; `null` where nobody has looked since the start.
    age_seconds: Option<u64>,
}

/// The first points to check, as somebody found them last. Nothing is asked for it.
pub(super) async fn last_report(State(app): State<App>, Id(id): Id<OrgId>) -> Result<Json<LastReport>, Problem> {
    let report = app.parts.engine.last_report(&id)?;
    let age_seconds = report.as_ref().map(|report| app.parts.clock.now().since(report.checked_at).as_secs());
    Ok(Json(LastReport { report, org: id, age_seconds }))
}

/// The first points to check, each looked at now. Where the connection works, what an incident holds back is tried at once.
pub(super) async fn look(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<OrgId>,
) -> Result<Json<Arc<Report>>, Problem> {
    Ok(Json(app.parts.engine.check(&id, &caller.asker()).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

/// Another attempt at every sync error of the organization. It takes no filter: an operation does.
pub(super) async fn retry_all(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<OrgId>,
    Asked(Nothing {}): Asked<Nothing>,
    Body(body): Body,
) -> Result<(StatusCode, Json<Value>), Problem> {
    if !body.trim_ascii().is_empty() {
        let Nothing {} = object(&body)?;
    }
    let (retried, operation) = app.parts.engine.retry_all(&id, &caller.asker()).await?;
    Ok((StatusCode::ACCEPTED, Json(json!({ "org": id, "retried": retried, "operation": operation }))))
}

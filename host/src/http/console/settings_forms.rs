//! What the forms of an organization's settings do: what is another value than the page showed is saved.

use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::org_settings::{Late, page};
use super::parts::{Back, Done, Visit};
use super::question::moment;
use crate::domain::{Expected, IdError, Mode, OrgId, OrgSettings, SettingsPatch};
use crate::http::App;
use crate::http::access::Caller;
use crate::http::extract::{Form, Id};
use crate::http::org_settings::{change, test};
use crate::http::problem::Problem;

/// What the form gives.
#[derive(Deserialize)]
pub(super) struct Given {
    tag: String,
    shown: String,
    take_back: Option<String>,
    #[serde(default)]
    alert_recipients: String,
    #[serde(default)]
    policy: String,
    #[serde(default)]
    mode: String,
    #[serde(default)]
    teams: String,
    #[serde(default)]
    concurrency: String,
    #[serde(default)]
    slow_at: String,
}

impl Given {
    fn shown(&self) -> Result<OrgSettings, Problem> {
        serde_json::from_str(&self.shown).map_err(|_| Problem::bad_request("shown: this is not what the page gave"))
    }

    fn values(&self) -> Result<OrgSettings, Problem> {
        let lines = |text: &str| -> Vec<_> {
            text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
        };
        let wrong = |name: &str, why: &dyn std::fmt::Display| Problem::invalid(format!("{name}: {why}"));
        Ok(OrgSettings {
            alert_recipients: lines(&self.alert_recipients),
            policy: self.policy.parse().map_err(|error: IdError| wrong("policy", &error))?,
            mode: match self.mode.as_str() {
                "by-policy" => Mode::ByPolicy,
                "agents-in-alcmeon" => Mode::AgentsInAlcmeon,
                "agents-in-salesforce" => Mode::AgentsInSalesforce,
                "by-team" => Mode::ByTeam(lines(&self.teams)),
                _ => return Err(wrong("mode", &"there is no such mode")),
            },
            concurrency: self
                .concurrency
                .trim()
                .parse()
                .map_err(|_| wrong("concurrency", &"it has to be a whole number"))?,
            slow_at: self.slow_at.trim().parse().map_err(|_| wrong("slow_at", &"it has to be a number"))?,
        })
    }
}

/// What is another value than the page showed.
fn difference(given: &OrgSettings, shown: &OrgSettings) -> SettingsPatch {
    fn other<T: Clone + PartialEq>(given: &T, shown: &T) -> Option<Option<T>> {
        (given != shown).then(|| Some(given.clone()))
    }
    SettingsPatch {
        alert_recipients: other(&given.alert_recipients, &shown.alert_recipients),
        policy: other(&given.policy, &shown.policy),
        mode: other(&given.mode, &shown.mode),
        concurrency: other(&given.concurrency, &shown.concurrency),
        slow_at: other(&given.slow_at, &shown.slow_at),
        muted_until: None,
    }
}

/// One field as the configuration says.
fn taken_back(field: &str) -> Result<SettingsPatch, Problem> {
    let mut patch = SettingsPatch::default();
    match field {
        "alert_recipients" => patch.alert_recipients = Some(None),
        "policy" => patch.policy = Some(None),
        "mode" => patch.mode = Some(None),
        "concurrency" => patch.concurrency = Some(None),
        "slow_at" => patch.slow_at = Some(None),
        _ => return Err(Problem::bad_request("take_back: there is no such setting")),
    }
    Ok(patch)
}

/// Saves what is another value than the page showed.
pub(super) async fn save(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Extension(caller): Extension<Caller>,
    Id(org): Id<OrgId>,
    Form(given): Form<Given>,
) -> Result<Response, Problem> {
    let tag = format!("\"{}\"", given.tag);
    let expected =
        Expected::read([tag.as_str()].into_iter()).map_err(|error| Problem::bad_request(error.to_string()))?;
    let shown = given.shown()?;
    let (patch, values) = match &given.take_back {
        Some(field) => (taken_back(field)?, shown.clone()),
        None => {
            let values = given.values()?;
            (difference(&values, &shown), values)
        }
    };
    match change(&app, &caller, &org, &expected, patch).await? {
        Ok(_) => Ok(Back::to(format!("/orgs/{org}/settings")).with(&Done::Saved).into_response()),
        Err(stands) => {
            // What was not touched is as it is now.
            let mut mine = stands.values.clone();
            let SettingsPatch { alert_recipients, policy, mode, concurrency, slow_at, .. } =
                difference(&values, &shown);
            mine.alert_recipients = alert_recipients.flatten().unwrap_or(mine.alert_recipients);
            mine.policy = policy.flatten().unwrap_or(mine.policy);
            mine.mode = mode.flatten().unwrap_or(mine.mode);
            mine.concurrency = concurrency.flatten().unwrap_or(mine.concurrency);
            mine.slow_at = slow_at.flatten().unwrap_or(mine.slow_at);
            let late = Late { given: values, shown, next: mine };
            let page = page(&app, &visit, &caller, &org, Some(late)).await?;
            Ok((StatusCode::PRECONDITION_FAILED, page).into_response())
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Muting {
    hours: u64,
    /// A time of one's own, of UTC.
    #[serde(default)]
    until: String,
    end: Option<String>,
    #[serde(flatten)]
    back: Back,
}

/// Mutes mails, or ends that.
pub(super) async fn mute(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(org): Id<OrgId>,
    Form(asked): Form<Muting>,
) -> Result<Response, Problem> {
    let until = match asked.until.trim() {
        "" => app.parts.clock.now().after(Duration::from_secs(asked.hours.min(1_000) * 3600)),
        own => moment(own).parse().map_err(|_| Problem::invalid("until: it is not written as 2026-01-15T09:30"))?,
    };
    let muted_until = Some(Some(until).filter(|_| asked.end.is_none()));
    let patch = SettingsPatch { muted_until, ..SettingsPatch::default() };
    // What there is of it does not matter: whoever asks last is heard.
    let _ = change(&app, &caller, &org, &Expected::default(), patch).await?;
    Ok(asked.back.with(&Done::Saved).into_response())
}

#[derive(Deserialize)]
pub(super) struct Testing {
    to: String,
    #[serde(flatten)]
    back: Back,
}

/// Sends test mails.
pub(super) async fn test_mail(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(org): Id<OrgId>,
    Form(asked): Form<Testing>,
) -> Result<Response, Problem> {
    let only = Some(asked.to.as_str()).filter(|to| !to.is_empty());
    test(&app, &caller, &org, only).await?;
    Ok(asked.back.with(&Done::Tested).into_response())
}

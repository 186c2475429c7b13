//! What the forms of an organization's settings do: what is another value than the page showed is saved.

use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::org_settings::{Late, Refused, Unsaved, of_field, page};
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
            alert_recipients: recipients(&self.alert_recipients),
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

/// Addresses with commas, spaces or line ends between. One with a name (`Ann <ann@example.com>`) has spaces of its own.
fn recipients(text: &str) -> Vec<String> {
    let parts = text.lines().flat_map(|line| line.split(if line.contains('"') { '\n' } else { ',' }));
    let each = parts.flat_map(|part| match part.contains(['<', '"']) {
        true => vec![part.trim()],
        false => part.split_whitespace().collect(),
    });
    each.filter(|one| !one.is_empty()).map(str::to_owned).collect()
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
    let changed = match change(&app, &caller, &org, &expected, patch).await {
        Err(problem) if given.take_back.is_none() && of_field(&problem).is_some() => {
            let status = problem.status();
            let refused = Refused { problem, given: values, shown, tag: given.tag };
            let page = page(&app, &visit, &caller, &org, Some(Unsaved::Refused(refused))).await?;
            return Ok((status, page).into_response());
        }
        changed => changed?,
    };
    match changed {
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
            let page = page(&app, &visit, &caller, &org, Some(Unsaved::Late(late))).await?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recipients_stand_in_lines_and_between_commas_and_spaces() {
        let of = |text| recipients(text).join("|");
        assert_eq!(
            of("a@x.example, b@x.example;\r\n\n c@x.example d@x.example,"),
            "a@x.example|b@x.example;|c@x.example|d@x.example"
        );
        assert_eq!(of("Ann Lee <a@x.example>, b@x.example"), "Ann Lee <a@x.example>|b@x.example");
        assert_eq!(of("\"Lee, Ann\" <a@x.example>\nb@x.example"), "\"Lee, Ann\" <a@x.example>|b@x.example");
        assert_eq!(of(" \n"), "");
    }
}

//! Settings of an organization: how they stand, a change of them, and a mail that tries the recipients.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};

use super::App;
use super::access::{Caller, Scope};
use super::actions::record;
use super::api::{Conflict, OrgSettings, SettingsChange, Stale, TestMail, TestedMails};
use super::etag::{IfMatch, Tagged};
use super::extract::{self, Body, Id};
use super::problem::{Kind, Problem};
use crate::alerts::TooMany;
use crate::domain::{Deed, Expected, OrgId, PolicyName, SentMail, SettingsInForce, SettingsPatch};
use crate::engine;
use crate::policy::DEFAULT_POLICY;

fn tagged(app: &App, org: &OrgId, stand: &SettingsInForce) -> Tagged<Json<OrgSettings>> {
    Tagged(Some(stand.tag()), Json(OrgSettings::of(org, stand, app.parts.clock.now())))
}

/// Look at the settings of an organization
///
/// Those that can be changed while the host runs: each with what is in force, what the configuration says, and who changed it.
#[utoipa::path(get, path = "/v1/orgs/{org}/settings", operation_id = "get_org_settings", tag = "organizations",
    params(("org" = OrgId, Path)), responses((status = 200, description = "The settings.", body = OrgSettings)))]
pub(super) async fn show(State(app): State<App>, Id(org): Id<OrgId>) -> Result<Tagged<Json<OrgSettings>>, Problem> {
    let stand = app.parts.engine.settings(&org)?;
    Ok(tagged(&app, &org, &stand))
}

/// Change settings of an organization
///
/// In force at once, and after a restart; what is on its way goes on as it began. With `If-Match`, a change that comes too late is
/// answered with the settings as they are now.
#[utoipa::path(patch, path = "/v1/orgs/{org}/settings", operation_id = "update_org_settings", tag = "organizations",
    params(("org" = OrgId, Path), IfMatch), request_body = SettingsChange,
    responses((status = 200, description = "The settings as they are now.", body = OrgSettings),
        (status = 409, response = Conflict), (status = 412, response = Stale)))]
pub(super) async fn patch(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(org): Id<OrgId>,
    IfMatch(expected): IfMatch,
    extract::Json(asked): extract::Json<SettingsChange>,
) -> Result<Response, Problem> {
    match change(&app, &caller, &org, &expected, asked.into()).await? {
        Ok(stand) => Ok(tagged(&app, &org, &stand).into_response()),
        Err(stands) => {
            let settings = OrgSettings::of(&org, &stands, app.parts.clock.now());
            let problem = Problem { settings: Some(Box::new(settings)), ..crate::domain::Stale.into() };
            Ok(Tagged(Some(stands.tag()), problem).into_response())
        }
    }
}

/// Changes settings where they are still what `expected` says; else answers how they stand.
pub(super) async fn change(
    app: &App,
    caller: &Caller,
    org: &OrgId,
    expected: &Expected,
    patch: SettingsPatch,
) -> Result<Result<Arc<SettingsInForce>, Arc<SettingsInForce>>, Problem> {
    let engine = &app.parts.engine;
    let stood = engine.settings(org)?;
    if patch.alert_recipients.is_some() && app.parts.outbox.is_none() {
        return Err(Problem::conflict(
            "alert_recipients: there is no [mail] in the configuration that could reach them",
        ));
    }
    // Whoever deletes a policy waits for the folder, and finds that it is used.
    let _alone = match &patch.policy {
        Some(asked) => {
            let asked = asked.as_ref().unwrap_or(&stood.file.policy);
            assignable(app, caller, org, asked)?;
            Some(app.parts.policies_folder.alone().await)
        }
        None => None,
    };
    match engine.change_settings(org, expected, patch, &caller.asker()).await {
        Ok(stand) => Ok(Ok(stand)),
        Err(engine::Error::Stale(_)) => Ok(Err(engine.settings(org)?)),
        Err(error) => Err(error.into()),
    }
}

/// Whether a caller may let a policy decide: one for some organizations may not take another's, whose owner could not change it any
/// more, nor one that is nobody's yet.
pub(super) fn assignable(app: &App, caller: &Caller, org: &OrgId, policy: &PolicyName) -> Result<(), Problem> {
    if !caller.may(Scope::Policies) {
        return Err(Problem::forbidden("policy: your token has no scope `policies`, which decides who decides"));
    }
    if caller.orgs().is_none() || policy.as_str() == DEFAULT_POLICY {
        return Ok(());
    }
    let file = app.parts.engine.settings(org)?.file.policy.clone();
    let (mut users, mut others) = (0, 0);
    for user in app.parts.engine.connected() {
        if user.policy() == *policy {
            users += 1;
            others += usize::from(!caller.sees(&user.id));
        }
    }
    match others == 0 && (users > 0 || file == *policy) {
        true => Ok(()),
        // As of one that there is not: what is another's is not there.
        false => Err(Problem::invalid(format!("policy: no revision of `{policy}` is in force for your organizations"))),
    }
}

/// Send a test mail
///
/// To one recipient of an organization, or to all of them, also while mails are muted. It answers what the mail server said to
/// each, within a minute. Five times in ten minutes at most.
#[utoipa::path(post, path = "/v1/orgs/{org}/settings/test-mail", operation_id = "send_test_mail", tag = "organizations",
    params(("org" = OrgId, Path)), request_body = Option<TestMail>,
    responses((status = 200, description = "What became of each.", body = TestedMails),
        (status = 409, response = Conflict)))]
pub(super) async fn test_mail(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(org): Id<OrgId>,
    Body(body): Body,
) -> Result<Json<TestedMails>, Problem> {
    let asked = if body.trim_ascii().is_empty() { TestMail::default() } else { extract::object(&body)? };
    let tested = test(&app, &caller, &org, asked.to.as_deref()).await?;
    Ok(Json(TestedMails { mails: tested.into_iter().map(Into::into).collect() }))
}

/// Sends test mails; what became of each.
pub(super) async fn test(
    app: &App,
    caller: &Caller,
    org: &OrgId,
    only: Option<&str>,
) -> Result<Vec<SentMail>, Problem> {
    let (known, _) = app.parts.engine.org(org)?;
    let Some(outbox) = &app.parts.outbox else {
        return Err(Problem::conflict("there is no [mail] in the configuration, so no mail can be sent"));
    };
    let mut to = known.settings.now().values.alert_recipients.clone();
    to.retain(|to| only.is_none_or(|only| only == to));
    if to.is_empty() {
        return Err(match only {
            // Else anybody could be sent mails.
            Some(_) => Problem::invalid("to: this is none of the recipients; make it one first"),
            None => Problem::conflict("nobody is a recipient of this organization's mails"),
        });
    }
    outbox.admit_test(org).map_err(|TooMany(seconds)| Problem {
        retry_after: Some(seconds),
        ..Problem::new(Kind::TooManyRequests, "test mails were sent five times within ten minutes")
    })?;
    let count = to.len() as u64;
    record(app, caller, Deed::MailTest, |action| action.of(org).counting(count)).await?;
    let link = format!("{}/orgs/{org}/settings", app.public_url.trim_end_matches('/'));
    Ok(outbox.test(org, &known.name, &to, &caller.name, link).await)
}

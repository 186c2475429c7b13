//! A repro bundle of a sync error: everything that a policy was told, and its answer, to be asked again elsewhere.

use axum::extract::State;
use axum::http::{HeaderName, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Deserialize;
use utoipa::IntoParams;

use super::App;
use super::access::{Caller, Scope};
use super::api::Conflict;
use super::extract::{Asked, Id};
use super::problem::Problem;
use super::sync_errors::find;
use crate::domain::{PolicyRef, PolicyRevision, Question, SyncError, SyncErrorId};
use crate::policy::case::{Bundled, Case, CaseAnswer, Conversation, Evidence, Failure, Found};

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Query {
    /// Whether personal data is left out.
    #[serde(default = "yes")]
    mask: bool,
}

const fn yes() -> bool {
    true
}

/// Download a case that reproduces a sync error
///
/// What the policy was told, and its answer, for `switchyard policy try`. Personal data is left out unless `mask=false` asks for
/// it. The policy is asked again before it is given away: one that would not show the same is refused.
#[utoipa::path(get, path = "/v1/sync-errors/{id}/repro", operation_id = "get_repro", tag = "sync errors",
    params(("id" = SyncErrorId, Path), Query),
    responses((status = 200, description = "The case.", body = serde_json::Value), (status = 409, response = Conflict)))]
pub(super) async fn bundle(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<SyncErrorId>,
    Asked(Query { mask }): Asked<Query>,
) -> Result<Response, Problem> {
    if !mask && !caller.may(Scope::Errors) {
        return Err(Problem::forbidden("personal data is given to tokens with the scope `errors` only"));
    }
    let error = find(&app, &caller, &id).await?;
    let (policy, question) = asked(&error)?;
    let revision = revision(&app, policy)?;
    let of = app.parts.engine.ledger().conversation(&error.org, &error.conversation).await?;
    let of = of.ok_or_else(|| Problem::not_found(format!("conversation {} is not on record", error.conversation)))?;
    let conversation = Conversation::from(&of);
    let found = error.refusal.choice.iter().filter(|_| question == Question::Choose).flat_map(|choice| &choice.found);
    let mut case = Case {
        question,
        now: Some(error.last_seen),
        failure: (question == Question::Judge).then(|| failure(&error)),
        evidence: Evidence::of(&error.refusal),
        found: found.map(Found::from).collect(),
        policy: Some(bundled(policy, &revision)),
        ..Case::new(conversation)
    };
    if mask {
        case = case.masked();
    }
    let candidate = app.parts.policies.candidate(policy.name.clone(), revision.source).await?;
    let answer = CaseAnswer::of(&candidate.try_case(&case).await.answer);
    if let Some(blame) = &error.refusal.blame {
        let was = CaseAnswer::Refused(blame.fault.code().to_owned());
        if was != answer {
            let advice = if mask { "; masking may be why: `?mask=false` leaves personal data in" } else { "" };
            return Err(Problem::conflict(format!("it was answered with {was} and is with {answer} now{advice}")));
        }
    }
    case.expected = Some(answer);
    let name = format!("attachment; filename=\"repro-{id}.json\"");
    let headers: [(HeaderName, String); 1] = [(header::CONTENT_DISPOSITION, name)];
    Ok((headers, Json(case)).into_response())
}

/// The decision that a sync error came from: the policy's failure, its choice, or else its judgement of Salesforce's refusal.
fn asked(error: &SyncError) -> Result<(&PolicyRef, Question), Problem> {
    let blamed = error.refusal.blame.as_ref().map(|blame| (&blame.policy, blame.question));
    let chose = error.refusal.choice.as_ref().map(|choice| (&choice.policy, Question::Choose));
    let judged = error.judged_by.as_ref().map(|policy| (policy, Question::Judge));
    blamed.or(chose).or(judged).ok_or_else(|| Problem::conflict("no policy decided anything about this sync error"))
}

fn revision(app: &App, policy: &PolicyRef) -> Result<PolicyRevision, Problem> {
    let found = app.parts.policies.revision(&policy.name, policy.revision);
    found.ok_or_else(|| Problem::not_found(format!("{policy} is not kept any more")))
}

fn bundled(policy: &PolicyRef, revision: &PolicyRevision) -> Bundled {
    Bundled {
        name: Some(policy.name.clone()),
        applied_at: Some(revision.source.at),
        toml: revision.source.toml.clone(),
        scripts: revision.source.scripts.clone(),
        plugin_digests: revision.plugins.clone(),
    }
}

pub(super) fn failure(error: &SyncError) -> Failure {
    Failure {
        class: error.refusal.class,
        code: error.refusal.code.clone(),
        text: error.refusal.text.clone(),
        fields: error.refusal.fields.clone(),
        attempt: error.attempts.max(1),
        first_seen: Some(error.first_seen),
    }
}

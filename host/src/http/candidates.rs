//! The contacts of which a customer is one: what Salesforce knows of each, and a person's word on which.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};

use super::App;
use super::access::Caller;
use super::api::{Candidate, CandidateList, Conflict, ContactChoice, SyncError as View};
use super::extract::{self, Id};
use super::problem::Problem;
use super::sync_errors::{find, sees};
use crate::domain::{Contact, Pick, RecordId, SyncError, SyncErrorId};
use crate::engine::Error;

/// How long Salesforce may take to say what it knows.
const PATIENCE: Duration = Duration::from_secs(5);

/// Look at the contacts that a sync error names
///
/// Where the customer could be several contacts, or the one that a person chose is gone. Salesforce is asked for them at each
/// call; where it does not answer within 5 seconds, `unknown` says why, and what it had said is shown.
#[utoipa::path(get, path = "/v1/sync-errors/{id}/candidates", operation_id = "list_candidates", tag = "sync errors",
    params(("id" = SyncErrorId, Path)),
    responses((status = 200, description = "The contacts; none where the sync error is about something else.", body = CandidateList)))]
pub(super) async fn show(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<SyncErrorId>,
) -> Result<Json<CandidateList>, Problem> {
    let error = find(&app, &caller, &id).await?;
    Ok(Json(of(&app, &error).await?))
}

/// The contacts that a sync error names.
pub(super) async fn of(app: &App, error: &SyncError) -> Result<CandidateList, Problem> {
    let engine = &app.parts.engine;
    let delivery = engine.ledger().delivery(&error.org, &error.conversation).await?;
    let chosen = delivery.chosen.filter(|chosen| chosen.pick != Pick::Policy);
    let ids = error.refusal.candidates();
    let org = engine.org(&error.org).ok().map(|(org, _)| org);
    let answer = match &org {
        _ if ids.is_empty() => Ok(Vec::new()),
        None => Err("the organization is not connected any more".to_owned()),
        Some(org) => match tokio::time::timeout(PATIENCE, org.salesforce.contact_details(&ids)).await {
            Ok(answer) => answer.map_err(|refusal| format!("{}: {}", refusal.code, refusal.text)),
            Err(_) => Err("Salesforce did not answer in time".to_owned()),
        },
    };
    let found: Vec<&Contact> = error.refusal.choice.iter().flat_map(|choice| &choice.found).collect();
    let mut candidates: Vec<_> = ids.into_iter().map(|id| as_found(id, &found)).collect();
    let unknown = match answer {
        Ok(details) => {
            let mut details: Vec<_> = details.into_iter().map(Candidate::of).collect();
            for candidate in &mut candidates {
                candidate.is_there = Some(false);
                let place = details.iter().position(|of| is_same(&of.contact, &candidate.contact));
                place.into_iter().for_each(|place| *candidate = details.swap_remove(place));
            }
            None
        }
        Err(why) => Some(why),
    };
    for candidate in &mut candidates {
        candidate.url = org.as_ref().and_then(|org| org.salesforce.contact_page(&candidate.contact));
    }
    Ok(CandidateList {
        sync_error: error.id.clone(),
        customer: error.person.as_ref().map(|person| (**person).clone().into()),
        candidates,
        chosen: chosen.map(|chosen| (*chosen).into()),
        unknown,
    })
}

fn as_found(id: RecordId, found: &[&Contact]) -> Candidate {
    let found = found.iter().find(|contact| is_same(&contact.id, &id));
    found.map_or_else(|| Candidate::unseen(id.clone()), |contact| Candidate::as_found(contact))
}

fn is_same(one: &RecordId, other: &RecordId) -> bool {
    one == other || one.is_same(other.as_str())
}

/// Choose the contact of a sync error
///
/// Says which of the contacts that it names the customer is. That is kept for the conversation, whatever the policy says, and the
/// conversation is tried again with it at once; if it has got through with another choice, it is written again. Where the
/// chosen contact is deleted or merged later, the conversation fails with `CHOSEN_CONTACT_GONE`, and nobody else is linked.
#[utoipa::path(post, path = "/v1/sync-errors/{id}/choose", operation_id = "choose_contact", tag = "sync errors",
    params(("id" = SyncErrorId, Path)), request_body = ContactChoice,
    responses((status = 202, description = "It is kept, and the conversation is tried again.", body = View),
        (status = 409, response = Conflict)))]
pub(super) async fn choose(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<SyncErrorId>,
    extract::Json(choice): extract::Json<ContactChoice>,
) -> Result<(StatusCode, Json<View>), Problem> {
    sees(&app, &caller, &id).await?;
    Ok((StatusCode::ACCEPTED, Json(chosen(&app, &caller, &id, &choice).await??.into())))
}

/// Does what was chosen by somebody who sees the sync error; answers how that stands then, or why nothing was done.
pub(super) async fn chosen(
    app: &App,
    caller: &Caller,
    id: &SyncErrorId,
    choice: &ContactChoice,
) -> Result<Result<SyncError, Error>, Problem> {
    let pick =
        |name: &str, text: &str| text.parse::<Pick>().map_err(|error| Problem::invalid(format!("{name}: {error}")));
    let contact = pick("contact", &choice.contact)?;
    let instead_of = choice.instead_of.as_deref().map(|text| pick("instead_of", text)).transpose()?;
    Ok(app.parts.engine.choose(id, contact, instead_of, &caller.asker()).await)
}

//! One conversation as a whole: where it stands in each organization, what was said, what it became, and what happened.

use axum::extract::State;
use axum::{Extension, Json};
use serde::Deserialize;
use utoipa::IntoParams;

use super::App;
use super::access::{Caller, Scope};
use super::api::{AuditEntry, Conversation, ConversationInOrg, Details, ErrorLine, Message, Record};
use super::error_query::LARGEST_PAGE;
use super::evidence::mask_of;
use super::extract::{Asked, Id, page_size};
use super::problem::Problem;
use super::timeline::{Place, page};
use crate::domain::{ConversationId, Delivery, Direction, OrgId, Phase, State as ErrorState, Timestamp};
use crate::ledger::Story;
use crate::policy::case;

/// Entries of the timeline without a `limit`.
pub(super) const ENTRIES: usize = 200;
/// The longest text of a message that is shown, in bytes.
const TEXT_BYTES: usize = 2 * 1024;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Query {
    /// Whether personal data is left out.
    #[serde(default)]
    mask: bool,
    /// Of this organization only.
    org: Option<OrgId>,
    /// Entries of the timeline before this one: an `older_cursor`. It goes with `org`.
    cursor: Option<String>,
    /// Entries of the timeline; 200 without it.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<usize>,
}

/// Look at a conversation
///
/// In each organization that has it: its state, its messages, its records in Salesforce, its sync errors and its story. Tokens
/// without the scope `errors` have to ask for `mask=true`.
#[utoipa::path(get, path = "/v1/conversations/{id}", operation_id = "get_conversation", tag = "conversations",
    params(("id" = ConversationId, Path), Query),
    responses((status = 200, description = "The conversation.", body = Conversation)))]
pub(super) async fn show(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<ConversationId>,
    Asked(query): Asked<Query>,
) -> Result<Json<Conversation>, Problem> {
    if !query.mask && !caller.may(Scope::Errors) {
        let words = "personal data is given to tokens with the scope `errors` only; `?mask=true` leaves it out";
        return Err(Problem::forbidden(words));
    }
    let limit = page_size(query.limit, ENTRIES, LARGEST_PAGE)?;
    let before = query.cursor.as_deref().filter(|cursor| !cursor.is_empty()).map(|cursor| {
        match (Place::parse(cursor), &query.org) {
            (Some(place), Some(_)) => Ok(place),
            (Some(_), None) => Err(Problem::bad_request("cursor: it goes with the `org` that gave it")),
            (None, _) => {
                Err(Problem::bad_request(format!("cursor: `{cursor}` is not one that an `older_cursor` gave")))
            }
        }
    });
    let before = before.transpose()?;
    let mut stories = seen(&app, &caller, &id).await?;
    stories.retain(|story| query.org.as_ref().is_none_or(|org| *org == story.org));
    let orgs: Vec<_> = stories.into_iter().map(|story| view(&app, &id, story, query.mask, before, limit)).collect();
    if orgs.is_empty() {
        return Err(unknown(&id));
    }
    Ok(Json(Conversation { conversation: id, masked: query.mask, orgs }))
}

/// What is kept of a conversation, as far as a caller may know of it.
pub(super) async fn seen(app: &App, caller: &Caller, id: &ConversationId) -> Result<Vec<Story>, Problem> {
    let mut stories = app.parts.engine.ledger().stories(id).await?;
    stories.retain(|story| caller.sees(&story.org));
    if stories.is_empty() { Err(unknown(id)) } else { Ok(stories) }
}

fn unknown(id: &ConversationId) -> Problem {
    Problem::not_found(format!("nothing is known of conversation {id}"))
}

pub(super) fn view(
    app: &App,
    id: &ConversationId,
    story: Story,
    mask: bool,
    before: Option<Place>,
    limit: usize,
) -> ConversationInOrg {
    let connected = app.parts.engine.org(&story.org).ok().map(|(org, _)| org);
    let records = connected.as_ref().map(|org| org.salesforce.pages(&story.delivery.records)).unwrap_or_default();
    let (state, since, next_attempt_at) = stands(&story);
    let Story { org, conversation, errors, audit, .. } = story;
    let (mut timeline, older) = page(audit, before, limit);
    let older_cursor = older.map(|place| place.to_string());
    let erased_until = conversation.as_ref().and_then(|of| of.erased_until);
    let url = conversation.as_ref().map(|of| of.url.clone()).filter(|url| !mask && url.starts_with("http"));
    if mask {
        let mask = mask_of(conversation.as_ref(), id);
        timeline.iter_mut().for_each(|entry| mask.entry(entry));
    }
    let mut told = conversation.as_ref().map(case::Conversation::from);
    if mask {
        told = told.map(case::Conversation::masked);
    }
    let said = told.as_mut().map(|told| std::mem::take(&mut told.messages)).unwrap_or_default();
    let messages = said.into_iter().filter_map(|message| shown(message, erased_until)).collect();
    let sync_errors = errors.into_iter().map(|(error, title)| ErrorLine {
        id: error.id,
        state: error.state,
        class: error.refusal.class,
        code: error.refusal.code,
        title,
        first_seen: error.first_seen,
        last_seen: error.last_seen,
    });
    let sync_errors = sync_errors.collect();
    let (connected, details) = (connected.is_some(), told.map(Details::from));
    ConversationInOrg {
        org,
        connected,
        state: state.into(),
        since,
        next_attempt_at,
        erased_until,
        url,
        details,
        messages,
        records: records.into_iter().map(Record::from).collect(),
        sync_errors,
        timeline: timeline.into_iter().map(AuditEntry::from).collect(),
        older_cursor,
    }
}

fn shown(message: case::Message, erased_until: Option<Timestamp>) -> Option<Message> {
    let case::Message { id, direction, author: name, body: mut text, sent_at } = message;
    let author = match direction {
        Direction::Inbound => "customer",
        Direction::Outbound => "agent",
    };
    let bytes = text.len();
    text.truncate(text.floor_char_boundary(TEXT_BYTES));
    let cut_from = (bytes > text.len()).then_some(bytes);
    let erased = sent_at.is_some_and(|at| erased_until.is_some_and(|until| at <= until));
    Some(Message { id: id?, sent_at, author: author.into(), name, text, cut_from, erased })
}

/// What a conversation does, in the words of the API; since when, and when it is tried again by itself.
fn stands(Story { delivery, errors, audit, .. }: &Story) -> (&'static str, Option<Timestamp>, Option<Timestamp>) {
    let open = open_error(delivery, errors);
    let failed = || errors.last().map(|(error, _)| error.last_seen);
    let (ignored, changed) = open.unwrap_or_default();
    match delivery.phase {
        Phase::Ready { since, .. } => ("waiting", Some(since), None),
        Phase::Sending { since, .. } => ("sending", Some(since), None),
        Phase::Parked { since } => ("parked", Some(since), None),
        Phase::Waiting { until } => ("retrying", failed(), Some(until)),
        Phase::Held => ("pending", changed.or_else(failed), None),
        Phase::Idle if ignored => ("ignored", changed, None),
        Phase::Idle => ("idle", audit.last().map(|entry| entry.at), None),
    }
}

/// Whether its sync error that is not over is ignored, and since when it is in its state.
fn open_error(delivery: &Delivery, errors: &[(crate::domain::SyncError, String)]) -> Option<(bool, Option<Timestamp>)> {
    let open = delivery.open.as_ref()?;
    let error = errors.iter().find(|(error, _)| error.id == open.id).map(|(error, _)| error);
    Some((open.state == ErrorState::Ignored, error.and_then(|error| error.history.last()).map(|moment| moment.at)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_long_text_is_cut_and_what_was_forgotten_says_so() {
        let said = json!({ "id": "m:1", "body": "é".repeat(TEXT_BYTES), "sent_at": "2026-09-21T10:00:00.000Z" });
        let said: case::Message = serde_json::from_value(said).unwrap();
        let message = shown(said.clone(), said.sent_at).unwrap();
        assert_eq!((message.text.len(), message.cut_from, message.erased), (TEXT_BYTES, Some(2 * TEXT_BYTES), true));
        assert!(!shown(said, None).unwrap().erased);
    }
}

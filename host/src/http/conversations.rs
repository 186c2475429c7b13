//! One conversation as a whole: where it stands in each organization, what was said, what it became, and what happened.

use axum::extract::State;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};

use super::App;
use super::access::{Caller, Scope};
use super::error_query::LARGEST_PAGE;
use super::evidence::mask_of;
use super::extract::{Asked, Id};
use super::problem::Problem;
use super::timeline::{Place, page};
use crate::domain::{
    AuditEntry, Class, ConversationId, Delivery, Direction, MessageId, OrgId, Phase, State as ErrorState, SyncErrorId,
    Timestamp,
};
use crate::ledger::Story;
use crate::policy::case;
use crate::salesforce::RecordPage;

/// Entries of the timeline without a `limit`.
const ENTRIES: usize = 200;
/// The longest text of a message that is shown, in bytes.
const TEXT_BYTES: usize = 2 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Query {
    /// Whether personal data is left out.
    #[serde(default)]
    mask: bool,
    /// Of this organization only.
    org: Option<OrgId>,
    /// Entries of the timeline before this one: an `older_cursor`. It goes with `org`.
    cursor: Option<String>,
    limit: Option<usize>,
}

#[derive(Serialize)]
pub(super) struct Answer {
    conversation: ConversationId,
    /// Whether personal data is left out.
    masked: bool,
    /// How it is in each organization that has it.
    orgs: Vec<View>,
}

#[derive(Serialize)]
struct View {
    org: OrgId,
    /// Whether the organization is configured.
    connected: bool,
    state: &'static str,
    /// Since when; absent where that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<Timestamp>,
    /// When it is tried again by itself; only while `retrying`.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_attempt_at: Option<Timestamp>,
    /// What was sent until then is forgotten, because its source said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    erased_until: Option<Timestamp>,
    /// Its page at the source, where it has one; not where personal data is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    /// As a policy is told it, but for the messages; absent where its record could not be read or kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<Details>,
    messages: Vec<Message>,
    records: Vec<RecordPage>,
    sync_errors: Vec<Error>,
    /// The audit of all its messages, oldest first.
    timeline: Vec<AuditEntry>,
    /// Asks for what is older; absent where there is nothing older.
    #[serde(skip_serializing_if = "Option::is_none")]
    older_cursor: Option<String>,
}

#[derive(Serialize)]
struct Details {
    channel: String,
    account: crate::domain::AccountId,
    team: Option<String>,
    agent: Option<String>,
    closed: bool,
    tags: Vec<String>,
    customer: case::Customer,
}

#[derive(Serialize)]
struct Message {
    id: MessageId,
    sent_at: Option<Timestamp>,
    /// `customer`, or `agent` for whoever answers.
    author: &'static str,
    name: String,
    text: String,
    /// How many bytes the text has, where it is cut off here.
    #[serde(skip_serializing_if = "Option::is_none")]
    cut_from: Option<usize>,
    /// Whether its source said that it is to be forgotten.
    erased: bool,
}

#[derive(Serialize)]
struct Error {
    id: SyncErrorId,
    state: ErrorState,
    class: Class,
    code: String,
    title: String,
    first_seen: Timestamp,
    last_seen: Timestamp,
}

/// A conversation in each organization that has it.
pub(super) async fn show(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<ConversationId>,
    Asked(query): Asked<Query>,
) -> Result<Json<Answer>, Problem> {
    if !query.mask && !caller.may(Scope::Errors) {
        let words = "personal data is given to tokens with the scope `errors` only; `?mask=true` leaves it out";
        return Err(Problem::forbidden(words));
    }
    let limit = query.limit.unwrap_or(ENTRIES);
    if !(1..=LARGEST_PAGE).contains(&limit) {
        return Err(Problem::bad_request(format!("limit: {limit} is not from 1 to {LARGEST_PAGE}")));
    }
    let before = query.cursor.as_deref().map(|cursor| match (Place::parse(cursor), &query.org) {
        (Some(place), Some(_)) => Ok(place),
        (Some(_), None) => Err(Problem::bad_request("cursor: it goes with the `org` that gave it")),
        (None, _) => Err(Problem::bad_request(format!("cursor: `{cursor}` is not one that an `older_cursor` gave"))),
    });
    let before = before.transpose()?;
    let stories = app.parts.engine.ledger().stories(&id).await?;
    let wanted = stories.into_iter().filter(|story| query.org.as_ref().is_none_or(|org| *org == story.org));
    let orgs: Vec<_> = wanted.map(|story| view(&app, &id, story, query.mask, before, limit)).collect();
    if orgs.is_empty() {
        return Err(Problem::not_found(format!("nothing is known of conversation {id}")));
    }
    Ok(Json(Answer { conversation: id, masked: query.mask, orgs }))
}

fn view(app: &App, id: &ConversationId, story: Story, mask: bool, before: Option<Place>, limit: usize) -> View {
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
    let sync_errors = errors.into_iter().map(|(error, title)| Error {
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
    View {
        org,
        connected,
        state,
        since,
        next_attempt_at,
        erased_until,
        url,
        details,
        messages,
        records,
        sync_errors,
        timeline,
        older_cursor,
    }
}

impl From<case::Conversation> for Details {
    fn from(of: case::Conversation) -> Self {
        let case::Conversation { channel, account, team, agent, closed, tags, customer, .. } = of;
        Self { channel, account, team, agent, closed, tags, customer }
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
    Some(Message { id: id?, sent_at, author, name, text, cut_from, erased })
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

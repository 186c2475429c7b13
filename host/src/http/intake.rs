//! The generic intake: a conversation as JSON, from platforms without a connector.

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::Deserialize as _;

use super::App;
use super::access::Caller;
use super::api::{IntakeConversation as Conversation, IntakeMessage as Line, Receipt, Unusable};
use super::extract::{Body, Id, foreign_object};
use super::problem::Problem;
use crate::domain::{Arrival, ConversationId, Customer, Message, MessageId, ReachedBy, SourceId};
use crate::engine;
use crate::ledger::Quarantined;

/// Messages of one call.
const MESSAGES: usize = 1_000;
/// The longest reason why a message is set aside, in characters: it may repeat what was sent.
const REASON: usize = 300;

/// Hand in a conversation
///
/// From a platform without a connector. 202 says that it survives a power cut; the same one twice changes nothing. A message of it
/// that cannot be taken is set aside, and named in the answer; the others go on.
#[utoipa::path(post, path = "/v1/intake/{source}", operation_id = "hand_in_conversation", tag = "intake",
    params(("source" = SourceId, Path)), request_body = Conversation,
    responses((status = 202, description = "It is kept.", body = Receipt)))]
pub(super) async fn accept(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(source): Id<SourceId>,
    Body(body): Body,
) -> Result<(StatusCode, Json<Receipt>), Problem> {
    let conversation: Conversation = foreign_object(&body)?;
    if app.parts.environments.contains_key(&source) {
        let detail = format!("{source} is an Alcmeon environment; its conversations come by notification and by poll");
        return Err(Problem::invalid(detail));
    }
    let account = conversation.account.to_string();
    let (arrival, unusable) = arrival(source.clone(), conversation)?;
    let id = arrival.conversation.clone();
    let now = app.parts.clock.now();
    let taken_as_now: Vec<_> = arrival.ahead(now).map(|message| message.id.clone()).collect();
    // Of an organization that the token is not for, it is told nothing.
    if !app.parts.engine.linked_to(&source, &arrival.account).is_some_and(|org| caller.sees(org)) {
        return Err(engine::Error::NotLinked { source_id: source, account }.into());
    }
    let set_aside = unusable.iter().map(|unusable| {
        let what = format!("{id}/messages/{}", unusable.message);
        Quarantined::sent(&source, &what, unusable.value.to_string().as_bytes(), unusable.reason.clone(), now)
    });
    let set_aside = set_aside.collect();
    app.parts.engine.accept(vec![arrival], set_aside, None).await?;
    Ok((StatusCode::ACCEPTED, Json(Receipt { conversation: id, taken_as_now, set_aside: unusable })))
}

/// Reads a conversation that was handed in, as the intake does, for those who try what nobody would send.
///
/// # Errors
/// Says what is wrong with it.
pub fn read(source: &SourceId, json: &[u8]) -> Result<Arrival, String> {
    let given = foreign_object(json).map_err(|problem| problem.detail().to_owned())?;
    let read = arrival(source.clone(), given).map_err(|problem| problem.detail().to_owned())?;
    Ok(read.0)
}

/// The messages that can be taken, and those that cannot.
fn lines(source: &SourceId, conversation: &str, given: Vec<serde_json::Value>) -> (Vec<Message>, Vec<Unusable>) {
    let message = |line: Line| Message {
        // Platforms number messages within a conversation: only both together name one.
        id: MessageId::scoped(source, conversation, &format!("{conversation}:{}", line.id)),
        direction: line.direction,
        author: line.author,
        body: line.body,
        sent_at: line.sent_at,
    };
    let (mut messages, mut unusable) = (Vec::new(), Vec::new());
    for (place, value) in given.into_iter().enumerate() {
        match Line::deserialize(&value) {
            Ok(line) => messages.push(message(line)),
            Err(error) => {
                let reason = error.to_string().chars().take(REASON).collect();
                unusable.push(Unusable { message: place, reason, value });
            }
        }
    }
    (messages, unusable)
}

fn arrival(source: SourceId, given: Conversation) -> Result<(Arrival, Vec<Unusable>), Problem> {
    if given.id.is_empty() || given.channel.is_empty() {
        return Err(Problem::invalid("id and channel must not be empty"));
    }
    if given.messages.is_empty() || given.messages.len() > MESSAGES {
        return Err(Problem::invalid(format!("messages: 1 to {MESSAGES} are needed, the newest among them")));
    }
    let (messages, unusable) = lines(&source, &given.id, given.messages);
    let Some(newest) = messages.iter().max_by_key(|message| message.sent_at) else {
        let why = unusable.first().map_or("none", |unusable| unusable.reason.as_str());
        return Err(Problem::invalid(format!("messages: none can be taken; the first one: {why}")));
    };
    let arrival = Arrival {
        account: given.account.clone(),
        account_name: given.account_name.unwrap_or_else(|| given.account.to_string()),
        conversation: ConversationId::scoped(&source, &given.id),
        message: newest.id.clone(),
        event: given.sequence.unwrap_or_default(),
        numbered: given.sequence.is_some(),
        kind: "intake".to_owned(),
        at: newest.sent_at,
        by: ReachedBy::Intake,
        channel: given.channel.to_lowercase(),
        url: given.url,
        team: given.team,
        agent: Some(given.agent),
        closed: given.closed,
        tags: given.tags,
        attributes: given.attributes,
        customer: Customer {
            id: given.customer.id.unwrap_or_default(),
            name: given.customer.name,
            email: given.customer.email,
            phone: given.customer.phone,
            contact: given.customer.contact_id,
            attributes: given.customer.attributes,
        },
        messages,
        extra: None,
        follows: false,
        erase: false,
        erased_by: None,
        trace: None,
        source,
    };
    Ok((arrival, unusable))
}

#[cfg(test)]
mod tests;

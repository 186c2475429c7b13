//! The generic intake: a conversation as JSON, from platforms without a connector.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::App;
use super::extract::{self, Id};
use super::problem::Problem;
use crate::domain::{
    AccountId, Arrival, Attribute, ConversationId, Customer, Direction, Message, MessageId, ReachedBy, RecordId,
    SourceId, Timestamp,
};
use crate::engine;

/// Messages of one call.
const MESSAGES: usize = 1_000;

/// A conversation as a platform hands it in: its whole state and its messages, known ones included.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Conversation {
    /// The platform's id of it.
    id: String,
    /// The connected page or number.
    account: AccountId,
    account_name: Option<String>,
    channel: String,
    team: Option<String>,
    agent: Option<String>,
    closed: Option<bool>,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    attributes: Vec<Attribute>,
    customer: Person,
    /// The address of the newest message on the platform.
    url: Option<String>,
    /// Grows with every change on the platform; where absent, calls count in the order in which they come.
    sequence: Option<u64>,
    messages: Vec<Line>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Person {
    id: Option<String>,
    name: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    contact_id: Option<RecordId>,
    #[serde(default)]
    attributes: Vec<Attribute>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    id: String,
    #[serde(default = "inbound")]
    direction: Direction,
    #[serde(default)]
    author: String,
    #[serde(default)]
    body: String,
    sent_at: Timestamp,
}

const fn inbound() -> Direction {
    Direction::Inbound
}

/// Takes a conversation. 202 says that it survives a power cut; the same one twice changes nothing.
pub(super) async fn accept(
    State(app): State<App>,
    Id(source): Id<SourceId>,
    extract::Json(conversation): extract::Json<Conversation>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    if app.parts.environments.contains_key(&source) {
        let detail = format!("{source} is an Alcmeon environment; its conversations come by notification and by poll");
        return Err(Problem::invalid(detail));
    }
    let account = conversation.account.to_string();
    let arrival = arrival(source.clone(), conversation)?;
    let id = arrival.conversation.clone();
    let ahead: Vec<_> = arrival.ahead(app.parts.clock.now()).map(|message| message.id.clone()).collect();
    if app.parts.engine.accept(vec![arrival], Vec::new(), None).await?.linked == 0 {
        return Err(engine::Error::NotLinked { source_id: source, account }.into());
    }
    let mut answer = json!({ "conversation": id });
    if !ahead.is_empty() {
        answer["taken_as_now"] = json!(ahead);
    }
    Ok((StatusCode::ACCEPTED, Json(answer)))
}

/// Reads a conversation that was handed in, as [`accept`] does, for those who try what nobody would send.
///
/// # Errors
/// Says what is wrong with it.
pub fn read(source: &SourceId, json: &[u8]) -> Result<Arrival, String> {
    let given = extract::object(json).map_err(|problem| problem.detail().to_owned())?;
    arrival(source.clone(), given).map_err(|problem| problem.detail().to_owned())
}

fn arrival(source: SourceId, given: Conversation) -> Result<Arrival, Problem> {
    if given.id.is_empty() || given.channel.is_empty() {
        return Err(Problem::invalid("id and channel must not be empty"));
    }
    if given.messages.is_empty() || given.messages.len() > MESSAGES {
        return Err(Problem::invalid(format!("messages: 1 to {MESSAGES} are needed, the newest among them")));
    }
    let message = |line: Line| Message {
        // Platforms number messages within a conversation: only both together name one.
        id: MessageId::scoped(&source, &given.id, &format!("{}:{}", given.id, line.id)),
        direction: line.direction,
        author: line.author,
        body: line.body,
        sent_at: line.sent_at,
    };
    let messages: Vec<_> = given.messages.into_iter().map(message).collect();
    let Some(newest) = messages.iter().max_by_key(|message| message.sent_at) else {
        return Err(Problem::invalid("messages: none"));
    };
    Ok(Arrival {
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
        source,
    })
}

#[cfg(test)]
mod tests;

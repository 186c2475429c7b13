//! Alcmeon's actions as arrivals: every type, channel and field that comes, known or not.

use serde_json::{Value, json};

use super::config::Config;
use super::customer::{customer, fields, named, tag};
use super::json::{JsonObject, Malformed, as_text};
use crate::domain::{
    AccountId, Arrival, Attribute, ConversationId, Customer, Direction, Message, MessageId, ReachedBy, SourceId,
    Timestamp,
};
use crate::foreign_json;

/// How much of what is not understood is kept, in bytes of JSON.
const EXTRA_KEPT: usize = 16 * 1024;

/// What one call of `GET /actions` brought.
#[derive(Debug, Default)]
pub struct ActionPage {
    /// In the order in which they happened.
    pub arrivals: Vec<Arrival>,
    /// The largest action id, from which the next call goes on; `None` for an empty page.
    pub highest: Option<u64>,
    /// Actions that could not be used. They do not keep the others back.
    pub unusable: Vec<Unusable>,
}

/// An action that could not be used.
#[derive(Debug, PartialEq, Eq)]
pub struct Unusable {
    /// Its id, where one can be made out.
    pub id: Option<u64>,
    /// As it came.
    pub bytes: Vec<u8>,
    /// What is wrong with it.
    pub why: Malformed,
}

/// The highest id that an action can have: JSON promises no larger whole numbers, and one that is wrong must not move the place
/// of a poll to where nothing is.
const HIGHEST_ID: u64 = (1 << 53) - 1;

/// Reads a notification: its own id, and what happened.
///
/// # Errors
/// When it is not JSON, or an id is missing; the path of the missing part is named.
pub fn notification(body: &[u8], config: &Config, source: &SourceId) -> Result<(u64, Arrival), Malformed> {
    let mut notification = JsonObject::of("", json(body)?);
    let id = notification.count("id")?;
    let action = notification.value("action");
    Ok((id, arrival("action", action, config, source, ReachedBy::Webhook)?))
}

/// Reads the answer of `GET /actions`.
///
/// # Errors
/// When it is not a JSON array, or a part of one.
pub fn actions(body: &[u8], config: &Config, source: &SourceId) -> Result<ActionPage, Malformed> {
    let items = foreign_json::elements(body).ok_or_else(|| Malformed::Json("no list, or a part of one".to_owned()))?;
    let mut page = ActionPage::default();
    for (place, item) in items.into_iter().enumerate() {
        page.take(&format!("[{place}]"), item, config, source, ReachedBy::Poll);
    }
    page.arrivals.sort_by_key(|arrival| arrival.event);
    Ok(page)
}

impl ActionPage {
    fn take(&mut self, path: &str, item: &[u8], config: &Config, source: &SourceId, by: ReachedBy) {
        let read = json(item);
        let mut top = JsonObject::of("", json!({ "id": read.as_ref().map_or(&Value::Null, |item| &item["id"]) }));
        let id = top.count("id").ok().or_else(|| foreign_json::number_in(item, "id"));
        self.highest = self.highest.max(id.filter(|id| *id <= HIGHEST_ID));
        match read.and_then(|item| arrival(path, item, config, source, by)) {
            Ok(arrival) => self.arrivals.push(arrival),
            Err(why) => self.unusable.push(Unusable { id, bytes: item.to_vec(), why }),
        }
    }
}

fn json(document: &[u8]) -> Result<Value, Malformed> {
    foreign_json::parse(document).map_err(|error| Malformed::Json(error.to_string()))
}

/// Reads the answer of `GET /actions/conversations/{id}`: documented as a list although one is asked for.
///
/// # Errors
/// When it is neither a list nor a conversation.
pub(super) fn conversation(body: &[u8], config: &Config, source: &SourceId) -> Result<ActionPage, Malformed> {
    let conversations = match json(body)? {
        Value::Array(list) => list,
        one @ Value::Object(_) => vec![one],
        _ => return Err(Malformed::Json("neither a list nor a conversation".to_owned())),
    };
    let mut page = ActionPage::default();
    for (place, conversation) in conversations.into_iter().enumerate() {
        for (at, action) in JsonObject::of("", conversation).list("actions").into_iter().enumerate() {
            let (path, action) = (format!("[{place}].actions[{at}]"), action.to_string());
            page.take(&path, action.as_bytes(), config, source, ReachedBy::Completion);
        }
    }
    page.arrivals.sort_by_key(|arrival| arrival.event);
    Ok(page)
}

fn arrival(
    path: &str,
    mut action: Value,
    config: &Config,
    source: &SourceId,
    by: ReachedBy,
) -> Result<Arrival, Malformed> {
    drop_files(&mut action);
    let mut action = JsonObject::of(path, action);
    let event = action.count("id")?;
    if event > HIGHEST_ID {
        return Err(action.missing("id", "below 2^53"));
    }
    let kind = action.text("type").unwrap_or_else(|| "unknown".to_owned());
    let mut account = action.child("account");
    let (account_id, account_name, channel) = (account.id("id"), account.text("name"), account.text("type"));
    let account_id = account_id.and_then(|id| AccountId::new(id).ok()).ok_or_else(|| account.missing("id", "an id"))?;
    action.put_back("account", account);

    let mut task = action.child("task");
    let url = task.text("url");
    let (conversation, attributes) = told_of_conversation(&mut task, config)?;
    let tags: Vec<Attribute> = task.first("tags").into_iter().filter_map(tag).collect();
    let when = moment(&mut action);
    let (received, customer) = received(&mut task, config, source, &conversation, when)?;
    action.put_back("task", task);

    // Where an action tells no time, its message's stands in: the same action has to give the same arrival each time.
    let at = when.unwrap_or(received.sent_at);
    let answer = (kind == "answer").then(|| answer(&mut action, source, &conversation, event, at));
    Ok(Arrival {
        source: source.clone(),
        account: account_id,
        account_name: account_name.unwrap_or_default(),
        conversation: ConversationId::scoped(source, &conversation),
        message: received.id.clone(),
        event,
        numbered: false,
        at,
        by,
        channel: channel.map_or_else(|| "unknown".to_owned(), |channel| channel.to_lowercase()),
        url,
        team: team(config, &attributes, &tags),
        agent: agent(&kind, &action),
        closed: closed(&kind, config),
        tags: tags.into_iter().map(shown).collect(),
        attributes,
        customer,
        messages: [Some(received), answer].into_iter().flatten().collect(),
        extra: extra(action),
        follows: kind != "task-create",
        erase: kind == "anonymize-gdpr",
        erased_by: None,
        trace: None,
        kind,
    })
}

/// The conversation's id and its custom fields, without those that this host writes itself: they are nothing new.
fn told_of_conversation(task: &mut JsonObject, config: &Config) -> Result<(String, Vec<Attribute>), Malformed> {
    let mut conversation = task.child("conversation");
    let (outer, inner) = (task.id("conversation_id"), conversation.id("id"));
    let mut attributes = fields(conversation.first("custom_fields"));
    attributes.retain(|field| config.own_fields().all(|own| field.name != own.to_string()));
    task.put_back("conversation", conversation);
    let id = outer.or(inner).ok_or_else(|| task.missing("conversation_id", "an id"))?;
    Ok((id, attributes))
}

/// The customer's message that the task is about, and the customer.
fn received(
    task: &mut JsonObject,
    config: &Config,
    source: &SourceId,
    conversation: &str,
    otherwise: Option<Timestamp>,
) -> Result<(Message, Customer), Malformed> {
    let mut message = task.child("message");
    let id = message.id("id").ok_or_else(|| message.missing("id", "an id"))?;
    let mut author = message.child("author");
    let customer = customer(&mut author, config);
    message.put_back("author", author);
    let received = Message {
        id: MessageId::scoped(source, conversation, &id),
        direction: Direction::Inbound,
        author: customer.name.clone().unwrap_or_default(),
        body: message.text("content").unwrap_or_default(),
        sent_at: moment(&mut message).or(otherwise).unwrap_or_default(),
    };
    task.put_back("message", message);
    Ok((received, customer))
}

/// `date` and `time`, in UTC.
fn moment(parts: &mut JsonObject) -> Option<Timestamp> {
    let (date, time) = (parts.text("date")?, parts.text("time").unwrap_or_else(|| "00:00:00".to_owned()));
    format!("{date}T{}Z", time.trim_end_matches('Z')).parse().ok()
}

/// What an agent or a bot wrote. It has no id of its own: the action's stands for it.
fn answer(action: &mut JsonObject, source: &SourceId, conversation: &str, event: u64, at: Timestamp) -> Message {
    let mut data = action.child("data");
    let mut answers = data.first("answers");
    let content = |answer: &mut Value| as_text(&answer.as_object_mut()?.remove("content")?);
    let body: Vec<String> = answers.iter_mut().filter_map(content).collect();
    data.put("answers", Value::Array(answers));
    action.put_back("data", data);
    Message {
        id: MessageId::scoped(source, conversation, &format!("a{event}")),
        direction: Direction::Outbound,
        author: who(action.peek("user")).unwrap_or_default(),
        body: body.join("\n"),
        sent_at: at,
    }
}

/// Who has the message after this action, where it tells.
fn agent(kind: &str, action: &JsonObject) -> Option<Option<String>> {
    match kind {
        "assign-to" => who(action.peek("data").get("to")?).map(Some),
        "acquire" | "steal" => who(action.peek("user")).map(Some),
        "release" | "archive" | "auto-archive" => Some(None),
        _ => None,
    }
}

/// An agent by name, or else by what there is.
fn who(user: &Value) -> Option<String> {
    let mut user = JsonObject::of("", user.clone());
    user.text("name").or_else(|| user.text("email")).or_else(|| user.id("id"))
}

/// A new message of the customer opens a conversation again; archiving is not closing unless a setting says so.
fn closed(kind: &str, config: &Config) -> Option<bool> {
    match kind {
        "close-conversation" => Some(true),
        "archive" | "auto-archive" if config.archive_closes => Some(true),
        "task-create" => Some(false),
        _ => None,
    }
}

fn shown(tag: Attribute) -> String {
    if tag.value.is_empty() { tag.name } else { format!("{}: {}", tag.name, tag.value) }
}

/// The team that the action belongs to, where a setting says what tells it.
fn team(config: &Config, attributes: &[Attribute], tags: &[Attribute]) -> Option<String> {
    let by_field = config.team_field.and_then(|id| named(attributes, &[&id.to_string()]));
    let by_tag = || config.team_tag.as_deref().and_then(|name| named(tags, &[name]));
    by_field.or_else(by_tag).filter(|team| !team.is_empty())
}

/// Forgets what is in files: they are not synced, and a store's values have to stay small.
fn drop_files(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(drop_files),
        Value::Object(parts) => {
            for (key, part) in parts {
                let files = if key == "attachments" || key == "pictures" { part.as_array_mut() } else { None };
                for file in files.into_iter().flatten().filter_map(Value::as_object_mut) {
                    file.remove("data");
                }
                drop_files(part);
            }
        }
        _ => {}
    }
}

/// What was not understood, up to a bound.
fn extra(action: JsonObject) -> Option<Value> {
    let left = action.left()?;
    let text = left.to_string();
    if text.len() <= EXTRA_KEPT {
        return Some(left);
    }
    // Leaves room for the escapes that a text in a text needs.
    let end = text.floor_char_boundary(EXTRA_KEPT / 2);
    Some(json!({ "cut_off": text[..end], "bytes": text.len() }))
}

#[cfg(test)]
mod tests;

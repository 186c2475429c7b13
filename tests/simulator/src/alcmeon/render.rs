//! Shows an action as the documented JSON.

use serde_json::{Value, json};

use super::environment::{ContactIn, Environment, Scope};
use super::model::{Action, Conversation, Customer, Event, Message};
use crate::clock;

/// The action at a position. Team and tags are the conversation's present ones, for the API shows the task as it is.
pub(crate) fn action(environment: &Environment, at: usize) -> Value {
    let action = environment.actions[at];
    let conversation = &environment.conversations[action.conversation as usize];
    let (date, time) = clock::alcmeon_text(action.at_ms);
    json!({
        "id": at + 1,
        "type": kind(action.event),
        "date": date,
        "time": time,
        "status": "ok",
        "user": user(environment, action.event),
        "account": {
            "id": conversation.account.id,
            "name": conversation.account.name,
            "type": conversation.channel,
        },
        "task": task(environment, conversation, action),
        "data": data(environment, conversation, action.event),
    })
}

/// The address of a task, one for every message of the customer.
pub(crate) fn url(environment: &Environment, message: &Message) -> String {
    format!("https://alcmeon.com/c/v3/#/{}/tasks/{}", environment.id, message.id)
}

fn kind(event: Event) -> &'static str {
    match event {
        Event::Received => "task-create",
        Event::Tagged { .. } => "tag",
        Event::Assigned { .. } => "assign-to",
        Event::Answered { .. } => "answer",
        Event::Sent { .. } => "execute-answer",
        Event::Archived { .. } => "archive",
        Event::Anonymized => "anonymize-gdpr",
    }
}

fn state(event: Event) -> &'static str {
    match event {
        Event::Received | Event::Tagged { .. } | Event::Anonymized => "pending",
        Event::Assigned { .. } => "assigned",
        Event::Answered { .. } | Event::Sent { .. } => "answered",
        Event::Archived { .. } => "archived",
    }
}

fn agent(environment: &Environment, id: u64) -> Value {
    let name = environment.agents.name(id).unwrap_or_default();
    json!({"id": id, "email": format!("agent{id}@alcmeon.example"), "name": name, "is_bot": false})
}

fn user(environment: &Environment, event: Event) -> Value {
    match event {
        Event::Assigned { agent: id } | Event::Answered { agent: id, .. } | Event::Archived { agent: id } => {
            agent(environment, id)
        }
        Event::Received | Event::Tagged { .. } | Event::Sent { .. } | Event::Anonymized => Value::Null,
    }
}

fn data(environment: &Environment, conversation: &Conversation, event: Event) -> Value {
    match event {
        Event::Received | Event::Archived { .. } | Event::Anonymized => Value::Null,
        Event::Tagged { tag: position } => json!({"previous": null, "next": tag(conversation, position as usize)}),
        Event::Assigned { agent: id } => json!({"to": agent(environment, id)}),
        Event::Answered { message, .. } => {
            let content = &conversation.messages[message as usize].body;
            json!({"is_private": true, "answers": [{"content": content, "pictures": []}]})
        }
        Event::Sent { answer } => json!({"answer_action_id": answer, "answer_status": "ok"}),
    }
}

/// A tag. Ids are those of the position in the conversation, for Alcmeon documents no list of tags.
fn tag(conversation: &Conversation, position: usize) -> Value {
    json!({
        "id": 1,
        "name": {"value": "Contact reason"},
        "value": {"id": position + 1, "value": {"value": conversation.tags[position]}},
    })
}

fn task(environment: &Environment, conversation: &Conversation, action: Action) -> Value {
    let message = &conversation.messages[action.task as usize];
    let id = action.conversation + 1;
    let custom = environment.fields_of(Scope::Conversation, u64::from(id));
    let custom: Vec<Value> =
        custom.into_iter().map(|(id, value)| json!({"field_id": id, "field_value": value})).collect();
    let tags: Vec<Value> = (0..conversation.tags.len()).map(|position| tag(conversation, position)).collect();
    json!({
        "id": message.id,
        "url": if conversation.anonymized { String::new() } else { url(environment, message) },
        "conversation_id": id,
        "conversation": {"id": id, "custom_fields": custom},
        "state": state(action.event),
        "tags": tags,
        "message": self::message(environment, conversation, message, action.task),
    })
}

fn message(environment: &Environment, conversation: &Conversation, message: &Message, position: u32) -> Value {
    let (date, time) = clock::alcmeon_text(message.at_ms);
    let customer = &conversation.customer;
    let name = message.author.as_deref().or(customer.name.as_deref()).unwrap_or_default();
    let in_fields = environment.settings.contact_in == ContactIn::Fields;
    let mut author = json!({
        "id": conversation.customer_id,
        "name": name,
        "group": {
            "id": conversation.customer_id,
            "custom_fields": fields(environment, conversation),
        },
    });
    if !in_fields {
        let attributes: Vec<[&str; 2]> = [("email", &customer.email), ("phone", &customer.phone)]
            .into_iter()
            .filter_map(|(name, value)| Some([name, value.as_deref()?]))
            .collect();
        author["inmessage_author"] = json!({
            "customer_id": format!("C-{}", conversation.customer_id),
            "sms_notification_phone_number": customer.phone,
            "attributes": attributes,
        });
    }
    json!({
        "id": message.id,
        "is_private": true,
        "content": message.body,
        // An erased message has an id that leads nowhere.
        "external_id": if conversation.anonymized {
            format!("anonymized-{}", message.id)
        } else {
            format!("{}-{position}", conversation.key)
        },
        "date": date,
        "time": time,
        "attachments": [],
        "author": author,
    })
}

/// What is known of the customer in custom fields: what he was seeded with, and what was written since.
fn fields(environment: &Environment, conversation: &Conversation) -> Vec<Value> {
    let Customer { email, phone, .. } = &conversation.customer;
    let settings = &environment.settings;
    let mut fields = environment.fields_of(Scope::Customer, conversation.customer_id);
    if settings.contact_in == ContactIn::Fields {
        if let Some(email) = email {
            fields.entry(settings.email_field).or_insert_with(|| json!(email));
        }
        if let Some(phone) = phone {
            let (country_prefix, number) = split_phone(phone);
            let value = json!({"country_prefix": country_prefix, "number": number});
            fields.entry(settings.phone_field).or_insert(value);
        }
    }
    fields.into_iter().map(|(id, value)| json!({"field_id": id, "field_value": value})).collect()
}

/// Country prefix and national number of `+33612345678`; a number without a plus has no known country.
fn split_phone(phone: &str) -> (String, String) {
    let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
    if !phone.trim_start().starts_with('+') {
        return (String::new(), digits);
    }
    let two = digits.get(..2).unwrap_or(&digits);
    let length = match two {
        _ if two.starts_with(['1', '7']) => 1,
        "20" | "27" => 2,
        "35" | "37" | "38" | "42" | "50" | "59" | "67" | "68" | "69" | "80" | "85" | "87" | "88" | "96" | "97"
        | "99" => 3,
        _ if two.starts_with('2') => 3,
        _ => 2,
    };
    let (prefix, number) = digits.split_at(length.min(digits.len()));
    (prefix.to_owned(), number.to_owned())
}

#[cfg(test)]
mod tests {
    use super::split_phone;

    #[test]
    fn a_phone_number_is_split_behind_its_country() {
        for (phone, prefix, number) in [
            ("+33 6 12 34 56 78", "33", "612345678"),
            ("+12025550100", "1", "2025550100"),
            ("+352621000000", "352", "621000000"),
            ("+212600000000", "212", "600000000"),
            ("0612345678", "", "0612345678"),
        ] {
            assert_eq!(split_phone(phone), (prefix.to_owned(), number.to_owned()));
        }
    }
}

//! Who the customer is, from what Alcmeon tells of an author; and the values of its custom fields and tags as text.

use serde_json::Value;

use super::config::Config;
use super::json::{JsonObject, as_text};
use super::phone;
use crate::domain::{Attribute, Customer};

/// Takes the customer out of a message's `author`.
pub(super) fn customer(author: &mut JsonObject, config: &Config) -> Customer {
    let mut group = author.child("group");
    // The group is what user custom fields hang on; an author is one profile of it.
    let (group_id, author_id) = (group.id("id"), author.id("id"));
    let mut attributes = fields(group.first("custom_fields"));
    author.put_back("group", group);

    let mut facebook = author.child("facebook_author");
    let facebook_names = [facebook.text("name"), joined(facebook.text("first_name"), facebook.text("last_name"))];
    author.put_back("facebook_author", facebook);
    let mut instagram = author.child("instagram_author");
    let (full_name, username) = (instagram.text("full_name"), instagram.text("username"));
    author.put_back("instagram_author", instagram);
    let names = [author.text("name")].into_iter().chain(facebook_names).chain([full_name, username.clone()]);
    let name = names.flatten().next();
    attributes.extend(username.map(|value| Attribute { name: "instagram_username".to_owned(), value }));

    let mut inmessage = author.child("inmessage_author");
    let sms = inmessage.text("sms_notification_phone_number");
    let customer_id = inmessage.id("customer_id");
    attributes.extend(customer_id.map(|value| Attribute { name: "customer_id".to_owned(), value }));
    attributes.extend(inmessage.first("attributes").iter().filter_map(pair));
    author.put_back("inmessage_author", inmessage);

    let field = |id: Option<u64>| id.and_then(|id| named(&attributes, &[&id.to_string()]));
    Customer {
        id: group_id.or(author_id).unwrap_or_default(),
        name,
        email: field(config.email_field).or_else(|| named(&attributes, &["email", "e-mail"])),
        phone: field(config.phone_field).or(sms).or_else(|| named(&attributes, &["phone", "phone_number"])),
        contact: None,
        attributes,
    }
}

/// The value of the first attribute with one of these names, whatever their case.
pub(super) fn named(attributes: &[Attribute], names: &[&str]) -> Option<String> {
    let wanted = |one: &&Attribute| names.iter().any(|name| name.eq_ignore_ascii_case(&one.name));
    attributes.iter().find(wanted).map(|one| one.value.clone())
}

/// `[{field_id, field_value}]`; a field without a value is left out.
pub(super) fn fields(list: Vec<Value>) -> Vec<Attribute> {
    let field = |item: Value| {
        let mut item = JsonObject::of("", item);
        Some(Attribute { name: item.id("field_id")?, value: shown(&item.value("field_value"))? })
    };
    list.into_iter().filter_map(field).collect()
}

/// `name: value`, or the bare name.
pub(super) fn tag(tag: Value) -> Option<Attribute> {
    let mut tag = JsonObject::of("", tag);
    let name = translated(&tag.value("name"))?;
    let mut value = tag.child("value");
    Some(Attribute { name, value: translated(&value.value("value")).unwrap_or_default() })
}

/// `{value}`; older entries have one text a language instead.
fn translated(name: &Value) -> Option<String> {
    let by = |key: &str| name.get(key).and_then(as_text);
    as_text(name).or_else(|| ["value", "en", "fr", "nl", "es"].into_iter().find_map(by))
}

/// A custom field's value as text; a phone number as one number.
fn shown(value: &Value) -> Option<String> {
    match value {
        Value::String(_) => as_text(value),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null => None,
        Value::Array(items) => {
            Some(items.iter().filter_map(shown).collect::<Vec<_>>().join(", ")).filter(|t| !t.is_empty())
        }
        Value::Object(parts) => match (parts.get("country_prefix"), parts.get("number")) {
            (Some(prefix), Some(number)) => phone::joined(prefix, number),
            _ => Some(value.to_string()),
        },
    }
}

/// `[key, value]`.
fn pair(item: &Value) -> Option<Attribute> {
    Some(Attribute { name: as_text(item.get(0)?)?, value: shown(item.get(1)?)? })
}

fn joined(first: Option<String>, last: Option<String>) -> Option<String> {
    let both: Vec<String> = [first, last].into_iter().flatten().collect();
    (!both.is_empty()).then(|| both.join(" "))
}

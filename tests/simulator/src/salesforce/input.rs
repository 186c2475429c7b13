//! Turns the JSON of a record into values, refusing what a field cannot hold.

use serde_json::{Map, Value};

use super::org::Org;
use super::refusal::Refusal;
use super::schema::{Field, FieldIndex, Kind, Number, ObjectIndex};
use super::sharing;
use super::table::{Cell, RecordRef};
use super::write::Changes;
use crate::clock;

/// Reads a record's fields; `attributes` and the field that was the key are left out.
pub(crate) fn changes(
    org: &Org,
    at: ObjectIndex,
    body: &Map<String, Value>,
    key: Option<FieldIndex>,
) -> Result<Changes, Refusal> {
    let definition = &org.table(at).object;
    let mut changes = Vec::with_capacity(body.len() + 1);
    for (name, value) in body {
        if name == "attributes" {
            continue;
        }
        if let Some(field) = definition.seen(name) {
            if key == Some(field) {
                continue;
            }
            writable(definition.field(field))?;
            changes.push((field, cell(org, definition.field(field), value)?));
        } else if let Some(field) = definition.relationship(name) {
            writable(definition.field(field))?;
            changes.push((field, Some(parent(org, definition.field(field), value)?)));
        } else {
            return Err(Refusal::no_such_column(name, &definition.name));
        }
    }
    Ok(changes)
}

fn writable(field: &Field) -> Result<(), Refusal> {
    if field.writable() {
        return Ok(());
    }
    if field.kind == Kind::Id {
        return Err(Refusal::new("INVALID_FIELD", "The Id field should not be specified in the sobject data."));
    }
    let message = format!(
        "Unable to create/update fields: {}. Please check the security settings of this field and verify that it is \
         read/write for your profile or permission set.",
        field.name
    );
    Err(Refusal::new("INVALID_FIELD_FOR_INSERT_UPDATE", message).at(&field.name))
}

/// One value for a field; `None` for a blank.
pub(crate) fn cell(org: &Org, field: &Field, value: &Value) -> Result<Option<Cell>, Refusal> {
    if value.is_null() {
        let blank = matches!(field.kind, Kind::Boolean).then_some(Cell::Bool(false));
        return Ok(blank);
    }
    if field.kind == Kind::Boolean {
        return value.as_bool().map(|flag| Some(Cell::Bool(flag))).ok_or_else(|| wrong_type("boolean", value));
    }
    if let Kind::Number(_) = field.kind {
        return number(field, value);
    }
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return Err(wrong_type("string", value)),
    };
    if text.is_empty() {
        return Ok(None);
    }
    match &field.kind {
        Kind::Reference { to, .. } => return reference(org, field, to, &text).map(|to| Some(Cell::Ref(to))),
        Kind::Email if !looks_like_email(&text) => {
            let message = format!("{}: invalid email address: {text}", field.label);
            return Err(Refusal::new("INVALID_EMAIL_ADDRESS", message).at(&field.name));
        }
        Kind::Picklist { values, restricted: true, several } if !allowed(values, *several, &text) => {
            let message = format!("{}: bad value for restricted picklist field: {text}", field.label);
            return Err(Refusal::new("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message).at(&field.name));
        }
        Kind::Time => return instant(&text).map(Some).ok_or_else(|| wrong_type("datetime", value)),
        Kind::Date => return date(&text).map(Some).ok_or_else(|| wrong_type("date", value)),
        Kind::Compound => return Err(wrong_type("address", value)),
        _ => {}
    }
    let length = field.length();
    // An emoji is two: lengths are counted in UTF-16 units.
    if text.encode_utf16().count() > length {
        let message = format!("{}: data value too large: {text} (max length={length})", field.label);
        return Err(Refusal::new("STRING_TOO_LONG", message).at(&field.name));
    }
    Ok(Some(Cell::Text(text.into_boxed_str())))
}

fn allowed(values: &[String], several: bool, text: &str) -> bool {
    let known = |value: &str| values.iter().any(|known| known == value.trim());
    if several { text.split(';').all(known) } else { known(text) }
}

/// A number of at most 18 digits, given as one or as text.
fn number(field: &Field, value: &Value) -> Result<Option<Cell>, Refusal> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) if text.trim().is_empty() => return Ok(None),
        Value::String(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
        _ => None,
    };
    let number = number.ok_or_else(|| wrong_type("double", value))?;
    let limit = if field.kind == Kind::Number(Number::Int) { f64::from(i32::MAX) } else { 1e18 };
    if number.abs() > limit {
        let message = format!("{}: value outside of valid range on numeric field: {number}", field.label);
        return Err(Refusal::new("NUMBER_OUTSIDE_VALID_RANGE", message).at(&field.name));
    }
    Ok(Some(Cell::Number(number)))
}

/// An instant in any offset, `+0000` included, as the API shows it.
fn instant(text: &str) -> Option<Cell> {
    let plain = text.strip_suffix("+0000").map_or_else(|| text.to_owned(), |stem| format!("{stem}Z"));
    let at: jiff::Timestamp = plain.parse().ok()?;
    Some(Cell::Text(clock::salesforce_text(at.as_millisecond()).into()))
}

fn date(text: &str) -> Option<Cell> {
    let date: jiff::civil::Date = text.parse().ok()?;
    Some(Cell::Text(date.to_string().into()))
}

fn wrong_type(wanted: &str, value: &Value) -> Refusal {
    let token = match value {
        Value::Object(_) => "START_OBJECT",
        Value::Array(_) => "START_ARRAY",
        Value::Bool(_) => "VALUE_BOOLEAN",
        Value::Number(_) => "VALUE_NUMBER",
        _ => "VALUE_STRING",
    };
    // Where in the text is a guess: the reader that tells it is not simulated.
    let message = format!(
        "Cannot deserialize instance of {wanted} from {token} value {value} or request may be missing a required field at \
         [line:1, column:1]"
    );
    Refusal::new("JSON_PARSER_ERROR", message)
}

fn reference(org: &Org, field: &Field, to: &[ObjectIndex], text: &str) -> Result<RecordRef, Refusal> {
    let incorrect = |code: &str| {
        let message = format!("{}: id value of incorrect type: {text}", field.label);
        Refusal::new(code, message).at(&field.name)
    };
    let record = org.record(text).ok_or_else(|| incorrect("MALFORMED_ID"))?;
    if !to.contains(&record.object) {
        let code = if field.name == "OwnerId" { "FIELD_INTEGRITY_EXCEPTION" } else { "MALFORMED_ID" };
        return Err(incorrect(code));
    }
    match org.row(record) {
        None => Err(Refusal::new("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id").at(&field.name)),
        Some(row) if !sharing::sees(org, record.object, row) => {
            let message = format!("insufficient access rights on cross-reference id: {text}");
            Err(Refusal::new("INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", message))
        }
        Some(_) => Ok(record),
    }
}

/// The parent named by one of its external ids: `{"Ext__c": "v"}`, with `attributes` when the lookup has several targets.
fn parent(org: &Org, field: &Field, value: &Value) -> Result<Cell, Refusal> {
    let Kind::Reference { to, .. } = &field.kind else { return Err(wrong_type("string", value)) };
    let given = value.as_object().ok_or_else(|| wrong_type("object", value))?;
    let named = given.get("attributes").and_then(|attributes| attributes["type"].as_str());
    let target = match (named, to.as_slice()) {
        (Some(name), _) => org.visible(name).filter(|at| to.contains(at)),
        (None, [only]) => Some(*only),
        (None, _) => None,
    };
    let Some(target) = target else {
        let message = format!("The external foreign key reference does not specify its type: {}", field.name);
        return Err(Refusal::new("INVALID_FIELD", message));
    };
    let object = &org.table(target).object;
    let Some((name, value)) = given.iter().find(|(name, _)| *name != "attributes") else {
        return Err(Refusal::new("INVALID_FIELD", format!("No external ID given for {}", object.name)));
    };
    let key = object.seen(name).ok_or_else(|| Refusal::no_such_column(name, &object.name))?;
    if !object.field(key).external_id {
        let message = format!(
            "Field name provided, {name} does not match an External ID, Salesforce Id, or indexed field for {}",
            object.name
        );
        return Err(Refusal::new("INVALID_FIELD", message));
    }
    let text = value.as_str().ok_or_else(|| wrong_type("string", value))?;
    match external(org, target, key, text).as_slice() {
        [] => {
            let message =
                format!("Foreign key external ID: {text} not found for field {name} in entity {}", object.name);
            Err(Refusal::new("INVALID_FIELD", message))
        }
        [only] => Ok(Cell::Ref(RecordRef { object: target, number: *only })),
        several => Err(ambiguous(org, target, name, several)),
    }
}

/// Records with this external id.
pub(crate) fn external(org: &Org, at: ObjectIndex, key: FieldIndex, text: &str) -> Vec<u32> {
    org.table(at).lookup(key, &Cell::Text(text.trim().into())).unwrap_or_default()
}

/// The refusal for an external id that several records have.
pub(crate) fn ambiguous(org: &Org, at: ObjectIndex, field: &str, numbers: &[u32]) -> Refusal {
    let name = &org.table(at).object.name;
    let paths = numbers
        .iter()
        .map(|number| format!("sobjects/{name}/{}", org.record_id(RecordRef { object: at, number: *number })))
        .collect();
    Refusal::Several { field: field.to_owned(), paths }
}

/// One `@`, a dot after it, nothing that cannot be in an address.
fn looks_like_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let plain = |part: &str| !part.contains(|c: char| c.is_whitespace() || c.is_control() || "@,;<>()".contains(c));
    plain(local)
        && plain(domain)
        && !local.is_empty()
        && domain.contains('.')
        && domain.split('.').all(|label| !label.is_empty())
}

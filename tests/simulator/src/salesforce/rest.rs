//! The data API of one org: which call is which, and single records.

use axum::http::Method;
use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::calls::Call;
use super::org::Org;
use super::refusal::Refusal;
use super::schema::{FieldIndex, Kind, ObjectIndex};
use super::table::RecordRef;
use super::write::{self, Manner};
use super::{batch, collections, composite, describe, fresh, input, limits, manner, query, search, sharing};

/// Answers a call below `/services/data/vXX.0`.
pub(crate) fn route(org: &mut Org, call: &Call, version: u32, rest: &[&str]) -> Result<Answer, Refusal> {
    match (&call.method, rest) {
        (&Method::GET, []) => Ok(describe::resources(version)),
        (&Method::GET, ["limits"]) => Ok(limits::all(org, call.now_ms)),
        (&Method::GET, ["limits", "recordCount"]) => Ok(limits::record_count(org, call)),
        (&Method::GET, ["query" | "queryAll"]) => query::first_page(org, call, version, rest[0] == "queryAll"),
        (&Method::GET, ["query" | "queryAll", locator]) => query::next_page(org, locator, version),
        (&Method::GET, ["search"]) => search::sosl(org, call, version),
        (&Method::GET | &Method::POST, ["parameterizedSearch"]) => search::parameterized(org, call, version),
        (&Method::GET, ["sobjects"]) => Ok(fresh::since(call, org.schema_ms, || describe::global(org, version))),
        (_, ["sobjects", name, rest @ ..]) => sobject(org, call, version, object(org, name)?, rest),
        (&Method::POST, ["composite"]) => composite::run(org, call, version),
        (&Method::POST, ["composite", "graph"]) => composite::graphs(org, call, version),
        (&Method::POST, ["composite", "batch"]) => batch::run(org, call, version),
        (_, ["composite", "sobjects", rest @ ..]) => collections::route(org, call, version, rest),
        (method, ["composite", ..]) => Err(not_allowed(method, "POST")),
        (method, ["query" | "search" | "limits", ..]) => Err(not_allowed(method, "GET,HEAD")),
        _ => Err(Refusal::not_found()),
    }
}

pub(crate) fn object(org: &Org, name: &str) -> Result<ObjectIndex, Refusal> {
    org.visible(name).ok_or_else(Refusal::not_found)
}

pub(crate) fn not_allowed(method: &Method, allowed: &str) -> Refusal {
    let message = format!("HTTP Method '{method}' not allowed. Allowed are {allowed}");
    Refusal::with_status(405, "METHOD_NOT_ALLOWED", message)
}

fn sobject(org: &mut Org, call: &Call, version: u32, at: ObjectIndex, rest: &[&str]) -> Result<Answer, Refusal> {
    // Documented of addresses like `.../user@x.inc`: what looks like a file of the server is not found.
    if rest.len() == 2 && call.path().ends_with(".inc") {
        return Err(Refusal::not_found());
    }
    match (&call.method, rest) {
        (&Method::GET, ["describe"]) => Ok(fresh::since(call, org.schema_ms, || describe::object(org, at, version))),
        (&Method::GET, []) => Ok(describe::basic(org, at, version)),
        (&Method::POST, []) => created(org, call, version, at),
        (&Method::GET, [id]) => {
            let record = by_id(org, at, id)?;
            read(org, call, version, record)
        }
        (&Method::PATCH, [id]) => {
            let record = by_id(org, at, id)?;
            let changes = input::changes(org, at, &call.object()?, None)?;
            sharing::edits(org, record)?;
            write::update(org, record, changes, manner(call, version))?;
            org.totals.updated += 1;
            Ok(Answer::empty(204))
        }
        (&Method::DELETE, [id]) => {
            let record = by_id(org, at, id)?;
            sharing::edits(org, record)?;
            write::delete(org, record, manner(call, version)).map(|()| Answer::empty(204))
        }
        (&Method::GET, [field, value]) => {
            let record = by_external_id(org, at, field, value)?.ok_or_else(Refusal::not_found)?;
            read(org, call, version, record)
        }
        (&Method::PATCH, [field, value]) => upserted(org, call, version, at, field, value),
        (&Method::DELETE, [field, value]) => {
            let record = by_external_id(org, at, field, value)?.ok_or_else(Refusal::not_found)?;
            write::delete(org, record, manner(call, version)).map(|()| Answer::empty(204))
        }
        (method, [] | ["describe"]) => Err(not_allowed(method, "HEAD,GET,POST")),
        (method, [_] | [_, _]) => Err(not_allowed(method, "HEAD,GET,PATCH,DELETE")),
        _ => Err(Refusal::not_found()),
    }
}

fn created(org: &mut Org, call: &Call, version: u32, at: ObjectIndex) -> Result<Answer, Refusal> {
    let changes = input::changes(org, at, &call.object()?, None)?;
    sharing::creates(org, at)?;
    let record = write::create(org, at, changes, manner(call, version))?;
    org.totals.created += 1;
    let body = json!({"id": org.record_id(record), "success": true, "errors": []});
    Ok(Answer::json(201, body).with("Location", address(org, version, record)))
}

fn upserted(
    org: &mut Org,
    call: &Call,
    version: u32,
    at: ObjectIndex,
    field: &str,
    value: &str,
) -> Result<Answer, Refusal> {
    let key = external_field(org, at, field)?;
    sharing::upserts_by(org, at, key)?;
    let body = call.object()?;
    if body.keys().any(|key| key.eq_ignore_ascii_case(field)) {
        let message = format!("The {field} field should not be specified in the sobject data.");
        return Err(Refusal::new("INVALID_FIELD", message).at(field));
    }
    let update_only = call.param("updateOnly") == Some("true");
    let known = by_external_id(org, at, field, value)?;
    if known.is_none() && (update_only || field.eq_ignore_ascii_case("Id")) {
        return Err(Refusal::not_found());
    }
    let (record, created) = upsert(org, at, key, value, known, &body, manner(call, version))?;
    if !created && version < 46 {
        return Ok(Answer::empty(204));
    }
    let body = json!({"id": org.record_id(record), "success": true, "errors": [], "created": created});
    Ok(Answer::json(if created { 201 } else { 200 }, body).with("Location", address(org, version, record)))
}

/// Creates the record or changes the known one. Counts it.
pub(crate) fn upsert(
    org: &mut Org,
    at: ObjectIndex,
    key: FieldIndex,
    value: &str,
    known: Option<RecordRef>,
    body: &Map<String, Value>,
    manner: Manner,
) -> Result<(RecordRef, bool), Refusal> {
    let mut changes = input::changes(org, at, body, Some(key))?;
    if let Some(record) = known {
        sharing::edits(org, record)?;
        write::update(org, record, changes, manner)?;
        org.totals.updated += 1;
        return Ok((record, false));
    }
    sharing::creates(org, at)?;
    let definition = org.table(at).object.field(key);
    if definition.kind != Kind::Id {
        changes.push((key, input::cell(org, definition, &json!(value))?));
    }
    let record = write::create(org, at, changes, manner)?;
    org.totals.created += 1;
    Ok((record, true))
}

/// The field, when it may be the key of an upsert: an external id, the id, or an e-mail address (an idLookup field).
pub(crate) fn external_field(org: &Org, at: ObjectIndex, name: &str) -> Result<FieldIndex, Refusal> {
    let object = &org.table(at).object;
    object
        .seen(name)
        .filter(|field| {
            let field = object.field(*field);
            field.external_id || matches!(field.kind, Kind::Id | Kind::Email)
        })
        .ok_or_else(|| Refusal::external_id_field(name))
}

/// The record an external id, or the id, names; several are a refusal.
pub(crate) fn by_external_id(
    org: &Org,
    at: ObjectIndex,
    field: &str,
    value: &str,
) -> Result<Option<RecordRef>, Refusal> {
    let key = external_field(org, at, field)?;
    if org.table(at).object.field(key).kind == Kind::Id {
        return by_id(org, at, value).map(Some);
    }
    // A slash cannot be carried in a path, encoded or not.
    if value.contains('/') {
        return Err(Refusal::not_found());
    }
    match input::external(org, at, key, value).as_slice() {
        [] => Ok(None),
        [only] => Ok(Some(RecordRef { object: at, number: *only })),
        several => Err(input::ambiguous(org, at, field, several)),
    }
}

/// The existing record of an object that an id names.
pub(crate) fn by_id(org: &Org, at: ObjectIndex, id: &str) -> Result<RecordRef, Refusal> {
    let record = org.record(id).filter(|record| record.object == at);
    let record = record.ok_or_else(|| Refusal::external_id_field(id))?;
    match org.row(record) {
        None => Err(write::missing(org, record)),
        Some(row) if !sharing::sees(org, at, row) => Err(Refusal::not_found()),
        Some(_) => Ok(record),
    }
}

fn read(org: &Org, call: &Call, version: u32, record: RecordRef) -> Result<Answer, Refusal> {
    let row = org.row(record).ok_or_else(Refusal::not_found)?;
    let fields = call.param("fields").map(|text| text.split(',').map(str::trim).collect::<Vec<_>>());
    let body = shown(org, version, record, fields.as_deref())?;
    Ok(fresh::since(call, row.modified_ms, || Answer::json(200, body)))
}

/// A record with the fields named, or with all that may be seen.
pub(crate) fn shown(org: &Org, version: u32, record: RecordRef, fields: Option<&[&str]>) -> Result<Value, Refusal> {
    let object = &org.table(record.object).object;
    let row = org.row(record).ok_or_else(Refusal::not_found)?;
    let mut body = json!({"attributes": {"type": object.name, "url": address(org, version, record)}});
    match fields {
        Some(wanted) => {
            for name in wanted {
                let field = object.seen(name).ok_or_else(|| Refusal::no_such_column(name, &object.name))?;
                body[&object.field(field).name] = org.read(record, row, field);
            }
        }
        None => {
            for (at, field) in (0..).zip(&object.fields).filter(|(_, field)| !field.hidden) {
                body[&field.name] = org.read(record, row, at);
            }
        }
    }
    Ok(body)
}

/// The path of a record.
pub(crate) fn address(org: &Org, version: u32, record: RecordRef) -> String {
    let name = &org.table(record.object).object.name;
    format!("/services/data/v{version}.0/sobjects/{name}/{}", org.record_id(record))
}

/// The external id a record of a collection carries in its body.
pub(crate) fn carried_key<'a>(body: &'a Map<String, Value>, field: &str) -> Option<&'a str> {
    body.iter().find(|(name, _)| name.eq_ignore_ascii_case(field)).and_then(|(_, value)| value.as_str())
}

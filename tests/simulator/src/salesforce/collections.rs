//! Up to 200 records in one call: each with its own result, in the order given.

use std::collections::HashMap;

use axum::http::Method;
use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::calls::Call;
use super::org::Org;
use super::refusal::Refusal;
use super::schema::{FieldIndex, Kind, ObjectIndex};
use super::table::RecordRef;
use super::{input, manner, rest, sharing, write};

/// Records in one call that writes.
const LIMIT: usize = 200;
/// Records in one call that reads.
const READ_LIMIT: usize = 2_000;

/// What became of one record.
type Outcome = Result<(RecordRef, bool), Refusal>;

/// Answers a call below `/composite/sobjects`.
pub(crate) fn route(org: &mut Org, call: &Call, version: u32, rest: &[&str]) -> Result<Answer, Refusal> {
    match (&call.method, rest) {
        (&Method::POST, []) => create(org, call, version),
        (&Method::PATCH, []) => update(org, call, version),
        (&Method::DELETE, []) => delete(org, call, version),
        (&Method::PATCH, [name, field]) => upsert(org, call, version, name, field),
        (&Method::GET | &Method::POST, [name]) => retrieve(org, call, version, name),
        (method, [] | [_] | [_, _]) => Err(rest::not_allowed(method, "GET,POST,PATCH,DELETE")),
        _ => Err(Refusal::not_found()),
    }
}

/// The records and `allOrNone` of a request; each record says its type.
fn records(call: &Call) -> Result<(Vec<Map<String, Value>>, bool), Refusal> {
    let (records, all_or_none) = records_of_any_type(call)?;
    match records.iter().all(has_type) {
        true => Ok((records, all_or_none)),
        false => Err(without_type()),
    }
}

fn without_type() -> Refusal {
    Refusal::new("INVALID_INPUT", "Include an Attributes type property for each record.")
}

fn has_type(record: &Map<String, Value>) -> bool {
    record.get("attributes").is_some_and(|with| with["type"].is_string())
}

/// The same, where the type may lack.
fn records_of_any_type(call: &Call) -> Result<(Vec<Map<String, Value>>, bool), Refusal> {
    let mut body = call.object()?;
    let all_or_none = body.get("allOrNone").and_then(Value::as_bool).unwrap_or(false);
    let Some(Value::Array(records)) = body.remove("records") else {
        return Err(Refusal::new("MISSING_ARGUMENT", "The records field is required"));
    };
    within_limit(records.len())?;
    let objects = records.into_iter().map(|record| match record {
        Value::Object(record) => Ok(record),
        _ => Err(without_type()),
    });
    Ok((objects.collect::<Result<_, _>>()?, all_or_none))
}

fn within_limit(count: usize) -> Result<(), Refusal> {
    if count <= LIMIT {
        return Ok(());
    }
    let message = "record limit reached. cannot submit more than 200 records into this call";
    Err(Refusal::new("EXCEEDED_ID_LIMIT", message))
}

fn type_of(record: &Map<String, Value>) -> &str {
    record.get("attributes").and_then(|attributes| attributes["type"].as_str()).unwrap_or_default()
}

fn object_of(org: &Org, record: &Map<String, Value>) -> Result<ObjectIndex, Refusal> {
    let name = type_of(record);
    let unknown = || Refusal::new("INVALID_TYPE", format!("sObject type '{name}' is not supported."));
    org.visible(name).ok_or_else(unknown)
}

fn create(org: &mut Org, call: &Call, version: u32) -> Result<Answer, Refusal> {
    let (records, all_or_none) = records(call)?;
    let outcomes = each(org, &records, all_or_none, |org, record| {
        let at = object_of(org, record)?;
        let changes = input::changes(org, at, record, None)?;
        sharing::creates(org, at)?;
        let record = write::create(org, at, changes, manner(call, version))?;
        org.totals.created += 1;
        Ok((record, true))
    });
    Ok(answer(org, &outcomes, all_or_none, false))
}

/// Every record carries its id in the body.
fn update(org: &mut Org, call: &Call, version: u32) -> Result<Answer, Refusal> {
    let (records, all_or_none) = records(call)?;
    let mut counts: HashMap<RecordRef, usize> = HashMap::new();
    for record in records.iter().filter_map(|record| org.record(rest::carried_key(record, "Id")?)) {
        *counts.entry(record).or_default() += 1;
    }
    let outcomes = each(org, &records, all_or_none, |org, body| {
        let at = object_of(org, body)?;
        let Some(id) = rest::carried_key(body, "Id") else {
            return Err(Refusal::new("MISSING_ARGUMENT", "Id not specified in an update call").at("Id"));
        };
        let record = identified(org, at, id)?;
        if counts.get(&record).is_some_and(|count| *count > 1) {
            return Err(Refusal::new("DUPLICATE_VALUE", format!("duplicate id in list: {id}")).at("Id"));
        }
        let key = org.table(at).object.find("Id");
        let changes = input::changes(org, at, body, key)?;
        sharing::edits(org, record)?;
        write::update(org, record, changes, manner(call, version))?;
        org.totals.updated += 1;
        Ok((record, false))
    });
    Ok(answer(org, &outcomes, all_or_none, false))
}

/// DELETE ?ids=a,b&allOrNone=
fn delete(org: &mut Org, call: &Call, version: u32) -> Result<Answer, Refusal> {
    let given = call.param("ids").unwrap_or_default();
    let ids: Vec<&str> = given.split(',').map(str::trim).filter(|id| !id.is_empty()).collect();
    if ids.is_empty() {
        return Err(Refusal::new("MISSING_ARGUMENT", "The ids parameter is required"));
    }
    within_limit(ids.len())?;
    let all_or_none = call.param("allOrNone") == Some("true");
    let outcomes = each(org, &ids, all_or_none, |org, id| {
        let at = org.record(id).map(|record| record.object).ok_or_else(|| malformed(id))?;
        let record = identified(org, at, id)?;
        sharing::edits(org, record)?;
        write::delete(org, record, manner(call, version))?;
        Ok((record, false))
    });
    Ok(answer(org, &outcomes, all_or_none, false))
}

/// The records of these ids with these fields, in order; null for one that is not there.
fn retrieve(org: &Org, call: &Call, version: u32, name: &str) -> Result<Answer, Refusal> {
    let at = rest::object(org, name)?;
    let lists: [Vec<String>; 2] = if call.method == Method::GET {
        ["ids", "fields"].map(|name| call.param(name).unwrap_or_default().split(',').map(str::to_owned).collect())
    } else {
        let body = call.object()?;
        let texts = |name: &str| body.get(name).and_then(Value::as_array).into_iter().flatten();
        ["ids", "fields"].map(|name| texts(name).filter_map(Value::as_str).map(str::to_owned).collect())
    };
    let [ids, fields] = lists;
    if ids.len() > READ_LIMIT {
        return Err(Refusal::new("EXCEEDED_ID_LIMIT", "record limit reached. cannot retrieve more than 2000 records"));
    }
    let fields: Vec<&str> = fields.iter().map(|name| name.trim()).collect();
    let shown = ids.iter().map(|id| match rest::by_id(org, at, id.trim()) {
        Ok(record) => rest::shown(org, version, record, Some(&fields)),
        Err(_) => Ok(Value::Null),
    });
    Ok(Answer::json(200, Value::Array(shown.collect::<Result<_, _>>()?)))
}

fn malformed(id: &str) -> Refusal {
    Refusal::new("MALFORMED_ID", format!("malformed id {id}"))
}

/// The record an id in a body names.
fn identified(org: &Org, at: ObjectIndex, id: &str) -> Result<RecordRef, Refusal> {
    let record = org.record(id).ok_or_else(|| malformed(id))?;
    match (org.row(record).is_some() && record.object == at, org.row_any(record).is_some()) {
        (true, _) => Ok(record),
        (false, true) if record.object == at => Err(Refusal::deleted()),
        _ => Err(Refusal::new("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")),
    }
}

/// PATCH /composite/sobjects/{object}/{field}
fn upsert(org: &mut Org, call: &Call, version: u32, name: &str, field: &str) -> Result<Answer, Refusal> {
    let (records, all_or_none) = records_of_any_type(call)?;
    let at = rest::object(org, name)?;
    let key = rest::external_field(org, at, field)?;
    sharing::upserts_by(org, at, key)?;
    let typed = records.iter().filter(|record| has_type(record)).map(type_of);
    if let Some(stranger) = typed.into_iter().find(|given| !given.eq_ignore_ascii_case(name)) {
        let message = format!("Upsert takes records of one type: {stranger} is not {name}");
        return Err(Refusal::new("INVALID_INPUT", message));
    }
    let mut counts: HashMap<String, usize> = HashMap::new();
    for value in records.iter().filter_map(|record| rest::carried_key(record, field)) {
        *counts.entry(value.to_lowercase()).or_default() += 1;
    }
    let outcomes = each(org, &records, all_or_none, |org, record| {
        if !has_type(record) {
            let message =
                "Nested object for polymorphic foreign key must have an attributes field before any other fields.";
            return Err(Refusal::new("JSON_PARSER_ERROR", message));
        }
        let value = rest::carried_key(record, field);
        if let Some(value) = value.filter(|value| counts.get(&value.to_lowercase()).is_some_and(|count| *count > 1)) {
            return Err(Refusal::new("DUPLICATE_VALUE", format!("Duplicate external id specified: {value}")).at(field));
        }
        if let Some(refusal) = value.and_then(|value| org.faults.strike_record(call, value)) {
            return Err(refusal);
        }
        upsert_one(org, call, version, at, (field, key), record, value)
    });
    Ok(answer(org, &outcomes, all_or_none, true))
}

fn upsert_one(
    org: &mut Org,
    call: &Call,
    version: u32,
    at: ObjectIndex,
    (field, key): (&str, FieldIndex),
    record: &Map<String, Value>,
    value: Option<&str>,
) -> Outcome {
    let by_id = org.table(at).object.field(key).kind == Kind::Id;
    let known = match value {
        None if by_id => None,
        None => return Err(Refusal::new("MISSING_ARGUMENT", format!("{field} not specified")).at(field)),
        Some(value) if by_id && org.record(value).is_none() => {
            return Err(Refusal::new("JSON_PARSER_ERROR", format!("malformed id {value}")).at(field));
        }
        Some(value) if by_id => Some(identified(org, at, value)?),
        Some(value) => match input::external(org, at, key, value).as_slice() {
            [] => None,
            [only] => Some(RecordRef { object: at, number: *only }),
            several => return Err(input::ambiguous(org, at, field, several)),
        },
    };
    rest::upsert(org, at, key, value.unwrap_or_default(), known, record, manner(call, version))
}

/// Does one record after the other; a refused one leaves nothing behind, and with `all_or_none` takes all with it.
fn each<T>(
    org: &mut Org,
    records: &[T],
    all_or_none: bool,
    mut run: impl FnMut(&mut Org, &T) -> Outcome,
) -> Vec<Outcome> {
    let before = (org.totals.created, org.totals.updated);
    let start = org.mark();
    let mut outcomes = Vec::with_capacity(records.len());
    for record in records {
        let mark = org.mark();
        let outcome = run(org, record);
        if outcome.is_err() {
            org.roll_back(mark);
            org.totals.refused += 1;
        }
        outcomes.push(outcome);
    }
    if all_or_none && outcomes.iter().any(Result::is_err) {
        org.roll_back(start);
        (org.totals.created, org.totals.updated) = before;
    }
    outcomes
}

fn answer(org: &Org, outcomes: &[Outcome], all_or_none: bool, tells_created: bool) -> Answer {
    let rolled_back = all_or_none && outcomes.iter().any(Result::is_err);
    let entries: Vec<Value> = outcomes
        .iter()
        .map(|outcome| {
            let (mut entry, created) = match outcome {
                Err(refusal) => (refusal.entry(), false),
                Ok((record, created)) if rolled_back => {
                    let message = "Record rolled back because not all records were valid and the request was using \
                                   AllOrNone header";
                    let mut entry = Refusal::new("ALL_OR_NONE_OPERATION_ROLLED_BACK", message).entry();
                    if !created {
                        entry["id"] = json!(org.record_id(*record));
                    }
                    (entry, false)
                }
                Ok((record, created)) => {
                    (json!({"id": org.record_id(*record), "success": true, "errors": []}), *created)
                }
            };
            if tells_created {
                entry["created"] = json!(created);
            }
            entry
        })
        .collect();
    Answer::json(200, json!(entries))
}

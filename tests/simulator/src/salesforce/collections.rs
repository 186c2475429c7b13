//! Up to 200 records in one call: each with its own result, in the order given.

use std::collections::HashMap;

use axum::response::Response;
use serde_json::{Map, Value, json};

use super::calls::Call;
use super::org::Org;
use super::refusal::Refusal;
use super::rest;
use super::schema::{FieldIndex, Kind, ObjectIndex};
use super::{input, manner, write};
use crate::web;

/// Records in one call.
const LIMIT: usize = 200;

/// What became of one record.
type Outcome = Result<(super::table::RecordRef, bool), Refusal>;

/// The records and `allOrNone` of a request.
fn records(call: &Call) -> Result<(Vec<Map<String, Value>>, bool), Refusal> {
    let mut body = call.object()?;
    let all_or_none = body.get("allOrNone").and_then(Value::as_bool).unwrap_or(false);
    let Some(Value::Array(records)) = body.remove("records") else {
        return Err(Refusal::new("MISSING_ARGUMENT", "The records field is required"));
    };
    if records.len() > LIMIT {
        let message = "record limit reached. cannot submit more than 200 records into this call";
        return Err(Refusal::new("EXCEEDED_ID_LIMIT", message));
    }
    let objects = records.into_iter().map(|record| match record {
        Value::Object(record) if record.get("attributes").is_some_and(|with| with["type"].is_string()) => Ok(record),
        _ => Err(Refusal::new("INVALID_INPUT", "Include an Attributes type property for each record.")),
    });
    Ok((objects.collect::<Result<_, _>>()?, all_or_none))
}

fn type_of(record: &Map<String, Value>) -> &str {
    record.get("attributes").and_then(|attributes| attributes["type"].as_str()).unwrap_or_default()
}

/// POST /composite/sobjects
pub(crate) fn create(org: &mut Org, call: &Call) -> Result<Response, Refusal> {
    let (records, all_or_none) = records(call)?;
    let outcomes = each(org, &records, all_or_none, |org, record| {
        let name = type_of(record);
        let at = org
            .object(name)
            .ok_or_else(|| Refusal::new("INVALID_TYPE", format!("sObject type '{name}' is not supported.")))?;
        let changes = input::changes(org, at, record, None)?;
        let record = write::create(org, at, changes, manner(call))?;
        org.totals.created += 1;
        Ok((record, true))
    });
    Ok(answer(org, &outcomes, all_or_none, false))
}

/// PATCH /composite/sobjects/{object}/{field}
pub(crate) fn upsert(org: &mut Org, call: &Call, name: &str, field: &str) -> Result<Response, Refusal> {
    let (records, all_or_none) = records(call)?;
    let at = org.object(name).ok_or_else(Refusal::not_found)?;
    let key = rest::external_field(org, at, field)?;
    if let Some(stranger) = records.iter().map(type_of).find(|given| !given.eq_ignore_ascii_case(name)) {
        let message = format!("Upsert takes records of one type: {stranger} is not {name}");
        return Err(Refusal::new("INVALID_INPUT", message));
    }
    let mut counts: HashMap<String, usize> = HashMap::new();
    for value in records.iter().filter_map(|record| rest::carried_key(record, field)) {
        *counts.entry(value.to_lowercase()).or_default() += 1;
    }
    let outcomes = each(org, &records, all_or_none, |org, record| {
        let value = rest::carried_key(record, field);
        if let Some(value) = value.filter(|value| counts.get(&value.to_lowercase()).is_some_and(|count| *count > 1)) {
            return Err(Refusal::new("DUPLICATE_VALUE", format!("Duplicate external id specified: {value}")).at(field));
        }
        if let Some(refusal) = value.and_then(|value| org.faults.strike_record(call, value)) {
            return Err(refusal);
        }
        upsert_one(org, call, at, (field, key), record, value)
    });
    Ok(answer(org, &outcomes, all_or_none, true))
}

fn upsert_one(
    org: &mut Org,
    call: &Call,
    at: ObjectIndex,
    (field, key): (&str, FieldIndex),
    record: &Map<String, Value>,
    value: Option<&str>,
) -> Outcome {
    let by_id = org.table(at).object.field(key).kind == Kind::Id;
    let known = match value {
        None if by_id => None,
        None => return Err(Refusal::new("MISSING_ARGUMENT", format!("{field} not specified")).at(field)),
        Some(value) if by_id => Some(rest::by_id(org, at, value)?),
        Some(value) => match input::external(org, at, key, value).as_slice() {
            [] => None,
            [only] => Some(super::table::RecordRef { object: at, number: *only }),
            several => return Err(input::ambiguous(org, at, field, several)),
        },
    };
    rest::upsert(org, at, key, value.unwrap_or_default(), known, record, manner(call))
}

/// Does one record after the other; a refused one leaves nothing behind, and with `all_or_none` takes all with it.
fn each(
    org: &mut Org,
    records: &[Map<String, Value>],
    all_or_none: bool,
    mut run: impl FnMut(&mut Org, &Map<String, Value>) -> Outcome,
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

fn answer(org: &Org, outcomes: &[Outcome], all_or_none: bool, tells_created: bool) -> Response {
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
    web::json(200, &json!(entries))
}

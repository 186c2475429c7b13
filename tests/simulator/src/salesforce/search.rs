//! The search calls: SOSL, and the same with parameters.

use axum::http::Method;
use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::calls::Call;
use super::org::Org;
use super::refusal::Refusal;
use super::soql::{self, Query};
use super::sosl::{self, Scope, Terms};
use super::table::RecordRef;
use crate::web;

/// Records in an answer, unless a limit is given.
const LIMIT: usize = 2_000;

/// GET /search?q=FIND {...} ...
pub(crate) fn sosl(org: &Org, call: &Call, version: u32) -> Result<Answer, Refusal> {
    let search = sosl::parse(call.param("q").unwrap_or_default())?;
    let queries = if search.returning.is_empty() { everywhere(org)? } else { queries(org, &search.returning)? };
    Ok(found(org, call, version, &search.terms, search.scope, &queries, search.limit))
}

/// GET or POST /parameterizedSearch
pub(crate) fn parameterized(org: &Org, call: &Call, version: u32) -> Result<Answer, Refusal> {
    let body = if call.method == Method::POST { call.object()? } else { from_query(call) };
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let terms = sosl::terms(text("q").unwrap_or_default())?;
    let scope = text("in").map_or(Ok(Scope::All), Scope::named)?;
    let defaults = names(body.get("fields"));
    let mut returning = Vec::new();
    for object in body.get("sobjects").and_then(Value::as_array).into_iter().flatten() {
        let name = object["name"].as_str().unwrap_or_default();
        let fields = names(object.get("fields"));
        let fields = if fields.is_empty() { &defaults } else { &fields };
        let fields = if fields.is_empty() { "Id".to_owned() } else { fields.join(",") };
        let mut soql = format!("SELECT {fields} FROM {name}");
        if let Some(filter) = object["where"].as_str() {
            soql += &format!(" WHERE {filter}");
        }
        if let Some(order) = object["orderBy"].as_str() {
            soql += &format!(" ORDER BY {order}");
        }
        if let Some(limit) = object["limit"].as_u64() {
            soql += &format!(" LIMIT {limit}");
        }
        returning.push(soql);
    }
    let queries = if returning.is_empty() { everywhere(org)? } else { queries(org, &returning)? };
    let limit = body.get("overallLimit").and_then(Value::as_u64).and_then(|limit| usize::try_from(limit).ok());
    Ok(found(org, call, version, &terms, scope, &queries, limit))
}

fn names(list: Option<&Value>) -> Vec<String> {
    list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// `q=…&in=PHONE&fields=Id,Name&sobject=Contact&Contact.fields=Id&Contact.limit=5` in the shape of the POST body.
fn from_query(call: &Call) -> Map<String, Value> {
    let list = |text: &str| -> Value { text.split(',').map(str::trim).collect() };
    let mut body = Map::new();
    let mut objects = Vec::new();
    for (key, value) in &call.params {
        match key.as_str() {
            "sobject" => objects.extend(value.split(',').map(|name| name.trim().to_owned())),
            "fields" => drop(body.insert(key.clone(), list(value))),
            "overallLimit" => drop(body.insert(key.clone(), json!(value.parse::<u64>().ok()))),
            "q" | "in" => drop(body.insert(key.clone(), json!(value))),
            _ => {}
        }
    }
    let objects: Vec<Value> = objects
        .into_iter()
        .map(|name| {
            let mut object = json!({"name": name});
            let param = |part: &str| web::value(&call.params, &format!("{name}.{part}"));
            if let Some(fields) = param("fields") {
                object["fields"] = list(fields);
            }
            if let Some(filter) = param("where") {
                object["where"] = json!(filter);
            }
            if let Some(order) = param("orderBy") {
                object["orderBy"] = json!(order);
            }
            if let Some(limit) = param("limit").and_then(|text| text.parse::<u64>().ok()) {
                object["limit"] = json!(limit);
            }
            object
        })
        .collect();
    body.insert("sobjects".to_owned(), json!(objects));
    body
}

fn queries(org: &Org, returning: &[String]) -> Result<Vec<Query>, Refusal> {
    returning.iter().map(|soql| soql::parse(org, soql)).collect()
}

/// Without RETURNING, the ids of whatever is found.
fn everywhere(org: &Org) -> Result<Vec<Query>, Refusal> {
    let visible = org.tables.iter().filter(|table| !table.object.hidden);
    visible.map(|table| soql::parse(org, &format!("SELECT Id FROM {}", table.object.name))).collect()
}

fn found(
    org: &Org,
    call: &Call,
    version: u32,
    terms: &Terms,
    scope: Scope,
    queries: &[Query],
    limit: Option<usize>,
) -> Answer {
    let indexed_ms = call.now_ms - org.config.search_lag_ms;
    let mut records = Vec::new();
    for query in queries {
        let object = &org.table(query.object()).object;
        let hits = soql::matching_where(org, query, |row| {
            // The index lags behind what was written.
            (org.config.search_lag_ms == 0 || row.modified_ms <= indexed_ms) && terms.match_row(object, row, scope)
        });
        for number in hits {
            let record = RecordRef { object: query.object(), number };
            if let Some(row) = org.row(record) {
                records.push(query.row(org, record, row, version));
            }
        }
    }
    records.truncate(limit.unwrap_or(LIMIT).min(LIMIT));
    // A bare list until version 37.
    let body = if version < 37 { json!(records) } else { json!({"searchRecords": records}) };
    Answer::json(200, body)
}

//! The query call: the first page, and the later ones by locator.

use std::sync::Arc;

use serde_json::{Value, json};

use super::answer::Answer;
use super::calls::Call;
use super::id;
use super::org::Org;
use super::refusal::Refusal;
use super::soql::{self, Query};
use super::table::RecordRef;

/// Rows in a page, unless `Sforce-Query-Options` asks for fewer.
const PAGE: usize = 2_000;
/// The fewest a client may ask for.
const SMALLEST_PAGE: usize = 200;
/// Queries a user may leave open; a further one ends the oldest.
const OPEN: usize = 10;

/// A query whose later pages were not read yet.
#[derive(Debug)]
pub(crate) struct Cursor {
    locator: String,
    query: Arc<Query>,
    numbers: Vec<u32>,
    page: usize,
}

/// GET /query?q=, and /queryAll, which sees the recycle bin too.
pub(crate) fn first_page(org: &mut Org, call: &Call, version: u32, bin: bool) -> Result<Answer, Refusal> {
    let text = call.param("q").unwrap_or_default();
    let query = Arc::new(soql::parse(org, text)?);
    let numbers = soql::matching(org, &query, bin);
    if query.is_count() {
        return Ok(Answer::json(200, json!({"totalSize": numbers.len(), "done": true, "records": []})));
    }
    if let Some(aggregate) = query.aggregate(org, &numbers) {
        return Ok(Answer::json(200, json!({"totalSize": 1, "done": true, "records": [aggregate]})));
    }
    let page = call
        .header("Sforce-Query-Options")
        .and_then(|options| options.trim().strip_prefix("batchSize="))
        .and_then(|size| size.parse().ok())
        .map_or(PAGE, |size: usize| size.clamp(SMALLEST_PAGE, PAGE));
    if numbers.len() <= page {
        return Ok(Answer::json(200, rows(org, &query, &numbers, 0, page, None, version)));
    }
    org.queries += 1;
    let locator = id::format("0r8", org.number, org.queries);
    let body = rows(org, &query, &numbers, 0, page, Some(&locator), version);
    if org.cursors.len() >= OPEN {
        org.cursors.pop_front();
    }
    org.cursors.push_back(Cursor { locator, query, numbers, page });
    Ok(Answer::json(200, body))
}

/// GET /query/{locator}
pub(crate) fn next_page(org: &mut Org, locator: &str, version: u32) -> Result<Answer, Refusal> {
    let unknown = || Refusal::new("INVALID_QUERY_LOCATOR", "invalid query locator");
    let (name, from) = locator.rsplit_once('-').ok_or_else(unknown)?;
    let from: usize = from.parse().map_err(|_| unknown())?;
    let cursor = org.cursors.iter().find(|cursor| cursor.locator == name).ok_or_else(unknown)?;
    if from > cursor.numbers.len() {
        return Err(unknown());
    }
    let body = rows(org, &cursor.query, &cursor.numbers, from, cursor.page, Some(name), version);
    Ok(Answer::json(200, body))
}

/// One page. A record that went for good since the query ran is left out.
fn rows(
    org: &Org,
    query: &Query,
    numbers: &[u32],
    from: usize,
    page: usize,
    locator: Option<&str>,
    version: u32,
) -> Value {
    let end = (from + page).min(numbers.len());
    let records: Vec<Value> = numbers[from..end]
        .iter()
        .filter_map(|number| {
            let record = RecordRef { object: query.object(), number: *number };
            Some(query.row(org, record, org.row_any(record)?, version))
        })
        .collect();
    let mut body = json!({"totalSize": numbers.len(), "done": end == numbers.len()});
    if let Some(locator) = locator
        && end < numbers.len()
    {
        body["nextRecordsUrl"] = json!(format!("/services/data/v{version}.0/query/{locator}-{end}"));
    }
    body["records"] = Value::Array(records);
    body
}

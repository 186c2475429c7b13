//! A subset of SOQL: what a query is, and which records answer it.

mod filter;
mod lex;
mod parse;
mod sort;
mod terms;

use serde_json::{Value, json};

use super::org::Org;
use super::rest;
use super::schema::{FieldIndex, Kind, ObjectIndex, Source};
use super::sharing;
use super::table::{Cell, RecordRef, Row};
use filter::Filter;
pub(crate) use parse::parse;
use sort::{Direction, SortKey};

/// A parsed query. Deliberately absent: GROUP BY, semi-joins, TYPEOF, date literals such as TODAY.
#[derive(Debug)]
pub(crate) struct Query {
    object: ObjectIndex,
    select: Vec<Selected>,
    filter: Option<Filter>,
    order: Vec<(Path, Direction)>,
    limit: Option<usize>,
    offset: usize,
}

#[derive(Debug)]
enum Selected {
    /// `count()`: no rows, only their number.
    Count,
    /// `count(Field)`: how many records have it, under this name.
    CountOf(Path, String),
    Field(Path),
    /// Records that refer to this one by a field.
    Children {
        name: String,
        link: FieldIndex,
        query: Box<Query>,
    },
}

/// A field, reached over references.
#[derive(Debug, Clone)]
struct Path {
    hops: Vec<FieldIndex>,
    name: String,
    /// Where the field is; unknown when the last hop leads to several objects.
    column: Option<FieldIndex>,
    kind: Kind,
}

impl Query {
    pub(crate) fn object(&self) -> ObjectIndex {
        self.object
    }

    pub(crate) fn is_count(&self) -> bool {
        matches!(self.select.as_slice(), [Selected::Count])
    }

    /// The one row of a query that only counts fields.
    pub(crate) fn aggregate(&self, org: &Org, numbers: &[u32]) -> Option<Value> {
        let mut row = json!({"attributes": {"type": "AggregateResult"}});
        for selected in &self.select {
            let Selected::CountOf(path, name) = selected else { return None };
            let has = |number: &&u32| {
                let record = RecordRef { object: self.object, number: **number };
                org.row_any(record).is_some_and(|row| !path.value(org, record, row).is_null())
            };
            row[name] = json!(numbers.iter().filter(has).count());
        }
        Some(row)
    }

    /// One record as the answer shows it.
    pub(crate) fn row(&self, org: &Org, record: RecordRef, row: &Row, version: u32) -> Value {
        let mut shown = attributes(org, record, version);
        for selected in &self.select {
            match selected {
                Selected::Field(path) => show(org, record, row, path, &path.hops, version, &mut shown),
                Selected::Children { name, link, query } => {
                    shown[name] = children(org, record, *link, query, version);
                }
                Selected::Count | Selected::CountOf(..) => {}
            }
        }
        shown
    }
}

/// A subquery's answer inside a record; null when there are no such records.
fn children(org: &Org, parent: RecordRef, link: FieldIndex, query: &Query, version: u32) -> Value {
    let of_parent: Vec<u32> = org.table(query.object).lookup(link, &Cell::Ref(parent)).unwrap_or_default();
    let numbers = chosen(org, query, of_parent);
    if numbers.is_empty() {
        return Value::Null;
    }
    let rows: Vec<Value> = numbers
        .iter()
        .filter_map(|number| {
            let record = RecordRef { object: query.object, number: *number };
            Some(query.row(org, record, org.row(record)?, version))
        })
        .collect();
    json!({"totalSize": rows.len(), "done": true, "records": rows})
}

fn attributes(org: &Org, record: RecordRef, version: u32) -> Value {
    let name = &org.table(record.object).object.name;
    json!({"attributes": {"type": name, "url": rest::address(org, version, record)}})
}

/// Adds a field to the record shown, inside as many objects as there are hops.
fn show(org: &Org, record: RecordRef, row: &Row, path: &Path, hops: &[FieldIndex], version: u32, shown: &mut Value) {
    let Some((hop, rest)) = hops.split_first() else {
        shown[&path.name] = path.of(org, record, row);
        return;
    };
    let Kind::Reference { relationship, .. } = &org.table(record.object).object.field(*hop).kind else { return };
    match follow(org, record, row, *hop) {
        None => shown[relationship] = Value::Null,
        Some((to, row)) => {
            if !shown[relationship].is_object() {
                shown[relationship] = attributes(org, to, version);
            }
            show(org, to, row, path, rest, version, &mut shown[relationship]);
        }
    }
}

fn follow<'a>(org: &'a Org, record: RecordRef, row: &Row, hop: FieldIndex) -> Option<(RecordRef, &'a Row)> {
    if org.table(record.object).object.field(hop).source == Source::Author {
        return Some((org.integration_user, org.row(org.integration_user)?));
    }
    let Some(Cell::Ref(to)) = row.get(hop) else { return None };
    Some((*to, org.row(*to)?))
}

impl Path {
    /// What the field says for a record at the end of the hops.
    fn of(&self, org: &Org, record: RecordRef, row: &Row) -> Value {
        let column = self.column.or_else(|| org.table(record.object).object.seen(&self.name));
        column.map_or(Value::Null, |column| org.read(record, row, column))
    }

    /// What the field says for a record at their beginning.
    fn value(&self, org: &Org, record: RecordRef, row: &Row) -> Value {
        let Some((first, rest)) = self.hops.split_first() else { return self.of(org, record, row) };
        let Some((mut record, mut row)) = follow(org, record, row, *first) else { return Value::Null };
        for hop in rest {
            match follow(org, record, row, *hop) {
                Some(next) => (record, row) = next,
                None => return Value::Null,
            }
        }
        self.of(org, record, row)
    }
}

/// Numbers of the records that answer the query, ordered and limited; with `bin`, deleted ones too.
pub(crate) fn matching(org: &Org, query: &Query, bin: bool) -> Vec<u32> {
    if bin {
        let table = org.table(query.object);
        let mut all: Vec<u32> = table.rows().chain(table.bin()).map(|(number, _)| number).collect();
        all.sort_unstable();
        return chosen(org, query, all);
    }
    matching_where(org, query, |_| true)
}

/// The same for records that something else is true of, too.
pub(crate) fn matching_where(org: &Org, query: &Query, also: impl Fn(&Row) -> bool) -> Vec<u32> {
    let table = org.table(query.object);
    let numbers = match query.filter.as_ref().and_then(|filter| filter.candidates(org, query.object)) {
        Some(mut numbers) => {
            numbers.sort_unstable();
            numbers.dedup();
            numbers.retain(|number| table.get(*number).is_some_and(&also));
            numbers
        }
        None => table.rows().filter(|(_, row)| also(row)).map(|(number, _)| number).collect(),
    };
    chosen(org, query, numbers)
}

/// Those of the records that the filter accepts, ordered and limited.
fn chosen(org: &Org, query: &Query, mut numbers: Vec<u32>) -> Vec<u32> {
    if let Some(filter) = &query.filter {
        numbers.retain(|number| {
            let record = RecordRef { object: query.object, number: *number };
            org.row_any(record).is_some_and(|row| filter.accepts(org, record, row))
        });
    }
    if !org.config.access.is_empty() {
        numbers.retain(|number| {
            let record = RecordRef { object: query.object, number: *number };
            org.row_any(record).is_some_and(|row| sharing::sees(org, query.object, row))
        });
    }
    if !query.order.is_empty() {
        numbers.sort_by_cached_key(|number| SortKey::new(org, query, *number));
    }
    let limit = query.limit.unwrap_or(usize::MAX);
    numbers.into_iter().skip(query.offset).take(limit).collect()
}

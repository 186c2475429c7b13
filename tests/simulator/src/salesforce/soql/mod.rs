//! A subset of SOQL: what a query is, and which records answer it.

mod lex;
mod parse;

use std::cmp::Ordering;

use serde_json::{Value, json};

use super::org::Org;
use super::rest;
use super::schema::{FieldIndex, Kind, ObjectIndex};
use super::table::{RecordRef, Row};
pub(crate) use parse::parse;

/// A parsed query. Deliberately absent: GROUP BY, subqueries, date literals such as TODAY.
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
    Count,
    Field(Path),
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

#[derive(Debug)]
enum Filter {
    All(Vec<Filter>),
    Any(Vec<Filter>),
    Not(Box<Filter>),
    Compare(Path, Operator, Literal),
    In(Path, Vec<Literal>),
    /// The characters, and whether each was escaped so as not to be a wildcard.
    Like(Path, Vec<(char, bool)>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    Different,
    Less,
    AtMost,
    More,
    AtLeast,
}

#[derive(Debug)]
enum Literal {
    Null,
    Bool(bool),
    Text(String),
    Record(RecordRef),
}

#[derive(Debug, Clone, Copy)]
struct Direction {
    descending: bool,
    /// Blanks come first unless this is set, in either direction.
    nulls_last: bool,
}

impl Query {
    pub(crate) fn object(&self) -> ObjectIndex {
        self.object
    }

    pub(crate) fn is_count(&self) -> bool {
        matches!(self.select.as_slice(), [Selected::Count])
    }

    /// One record as the answer shows it.
    pub(crate) fn row(&self, org: &Org, record: RecordRef, row: &Row, version: u32) -> Value {
        let mut shown = attributes(org, record, version);
        for selected in &self.select {
            let Selected::Field(path) = selected else { continue };
            show(org, record, row, path, &path.hops, version, &mut shown);
        }
        shown
    }
}

fn attributes(org: &Org, record: RecordRef, version: u32) -> Value {
    let name = org.table(record.object).object.name;
    json!({"attributes": {"type": name, "url": rest::address(org, version, record)}})
}

/// Adds a field to the record shown, inside as many objects as there are hops.
fn show(org: &Org, record: RecordRef, row: &Row, path: &Path, hops: &[FieldIndex], version: u32, shown: &mut Value) {
    let Some((hop, rest)) = hops.split_first() else {
        shown[&path.name] = path.of(org, record, row);
        return;
    };
    let Kind::Reference { relationship, .. } = &org.table(record.object).object.field(*hop).kind else { return };
    match follow(org, row, *hop) {
        None => shown[relationship] = Value::Null,
        Some((to, row)) => {
            if !shown[relationship].is_object() {
                shown[relationship] = attributes(org, to, version);
            }
            show(org, to, row, path, rest, version, &mut shown[relationship]);
        }
    }
}

fn follow<'a>(org: &'a Org, row: &Row, hop: FieldIndex) -> Option<(RecordRef, &'a Row)> {
    let Some(super::table::Cell::Ref(to)) = row.get(hop) else { return None };
    Some((*to, org.row(*to)?))
}

impl Path {
    /// What the field says for a record at the end of the hops.
    fn of(&self, org: &Org, record: RecordRef, row: &Row) -> Value {
        let column = self.column.or_else(|| org.table(record.object).object.find(&self.name));
        column.map_or(Value::Null, |column| org.read(record, row, column))
    }

    /// What the field says for a record at their beginning.
    fn value(&self, org: &Org, record: RecordRef, row: &Row) -> Value {
        let (mut record, mut row) = (record, row);
        for hop in &self.hops {
            match follow(org, row, *hop) {
                Some(next) => (record, row) = next,
                None => return Value::Null,
            }
        }
        self.of(org, record, row)
    }
}

/// Numbers of the records that answer the query, ordered and limited.
pub(crate) fn matching(org: &Org, query: &Query) -> Vec<u32> {
    let table = org.table(query.object);
    let test = |number: &u32, row: &Row| {
        let record = RecordRef { object: query.object, number: *number };
        query.filter.as_ref().is_none_or(|filter| filter.accepts(org, record, row))
    };
    let mut numbers: Vec<u32> = match query.filter.as_ref().and_then(|filter| filter.candidates(org, query.object)) {
        Some(mut numbers) => {
            numbers.sort_unstable();
            numbers.dedup();
            numbers.retain(|number| table.get(*number).is_some_and(|row| test(number, row)));
            numbers
        }
        None => table.rows().filter(|(number, row)| test(number, row)).map(|(number, _)| number).collect(),
    };
    if !query.order.is_empty() {
        numbers.sort_by_cached_key(|number| SortKey::new(org, query, *number));
    }
    let limit = query.limit.unwrap_or(usize::MAX);
    numbers.into_iter().skip(query.offset).take(limit).collect()
}

/// The values a record is sorted by.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct SortKey(Vec<(u8, Ordered)>);

#[derive(PartialEq, Eq)]
struct Ordered {
    text: String,
    descending: bool,
}

impl SortKey {
    fn new(org: &Org, query: &Query, number: u32) -> Self {
        let record = RecordRef { object: query.object, number };
        let key = |(path, direction): &(Path, Direction)| {
            let value = org.row(record).map_or(Value::Null, |row| path.value(org, record, row));
            let rank = match (value.is_null(), direction.nulls_last) {
                (true, true) => 2,
                (true, false) => 0,
                (false, _) => 1,
            };
            (rank, Ordered { text: plain(&value), descending: direction.descending })
        };
        Self(query.order.iter().map(key).collect())
    }
}

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> Ordering {
        let order = self.text.cmp(&other.text);
        if self.descending { order.reverse() } else { order }
    }
}

/// A value as comparisons see it: text without case.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.to_lowercase(),
        other => other.to_string(),
    }
}

impl Filter {
    /// Records among which all that answer are, when an index tells; `None` means all records.
    fn candidates(&self, org: &Org, object: ObjectIndex) -> Option<Vec<u32>> {
        match self {
            Self::All(parts) => parts.iter().find_map(|part| part.candidates(org, object)),
            Self::Any(parts) => {
                let found: Option<Vec<Vec<u32>>> = parts.iter().map(|part| part.candidates(org, object)).collect();
                Some(found?.concat())
            }
            Self::Compare(path, Operator::Equal, value) => indexed(org, object, path, value),
            Self::In(path, values) => {
                let found: Option<Vec<Vec<u32>>> =
                    values.iter().map(|value| indexed(org, object, path, value)).collect();
                Some(found?.concat())
            }
            _ => None,
        }
    }

    fn accepts(&self, org: &Org, record: RecordRef, row: &Row) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.accepts(org, record, row)),
            Self::Any(parts) => parts.iter().any(|part| part.accepts(org, record, row)),
            Self::Not(inner) => !inner.accepts(org, record, row),
            Self::Compare(path, operator, literal) => {
                let value = path.value(org, record, row);
                let equal = literal.is(org, &value);
                match operator {
                    Operator::Equal => equal,
                    Operator::Different => !equal,
                    _ if value.is_null() || matches!(literal, Literal::Null) => false,
                    _ => {
                        let order = plain(&value).cmp(&plain(&literal.value(org)));
                        match operator {
                            Operator::Less => order.is_lt(),
                            Operator::AtMost => order.is_le(),
                            Operator::More => order.is_gt(),
                            _ => order.is_ge(),
                        }
                    }
                }
            }
            Self::In(path, literals) => {
                let value = path.value(org, record, row);
                literals.iter().any(|literal| literal.is(org, &value))
            }
            Self::Like(path, pattern) => {
                let value = path.value(org, record, row);
                let text: Vec<char> = plain(&value).chars().collect();
                !value.is_null() && like(&text, pattern)
            }
        }
    }
}

fn indexed(org: &Org, object: ObjectIndex, path: &Path, literal: &Literal) -> Option<Vec<u32>> {
    if !path.hops.is_empty() {
        return None;
    }
    let column = path.column?;
    match (&path.kind, literal) {
        (Kind::Id, Literal::Record(record)) => {
            Some(if record.object == object { vec![record.number] } else { Vec::new() })
        }
        _ => org.table(object).lookup(column, &literal.cell()?),
    }
}

impl Literal {
    fn value(&self, org: &Org) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(flag) => json!(flag),
            Self::Text(text) => json!(text),
            Self::Record(record) => json!(org.record_id(*record)),
        }
    }

    fn is(&self, org: &Org, value: &Value) -> bool {
        match (self, value) {
            (Self::Text(text), Value::String(value)) => text.to_lowercase() == value.to_lowercase(),
            _ => self.value(org) == *value,
        }
    }
}

/// Whether a lower-case text matches: `%` for any run, `_` for any one character. Linear in memory, no recursion.
fn like(text: &[char], pattern: &[(char, bool)]) -> bool {
    let (mut at, mut next) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while at < text.len() {
        match pattern.get(next) {
            Some(('%', false)) => {
                retry = Some((next + 1, at));
                next += 1;
            }
            Some((c, escaped)) if (*c == '_' && !escaped) || c.to_lowercase().eq([text[at]]) => {
                at += 1;
                next += 1;
            }
            _ => match &mut retry {
                None => return false,
                Some((after, from)) => {
                    *from += 1;
                    (next, at) = (*after, *from);
                }
            },
        }
    }
    pattern[next..].iter().all(|wild| *wild == ('%', false))
}

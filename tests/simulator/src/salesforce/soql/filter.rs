//! The WHERE of a query: which records it accepts, and what an index knows of that.

use serde_json::{Value, json};

use super::super::org::Org;
use super::super::schema::{Kind, ObjectIndex};
use super::super::table::{Cell, RecordRef, Row};
use super::super::wildcard;
use super::Path;
use super::sort::{compare, plain};

/// A condition.
#[derive(Debug)]
pub(super) enum Filter {
    All(Vec<Filter>),
    Any(Vec<Filter>),
    Not(Box<Filter>),
    Compare(Path, Operator, Literal),
    In(Path, Vec<Literal>),
    /// The characters, and whether each was escaped so as not to be a wildcard.
    Like(Path, Vec<(char, bool)>),
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    Different,
    Less,
    AtMost,
    More,
    AtLeast,
}

/// A value in the query's text.
#[derive(Debug)]
pub(super) enum Literal {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    Record(RecordRef),
}

impl Filter {
    /// Records among which all that answer are, when an index tells; `None` means all records.
    pub(super) fn candidates(&self, org: &Org, object: ObjectIndex) -> Option<Vec<u32>> {
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

    pub(super) fn accepts(&self, org: &Org, record: RecordRef, row: &Row) -> bool {
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
                        let order = compare(&value, &literal.value(org));
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
    /// The literal as an index would hold it.
    fn cell(&self) -> Option<Cell> {
        match self {
            Self::Text(text) => Some(Cell::Text(text.as_str().into())),
            Self::Bool(flag) => Some(Cell::Bool(*flag)),
            Self::Record(record) => Some(Cell::Ref(*record)),
            Self::Number(number) => Some(Cell::Number(*number)),
            Self::Null => None,
        }
    }

    fn value(&self, org: &Org) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(flag) => json!(flag),
            Self::Number(number) => json!(number),
            Self::Text(text) => json!(text),
            Self::Record(record) => json!(org.record_id(*record)),
        }
    }

    fn is(&self, org: &Org, value: &Value) -> bool {
        match (self, value) {
            (Self::Text(text), Value::String(value)) => text.to_lowercase() == value.to_lowercase(),
            (Self::Number(number), value) => value.as_f64() == Some(*number),
            _ => self.value(org) == *value,
        }
    }
}

/// Whether a lower-case text matches: `%` for any run, `_` for any one character.
fn like(text: &[char], pattern: &[(char, bool)]) -> bool {
    let one = |(c, escaped): &(char, bool), of: char| (*c == '_' && !escaped) || c.to_lowercase().eq([of]);
    wildcard::matches(text, pattern, |wild| *wild == ('%', false), one)
}

//! In which order records come, and how two values compare.

use std::cmp::Ordering;

use serde_json::Value;

use super::super::org::Org;
use super::super::table::RecordRef;
use super::{Path, Query};

/// One word of ORDER BY.
#[derive(Debug, Clone, Copy)]
pub(super) struct Direction {
    pub(super) descending: bool,
    /// Blanks come first unless this is set, in either direction.
    pub(super) nulls_last: bool,
}

/// The values a record is sorted by.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SortKey(Vec<(u8, Ordered)>);

struct Ordered {
    value: Value,
    descending: bool,
}

impl SortKey {
    pub(super) fn new(org: &Org, query: &Query, number: u32) -> Self {
        let record = RecordRef { object: query.object, number };
        let key = |(path, direction): &(Path, Direction)| {
            let value = org.row_any(record).map_or(Value::Null, |row| path.value(org, record, row));
            let rank = match (value.is_null(), direction.nulls_last) {
                (true, true) => 2,
                (true, false) => 0,
                (false, _) => 1,
            };
            (rank, Ordered { value, descending: direction.descending })
        };
        Self(query.order.iter().map(key).collect())
    }
}

impl PartialEq for Ordered {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Ordered {}

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> Ordering {
        let order = compare(&self.value, &other.value);
        if self.descending { order.reverse() } else { order }
    }
}

/// Numbers by size, everything else as text without case.
pub(super) fn compare(one: &Value, two: &Value) -> Ordering {
    match (one.as_f64(), two.as_f64()) {
        (Some(one), Some(two)) => one.total_cmp(&two),
        _ => plain(one).cmp(&plain(two)),
    }
}

/// A value as comparisons see it: text without case.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.to_lowercase(),
        other => other.to_string(),
    }
}

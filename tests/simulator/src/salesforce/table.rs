//! The records of one object, found by number, or by the value of an indexed field.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::schema::{FieldIndex, Object, ObjectIndex};

/// A record of the same org.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct RecordRef {
    pub(crate) object: ObjectIndex,
    /// From 1.
    pub(crate) number: u32,
}

/// One stored value; a blank one is not stored.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    Text(Box<str>),
    Bool(bool),
    Number(f64),
    Ref(RecordRef),
}

/// One record.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) created_ms: i64,
    pub(crate) modified_ms: i64,
    /// Whether it is in the recycle bin.
    pub(crate) deleted: bool,
    /// Values by field, few enough to search in line.
    cells: Vec<(FieldIndex, Cell)>,
}

/// All records of one object.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) object: Object,
    /// Position is the number less one; a gap is a deleted record.
    rows: Vec<Option<Box<Row>>>,
    /// Deleted records, by number.
    bin: BTreeMap<u32, Box<Row>>,
    live: usize,
    indexes: HashMap<FieldIndex, HashMap<Key, Postings>>,
}

/// A value as an index sees it: text without case.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Text(Box<str>),
    Bool(bool),
    Ref(RecordRef),
}

/// The records of one value; nearly always one.
#[derive(Debug)]
enum Postings {
    One(u32),
    Many(BTreeSet<u32>),
}

impl Row {
    pub(crate) fn new(now_ms: i64) -> Self {
        Self { created_ms: now_ms, modified_ms: now_ms, deleted: false, cells: Vec::new() }
    }

    pub(crate) fn get(&self, field: FieldIndex) -> Option<&Cell> {
        self.cells.iter().find(|(at, _)| *at == field).map(|(_, cell)| cell)
    }

    /// The value when it is text.
    pub(crate) fn text(&self, field: FieldIndex) -> Option<&str> {
        match self.get(field)? {
            Cell::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn set(&mut self, field: FieldIndex, cell: Option<Cell>) {
        self.cells.retain(|(at, _)| *at != field);
        if let Some(cell) = cell {
            self.cells.push((field, cell));
        }
    }

    /// Gives back what growing took too much.
    pub(crate) fn shrink(&mut self) {
        self.cells.shrink_to_fit();
    }

    pub(crate) fn cells(&self) -> impl Iterator<Item = (FieldIndex, &Cell)> {
        self.cells.iter().map(|(at, cell)| (*at, cell))
    }
}

impl From<&Cell> for Key {
    fn from(cell: &Cell) -> Self {
        match cell {
            Cell::Text(text) => Self::Text(text.to_lowercase().into_boxed_str()),
            Cell::Bool(flag) => Self::Bool(*flag),
            Cell::Number(number) => Self::Text(number.to_string().into_boxed_str()),
            Cell::Ref(record) => Self::Ref(*record),
        }
    }
}

impl Postings {
    fn add(&mut self, number: u32) {
        match self {
            Self::One(first) => *self = Self::Many(BTreeSet::from([*first, number])),
            Self::Many(all) => {
                all.insert(number);
            }
        }
    }

    /// Whether nothing is left.
    fn remove(&mut self, number: u32) -> bool {
        match self {
            Self::One(only) => *only == number,
            Self::Many(all) => {
                all.remove(&number);
                all.is_empty()
            }
        }
    }

    fn numbers(&self) -> Vec<u32> {
        match self {
            Self::One(only) => vec![*only],
            Self::Many(all) => all.iter().copied().collect(),
        }
    }
}

impl Table {
    pub(crate) fn new(object: Object) -> Self {
        let indexes =
            (0..).zip(&object.fields).filter(|(_, field)| field.indexed).map(|(at, _)| (at, HashMap::new())).collect();
        Self { object, rows: Vec::new(), bin: BTreeMap::new(), live: 0, indexes }
    }

    /// Indexes a field that was added or became indexed.
    pub(crate) fn index(&mut self, field: FieldIndex) {
        let mut index: HashMap<Key, Postings> = HashMap::new();
        for (number, row) in self.rows() {
            if let Some(cell) = row.get(field) {
                insert(&mut index, cell, number);
            }
        }
        self.indexes.insert(field, index);
    }

    /// How many records there are.
    pub(crate) fn live(&self) -> usize {
        self.live
    }

    /// The number a new record gets.
    pub(crate) fn next_number(&self) -> u32 {
        u32::try_from(self.rows.len() + 1).unwrap_or(u32::MAX)
    }

    pub(crate) fn get(&self, number: u32) -> Option<&Row> {
        self.rows.get(number.checked_sub(1)? as usize)?.as_deref()
    }

    /// The record of a number, or what is left of it in the recycle bin.
    pub(crate) fn get_any(&self, number: u32) -> Option<&Row> {
        self.get(number).or_else(|| self.bin.get(&number).map(|row| &**row))
    }

    /// All records in the recycle bin.
    pub(crate) fn bin(&self) -> impl Iterator<Item = (u32, &Row)> {
        self.bin.iter().map(|(number, row)| (*number, &**row))
    }

    /// All records in the order of creation.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (u32, &Row)> {
        (1..=self.rows.len())
            .zip(&self.rows)
            .filter_map(|(number, row)| Some((u32::try_from(number).ok()?, row.as_deref()?)))
    }

    /// Deletes a record: it goes to the recycle bin.
    pub(crate) fn bury(&mut self, number: u32) -> Option<Box<Row>> {
        let before = self.put(number, None)?;
        let mut buried = before.clone();
        buried.deleted = true;
        self.bin.insert(number, buried);
        Some(before)
    }

    /// Writes or, with `None`, removes a record as if it had never been; answers what was there. The only place that
    /// changes rows and indexes.
    pub(crate) fn put(&mut self, number: u32, row: Option<Box<Row>>) -> Option<Box<Row>> {
        let at = (number.max(1) - 1) as usize;
        if at >= self.rows.len() {
            self.rows.resize_with(at + 1, || None);
        }
        let before = self.rows[at].take();
        self.bin.remove(&number);
        for (field, index) in &mut self.indexes {
            let old = before.as_ref().and_then(|row| row.get(*field));
            let new = row.as_ref().and_then(|row| row.get(*field));
            if old == new {
                continue;
            }
            if let Some(old) = old {
                let key = Key::from(old);
                if index.get_mut(&key).is_some_and(|postings| postings.remove(number)) {
                    index.remove(&key);
                }
            }
            if let Some(new) = new {
                insert(index, new, number);
            }
        }
        self.live = self.live - usize::from(before.is_some()) + usize::from(row.is_some());
        self.rows[at] = row;
        before
    }

    /// Records with this value, oldest first; `None` when the field has no index.
    pub(crate) fn lookup(&self, field: FieldIndex, cell: &Cell) -> Option<Vec<u32>> {
        let index = self.indexes.get(&field)?;
        Some(index.get(&Key::from(cell)).map(Postings::numbers).unwrap_or_default())
    }
}

fn insert(index: &mut HashMap<Key, Postings>, cell: &Cell, number: u32) {
    index.entry(Key::from(cell)).and_modify(|postings| postings.add(number)).or_insert(Postings::One(number));
}

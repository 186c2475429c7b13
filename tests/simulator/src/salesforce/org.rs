//! One simulated organization: its settings, its tables and the undo log that makes a write whole or nothing.

use std::collections::{HashMap, VecDeque};

use serde_json::{Value, json};

use super::calls::Totals;
use super::config::Config;
use super::custom;
use super::faults::Faults;
use super::id;
use super::locks::Locks;
use super::query::Cursor;
use super::schema::{FieldIndex, Kind, Number, ObjectIndex, Source, object};
use super::standard;
use super::table::{Cell, RecordRef, Row, Table};
use super::tokens::Tokens;
use super::usage::Usage;
use crate::clock;

/// An organization.
#[derive(Debug)]
pub(crate) struct Org {
    pub(crate) name: String,
    /// From 1; part of every id.
    pub(crate) number: u32,
    pub(crate) config: Config,
    pub(crate) tables: Vec<Table>,
    pub(crate) tokens: Tokens,
    pub(crate) faults: Faults,
    pub(crate) totals: Totals,
    /// Calls counted against `api_limit`.
    pub(crate) usage: Usage,
    /// Records held against other calls.
    pub(crate) locks: Locks,
    /// Data calls under way.
    pub(crate) under_way: usize,
    /// When its objects were last defined or changed.
    pub(crate) schema_ms: i64,
    /// Queries so far that had more than one page.
    pub(crate) queries: u32,
    /// Open queries, oldest first.
    pub(crate) cursors: VecDeque<Cursor>,
    /// The user the host writes as.
    pub(crate) integration_user: RecordRef,
    /// What was there before each change since the last commit.
    undo: Vec<(RecordRef, Option<Box<Row>>)>,
}

impl Org {
    pub(crate) fn new(name: &str, number: u32, config: Config) -> Self {
        let tables = standard::objects(config.person_accounts).into_iter().map(Table::new).collect();
        let mut org = Self {
            name: name.to_owned(),
            number,
            config: Config::default(),
            tables,
            tokens: Tokens::default(),
            faults: Faults::default(),
            totals: Totals::default(),
            usage: Usage::default(),
            locks: Locks::default(),
            under_way: 0,
            schema_ms: 0,
            queries: 0,
            cursors: VecDeque::new(),
            integration_user: RecordRef { object: object::USER, number: 1 },
            undo: Vec::new(),
        };
        org.configure(config);
        org
    }

    /// Takes new settings; fields that settings add are never removed again.
    pub(crate) fn configure(&mut self, config: Config) {
        custom::apply(self, &config);
        self.config = config;
    }

    /// Position of the object of this name, whatever its case.
    pub(crate) fn object(&self, name: &str) -> Option<ObjectIndex> {
        let at = self.tables.iter().position(|table| table.object.name.eq_ignore_ascii_case(name))?;
        u16::try_from(at).ok()
    }

    /// The same, when the integration user may see it.
    pub(crate) fn visible(&self, name: &str) -> Option<ObjectIndex> {
        self.object(name).filter(|at| !self.table(*at).object.hidden)
    }

    pub(crate) fn table(&self, object: ObjectIndex) -> &Table {
        &self.tables[object as usize]
    }

    pub(crate) fn row(&self, record: RecordRef) -> Option<&Row> {
        self.table(record.object).get(record.number)
    }

    /// The record, or what is left of it in the recycle bin.
    pub(crate) fn row_any(&self, record: RecordRef) -> Option<&Row> {
        self.table(record.object).get_any(record.number)
    }

    /// The organization's own id, `00D...`.
    pub(crate) fn id(&self) -> String {
        id::format("00D", self.number, 0)
    }

    /// The 18-character id of a record.
    pub(crate) fn record_id(&self, record: RecordRef) -> String {
        if record.object == object::ORGANIZATION {
            return self.id();
        }
        id::format(&self.table(record.object).object.prefix, self.number, record.number)
    }

    /// The record an id means, of whichever object, whether or not it exists; `None` for an id of no object here.
    pub(crate) fn record(&self, text: &str) -> Option<RecordRef> {
        let parts = id::parse(text)?;
        if parts.prefix == *b"00D" {
            // The one record of its table, although its id says 0.
            let number = u32::from(parts.org == self.number && parts.number == 0);
            return Some(RecordRef { object: object::ORGANIZATION, number });
        }
        let object = self.tables.iter().position(|table| table.object.prefix.as_bytes() == parts.prefix)?;
        // An id of another org is well formed, and no record has it.
        let number = if parts.org == self.number { parts.number } else { 0 };
        Some(RecordRef { object: u16::try_from(object).ok()?, number })
    }

    /// The first record whose field has this text.
    pub(crate) fn find(&self, object: ObjectIndex, field: &str, text: &str) -> Option<RecordRef> {
        let table = self.table(object);
        let field = table.object.find(field)?;
        let number = *table.lookup(field, &Cell::Text(text.into()))?.first()?;
        Some(RecordRef { object, number })
    }

    /// Whether a group is a queue that may own records of the object.
    pub(crate) fn queue_takes(&self, queue: RecordRef, object: ObjectIndex) -> bool {
        let supported = self.table(object::QUEUE_SOBJECT);
        let (Some(queue_id), Some(kind)) = (supported.object.find("QueueId"), supported.object.find("SobjectType"))
        else {
            return false;
        };
        let name = &self.table(object).object.name;
        supported.lookup(queue_id, &Cell::Ref(queue)).unwrap_or_default().into_iter().any(|number| {
            supported.get(number).and_then(|row| row.text(kind)).is_some_and(|text| text.eq_ignore_ascii_case(name))
        })
    }

    /// Writes or removes a record, remembering what was there.
    pub(crate) fn put(&mut self, record: RecordRef, row: Option<Box<Row>>) {
        let before = self.tables[record.object as usize].put(record.number, row);
        self.undo.push((record, before));
    }

    /// Deletes a record, remembering what was there.
    pub(crate) fn bury(&mut self, record: RecordRef) {
        let before = self.tables[record.object as usize].bury(record.number);
        self.undo.push((record, before));
    }

    /// Where the undo log stands, to roll back to.
    pub(crate) fn mark(&self) -> usize {
        self.undo.len()
    }

    /// Takes back every change since the mark.
    pub(crate) fn roll_back(&mut self, mark: usize) {
        while self.undo.len() > mark {
            if let Some((record, before)) = self.undo.pop() {
                self.tables[record.object as usize].put(record.number, before);
            }
        }
    }

    /// Makes the changes final; answers the journal lines that tell of them.
    pub(crate) fn commit(&mut self) -> Vec<Value> {
        let changed: Vec<RecordRef> = self.undo.drain(..).map(|(record, _)| record).collect();
        let mut seen = HashMap::new();
        changed
            .into_iter()
            .filter(|record| seen.insert(*record, ()).is_none())
            .map(|record| self.journal_line(record))
            .collect()
    }

    fn journal_line(&self, record: RecordRef) -> Value {
        let object = &self.table(record.object).object;
        let row = self.row(record).map(|row| {
            let fields: serde_json::Map<String, Value> = row
                .cells()
                .map(|(at, cell)| {
                    let value = match cell {
                        Cell::Text(text) => json!(text),
                        Cell::Bool(flag) => json!(flag),
                        Cell::Number(number) => json!(number),
                        Cell::Ref(to) => json!([to.object, to.number]),
                    };
                    (object.field(at).name.clone(), value)
                })
                .collect();
            json!({"created": row.created_ms, "modified": row.modified_ms, "fields": fields})
        });
        json!({"org": self.name, "object": object.name, "number": record.number, "row": row})
    }

    /// Does again what a journal line tells of. A line that makes no sense is passed over.
    pub(crate) fn replay(&mut self, line: &Value) -> Option<()> {
        let at = self.object(line["object"].as_str()?)?;
        let number = u32::try_from(line["number"].as_u64()?).ok()?;
        let row = match &line["row"] {
            Value::Null => {
                self.tables[at as usize].bury(number);
                return Some(());
            }
            told => {
                let mut row = Row::new(told["created"].as_i64()?);
                row.modified_ms = told["modified"].as_i64()?;
                for (name, value) in told["fields"].as_object()? {
                    let field = self.table(at).object.find(name)?;
                    row.set(field, replayed_cell(value));
                }
                Box::new(row)
            }
        };
        self.tables[at as usize].put(number, Some(row));
        Some(())
    }

    /// What a field of a record says, stored or computed.
    pub(crate) fn read(&self, record: RecordRef, row: &Row, field: FieldIndex) -> Value {
        let object = &self.table(record.object).object;
        match object.field(field).source {
            Source::Id => json!(self.record_id(record)),
            Source::Created => json!(clock::salesforce_text(row.created_ms)),
            Source::Modified => json!(clock::salesforce_text(row.modified_ms)),
            Source::Deleted => json!(row.deleted),
            Source::Author => json!(self.record_id(self.integration_user)),
            Source::AutoNumber(prefix, digits) => json!(format!("{prefix}{:0digits$}", record.number)),
            Source::FullName => {
                let part = |name| object.find(name).and_then(|at| row.text(at));
                json!([part("FirstName"), part("LastName")].into_iter().flatten().collect::<Vec<_>>().join(" "))
            }
            Source::Closed => {
                let status = object.find("Status").and_then(|at| row.text(at));
                json!(status.is_some_and(|status| status.eq_ignore_ascii_case("closed")))
            }
            Source::Stored | Source::System => match row.get(field) {
                None => Value::Null,
                Some(Cell::Text(text)) => json!(text),
                Some(Cell::Bool(flag)) => json!(flag),
                #[expect(clippy::cast_possible_truncation, reason = "an int field holds whole numbers of 32 bits")]
                Some(Cell::Number(number)) if object.field(field).kind == Kind::Number(Number::Int) => {
                    json!(*number as i64)
                }
                Some(Cell::Number(number)) => json!(number),
                Some(Cell::Ref(to)) => json!(self.record_id(*to)),
            },
        }
    }
}

fn replayed_cell(value: &Value) -> Option<Cell> {
    match value {
        Value::String(text) => Some(Cell::Text(text.as_str().into())),
        Value::Bool(flag) => Some(Cell::Bool(*flag)),
        Value::Number(number) => number.as_f64().map(Cell::Number),
        Value::Array(pair) => Some(Cell::Ref(RecordRef {
            object: u16::try_from(pair.first()?.as_u64()?).ok()?,
            number: u32::try_from(pair.get(1)?.as_u64()?).ok()?,
        })),
        _ => None,
    }
}

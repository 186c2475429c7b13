//! Creates, changes and deletes records, with the checks Salesforce makes and in the words it refuses with.

use super::config::Event;
use super::org::Org;
use super::refusal::Refusal;
use super::schema::{Field, FieldIndex, Kind, ObjectIndex, object};
use super::table::{Cell, RecordRef, Row};
use super::{locks, rules, trigger};

/// The values a request gives, in its order; `None` blanks a field.
pub(crate) type Changes = Vec<(FieldIndex, Option<Cell>)>;

/// How the request wants its write done.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner {
    pub(crate) now_ms: i64,
    /// Number of the call, from 1; 0 is an administrator, whom no lock stops.
    pub(crate) call: u64,
    /// API version, for the addresses in refusals.
    pub(crate) version: u32,
    /// Whether a duplicate rule that only alerts lets it through (`Sforce-Duplicate-Rule-Header: allowSave=true`).
    pub(crate) allow_save: bool,
    /// Whether a duplicate rule shows what the found records say (`includeRecordDetails=true`).
    pub(crate) record_details: bool,
    /// Whether the org's default case owner takes a new Case (`Sforce-Auto-Assign`, on by default).
    pub(crate) auto_assign: bool,
}

impl Manner {
    /// How an administrator's own writes are done.
    pub(crate) fn admin(now_ms: i64) -> Self {
        Self { now_ms, call: 0, version: 59, allow_save: true, record_details: false, auto_assign: false }
    }
}

/// Creates a record and runs the triggers. On a refusal the caller rolls back.
pub(crate) fn create(org: &mut Org, at: ObjectIndex, changes: Changes, manner: Manner) -> Result<RecordRef, Refusal> {
    let record = RecordRef { object: at, number: org.table(at).next_number() };
    let mut row = Row::new(manner.now_ms);
    let definition = &org.table(at).object;
    for (field, definition) in (0..).zip(&definition.fields) {
        if let Some(default) = &definition.default {
            row.set(field, Some(default_cell(definition, default)));
        }
    }
    if let Some(owner) = definition.find("OwnerId") {
        row.set(owner, Some(Cell::Ref(org.integration_user)));
    }
    for (field, cell) in changes {
        row.set(field, cell);
    }
    if at == object::ACCOUNT {
        trigger::person_account(org, record, &mut row, manner)?;
    }
    if at == object::CONVERSATION && org.config.case_trigger {
        trigger::conversation_created(org, &mut row, manner)?;
    }
    check(org, record, None, &row, manner)?;
    if at == object::CASE && manner.auto_assign {
        trigger::default_case_owner(org, &mut row);
    }
    locks::take(org, record, &row, manner)?;
    row.shrink();
    org.put(record, Some(Box::new(row)));
    Ok(record)
}

/// Changes a record and runs the triggers. On a refusal the caller rolls back.
pub(crate) fn update(org: &mut Org, record: RecordRef, changes: Changes, manner: Manner) -> Result<(), Refusal> {
    let before = org.row(record).cloned().ok_or_else(|| missing(org, record))?;
    let mut row = before.clone();
    row.modified_ms = manner.now_ms;
    for (field, cell) in changes {
        row.set(field, cell);
    }
    if record.object == object::ACCOUNT {
        trigger::person_account_changed(org, &before, &mut row, manner)?;
    }
    check(org, record, Some(&before), &row, manner)?;
    locks::take(org, record, &row, manner)?;
    row.shrink();
    org.put(record, Some(Box::new(row)));
    if org.config.case_trigger {
        match record.object {
            object::CONVERSATION => trigger::conversation_changed(org, record, &before, manner)?,
            object::CASE => trigger::case_changed(org, record, &before, manner)?,
            _ => {}
        }
    }
    Ok(())
}

/// Deletes a record; lookups to it are blanked, as the platform does by default.
pub(crate) fn delete(org: &mut Org, record: RecordRef, manner: Manner) -> Result<(), Refusal> {
    let Some(row) = org.row(record).cloned() else { return Err(missing(org, record)) };
    rules::triggers(org, record, &row, Event::Delete)?;
    locks::take(org, record, &row, manner)?;
    let mut children = Vec::new();
    for (at, table) in (0..).zip(&org.tables) {
        for (field, definition) in (0..).zip(&table.object.fields) {
            if matches!(&definition.kind, Kind::Reference { to, .. } if to.contains(&record.object)) {
                let numbers = table.lookup(field, &Cell::Ref(record)).unwrap_or_default();
                children.extend(numbers.into_iter().map(|number| (RecordRef { object: at, number }, field)));
            }
        }
    }
    for (child, field) in children {
        if let Some(mut row) = org.row(child).cloned() {
            row.set(field, None);
            row.modified_ms = manner.now_ms;
            org.put(child, Some(Box::new(row)));
        }
    }
    org.bury(record);
    Ok(())
}

/// Why a record that is not there is not there.
pub(crate) fn missing(org: &Org, record: RecordRef) -> Refusal {
    if org.row_any(record).is_some() { Refusal::deleted() } else { Refusal::not_found() }
}

fn default_cell(field: &Field, default: &str) -> Cell {
    if field.kind == Kind::Boolean { Cell::Bool(default == "true") } else { Cell::Text(default.into()) }
}

/// The checks on a whole record; those on a single value are in `input`.
fn check(org: &Org, record: RecordRef, before: Option<&Row>, row: &Row, manner: Manner) -> Result<(), Refusal> {
    rules::triggers(org, record, row, if before.is_some() { Event::Update } else { Event::Insert })?;
    let definition = &org.table(record.object).object;
    let blank: Vec<&str> = (0..)
        .zip(&definition.fields)
        .filter(|(at, field)| field.required && row.get(*at).is_none())
        .map(|(_, field)| field.name.as_str())
        .collect();
    if !blank.is_empty() {
        let message = format!("Required fields are missing: [{}]", blank.join(", "));
        let refusal = Refusal::new("REQUIRED_FIELD_MISSING", message);
        return Err(blank.into_iter().fold(refusal, Refusal::at));
    }
    if let Some(owner) = definition.find("OwnerId") {
        check_owner(org, record.object, row.get(owner))?;
    }
    for (at, field) in (0..).zip(&definition.fields).filter(|(_, field)| field.unique) {
        let Some(cell) = row.get(at) else { continue };
        let twins = org.table(record.object).lookup(at, cell).unwrap_or_default();
        if let Some(twin) = twins.into_iter().find(|number| *number != record.number) {
            let twin = org.record_id(RecordRef { object: record.object, number: twin });
            let message =
                format!("duplicate value found: {} duplicates value on record with id: {}", field.name, &twin[..15]);
            return Err(Refusal::new("DUPLICATE_VALUE", message));
        }
    }
    rules::validate(org, record, row)?;
    rules::duplicates(org, record, before, row, manner)
}

fn check_owner(org: &Org, at: ObjectIndex, owner: Option<&Cell>) -> Result<(), Refusal> {
    let Some(Cell::Ref(owner)) = owner else {
        return Err(Refusal::new("INVALID_CROSS_REFERENCE_KEY", "Owner ID: owner cannot be blank").at("OwnerId"));
    };
    if owner.object == object::GROUP {
        if !org.queue_takes(*owner, at) {
            return Err(Refusal::new("INVALID_OPERATION", "Queue not associated with this SObject type").at("OwnerId"));
        }
        return Ok(());
    }
    let active = org.table(object::USER).object.find("IsActive");
    let inactive = org.row(*owner).zip(active).is_some_and(|(row, at)| row.get(at) == Some(&Cell::Bool(false)));
    if inactive {
        let name = org.table(at).object.label.to_lowercase();
        let id = org.record_id(*owner);
        let message = format!("operation performed with inactive user [{id}] as owner of {name}");
        return Err(Refusal::new("INACTIVE_OWNER_OR_USER", message));
    }
    Ok(())
}

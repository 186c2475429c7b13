//! What an organization forbids: validation rules, duplicate rules, and automations that fail.

use serde_json::{Value, json};

use super::config::{DuplicateRule, Event, FailingTrigger};
use super::org::Org;
use super::refusal::Refusal;
use super::rest;
use super::schema::FieldIndex;
use super::table::{Cell, RecordRef, Row};
use super::write::Manner;

/// Refuses a record that breaks a validation rule.
pub(crate) fn validate(org: &Org, record: RecordRef, row: &Row) -> Result<(), Refusal> {
    let definition = &org.table(record.object).object;
    for rule in &org.config.validation_rules {
        let Some(field) = definition.find(&rule.field) else { continue };
        if !rule.object.eq_ignore_ascii_case(&definition.name) {
            continue;
        }
        let broken = match &rule.contains {
            Some(part) => contains(row, field, part),
            None => row.get(field).is_none(),
        };
        if broken {
            return Err(Refusal::new("FIELD_CUSTOM_VALIDATION_EXCEPTION", &rule.message).at(&rule.field));
        }
    }
    Ok(())
}

fn contains(row: &Row, field: FieldIndex, part: &str) -> bool {
    row.text(field).unwrap_or_default().to_lowercase().contains(&part.to_lowercase())
}

/// Refuses a write that an automation of the org fails on.
pub(crate) fn triggers(org: &Org, record: RecordRef, row: &Row, event: Event) -> Result<(), Refusal> {
    let definition = &org.table(record.object).object;
    let strikes = |trigger: &&FailingTrigger| {
        trigger.object.eq_ignore_ascii_case(&definition.name)
            && trigger.on.is_none_or(|on| on == event)
            && trigger
                .field
                .as_deref()
                .is_none_or(|name| definition.find(name).is_some_and(|field| contains(row, field, &trigger.contains)))
    };
    let Some(trigger) = org.config.failing_triggers.iter().find(strikes) else { return Ok(()) };
    if trigger.code != "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY" {
        return Err(Refusal::new(&trigger.code, &trigger.message));
    }
    let moment = match event {
        Event::Insert => "BeforeInsert",
        Event::Update => "BeforeUpdate",
        Event::Delete => "BeforeDelete",
    };
    let FailingTrigger { name, message, .. } = trigger;
    let text = format!("{name}: execution of {moment}\n\ncaused by: {message}\n\nTrigger.{name}: line 1, column 1");
    Err(Refusal::new(&trigger.code, text))
}

/// Refuses a record that a duplicate rule finds again. `before` is what an update changes.
pub(crate) fn duplicates(
    org: &Org,
    record: RecordRef,
    before: Option<&Row>,
    row: &Row,
    manner: Manner,
) -> Result<(), Refusal> {
    let definition = &org.table(record.object).object;
    for rule in &org.config.duplicate_rules {
        if !rule.object.eq_ignore_ascii_case(&definition.name) || (manner.allow_save && !rule.block) {
            continue;
        }
        let fields: Vec<FieldIndex> = rule.fields.iter().filter_map(|name| definition.find(name)).collect();
        let changed = before.is_none_or(|before| fields.iter().any(|field| before.get(*field) != row.get(*field)));
        if fields.is_empty() || !changed {
            continue;
        }
        let matches = alike(org, record, row, &fields);
        if !matches.is_empty() {
            return Err(found(org, rule, &matches, manner));
        }
    }
    Ok(())
}

/// Other records that say the same in all the fields; a blank one is like no other.
fn alike(org: &Org, record: RecordRef, row: &Row, fields: &[FieldIndex]) -> Vec<RecordRef> {
    let table = org.table(record.object);
    let same = |other: &Row| {
        fields.iter().all(|field| match (row.get(*field), other.get(*field)) {
            (Some(Cell::Text(one)), Some(Cell::Text(two))) => one.to_lowercase() == two.to_lowercase(),
            (Some(one), Some(two)) => one == two,
            _ => false,
        })
    };
    let indexed = fields.iter().find_map(|field| table.lookup(*field, row.get(*field)?));
    let numbers: Vec<u32> = match indexed {
        Some(numbers) => numbers.into_iter().filter(|number| table.get(*number).is_some_and(same)).collect(),
        None => table.rows().filter(|(_, other)| same(other)).map(|(number, _)| number).collect(),
    };
    let others = numbers.into_iter().filter(|number| *number != record.number);
    others.map(|number| RecordRef { object: record.object, number }).collect()
}

fn found(org: &Org, rule: &DuplicateRule, matches: &[RecordRef], manner: Manner) -> Refusal {
    let records: Vec<Value> = matches
        .iter()
        .map(|found| {
            let object = &org.table(found.object).object;
            let url = rest::address(org, manner.version, *found);
            let mut record = json!({"attributes": {"type": object.name, "url": url}, "Id": org.record_id(*found)});
            if manner.record_details
                && let Some(row) = org.row(*found)
            {
                for name in std::iter::once("Name").chain(rule.fields.iter().map(String::as_str)) {
                    if let Some(field) = object.seen(name) {
                        record[&object.field(field).name] = org.read(*found, row, field);
                    }
                }
            }
            json!({"additionalInformation": [], "fieldDiffs": [], "matchConfidence": 100.0, "record": record})
        })
        .collect();
    let message = "Use one of these records?";
    let result = json!({
        "allowSave": !rule.block,
        "duplicateRule": rule.name,
        "duplicateRuleEntityType": rule.object,
        "errorMessage": message,
        "matchResults": [{
            "entityType": rule.object,
            "errors": [],
            "matchEngine": "ExactMatchEngine",
            "size": records.len(),
            "matchRecords": records,
            "rule": rule.name,
            "success": true,
        }],
    });
    let key = if rule.misspelled { "duplicateResut" } else { "duplicateResult" };
    Refusal::new("DUPLICATES_DETECTED", message).with_detail(key, result)
}

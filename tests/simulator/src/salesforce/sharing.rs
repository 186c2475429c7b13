//! What the integration user may see and write: rights to whole objects, and records of others where an object is private.
//!
//! The right to create and to edit, and the owner of a record, are as documented; so is *View All Data* for upserts by a field
//! that is not unique. A guess is how a record is refused that the user cannot see: as if it were not there. Left out are
//! roles, sharing rules, teams, members of queues, and details, which follow their master.

use super::config::Access;
use super::org::Org;
use super::refusal::Refusal;
use super::schema::{FieldIndex, ObjectIndex};
use super::table::{Cell, RecordRef, Row};

fn access(org: &Org, at: ObjectIndex) -> Option<&Access> {
    if org.config.access.is_empty() {
        return None;
    }
    let name = &org.table(at).object.name;
    org.config.access.iter().find(|access| access.object.eq_ignore_ascii_case(name))
}

fn owns(org: &Org, at: ObjectIndex, row: &Row) -> bool {
    let owner = org.table(at).object.find("OwnerId");
    owner.is_none_or(|owner| row.get(owner) == Some(&Cell::Ref(org.integration_user)))
}

/// Whether the user sees a record.
pub(crate) fn sees(org: &Org, at: ObjectIndex, row: &Row) -> bool {
    access(org, at).is_none_or(|access| access.view_all || access.modify_all || owns(org, at, row))
}

/// Refuses where the user may not create records of the object.
pub(crate) fn creates(org: &Org, at: ObjectIndex) -> Result<(), Refusal> {
    let may = access(org, at).is_none_or(|access| access.create);
    if may { Ok(()) } else { Err(not_allowed(org, at, "inserted")) }
}

/// Refuses where the user may not change or delete the record.
pub(crate) fn edits(org: &Org, record: RecordRef) -> Result<(), Refusal> {
    let Some((access, row)) = access(org, record.object).zip(org.row(record)) else { return Ok(()) };
    if !access.edit {
        return Err(not_allowed(org, record.object, "updated"));
    }
    if access.modify_all || owns(org, record.object, row) {
        return Ok(());
    }
    let message = "insufficient access rights on object id";
    Err(Refusal::with_status(403, "INSUFFICIENT_ACCESS_OR_READONLY", message))
}

/// Refuses an upsert by a field whose index is not unique, unless the user may view all data.
pub(crate) fn upserts_by(org: &Org, at: ObjectIndex, key: FieldIndex) -> Result<(), Refusal> {
    let field = org.table(at).object.field(key);
    if field.unique || field.name == "Id" || org.config.view_all_data {
        return Ok(());
    }
    let message = "Upsert requires view all data on a non-unique custom index";
    Err(Refusal::with_status(403, "INSUFFICIENT_ACCESS", message).at(&field.name))
}

fn not_allowed(org: &Org, at: ObjectIndex, done: &str) -> Refusal {
    let message = format!("entity type cannot be {done}: {}", org.table(at).object.label);
    Refusal::new("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", message)
}

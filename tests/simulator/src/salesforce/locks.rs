//! Records that one call holds for a time against all others, as the platform does with the parents of what is saved.

use std::collections::HashMap;

use super::config::Config;
use super::org::Org;
use super::refusal::Refusal;
use super::schema::{Kind, object};
use super::table::{RecordRef, Row};
use super::write::Manner;

/// Locks kept before those that ended are thrown away.
const REMEMBERED: usize = 4_096;

/// What is held, by whom and how long.
#[derive(Debug, Default)]
pub(crate) struct Locks {
    held: HashMap<RecordRef, Lock>,
}

#[derive(Debug)]
struct Lock {
    until_ms: i64,
    /// The call that holds it; 0 is an administrator.
    call: u64,
}

impl Locks {
    /// Holds a record until an instant.
    pub(crate) fn hold(&mut self, record: RecordRef, until_ms: i64, manner: Manner) {
        if self.held.len() >= REMEMBERED {
            self.held.retain(|_, lock| lock.until_ms > manner.now_ms);
        }
        self.held.insert(record, Lock { until_ms, call: manner.call });
    }

    fn is_held(&self, record: RecordRef, manner: Manner) -> bool {
        let held = self.held.get(&record);
        held.is_some_and(|lock| lock.until_ms > manner.now_ms && (lock.call != manner.call || lock.call == 0))
    }
}

/// Refuses a write of which the record or a parent is held by another call; otherwise holds the parents.
pub(crate) fn take(org: &mut Org, record: RecordRef, row: &Row, manner: Manner) -> Result<(), Refusal> {
    if manner.call == 0 || (org.locks.held.is_empty() && org.config.parent_lock_ms == 0) {
        return Ok(());
    }
    let parents = parents(org, record, row);
    let held = std::iter::once(&record).chain(&parents).find(|wanted| org.locks.is_held(**wanted, manner));
    if let Some(held) = held {
        let id = org.record_id(*held);
        let message = format!("unable to obtain exclusive access to this record or 1 records: {id}");
        return Err(Refusal::new("UNABLE_TO_LOCK_ROW", message));
    }
    let Config { parent_lock_ms, .. } = org.config;
    if parent_lock_ms > 0 {
        for parent in parents {
            org.locks.hold(parent, manner.now_ms + parent_lock_ms, manner);
        }
    }
    Ok(())
}

/// The records it refers to, but for owners, authors and record types, which are not locked.
fn parents(org: &Org, record: RecordRef, row: &Row) -> Vec<RecordRef> {
    let fields = &org.table(record.object).object.fields;
    let free = [object::USER, object::GROUP, object::RECORD_TYPE];
    (0..)
        .zip(fields)
        .filter(|(_, field)| matches!(field.kind, Kind::Reference { .. }))
        .filter_map(|(at, _)| match row.get(at) {
            Some(super::table::Cell::Ref(parent)) => Some(*parent),
            _ => None,
        })
        .filter(|parent| !free.contains(&parent.object))
        .collect()
}

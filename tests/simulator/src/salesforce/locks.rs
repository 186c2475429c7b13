//! Records that one call holds against all others until it is committed, as the platform does with the parents of what is
//! saved. Others wait for them, ten seconds at most.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tokio::sync::Notify;

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
    /// Calls that would rather wait than be refused, and whether they have met a lock.
    patient: HashMap<u64, bool>,
    /// Tells those who wait that something was freed.
    pub(crate) freed: Arc<Notify>,
}

#[derive(Debug)]
struct Lock {
    /// For an administrator's; a call's ends with it.
    until_ms: Option<i64>,
    /// The call that holds it; 0 is an administrator.
    call: u64,
}

impl Locks {
    /// Holds a record until an instant, for an administrator.
    pub(crate) fn hold(&mut self, record: RecordRef, until_ms: i64, manner: Manner) {
        if self.held.len() >= REMEMBERED {
            self.held.retain(|_, lock| lock.until_ms.is_none_or(|until_ms| until_ms > manner.now_ms));
        }
        self.held.insert(record, Lock { until_ms: Some(until_ms), call: manner.call });
    }

    /// A call begins, or begins again: it waits for the locks of others rather than be refused, or not.
    pub(crate) fn begin(&mut self, call: u64, patient: bool) {
        if patient {
            self.patient.insert(call, false);
        } else {
            self.patient.remove(&call);
        }
    }

    /// Whether a patient call has met a lock, so that it is to be tried again.
    pub(crate) fn has_met(&self, call: u64) -> bool {
        self.patient.get(&call) == Some(&true)
    }

    /// Whether a call holds anything.
    pub(crate) fn holds(&self, call: u64) -> bool {
        self.held.values().any(|lock| lock.call == call)
    }

    /// A call is committed, or given up.
    pub(crate) fn release(&mut self, call: u64) {
        self.patient.remove(&call);
        self.free(call);
    }

    /// What a call held is free.
    pub(crate) fn free(&mut self, call: u64) {
        self.held.retain(|_, lock| lock.call != call);
        self.freed.notify_waiters();
    }

    /// Who holds a record against this call.
    fn holder(&self, record: RecordRef, manner: Manner) -> Option<u64> {
        let lock = self.held.get(&record)?;
        let lasts = lock.until_ms.is_none_or(|until_ms| until_ms > manner.now_ms);
        (lasts && (lock.call != manner.call || lock.call == 0)).then_some(lock.call)
    }
}

/// Refuses a write of which the record or a parent is held by another call; otherwise holds the parents.
pub(crate) fn take(org: &mut Org, record: RecordRef, row: &Row, manner: Manner) -> Result<(), Refusal> {
    if manner.call == 0 || (org.locks.held.is_empty() && org.config.parent_lock_ms == 0) {
        return Ok(());
    }
    let parents: HashSet<_> = parents(org, record, row).into_iter().collect();
    let wanted = std::iter::once(&record).chain(&parents);
    let held = wanted.filter_map(|wanted| Some((*wanted, org.locks.holder(*wanted, manner)?))).next();
    if let Some((held, holder)) = held {
        if let Some(met) = org.locks.patient.get_mut(&manner.call)
            && holder != 0
        {
            *met = true;
        }
        let id = org.record_id(held);
        let message = format!("unable to obtain exclusive access to this record or 1 records: {id}");
        return Err(Refusal::new("UNABLE_TO_LOCK_ROW", message));
    }
    if org.config.parent_lock_ms > 0 {
        for parent in parents {
            org.locks.held.insert(parent, Lock { until_ms: None, call: manner.call });
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

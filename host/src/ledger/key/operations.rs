//! Keys of operations: those that go on, those that stand and those that are over.

use crate::domain::{OperationId, OrgId};

pub(in crate::ledger) fn operations(org: &OrgId) -> String {
    format!("operation/{org}/")
}

pub(in crate::ledger) fn operation(org: &OrgId, number: u64) -> String {
    format!("operation/{org}/{number:020}")
}

pub(in crate::ledger) fn operations_auto(org: &OrgId) -> String {
    format!("operation-auto/{org}/")
}

pub(in crate::ledger) fn operation_auto(org: &OrgId, number: u64) -> String {
    format!("operation-auto/{org}/{number:020}")
}

pub(in crate::ledger) fn operations_over(org: &OrgId) -> String {
    format!("operation-over/{org}/")
}

pub(in crate::ledger) fn operation_over(org: &OrgId, number: u64) -> String {
    format!("operation-over/{org}/{number:020}")
}

pub(in crate::ledger) fn operation_ids(id: &OperationId) -> String {
    format!("operation-id/{id}/")
}

pub(in crate::ledger) fn operation_id(id: &OperationId, org: &OrgId) -> String {
    format!("operation-id/{id}/{org}")
}

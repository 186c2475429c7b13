//! Keys of sync errors and of their causes, and those that lead to them.

use percent_encoding::utf8_percent_encode;

use super::{NOT_IN_A_TERM, time};
use crate::domain::{ErrorSummary, Fingerprint, OrgId, State, SyncErrorId};

pub(in crate::ledger) fn error(id: &SyncErrorId) -> String {
    format!("error/{id}")
}

pub(in crate::ledger) fn error_alias(old: &SyncErrorId) -> String {
    format!("error-alias/{old}")
}

pub(in crate::ledger) fn error_list(org: &OrgId, state: State) -> String {
    format!("error-list/{org}/{state}/")
}

/// The place of a sync error in the lists.
pub(in crate::ledger) fn of_error(error: &ErrorSummary) -> String {
    format!("{}{}/{}", error_list(&error.org, error.state), time(error.first_seen), error.id)
}

pub(in crate::ledger) fn error_groups(org: &OrgId) -> String {
    format!("error-group/{org}/")
}

pub(in crate::ledger) fn error_group(org: &OrgId, group: &Fingerprint, state: State) -> String {
    format!("error-group/{org}/{group}/{state}/")
}

/// Sync errors with a term that begins like this.
pub(in crate::ledger) fn error_terms(org: &OrgId, begin: &str) -> String {
    format!("error-term/{org}/{}", utf8_percent_encode(begin, NOT_IN_A_TERM))
}

/// The keys beside the list that lead to a sync error. All of them follow from its summary.
pub(in crate::ledger) fn indexes_of_error(error: &ErrorSummary) -> Vec<String> {
    let group = error_group(&error.org, &error.group, error.state);
    let group = format!("{group}{}/{}", time(error.first_seen), error.id);
    let terms = error.terms().into_iter().map(|term| format!("{}/{}", error_terms(&error.org, &term), error.id));
    std::iter::once(group).chain(terms).collect()
}

pub(in crate::ledger) fn groups(org: &OrgId) -> String {
    format!("group/{org}/")
}

pub(in crate::ledger) fn group(org: &OrgId, id: &Fingerprint) -> String {
    format!("group/{org}/{id}")
}

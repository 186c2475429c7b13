//! The addresses of lists of sync errors, with their filters as fields as the API reads them, and of what is parked.

use maud::{Markup, html};

use super::paging;
use super::parts::format::counted;
use crate::domain::{ErrorQuery, OrgId, SyncErrorId};
use crate::http::error_query::fields;
use crate::ledger::Cursor;

/// The filters as the query of an address, with other fields before them.
pub(super) fn with_fields(query: &ErrorQuery, others: &[(&str, &str)]) -> String {
    let mut text = url::form_urlencoded::Serializer::new(String::new());
    text.extend_pairs(others);
    text.extend_pairs(fields(query)).finish()
}

/// The address of a list. A query of all states has to say so.
pub(super) fn address(query: &ErrorQuery, cursor: Option<&Cursor>) -> String {
    let cursor = cursor.map(ToString::to_string);
    let mut others: Vec<_> = cursor.iter().map(|cursor| ("cursor", cursor.as_str())).collect();
    if query.states.is_empty() {
        others.push(("state", ""));
    }
    format!("/sync-errors?{}", with_fields(query, &others))
}

/// The address of a sync error in a list, with its number there where that is known.
pub(super) fn address_in(id: &SyncErrorId, query: &ErrorQuery, at: Option<u64>) -> String {
    let mut text = url::form_urlencoded::Serializer::new(String::new());
    text.append_pair("list", &with_fields(query, &[]));
    text.extend_pairs(at.map(|at| ("at", at.to_string())));
    format!("/sync-errors/{id}?{}", text.finish())
}

/// The list of what is parked, of one organization or of all.
pub(super) fn parked_address(org: Option<&OrgId>) -> String {
    paging::address("/parked", &[("org", org.map_or("", OrgId::as_str))])
}

/// How many are parked, as the way to them.
pub(super) fn parked_link(org: Option<&OrgId>, count: u64) -> Markup {
    html! { a href=(parked_address(org)) { (counted(count, "conversation is parked", "conversations are parked")) } }
}

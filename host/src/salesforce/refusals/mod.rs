//! What an answer of Salesforce means: one function says it, by one table of codes; nobody else looks at a status or a code.

mod body;
mod classify;
mod explain;
mod reading;
mod rules;

pub(super) use classify::{Stage, is_salesforces, judge, may_have_moved, not_carried_out, parts};
pub use classify::{may_be_about_a_dead_link, outcome_unknown};
pub use explain::explain;
pub(super) use reading::{Written, not_salesforces, read, record};
pub use rules::advice;
pub(super) use rules::wants_fewer;

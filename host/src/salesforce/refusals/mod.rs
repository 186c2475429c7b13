//! What an answer of Salesforce means.

pub(crate) mod classify;
pub(crate) mod rules;

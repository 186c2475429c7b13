//! Salesforce over REST: turns our nouns into its JSON and its refusals into ours, here and nowhere else.

#![expect(clippy::result_large_err, reason = "a refusal is rare, and whoever gets one keeps the whole of it")]

mod checks;
mod client;
mod config;
mod customers;
mod described;
mod error;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz_tests;
mod http;
mod jwt;
mod queues;
mod refusals;
mod single_flight;
mod soql;
#[cfg(test)]
mod tests;
mod transport;
mod values;
mod write;

pub use checks::ConnectionCheck;
pub use client::{Client, RecordPage};
pub use config::{Cases, Config, Flow, Objects};
pub use customers::{Alone, ContactDetails};
pub use error::Error;
pub use queues::{Queue, Queues};
pub use refusals::{advice, explain, may_be_about_a_dead_link, outcome_unknown};
pub use transport::{Authorization, Keeping, OnRotated};
pub use values::{ApiName, ApiVersion, OrganizationId, Server, Share};
pub use write::{CaseWrite, ConversationWrite, RECORDS, Upserted};

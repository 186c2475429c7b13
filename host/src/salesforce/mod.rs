//! Salesforce over REST: turns our nouns into its JSON and its refusals into ours, here and nowhere else.

#![expect(clippy::result_large_err, reason = "a refusal is rare, and whoever gets one keeps the whole of it")]

mod answer;
mod authorize;
mod checks;
mod classify;
mod client;
mod collections;
mod config;
mod contacts;
mod flow;
#[cfg(test)]
mod flow_tests;
mod gathering;
mod grant;
mod jwt;
#[cfg(test)]
mod operations_tests;
mod persons;
mod queues;
mod records;
mod rules;
mod session;
mod soql;
#[cfg(test)]
mod stand_in;
mod values;

pub use authorize::Authorization;
pub use checks::Check;
pub use client::Client;
pub use config::{Cases, Config, Error, Objects};
pub use flow::Flow;
pub use gathering::RECORDS;
pub use queues::{Queue, Queues};
pub use records::{CaseWrite, Upserted, Write};
pub use rules::advice;
pub use session::{Keeping, OnRotated};
pub use values::{ApiName, ApiVersion, OrganizationId, Server, Share};

//! Salesforce over REST: turns our nouns into its JSON and its refusals into ours, here and nowhere else.

#![expect(clippy::result_large_err, reason = "a refusal is rare, and whoever gets one keeps the whole of it")]

mod checks;
mod config;
mod customers;
mod flow;
mod http;
mod jwt;
mod queues;
mod refusals;
mod soql;
#[cfg(test)]
mod tests;
mod transport;
mod values;
mod write;

pub use checks::Check;
pub use config::{Cases, Config, Error, Objects};
pub use flow::Flow;
pub use queues::{Queue, Queues};
pub use refusals::rules::advice;
pub use transport::authorize::Authorization;
pub use transport::rest::Client;
pub use transport::session::{Keeping, OnRotated};
pub use values::{ApiName, ApiVersion, OrganizationId, Server, Share};
pub use write::batcher::RECORDS;
pub use write::records::{CaseWrite, Upserted, Write};

//! Switchyard moves customer conversations from Alcmeon into Salesforce organizations through sandboxed policies.
//!
//! The rooms are listed from the ground up; nothing imports from its own floor or from above (ARCHITECTURE.md).

mod disk;
pub mod domain;
mod foreign_json;
pub mod telemetry;

pub mod alcmeon;
pub mod clock;
pub mod mail;
pub mod otlp;
pub mod policy;
pub mod registry;
pub mod salesforce;
pub mod store;
pub mod troubles;

pub mod folders;
pub mod ledger;

pub mod alerts;
pub mod engine;

pub mod http;

pub mod config;

pub mod app;

pub mod cli;

#[cfg(any(test, fuzzing))]
pub mod fuzz_tests;

//! Policies: what differs from one organization to the next is decided by sandboxed plugins and the scripts they run.
//!
//! This is the only room that knows WebAssembly. A policy is configured and put in force; snapshots of its configured plugins
//! are made behind its first decision. Every decision runs in an instance of its own (a fresh clone of a snapshot, as soon
//! as there is one), within a deadline, a memory cap and an answer cap, and is dropped afterwards.

pub mod case;
mod change;
mod component;
mod config;
mod error;
mod host;
mod locks;
mod revision;
mod runtime;
#[cfg(test)]
mod tests;

pub use case::Trial;
pub use change::{
    AnsweredBy, Candidate, Difference, HistoryStore, InForce, Keep, PolicyStatus, RolledBack, ShadowStatus, difference,
    shown,
};
pub use component::compatibility;
pub use config::Config;
pub use error::Error;
pub use host::PolicyHost;
#[cfg(any(test, fuzzing))]
pub(crate) use revision::fuzz_tests;
pub use revision::{
    DEFAULT_POLICY, Faults, MappedTeam, PolicyProblem, Rejection, is_script_file, mapped_teams, scripts_named,
    with_queue,
};
pub use runtime::{Failing, Isolation, PluginStatus, PluginTrouble};

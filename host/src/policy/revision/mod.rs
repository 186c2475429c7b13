//! A policy's texts as a revision: read, configured, tried with a sample, and from then on able to decide.

mod contact_fields;
mod counters;
mod draft;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz_tests;
mod manifest;
mod rejection;
#[expect(clippy::module_inception, reason = "the room is called by what comes out of it")]
mod revision;
pub(crate) mod sample;
mod team_queues;

pub use counters::Faults;
pub(crate) use counters::{Counters, Tally};
pub use draft::DEFAULT_POLICY;
pub(crate) use draft::{Draft, DraftError, too_long};
pub use manifest::{is_script_file, scripts_named};
pub use rejection::{PolicyProblem, Rejection};
pub(crate) use revision::Revision;
pub use team_queues::{MappedTeam, mapped_teams, with_queue};

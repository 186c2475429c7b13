//! A policy's texts as a revision.

pub(crate) mod manifest;
pub(crate) mod rejection;
#[expect(clippy::module_inception, reason = "the room is called by what comes out of it")]
pub(crate) mod revision;
pub(crate) mod sample;

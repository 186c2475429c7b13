//! A plugin's file before anything of it runs.

pub mod compatibility;
pub(crate) mod part_limits;
pub(crate) mod signature;
pub(crate) mod type_diff;

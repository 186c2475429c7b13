//! A plugin's file before anything of it runs: what it exports, how many parts it has, whether it fits, and who signed it.

pub mod compatibility;
mod inspect;
mod interface;
mod part_limits;
mod signature;
mod type_diff;

pub(crate) use inspect::inspect;
pub(crate) use interface::{IMPORTS, Part, VERSIONS};
pub(crate) use part_limits::check as check_parts;
pub(crate) use signature::TrustedKeys;

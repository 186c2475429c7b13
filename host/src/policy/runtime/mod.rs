//! Running plugins within bounds: the engine, its places and its processor time, and one decision from question to answer.

mod assignment;
mod bindings;
mod catalog;
mod compile_cache;
mod configured;
mod conversions;
mod decide;
mod exports;
mod fairness;
mod guest;
mod guest_log;
mod instance_pool;
mod places;
mod plugin;
mod sandbox;
mod snapshot;
mod ticks;

pub(crate) use assignment::Assignment;
pub use assignment::Isolation;
pub(crate) use catalog::Catalog;
pub use catalog::PluginTrouble;
pub(crate) use configured::{ConfigureError, ConfiguredPlugin, Start};
pub use conversions::Failing;
pub(crate) use conversions::SettingProblem;
pub(crate) use decide::{Answered, Ask, Choose, Route, Search};
pub(crate) use guest::ClockAndSeed;
pub(crate) use places::Runtime;
pub(crate) use plugin::Plugin;
pub use plugin::PluginStatus;
pub(crate) use sandbox::Sandbox;

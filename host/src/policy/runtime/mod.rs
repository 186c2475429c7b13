//! Running plugins within bounds.

pub(crate) mod bindings;
pub(crate) mod compile_cache;
pub(crate) mod configured;
pub(crate) mod conversions;
pub(crate) mod decide;
pub(crate) mod exports;
pub(crate) mod fairness;
pub(crate) mod guest;
pub(crate) mod guest_log;
pub(crate) mod instance_pool;
pub(crate) mod plugin;
pub(crate) mod sandbox;

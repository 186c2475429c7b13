//! Which revision of a policy decides, and how that changes.

pub(crate) mod apply;
pub(crate) mod candidate;
pub(crate) mod guard;
pub(crate) mod history_store;
pub(crate) mod plugin_updates;
pub(crate) mod policy;
pub(crate) mod shadow;
pub(crate) mod snapshotting;
pub(crate) mod status;

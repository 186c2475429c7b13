//! The real binary: what it refuses, how it stops, and that a kill loses nothing.

mod demo;
mod docs;
mod org;
mod plugin;
mod plugin_check;
mod quarantine;
mod serve;
mod store;
mod switchyard;
mod sync_error;

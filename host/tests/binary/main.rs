//! The real binary: what it refuses, how it stops, and that a kill loses nothing.

mod acme;
mod client;
mod customer;
mod demo;
mod docs;
mod events;
mod fifty;
mod json;
mod operation;
mod org;
mod pipe;
mod plugin;
mod plugin_check;
mod quarantine;
mod serve;
mod store;
mod switchyard;
mod sync_error;
mod terminal;
mod token;

//! What the product promises, each promise a test of the real application over HTTP.

mod actions;
mod alcmeon;
mod api;
mod arrivals;
mod backup;
mod braking;
mod browser;
mod connecting;
mod contacts;
mod evidence;
mod floors;
mod folders;
mod forgotten;
mod front;
mod hostile;
mod mail;
mod operations;
mod plugins;
mod policies;
mod preview;
mod quarantine;
mod registry;
mod salesforce;
mod silence;
mod stopping;
mod sync;

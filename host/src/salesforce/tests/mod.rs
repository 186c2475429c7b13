//! Tests of the whole room against a server on this machine.

mod broken_answers;
mod checks;
mod contacts;
mod flows;
mod operations;
pub(crate) mod server;
mod transport;

//! Alcmeon's real interface: checks its signatures, turns its actions into arrivals, asks for what was missed, and keeps its
//! webhook on.

mod calls;
mod client;
mod config;
mod customer;
mod json;
mod parse;
mod phone;
mod signature;

pub use calls::Webhook;
pub use client::{CallError, Client};
pub use config::{Auth, Config};
pub use json::Malformed;
pub use parse::{ActionPage, Unusable, actions, notification};
pub use signature::Signature;

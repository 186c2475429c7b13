//! Alcmeon's real interface: checks its signatures, turns its actions into arrivals, and asks for what was missed.

mod client;
mod config;
mod json;
mod parse;
mod person;
mod signature;

pub use client::{Client, PollError};
pub use config::Config;
pub use json::Malformed;
pub use parse::{Page, actions, notification};
pub use signature::verify;

//! Where spans go: to a collector that takes OTLP over HTTP, and never at the cost of what they tell of.

mod config;
mod exporter;
mod sampling;

pub use self::config::{Config, Endpoint};
pub use self::exporter::{Exporter, Tell};

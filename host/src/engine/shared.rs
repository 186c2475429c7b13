//! What the lanes of all organizations, and their attempts, have in common.

use std::sync::Arc;

use crate::clock::Clock;
use crate::ledger::Ledger;
use crate::policy::PolicyHost;
use crate::telemetry::{Metrics, Traces};

/// What the lanes of all organizations, and their attempts, have in common.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) ledger: Ledger,
    pub(super) policies: Arc<PolicyHost>,
    pub(super) clock: Clock,
    pub(super) metrics: Metrics,
    pub(super) traces: Traces,
}

//! What is counted, and how it is shown at `/metrics`.

use std::sync::Arc;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// The counters of one running host; clones share them.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    /// Events acknowledged, by source and the way they came.
    pub arrivals: Family<Arrived, Counter>,
    /// What a source sent and nobody could use, by source.
    pub set_aside: Family<OfSource, Counter>,
    /// Attempts to deliver, by organization and how they ended.
    pub attempts: Family<Attempted, Counter>,
    /// Sync errors, by organization and state.
    pub sync_errors: Family<Registered, Gauge>,
    /// Conversations that wait for a free place, by organization.
    pub waiting: Family<OfOrg, Gauge>,
    /// Conversations that wait for the end of an incident, by organization.
    pub parked: Family<OfOrg, Gauge>,
    /// How long the conversation that has waited longest has waited, in seconds, by organization.
    pub unsynced_age: Family<OfOrg, Gauge>,
    /// How long ago something last came, in seconds, by source.
    pub arrival_age: Family<OfSource, Gauge>,
    /// Decisions of policies, by policy, question and how they ended.
    pub decisions: Family<Decided, Counter>,
    /// Mails, by how they ended.
    pub mails: Family<Mailed, Counter>,
    /// Connections to the host's own address.
    pub connections: Gauge,
    /// Idle ones that were cut, so that others could connect.
    pub connections_cut: Counter,
    /// Those who listen to events.
    pub listeners: Gauge,
    /// Tokens that are none, by where they were given.
    pub wrong_tokens: Family<Wrong, Counter>,
}

/// Labels of an arrival.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Arrived {
    /// The source.
    pub source: String,
    /// webhook, poll or intake.
    pub by: &'static str,
}

/// The label of what belongs to a source.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct OfSource {
    /// The source.
    pub source: String,
}

/// Labels of an attempt.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Attempted {
    /// The organization.
    pub org: String,
    /// delivered, not-eligible, or the class of the refusal.
    pub outcome: &'static str,
}

/// Labels of a count of sync errors.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Registered {
    /// The organization.
    pub org: String,
    /// The state.
    pub state: &'static str,
}

/// Labels of what is counted by organization only.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct OfOrg {
    /// The organization.
    pub org: String,
}

/// Labels of a decision.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Decided {
    /// The policy.
    pub policy: String,
    /// route, search, choose or judge.
    pub question: &'static str,
    /// answered, or the code of the fault.
    pub outcome: &'static str,
}

/// Labels of a mail.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Mailed {
    /// sent or failed.
    pub outcome: &'static str,
}

/// Labels of a wrong token.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Wrong {
    /// The API or the console.
    pub at: &'static str,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("switchyard");
        let metrics = Self {
            registry: Arc::default(),
            arrivals: Family::default(),
            set_aside: Family::default(),
            attempts: Family::default(),
            sync_errors: Family::default(),
            waiting: Family::default(),
            parked: Family::default(),
            unsynced_age: Family::default(),
            arrival_age: Family::default(),
            decisions: Family::default(),
            mails: Family::default(),
            connections: Gauge::default(),
            connections_cut: Counter::default(),
            listeners: Gauge::default(),
            wrong_tokens: Family::default(),
        };
        registry.register("arrivals", "Events acknowledged", metrics.arrivals.clone());
        registry.register("set_aside", "What a source sent and nobody could use", metrics.set_aside.clone());
        registry.register("attempts", "Attempts to deliver a conversation", metrics.attempts.clone());
        registry.register("sync_errors", "Sync errors by state", metrics.sync_errors.clone());
        registry.register("waiting", "Conversations that wait for a free place", metrics.waiting.clone());
        registry.register("parked", "Conversations that wait for the end of an incident", metrics.parked.clone());
        registry.register(
            "unsynced_age_seconds",
            "Age of the conversation that has waited longest without waiting for a person",
            metrics.unsynced_age.clone(),
        );
        registry.register(
            "arrival_age_seconds",
            "Time since something last came of a source",
            metrics.arrival_age.clone(),
        );
        registry.register("decisions", "Decisions of policies", metrics.decisions.clone());
        registry.register("mails", "Alert mails", metrics.mails.clone());
        registry.register("connections", "Connections to the host", metrics.connections.clone());
        registry.register(
            "connections_cut",
            "Idle connections that were cut for others",
            metrics.connections_cut.clone(),
        );
        registry.register("listeners", "Clients that listen to events", metrics.listeners.clone());
        registry.register("wrong_tokens", "Tokens that are none", metrics.wrong_tokens.clone());
        Self { registry: Arc::new(registry), ..metrics }
    }
}

impl Metrics {
    /// All of them in the OpenMetrics text format.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = prometheus_client::encoding::text::encode(&mut text, &self.registry);
        text
    }
}

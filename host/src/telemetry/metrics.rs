//! What is counted and measured, and how it is shown at `/metrics`.

use std::sync::Arc;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Where the buckets of durations end, in seconds: from what a disk takes to what a person waits for.
const BUCKETS: [f64; 9] = [0.001, 0.005, 0.025, 0.1, 0.25, 1.0, 2.5, 10.0, 60.0];

/// Durations in seconds, by labels that are few.
type Durations<L> = Family<L, Histogram, fn() -> Histogram>;

fn durations<L: Clone + std::hash::Hash + Eq>() -> Durations<L> {
    Family::new_with_constructor(seconds)
}

fn seconds() -> Histogram {
    Histogram::new(BUCKETS)
}

/// The counters and durations of one running host; clones share them.
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
    /// Causes that have open sync errors, by organization and class.
    pub groups: Family<OfClass, Gauge>,
    /// Sync errors that are pending or retrying, by organization and class.
    pub open_sync_errors: Family<OfClass, Gauge>,
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
    /// Spans that never reached the collector.
    pub spans_dropped: Counter,
    /// How long commits took until they were synced, by what they were of.
    pub commit_duration: Durations<Committed>,
    /// How long turns of lanes took, their reads and their commit included.
    pub turn_duration: Histogram,
    /// How long attempts took, by organization and how they ended.
    pub attempt_duration: Durations<Attempted>,
    /// How long calls of Salesforce were on their way, by organization and how they ended.
    pub call_duration: Durations<Called>,
    /// How long decisions took, the wait for a place included, by question and how they ended.
    pub decision_duration: Durations<Answered>,
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

/// Labels of what is counted by class.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct OfClass {
    /// The organization.
    pub org: String,
    /// The class.
    pub class: &'static str,
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

/// Labels of how long a decision took.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Answered {
    /// route, search, choose or judge.
    pub question: &'static str,
    /// answered or failed.
    pub outcome: &'static str,
}

/// Labels of a commit.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Committed {
    /// inbox or turn.
    pub of: &'static str,
}

/// Labels of a call of Salesforce.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Called {
    /// The organization.
    pub org: String,
    /// answered, refused, or unanswered.
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
            groups: Family::default(),
            open_sync_errors: Family::default(),
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
            spans_dropped: Counter::default(),
            commit_duration: durations(),
            turn_duration: seconds(),
            attempt_duration: durations(),
            call_duration: durations(),
            decision_duration: durations(),
        };
        registry.register("arrivals", "Events acknowledged", metrics.arrivals.clone());
        registry.register("set_aside", "What a source sent and nobody could use", metrics.set_aside.clone());
        registry.register("attempts", "Attempts to deliver a conversation", metrics.attempts.clone());
        registry.register("sync_errors", "Sync errors by state", metrics.sync_errors.clone());
        registry.register("groups", "Causes that have open sync errors, by class", metrics.groups.clone());
        let open = metrics.open_sync_errors.clone();
        registry.register("open_sync_errors", "Sync errors that are pending or retrying, by class", open);
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
        registry.register("spans_dropped", "Spans that never reached the collector", metrics.spans_dropped.clone());
        metrics.register_durations(&mut registry);
        Self { registry: Arc::new(registry), ..metrics }
    }
}

impl Metrics {
    fn register_durations(&self, registry: &mut Registry) {
        let Self { commit_duration, turn_duration, attempt_duration, call_duration, decision_duration, .. } = self;
        registry.register("commit_duration_seconds", "Commits until they were synced", commit_duration.clone());
        registry.register("turn_duration_seconds", "Turns of lanes", turn_duration.clone());
        registry.register("attempt_duration_seconds", "Attempts to deliver a conversation", attempt_duration.clone());
        registry.register("salesforce_call_duration_seconds", "Calls of Salesforce", call_duration.clone());
        registry.register("decision_duration_seconds", "Decisions of policies", decision_duration.clone());
    }

    /// All of them in the OpenMetrics text format.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = prometheus_client::encoding::text::encode(&mut text, &self.registry);
        text
    }
}

#[cfg(test)]
mod tests;

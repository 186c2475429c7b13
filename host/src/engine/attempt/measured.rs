//! What is told of an attempt: its span, how long it took, and the same of each decision.

use std::sync::Arc;

use super::{Attempt, Ended, Outcome, Walk, walk};
use crate::clock::Stopwatch;
use crate::domain::{Decision, Fault, Question};
use crate::engine::org::Org;
use crate::engine::shared::Shared;
use crate::telemetry::{Answered, Attempted, Decided, Kind, Span, child};

/// How an attempt's span stands to the one by which it began; each is a `traceparent`.
#[derive(Debug, Clone)]
pub(in crate::engine) enum Begun {
    /// It is below.
    Below(String),
    /// It is the first of a trace, with a link.
    After(String),
}

/// Attempts it, with its span and its duration.
pub(in crate::engine) async fn run(shared: Shared, org: Arc<Org>, attempt: Attempt) -> Outcome {
    let (took, mut span) = (Stopwatch::start(), begun(&shared, &org, &attempt));
    let (durations, id) = (shared.metrics.attempt_duration.clone(), org.id.clone());
    let outcome = span.here().around(walk(shared, org, attempt)).await;
    let ended = match &outcome.ended {
        Ended::Delivered(_) => "delivered",
        Ended::Excused => "not-eligible",
        Ended::Failed { refusal, .. } => {
            span.set("switchyard.class", refusal.class.as_str());
            span.fail(&refusal.code);
            "failed"
        }
    };
    span.set("switchyard.outcome", ended);
    let labels = Attempted { org: id.to_string(), outcome: ended };
    durations.get_or_create(&labels).observe(took.elapsed().as_secs_f64());
    Outcome { trace_id: span.here().trace_id(), ..outcome }
}

fn begun(shared: &Shared, org: &Org, attempt: &Attempt) -> Span {
    let mut span = match &attempt.trace {
        None => shared.traces.span("attempt", Kind::Internal),
        Some(Begun::Below(parent)) => shared.traces.below(Some(parent), "attempt", Kind::Internal),
        Some(Begun::After(link)) => shared.traces.following([link.as_str()], "attempt", Kind::Internal),
    };
    span.set("switchyard.organization", &org.id);
    span.set("switchyard.conversation", &attempt.conversation.id);
    span.count("switchyard.attempt", attempt.number);
    span
}

impl Walk {
    /// Waits for a decision, counts it and measures it.
    pub(super) async fn measured<T>(
        &self,
        question: Question,
        asked: impl Future<Output = Decision<T>>,
    ) -> Decision<T> {
        let (took, mut span) = (Stopwatch::start(), child("decision", Kind::Internal));
        let decision = asked.await;
        let question = question_word(question);
        let outcome = match &decision.answer {
            Ok(_) => "answered",
            Err(Fault::Trapped { .. }) => "trapped",
            Err(Fault::TooSlow { .. }) => "too-slow",
            Err(Fault::TooLarge { .. }) => "too-large",
            Err(Fault::Refused { .. }) => "refused",
            Err(Fault::Senseless { .. }) => "senseless",
        };
        span.set("switchyard.policy", &decision.policy);
        span.set("switchyard.question", question);
        if decision.answer.is_err() {
            span.fail(outcome);
        }
        let metrics = &self.shared.metrics;
        let labels = Decided { policy: decision.policy.name.to_string(), question, outcome };
        metrics.decisions.get_or_create(&labels).inc();
        let labels = Answered { question, outcome: if decision.answer.is_ok() { "answered" } else { "failed" } };
        metrics.decision_duration.get_or_create(&labels).observe(took.elapsed().as_secs_f64());
        decision
    }
}

const fn question_word(question: Question) -> &'static str {
    match question {
        Question::Route => "route",
        Question::Search => "search",
        Question::Choose => "choose",
        Question::Judge => "judge",
    }
}

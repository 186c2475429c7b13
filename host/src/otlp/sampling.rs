//! Which traces are recorded.

use opentelemetry::trace::{Link, SpanKind, TraceContextExt as _, TraceId, TraceState};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{Sampler, SamplingDecision, SamplingResult, ShouldSample};

/// Whether a trace is recorded: as the caller decided, or as it was decided about what it follows from, or else a share of them.
#[derive(Debug, Clone)]
pub(super) struct Sampling(Sampler);

impl Sampling {
    /// Such a share, where nobody has decided.
    pub(super) const fn of(ratio: f64) -> Self {
        Self(Sampler::TraceIdRatioBased(ratio))
    }
}

impl ShouldSample for Sampling {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        trace: TraceId,
        name: &str,
        kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        let parent = parent.filter(|around| around.span().span_context().is_valid());
        let recorded = match (parent, links) {
            (Some(around), _) => around.span().span_context().is_sampled(),
            (None, []) => return self.0.should_sample(None, trace, name, kind, attributes, links),
            (None, links) => links.iter().any(|link| link.span_context.is_sampled()),
        };
        let decision = if recorded { SamplingDecision::RecordAndSample } else { SamplingDecision::Drop };
        SamplingResult { decision, attributes: Vec::new(), trace_state: TraceState::default() }
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::TracerProvider as _;
    use opentelemetry_sdk::trace::SdkTracerProvider;

    use super::*;
    use crate::telemetry::{Kind, Span, Traces};

    const SAMPLED: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const NOT_SAMPLED: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

    #[test]
    fn who_is_followed_decides_what_is_recorded_and_the_ratio_where_nobody_is() {
        let recorded = |span: Span| span.here().traceparent().unwrap().ends_with("-01");
        for (ratio, first) in [(0.0, false), (1.0, true)] {
            let provider = SdkTracerProvider::builder().with_sampler(Sampling::of(ratio)).build();
            let traces = Traces::new(provider.tracer("test"));
            assert_eq!(recorded(traces.below(None, "span", Kind::Internal)), first);
            assert!(!recorded(traces.below(Some(NOT_SAMPLED), "span", Kind::Internal)));
            assert!(!recorded(traces.following([NOT_SAMPLED], "span", Kind::Internal)));
            assert!(recorded(traces.below(Some(SAMPLED), "span", Kind::Internal)));
            assert!(recorded(traces.following([NOT_SAMPLED, SAMPLED], "span", Kind::Internal)));
        }
    }
}

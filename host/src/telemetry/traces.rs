//! The spans of traces: what began what, across tasks, records and processes. Where traces are off, nothing is made.

use std::fmt::Display;

pub use opentelemetry::trace::SpanKind as Kind;
use opentelemetry::trace::{
    Link, Span as _, SpanContext, SpanId, Status, TraceContextExt as _, TraceFlags, TraceId, TraceState, Tracer as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::SdkTracer;

tokio::task_local! {
    /// The span that this task is in.
    static CURRENT: Here;
}

/// Begins spans; clones send them to the same collector. Off by default.
#[derive(Clone, Default)]
pub struct Traces(Option<SdkTracer>);

impl Traces {
    /// Sends spans where this tracer does.
    #[must_use]
    pub const fn new(tracer: SdkTracer) -> Self {
        Self(Some(tracer))
    }

    /// A span below the one that this task is in, or else the first of a trace.
    pub fn span(&self, name: &'static str, kind: Kind) -> Span {
        let below = child(name, kind.clone());
        if below.0.is_some() { below } else { self.below(None, name, kind) }
    }

    /// A span below one of another process, or of a record, that is named as in the header `traceparent` of W3C's Trace
    /// Context; the first of a trace where that is none.
    pub fn below(&self, parent: Option<&str>, name: &'static str, kind: Kind) -> Span {
        let Some(tracer) = &self.0 else { return Span::default() };
        begin(tracer, parent.and_then(read).as_ref(), Vec::new(), name, kind)
    }

    /// The first span of a trace, with links to those that it follows from; none where there is none of these.
    pub fn following<'a>(
        &self,
        traceparents: impl IntoIterator<Item = &'a str>,
        name: &'static str,
        kind: Kind,
    ) -> Span {
        let Some(tracer) = &self.0 else { return Span::default() };
        let links: Vec<_> = traceparents.into_iter().filter_map(read).collect();
        if links.is_empty() { Span::default() } else { begin(tracer, None, links, name, kind) }
    }
}

/// A span below the one that this task is in; none where it is in none.
pub fn child(name: &'static str, kind: Kind) -> Span {
    let begun = CURRENT.try_with(|here| {
        here.0.as_deref().map(|Origin { tracer, context }| begin(tracer, Some(context), Vec::new(), name, kind))
    });
    begun.ok().flatten().unwrap_or_default()
}

/// What several spans led to together: below the one, where there is but one, or else the first of a trace that has links to all
/// of them.
pub fn following<'a>(spans: impl IntoIterator<Item = &'a Here>, name: &'static str, kind: Kind) -> Span {
    let mut all: Vec<&Origin> = spans.into_iter().filter_map(|here| here.0.as_deref()).collect();
    match all.as_slice() {
        [] => Span::default(),
        [Origin { tracer, context }] => begin(tracer, Some(context), Vec::new(), name, kind),
        [Origin { tracer, .. }, ..] => {
            let links = all.drain(..).map(|origin| origin.context.clone()).collect();
            begin(tracer, None, links, name, kind)
        }
    }
}

/// The span that this task is in, to be handed to others.
#[must_use]
pub fn here() -> Here {
    CURRENT.try_with(Clone::clone).unwrap_or_default()
}

fn begin(
    tracer: &SdkTracer,
    parent: Option<&SpanContext>,
    links: Vec<SpanContext>,
    name: &'static str,
    kind: Kind,
) -> Span {
    // Not the library's own idea of a current span: it is one of a thread.
    let around = parent.map_or_else(Context::new, |parent| Context::new().with_remote_span_context(parent.clone()));
    let links = links.into_iter().map(Link::with_context).collect();
    let builder = tracer.span_builder(name).with_kind(kind).with_links(links);
    let span = builder.start_with_context(tracer, &around);
    Span(Some(Box::new(Live { tracer: tracer.clone(), span })))
}

/// Something that goes on. It ends when it is dropped; where traces are off, it is nothing.
#[must_use]
#[derive(Default)]
pub struct Span(Option<Box<Live>>);

struct Live {
    tracer: SdkTracer,
    span: opentelemetry_sdk::trace::Span,
}

impl Span {
    /// It, as others see it.
    #[must_use]
    pub fn here(&self) -> Here {
        let origin = |live: &Live| Origin { tracer: live.tracer.clone(), context: live.span.span_context().clone() };
        Here(self.0.as_deref().map(origin).map(Box::new))
    }

    /// Gives it another name. Names are few: they never hold an id.
    pub fn rename(&mut self, name: impl Display) {
        self.change(|span| span.update_name(name.to_string()));
    }

    /// Says something of it. No text of a customer and no secret ever stands here.
    pub fn set(&mut self, key: &'static str, value: impl Display) {
        self.change(|span| span.set_attribute(KeyValue::new(key, value.to_string())));
    }

    /// Says a number of it.
    pub fn count(&mut self, key: &'static str, number: impl TryInto<i64>) {
        self.change(|span| span.set_attribute(KeyValue::new(key, number.try_into().unwrap_or(i64::MAX))));
    }

    /// Says that it failed, by a short word for how.
    pub fn fail(&mut self, how: impl Display) {
        self.set("error.type", how);
        self.change(|span| span.set_status(Status::error("")));
    }

    fn change(&mut self, change: impl FnOnce(&mut opentelemetry_sdk::trace::Span)) {
        if let Some(live) = self.0.as_mut().filter(|live| live.span.is_recording()) {
            change(&mut live.span);
        }
    }
}

/// A place in a trace, or none: what is begun because of it.
#[derive(Clone, Default)]
pub struct Here(Option<Box<Origin>>);

#[derive(Clone)]
struct Origin {
    tracer: SdkTracer,
    context: SpanContext,
}

impl Here {
    /// Does something there: what it begins is below.
    pub fn around<F: Future>(self, doing: F) -> impl Future<Output = F::Output> {
        CURRENT.scope(self, doing)
    }

    /// As in the header `traceparent` of W3C's Trace Context.
    #[must_use]
    pub fn traceparent(&self) -> Option<String> {
        let Origin { context, .. } = self.0.as_deref()?;
        Some(format!("00-{}-{}-{:02x}", context.trace_id(), context.span_id(), context.trace_flags()))
    }

    /// The trace, in 32 hexadecimal digits.
    #[must_use]
    pub fn trace_id(&self) -> Option<String> {
        self.0.as_deref().map(|origin| origin.context.trace_id().to_string())
    }
}

/// Reads what somebody gives as `traceparent`, of this version or of a later one.
fn read(given: &str) -> Option<SpanContext> {
    let mut parts = given.split('-');
    let [version, trace, span, flags] = [parts.next()?, parts.next()?, parts.next()?, parts.next()?];
    let digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let is_hex = |(text, digits): (&str, usize)| text.len() == digits && text.bytes().all(digit);
    if ![(version, 2), (trace, 32), (span, 16), (flags, 2)].into_iter().all(is_hex)
        || version == "ff"
        || (version == "00" && parts.next().is_some())
    {
        return None;
    }
    let flags = TraceFlags::new(u8::from_str_radix(flags, 16).ok()?) & TraceFlags::SAMPLED;
    let (trace, span) = (TraceId::from_hex(trace).ok()?, SpanId::from_hex(span).ok()?);
    let context = SpanContext::new(trace, span, flags, true, TraceState::NONE);
    context.is_valid().then_some(context)
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::TracerProvider as _;
    use opentelemetry_sdk::trace::SdkTracerProvider;

    use super::*;

    const GIVEN: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn on() -> Traces {
        Traces::new(SdkTracerProvider::builder().build().tracer("test"))
    }

    #[test]
    fn only_what_is_a_traceparent_is_taken_for_one() {
        let later = format!("01{}-more", &GIVEN[2..]);
        for good in [GIVEN, &later, &GIVEN.replace("-01", "-ff")] {
            assert!(read(good).is_some_and(|context| context.is_sampled() && context.is_remote()), "{good}");
        }
        assert!(!read(&GIVEN.replace("-01", "-00")).unwrap().is_sampled());
        let (upper, more) = (GIVEN.to_uppercase(), format!("{GIVEN}-more"));
        let (forbidden, short) = (GIVEN.replace("00-", "ff-"), GIVEN.replace("0af7", "+af"));
        let nobody = "00-00000000000000000000000000000000-b7ad6b7169203331-01";
        for bad in
            ["", "-", "---", "00-é-é-01", &upper, &more, &forbidden, &short, nobody, &GIVEN[..54], &"0".repeat(99)]
        {
            assert!(read(bad).is_none(), "{bad}");
        }
    }

    #[tokio::test]
    async fn what_is_begun_in_a_span_is_below_it_also_where_it_was_handed_to_another_task() {
        let span = on().below(Some(GIVEN), "request", Kind::Server);
        assert_eq!(span.here().trace_id().unwrap(), GIVEN[3..35]);
        let below =
            span.here().around(async { tokio::spawn(here().around(async { child("call", Kind::Client) })).await });
        let below = below.await.unwrap();
        assert_eq!(below.here().trace_id(), span.here().trace_id());
        assert_ne!(below.here().traceparent(), span.here().traceparent());
        assert!(child("nowhere", Kind::Client).0.is_none());
    }

    #[test]
    fn one_of_several_is_the_parent_of_what_they_led_to_only_where_it_is_alone() {
        let traces = on();
        let [one, other] = [(); 2].map(|()| traces.below(None, "attempt", Kind::Internal).here());
        let trace = |spans: &[&Here]| following(spans.iter().copied(), "upsert", Kind::Internal).here().trace_id();
        assert_eq!(trace(&[&one, &Here::default()]), one.trace_id());
        let both = trace(&[&one, &other]);
        assert!(both.is_some() && both != one.trace_id() && both != other.trace_id());
        assert_eq!(trace(&[]), None);
    }

    #[test]
    fn where_traces_are_off_nothing_is_made_and_nothing_is_said() {
        let mut span = Traces::default().below(Some(GIVEN), "request", Kind::Server);
        span.set("key", std::fmt::from_fn(|_| panic!("a value was made")));
        assert_eq!((span.here().traceparent(), span.here().trace_id()), (None, None));
    }
}

//! Sends spans in batches, and drops them rather than wait or grow: a collector that hangs costs a bounded queue.

use std::time::Duration;

use bytes::Bytes;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry::{Context, KeyValue};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracerProvider, Span, SpanData, SpanProcessor};
use prometheus_client::metrics::counter::Counter;
use prost::Message as _;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::config::{Config, Endpoint};
use super::sampling::Sampling;
use crate::telemetry::Traces;

/// Spans that wait to be sent; those beyond are dropped.
const QUEUED: usize = 8_192;
/// Spans of one batch.
const BATCH: usize = 512;
/// Links of one span: as many as a turn takes arrivals, and more than a call takes records.
const LINKS: u32 = 256;
/// How long few spans wait for more.
const GATHER: Duration = Duration::from_millis(250);
/// How long the collector may take for a batch.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long it is left alone after it could not be reached; that doubles up to the longest.
const PAUSE: Duration = Duration::from_secs(1);
const PAUSE_LONGEST: Duration = Duration::from_secs(30);
/// How long the last spans may take when the host stops.
const STOPPING: Duration = Duration::from_secs(2);
/// How much of an answer is read, in bytes.
const ANSWER: usize = 64 * 1024;

/// Is told whenever a batch was taken, or else why not.
pub type Tell = Box<dyn FnMut(Result<(), &str>) + Send + Sync>;

/// Sends the spans of one running host.
pub struct Exporter {
    provider: SdkTracerProvider,
    stopping: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Exporter {
    /// Begins; nothing is sent before there are spans. `http` must not follow redirects.
    ///
    /// # Errors
    /// Says which setting could not work.
    pub fn start(
        config: &Config,
        http: reqwest::Client,
        dropped: Counter,
        tell: Tell,
    ) -> Result<(Traces, Self), String> {
        config.check()?;
        let (queue, queued) = mpsc::channel(QUEUED);
        let provider = SdkTracerProvider::builder()
            .with_sampler(Sampling::of(config.ratio))
            .with_max_links_per_span(LINKS)
            .with_span_processor(Queue { queue, dropped: dropped.clone() })
            .build();
        let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
        // What else describes a host comes from OTEL_RESOURCE_ATTRIBUTES, as everywhere.
        let resource = Resource::builder().with_service_name("switchyard").with_attribute(version).build();
        let (endpoint, headers) = (config.endpoint.clone(), config.header_map()?);
        let resource = (&resource).into();
        let sending = Sending { http, endpoint, headers, resource, queued, batch: None, dropped, tell };
        let stopping = watch::Sender::new(false);
        let task = tokio::spawn(sending.run(stopping.subscribe()));
        Ok((Traces::new(provider.tracer("switchyard")), Self { provider, stopping, task }))
    }

    /// Sends what is left, as far as the collector takes it soon enough.
    pub async fn stop(self) {
        self.stopping.send_replace(true);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "spans were not sent any more");
        }
        // From now on nothing is recorded.
        let _ = self.provider.shutdown();
    }
}

/// Takes the spans that end, without ever waiting.
#[derive(Debug)]
struct Queue {
    queue: mpsc::Sender<SpanData>,
    dropped: Counter,
}

impl SpanProcessor for Queue {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        if self.queue.try_send(span).is_err() {
            self.dropped.inc();
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// Why a batch was not taken.
enum NotTaken {
    /// The collector may take it later.
    Later(String),
    /// It never will.
    Never(String),
}

/// The way to the collector.
struct Sending {
    http: reqwest::Client,
    endpoint: Endpoint,
    headers: HeaderMap,
    resource: ResourceAttributesWithSchema,
    queued: mpsc::Receiver<SpanData>,
    /// What is sent next, and how many spans that are.
    batch: Option<(usize, Bytes)>,
    dropped: Counter,
    tell: Tell,
}

impl Sending {
    async fn run(mut self, mut stopping: watch::Receiver<bool>) {
        let mut cut = stopping.clone();
        tokio::select! {
            () = self.send_all(&mut stopping) => {}
            () = async {
                let _ = cut.wait_for(|stopping| *stopping).await;
                tokio::time::sleep(STOPPING).await;
            } => {}
        }
        self.queued.close();
        let left = self.batch.take().map_or(0, |(spans, _)| spans) + self.queued.len();
        self.dropped.inc_by(left as u64);
    }

    /// Sends until the host stops, and then what is left.
    async fn send_all(&mut self, stopping: &mut watch::Receiver<bool>) {
        let mut pause = PAUSE;
        loop {
            if self.batch.is_none() {
                self.gather(stopping).await;
            }
            let Some((spans, body)) = self.batch.clone() else { return };
            let taken = self.post(body).await;
            match taken {
                Ok(rejected) => {
                    self.dropped.inc_by(rejected);
                    (self.tell)(Ok(()));
                }
                Err(NotTaken::Never(why)) => {
                    self.dropped.inc_by(spans as u64);
                    (self.tell)(Err(&why));
                }
                Err(NotTaken::Later(why)) => {
                    (self.tell)(Err(&why));
                    if wait(stopping, pause).await {
                        return;
                    }
                    pause = (pause * 2).min(PAUSE_LONGEST);
                    continue;
                }
            }
            (self.batch, pause) = (None, PAUSE);
        }
    }

    /// Makes the next batch; none where the host stops and nothing is left.
    async fn gather(&mut self, stopping: &mut watch::Receiver<bool>) {
        let mut spans = Vec::new();
        tokio::select! {
            _ = stopping.wait_for(|stopping| *stopping) => {}
            Some(span) = self.queued.recv() => spans.push(span),
        }
        if self.queued.len() < BATCH {
            wait(stopping, GATHER).await;
        }
        while spans.len() < BATCH
            && let Ok(span) = self.queued.try_recv()
        {
            spans.push(span);
        }
        if !spans.is_empty() {
            let count = spans.len();
            let resource_spans = group_spans_by_resource_and_scope(spans, &self.resource);
            self.batch = Some((count, ExportTraceServiceRequest { resource_spans }.encode_to_vec().into()));
        }
    }

    /// Posts a batch; answers how many spans of it the collector has refused.
    async fn post(&self, body: Bytes) -> Result<u64, NotTaken> {
        // Its address has no secret, and stands beside these words anyway.
        let later = |error: reqwest::Error| NotTaken::Later(words(&error.without_url()));
        let request = self.http.post(self.endpoint.url().clone()).headers(self.headers.clone());
        let request = request.header(CONTENT_TYPE, "application/x-protobuf").body(body).timeout(PATIENCE);
        let mut response = request.send().await.map_err(later)?;
        let status = response.status();
        let mut answer = Vec::new();
        while answer.len() < ANSWER
            && let Some(piece) = response.chunk().await.map_err(later)?
        {
            answer.extend_from_slice(&piece);
        }
        match status {
            _ if status.is_success() => {
                let partly = ExportTraceServiceResponse::decode(answer.as_slice()).unwrap_or_default().partial_success;
                Ok(partly.map_or(0, |partly| u64::try_from(partly.rejected_spans).unwrap_or_default()))
            }
            StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT => Err(NotTaken::Later(format!("it answered {status}"))),
            _ => Err(NotTaken::Never(format!("it answered {status}"))),
        }
    }
}

/// Waits so long, or until the host stops; answers whether it does.
async fn wait(stopping: &mut watch::Receiver<bool>, long: Duration) -> bool {
    tokio::time::timeout(long, stopping.wait_for(|stopping| *stopping)).await.is_ok()
}

/// An error with its causes.
fn words(error: &reqwest::Error) -> String {
    let mut words = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        words = format!("{words}: {cause}");
        source = cause.source();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::Kind;

    #[test]
    fn spans_for_which_there_is_no_room_are_dropped_and_counted() {
        let ((queue, mut queued), dropped) = (mpsc::channel(2), Counter::default());
        let processor = Queue { queue, dropped: dropped.clone() };
        let provider = SdkTracerProvider::builder().with_span_processor(processor).build();
        let traces = Traces::new(provider.tracer("test"));
        for _ in 0..5 {
            drop(traces.below(None, "span", Kind::Internal));
        }
        assert_eq!((queued.len(), dropped.get()), (2, 3));
        queued.close();
        drop(traces.below(None, "span", Kind::Internal));
        assert_eq!(dropped.get(), 4);
        assert!(queued.try_recv().is_ok());
    }
}

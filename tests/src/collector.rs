//! A collector of traces that takes what a host sends, or does not, as collectors do on a bad day.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
pub use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// How long spans may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a collector does with a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// It takes it.
    Takes,
    /// It answers with this status.
    Answers(u16),
    /// It never answers.
    Hangs,
}

/// A collector on this machine.
#[derive(Clone)]
pub struct Collector {
    /// Where it is.
    pub address: SocketAddr,
    inner: Arc<Inner>,
}

struct Inner {
    manner: watch::Sender<Manner>,
    asked: watch::Sender<usize>,
    headers: watch::Sender<HeaderMap>,
    spans: watch::Sender<Vec<Span>>,
}

impl Collector {
    /// Starts one.
    pub async fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let inner = Arc::new(Inner {
            manner: watch::Sender::new(manner),
            asked: watch::Sender::default(),
            headers: watch::Sender::default(),
            spans: watch::Sender::default(),
        });
        let router = Router::new().route("/v1/traces", post(take)).with_state(Arc::clone(&inner));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, inner }
    }

    /// The settings of a host that sends its spans here.
    #[must_use]
    pub fn settings(&self) -> String {
        format!("[traces]\nendpoint = 'http://{}'\nheaders = {{ authorization = 'Bearer collector' }}\n", self.address)
    }

    /// From now on it does that.
    pub fn becomes(&self, manner: Manner) {
        self.inner.manner.send_replace(manner);
    }

    /// Returns once it was asked so often.
    pub async fn asked(&self, at_least: usize) {
        let mut asked = self.inner.asked.subscribe();
        let waited = tokio::time::timeout(PATIENCE, asked.wait_for(|asked| *asked >= at_least)).await;
        assert!(waited.is_ok(), "the collector was asked {} times", *self.inner.asked.borrow());
    }

    /// Returns a header of the last batch.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        self.inner.headers.borrow().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
    }

    /// Returns all spans once they are as wanted.
    pub async fn spans(&self, what: &str, wanted: impl Fn(&[Span]) -> bool) -> Vec<Span> {
        let mut spans = self.inner.spans.subscribe();
        let found = tokio::time::timeout(PATIENCE, spans.wait_for(|spans| wanted(spans))).await;
        match found {
            Ok(spans) => spans.expect("it runs").clone(),
            Err(_) => {
                let names: Vec<_> = self.inner.spans.borrow().iter().map(|span| span.name.clone()).collect();
                panic!("{what} never came: {names:?}")
            }
        }
    }
}

async fn take(State(inner): State<Arc<Inner>>, headers: HeaderMap, body: Bytes) -> (StatusCode, Vec<u8>) {
    inner.asked.send_modify(|asked| *asked += 1);
    inner.headers.send_replace(headers);
    let manner = *inner.manner.borrow();
    match manner {
        Manner::Hangs => std::future::pending().await,
        Manner::Answers(status) => (StatusCode::from_u16(status).expect("a status"), Vec::new()),
        Manner::Takes => {
            let batch = ExportTraceServiceRequest::decode(body).expect("a batch of OTLP");
            let spans = batch.resource_spans.into_iter().flat_map(|of| of.scope_spans).flat_map(|of| of.spans);
            inner.spans.send_modify(|known| known.extend(spans));
            (StatusCode::OK, Vec::new())
        }
    }
}

/// What a span says under a key.
#[must_use]
pub fn said(span: &Span, key: &str) -> Option<String> {
    let found = span.attributes.iter().find(|attribute| attribute.key == key)?;
    match found.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text.clone()),
        Value::IntValue(number) => Some(number.to_string()),
        other => panic!("{key} is {other:?}"),
    }
}

//! What orchestrators and monitoring ask: is it alive, is it ready, what does it count.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::App;
use super::problem::Problem;

/// The process answers.
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// Notifications would be acknowledged: the store takes writes.
pub(super) async fn readyz(State(app): State<App>) -> Result<&'static str, Problem> {
    if app.parts.engine.ledger().store().healthy() {
        Ok("ready\n")
    } else {
        Err(Problem::unavailable("the last write to the store failed; look at the disk"))
    }
}

/// The counters in the OpenMetrics text format.
pub(super) async fn metrics(State(app): State<App>) -> Response {
    if let Err(error) = app.parts.engine.measure().await {
        tracing::error!(%error, "the ages among the metrics are not of now");
    }
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], app.parts.metrics.render()).into_response()
}

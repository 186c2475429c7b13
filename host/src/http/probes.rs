//! What orchestrators and monitoring ask: is it alive, is it ready, what does it count.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::App;
use super::problem::Problem;

/// The process answers
#[utoipa::path(get, path = "/healthz", operation_id = "get_health", tag = "host",
    responses((status = 200, description = "`ok`", body = String, content_type = "text/plain")))]
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// Notifications would be acknowledged
///
/// The store is open and takes writes: while a large one is opened, this and everything but `/healthz` is 503.
#[utoipa::path(get, path = "/readyz", operation_id = "get_readiness", tag = "host",
    responses((status = 200, description = "`ready`", body = String, content_type = "text/plain")))]
pub(super) async fn readyz(State(app): State<App>) -> Result<&'static str, Problem> {
    if app.parts.engine.ledger().store().healthy() {
        Ok("ready\n")
    } else {
        Err(Problem::unavailable("the last write to the store failed; look at the disk"))
    }
}

/// Read the counters
///
/// In the OpenMetrics text format.
#[utoipa::path(get, path = "/metrics", operation_id = "get_metrics", tag = "host",
    responses((status = 200, description = "The counters.", body = String, content_type = "application/openmetrics-text")))]
pub(super) async fn metrics(State(app): State<App>) -> Response {
    if let Err(error) = app.parts.engine.measure().await {
        tracing::error!(%error, "the ages among the metrics are not of now");
    }
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], app.parts.metrics.render()).into_response()
}

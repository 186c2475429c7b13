//! Sends spans where the configuration says, and makes a trouble of a collector that does not take them.

use std::time::Duration;

use anyhow::anyhow;

use crate::clock::{Clock, Stopwatch};
use crate::otlp::{Config, Exporter, Tell};
use crate::telemetry::{Metrics, Traces};
use crate::troubles::{Trouble, Troubles};

/// The kind of trouble that a collector is.
const TROUBLE: &str = "traces";
/// The log tells of a collector that does not take spans at most once in so long.
const TOLD_EVERY: Duration = Duration::from_secs(60);

/// Traces are off, or go to the collector of the configuration.
pub(super) fn start(
    config: Option<&Config>,
    http: &reqwest::Client,
    metrics: &Metrics,
    troubles: &Troubles,
    clock: &Clock,
) -> anyhow::Result<(Traces, Option<Exporter>)> {
    let Some(config) = config else { return Ok((Traces::default(), None)) };
    let endpoint = config.endpoint.to_string();
    let (troubles, clock) = (troubles.clone(), clock.clone());
    let mut told: Option<Stopwatch> = None;
    let tell: Tell = Box::new(move |taken| match taken {
        Ok(()) => troubles.cure(TROUBLE, None, &endpoint),
        Err(why) => {
            let what = format!("the collector does not take spans: {why}");
            let cure = "see that it runs and takes OTLP over HTTP (protobuf) there, or remove [traces]";
            troubles.raise(Trouble::new(TROUBLE, &endpoint, &what, cure, clock.now()));
            if told.is_none_or(|told| told.elapsed() >= TOLD_EVERY) {
                tracing::warn!(%endpoint, why, "the collector does not take spans");
                told = Some(Stopwatch::start());
            }
        }
    });
    let started = Exporter::start(config, http.clone(), metrics.spans_dropped.clone(), tell);
    let (traces, exporter) = started.map_err(|why| anyhow!("traces.{why}"))?;
    Ok((traces, Some(exporter)))
}

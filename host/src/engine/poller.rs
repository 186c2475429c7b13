//! Asks an Alcmeon environment for the actions that its notifications may have missed; one task an environment.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::Engine;
use crate::alcmeon::{Client, PollError};
use crate::domain::{SourceId, Timestamp};

/// The longest wait after failures in a row.
const LONGEST_WAIT: Duration = Duration::from_secs(300);

pub(super) async fn run(
    engine: Arc<Engine>,
    source: SourceId,
    client: Client,
    every: Duration,
    mut stopping: watch::Receiver<bool>,
) {
    let mut failures = 0;
    loop {
        let now = engine.clock.now();
        let next = match poll(&engine, &source, &client).await {
            Ok(()) => {
                failures = 0;
                now.after(every)
            }
            Err(Failed::RateLimited(until)) => until.max(now.after(every)),
            Err(Failed::Other(error)) => {
                failures += 1;
                tracing::warn!(%source, %error, failures, "a poll failed");
                now.after((every * 2u32.saturating_pow(failures)).min(LONGEST_WAIT))
            }
        };
        tokio::select! {
            _ = stopping.wait_for(|stopping| *stopping) => return,
            () = engine.clock.sleep_until(next) => {}
        }
    }
}

enum Failed {
    RateLimited(Timestamp),
    Other(String),
}

/// One page. The cursor moves together with what was found, so that nothing between is lost.
async fn poll(engine: &Engine, source: &SourceId, client: &Client) -> Result<(), Failed> {
    let other = |error: &dyn std::fmt::Display| Failed::Other(error.to_string());
    let cursor = engine.records().cursor(source).map_err(|error| other(&error))?;
    let page = client.poll(cursor, engine.clock.now()).await.map_err(|error| match error {
        PollError::RateLimited { until } => Failed::RateLimited(until),
        error => other(&error),
    })?;
    for malformed in &page.malformed {
        tracing::warn!(%source, %malformed, "an action cannot be used");
    }
    let newest = page.highest.map(|highest| (source, highest.max(cursor)));
    engine.accept(page.arrivals, newest).await.map_err(|error| other(&error))?;
    Ok(())
}

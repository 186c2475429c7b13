//! Runs the host until it is told to stop.

use tokio::signal::unix::{SignalKind, signal};

use crate::app::{App, Outside};
use crate::config::Config;

pub(super) async fn run(config: Config) -> anyhow::Result<()> {
    config.check_for_production()?;
    let app = App::start(config, Outside::default()).await?;
    tracing::info!(address = %app.address, "the host is running");
    told_to_stop().await?;
    tracing::info!("finishing what is in flight");
    app.stop().await;
    tracing::info!("stopped");
    Ok(())
}

/// Returns at Ctrl-C or SIGTERM.
pub(super) async fn told_to_stop() -> anyhow::Result<()> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

//! The demo: the real host between a simulated Alcmeon, a simulated Salesforce and a mailbox, all on this machine.

mod conversations;
mod summary;
mod tour;
mod unmapped;
mod world;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use switchyard_simulator as simulator;

use self::summary::Summary;
use self::world::World;
use super::serve::told_to_stop;
use crate::app::{App, Outside};
use crate::cli::out::{left, say, tell};
use crate::clock::Stopwatch;

/// What `switchyard --help` ends with.
pub(super) const AFTER_HELP: &str = "Start with `switchyard demo`: it needs nothing else.";
/// Whether `switchyard --help` lists the demo.
pub(super) const LISTED: bool = true;

#[derive(Debug, Args)]
pub(super) struct Options {
    /// Feed the conversations of this file instead of the samples (tab-separated, as MultiDoGO's); repeatable.
    #[arg(long, value_name = "FILE.tsv")]
    data: Vec<PathBuf>,
    /// End when everything is drained.
    #[arg(long)]
    once: bool,
    /// Print one summary object as JSON.
    #[arg(long)]
    json: bool,
    /// Keep everything here, and go on with it at the next start.
    #[arg(long, value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
    /// Where the console and the API answer; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
}

pub(super) async fn run(options: Options) -> anyhow::Result<()> {
    let watch = Stopwatch::start();
    let conversations = conversations::read(&options.data)?;
    let temporary = if options.data_dir.is_none() { Some(tempfile::tempdir()?) } else { None };
    let folder = match (&options.data_dir, &temporary) {
        (Some(folder), _) => folder.clone(),
        (None, Some(folder)) => folder.path().to_owned(),
        (None, None) => unreachable!("one of them is there"),
    };
    std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let journal = options.data_dir.as_ref().map(|folder| folder.join("simulator"));
    let servers = simulator::start(simulator::Options { journal, ..simulator::Options::default() }).await?;
    let samples = options.data.is_empty();
    let world = World::new(&servers, samples);
    // With --once nobody opens the console: a port that is taken must not keep a measurement from running.
    let listen = if options.once { SocketAddr::from(([127, 0, 0, 1], 0)) } else { options.listen };
    let config = world.config(&folder, listen)?;
    world.furnish().await?;
    let app = App::start(config, Outside::default()).await?;
    if !options.json {
        tour::addresses(&app, &world.mailbox);
        // The samples have such a team on purpose.
        let unmapped = if samples { Vec::new() } else { unmapped::lines(&folder, &conversations)? };
        unmapped.iter().for_each(|line| tell!("{line}"));
    }
    world.feed(&app, conversations).await?;
    if options.once {
        drained(&app, &world, options.json).await?;
        let summary = Summary::take(&app, &world, watch.elapsed()).await?;
        summary.print(options.json)?;
    } else {
        tokio::select! {
            stop = told_to_stop() => stop?,
            broken = shown(&app, &world) => broken?,
            () = left() => {}
        }
        say!("\nFinishing what is in flight ...");
        let summary = Summary::take(&app, &world, watch.elapsed()).await?;
        summary.print(options.json)?;
    }
    app.stop().await;
    servers.stop().await;
    Ok(())
}

/// Returns when Alcmeon has nothing more to tell and no lane has anything to do by itself.
async fn drained(app: &App, world: &World, quiet: bool) -> anyhow::Result<()> {
    loop {
        let source = world.wait_for_push(Duration::from_secs(2)).await?;
        if !quiet {
            tell!("{}", line(app, &source));
        }
        if source.pending > 0 {
            continue;
        }
        for (org, _) in app.engine.orgs() {
            let mut health = app.engine.watch(&org.id)?;
            health.wait_for(crate::engine::OrgHealth::idle).await?;
        }
        return Ok(());
    }
}

/// Says what went wrong once all is told, then how things stand.
async fn shown(app: &App, world: &World) -> anyhow::Result<()> {
    drained(app, world, false).await?;
    tour::causes(app).await?;
    progress(app, world).await
}

/// Says how things stand whenever that has changed.
async fn progress(app: &App, world: &World) -> anyhow::Result<()> {
    let mut last = String::new();
    loop {
        let source = world.source().await?;
        let now = line(app, &source);
        if now != last {
            say!("{now}");
            last = now;
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
}

fn line(app: &App, source: &world::Source) -> String {
    let mut text = format!("{} of {} actions told", source.acknowledged, source.actions);
    for (org, health) in app.engine.orgs() {
        let errors = health.sync_errors;
        let on_their_way = health.waiting + health.sending;
        text += &format!(" | {}: {on_their_way} on their way, {} pending", org.name, errors.pending);
        if errors.retrying > 0 {
            text += &format!(", {} retrying", errors.retrying);
        }
    }
    text
}

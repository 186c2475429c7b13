//! The simulator as a program: starts the servers, prints their addresses as one line of JSON, ends on Ctrl-C.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Parser;
use switchyard_simulator::{Options, start};

/// Salesforce, Alcmeon and a mailbox as servers on loopback ports.
///
/// Prints one line of JSON with the addresses, then serves until Ctrl-C or SIGTERM.
#[derive(Debug, Parser)]
#[command(after_long_help = HELP)]
struct Arguments {
    /// Port of Salesforce; 0 lets the system choose, here and below
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    salesforce_port: u16,
    /// Port of Alcmeon
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    alcmeon_port: u16,
    /// Port of the mailbox's page and API
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    mailbox_port: u16,
    /// Port of the mailbox's SMTP server
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    smtp_port: u16,
    /// Folder where Salesforce and Alcmeon write down every change, to come back with it
    #[arg(long, value_name = "FOLDER")]
    journal: Option<PathBuf>,
}

const HELP: &str = r#"Nothing is there at first; everything is set up over HTTP, below /control. With $SF as the address of Salesforce:

  an organization   curl -X PUT $SF/control/orgs/acme -d '{"client_id": "app", "client_secret": "secret",
                      "refresh_token": "r", "queues": [{"name": "Billing", "objects": ["Case"]}]}'
  a token           curl $SF/services/oauth2/token -d grant_type=refresh_token -d client_id=app \
                      -d client_secret=secret -d refresh_token=r
  a rule            curl -X PATCH $SF/control/orgs/acme -d '{"validation_rules": [{"object": "Case",
                      "field": "Subject", "contains": "spam", "message": "No spam"}]}'
  a trouble         curl -X POST $SF/control/orgs/acme/faults -d '{"method": "PATCH", "status": 503, "times": 3}'
  an outage         curl -X POST $SF/control/orgs/acme/faults -d '{"latency_ms": 86400000}' lets every call hang;
                      curl -X DELETE $SF/control/orgs/acme/faults ends it for new ones
  a slow network    curl -X PUT $SF/control/latency -d '{"ms": 200}'
  a later hour      curl -X PUT $SF/control/clock -d '{"advance_ms": 3600000}'
  what was called   curl "$SF/control/calls?org=acme"
  many records      curl -X POST $SF/control/orgs/acme/generate -d '{"object": "Contact", "count": 100000,
                      "fields": {"LastName": "N{n}", "Email": "n{n}@example.com"}}'

An environment of Alcmeon is made by PUT /control/environments/ID, and is told conversations by
POST /control/environments/ID/conversations. Settings that do not exist are refused with the names of those that do."#;

#[tokio::main]
async fn main() -> io::Result<()> {
    let arguments = Arguments::parse();
    let simulator = start(Options {
        journal: arguments.journal,
        salesforce_port: arguments.salesforce_port,
        alcmeon_port: arguments.alcmeon_port,
        mailbox_port: arguments.mailbox_port,
        smtp_port: arguments.smtp_port,
    })
    .await?;
    let addresses = serde_json::json!({
        "salesforce": simulator.salesforce,
        "alcmeon": simulator.alcmeon,
        "mailbox": simulator.mailbox,
        "smtp": simulator.smtp.to_string(),
    });
    let mut out = io::stdout().lock();
    writeln!(out, "{addresses}")?;
    out.flush()?;
    drop(out);
    ended().await?;
    simulator.stop().await;
    Ok(())
}

/// Waits until somebody ends the process.
#[cfg(unix)]
async fn ended() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminated = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminated.recv() => Ok(()),
    }
}

#[cfg(not(unix))]
async fn ended() -> io::Result<()> {
    tokio::signal::ctrl_c().await
}

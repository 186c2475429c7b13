//! The command line: what it can be told, and who does it.

mod action;
mod classify;
mod conversation;
#[cfg(feature = "demo")]
mod demo;
#[cfg(not(feature = "demo"))]
#[path = "no_demo.rs"]
mod demo;
mod org;
mod plugin;
mod policy;
mod quarantine;
mod remote;
mod serve;
mod store;
mod sync_error;
mod verify;

#[cfg(any(test, fuzzing))]
pub(crate) use plugin::fuzz_tests;

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use crate::config::{Config, DEFAULT_FILE};

/// Moves customer conversations from Alcmeon into Salesforce organizations through sandboxed policies.
#[derive(Debug, Parser)]
#[command(name = "switchyard", version, about, after_help = demo::AFTER_HELP)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// How long work on other threads may go on when everything is stopped.
const LAST_WORK: Duration = Duration::from_secs(5);

#[derive(Debug, Subcommand)]
enum Command {
    /// Simulate Salesforce, Alcmeon and a mailbox on this machine and watch conversations flow between them.
    #[command(hide = !demo::LISTED)]
    Demo(demo::Options),
    /// Run the host.
    Serve {
        /// The configuration; `switchyard default-config` prints one to start from.
        #[arg(long, default_value = "switchyard.toml")]
        config: PathBuf,
        /// Start although the store has lost records that were acknowledged; the log says what is gone.
        #[arg(long)]
        accept_loss: bool,
    },
    /// Check a configuration without starting anything.
    CheckConfig {
        /// The configuration.
        #[arg(long, default_value = "switchyard.toml")]
        config: PathBuf,
    },
    /// Print the commented default configuration.
    DefaultConfig,
    /// Say what the host makes of an answer of Salesforce: its class, how far it reaches, what to do, and whether it is retried.
    Classify(classify::Options),
    /// Authorize organizations.
    #[command(subcommand)]
    Org(org::Command),
    /// Write, check, run, test and measure plugins.
    #[command(
        subcommand,
        after_help = "Start with `switchyard plugin new my-policy --lang script`: it needs nothing else."
    )]
    Plugin(plugin::Command),
    /// Look at what policies decide.
    #[command(subcommand)]
    Policy(policy::Command),
    /// Look at whole conversations.
    #[command(subcommand)]
    Conversation(conversation::Command),
    /// List sync errors, retry them, and say why one is ignored.
    #[command(subcommand)]
    SyncError(sync_error::Command),
    /// List who did what.
    #[command(subcommand)]
    Action(action::Command),
    /// Back up, move and recount what is kept, and look after what was set aside.
    #[command(subcommand)]
    Store(store::Command),
}

/// Does what the command line says; 0 if it could, 1 if not, 2 if it was not understood; `store verify` has codes of its own.
#[must_use]
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    // Whoever asks for an answer gets it, and what is wrong with it, on the standard output.
    let quiet = matches!(
        cli.command,
        Command::Demo(_)
            | Command::Classify(_)
            | Command::Org(_)
            | Command::Plugin(_)
            | Command::Policy(_)
            | Command::Conversation(_)
            | Command::SyncError(_)
            | Command::Action(_)
            | Command::Store(store::Command::Verify(_) | store::Command::Quarantine(_))
    );
    let default = if quiet { "error" } else { "info" };
    let filter = EnvFilter::try_from_env("SWITCHYARD_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.into()),
    };
    let code = runtime.block_on(dispatch(cli.command)).unwrap_or_else(|error| failed(&error));
    // A disk that hangs keeps nobody from stopping.
    runtime.shutdown_timeout(LAST_WORK);
    code
}

fn failed(error: &anyhow::Error) -> ExitCode {
    eprintln!("switchyard: {error:#}");
    ExitCode::FAILURE
}

async fn dispatch(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Demo(options) => demo::run(options).await?,
        Command::Serve { config, accept_loss } => {
            let mut config = Config::load(&config)?;
            config.store.accept_loss = accept_loss;
            serve::run(config).await?;
        }
        Command::CheckConfig { config } => {
            let checked = Config::load(&config)?;
            checked.check_for_production()?;
            println!(
                "{}: {} organizations, {} Alcmeon environments; it can be served",
                config.display(),
                checked.orgs.len(),
                checked.alcmeon.len()
            );
        }
        Command::DefaultConfig => print!("{DEFAULT_FILE}"),
        Command::Classify(options) => classify::run(options)?,
        Command::Org(command) => org::run(command).await?,
        Command::Plugin(command) => plugin::run(command).await?,
        Command::Policy(command) => policy::run(command).await?,
        Command::Conversation(command) => conversation::run(command).await?,
        Command::SyncError(command) => sync_error::run(command).await?,
        Command::Action(command) => action::run(command).await?,
        Command::Store(command) => return store::run(command).await,
    }
    Ok(ExitCode::SUCCESS)
}

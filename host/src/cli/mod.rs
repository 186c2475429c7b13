//! The command line: what it can be told, who does it, and what its exit codes mean.
// What is printed goes through `out`, which survives a reader that leaves.
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod action;
mod classify;
mod conversation;
mod customer;
#[cfg(feature = "demo")]
mod demo;
#[cfg(not(feature = "demo"))]
#[path = "no_demo.rs"]
mod demo;
mod draft;
mod environment;
mod exit;
mod mail;
mod operation;
mod org;
mod out;
mod plugin;
mod policy;
mod profile;
mod progress;
mod quarantine;
mod remote;
mod serve;
mod store;
mod sync_error;
mod table;
#[cfg(test)]
mod tests;
mod token;
mod verify;

#[cfg(any(test, fuzzing))]
pub(crate) use plugin::fuzz_tests;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;
use serde_json::json;
use tracing_subscriber::EnvFilter;

use self::exit::{Exit, Misused};
use self::out::{say, tell};
use crate::config::{Config, DEFAULT_FILE};

/// Moves customer conversations from Alcmeon into Salesforce organizations through sandboxed policies.
#[derive(Debug, Parser)]
#[command(name = "switchyard", version, about, after_help = format!("{}\n\n{}", demo::AFTER_HELP, Exit::help()))]
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
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Print the commented default configuration.
    DefaultConfig,
    /// Say what the host makes of an answer of Salesforce: its class, how far it reaches, what to do, and whether it is retried.
    Classify(classify::Options),
    /// See how organizations stand, check them, and authorize them.
    #[command(subcommand)]
    Org(org::Command),
    /// See how Alcmeon environments stand.
    #[command(subcommand)]
    Environment(environment::Command),
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
    /// Find what is kept of a customer, and forget it.
    #[command(subcommand)]
    Customer(customer::Command),
    /// Find sync errors and their causes, retry them, ignore them with a reason, export them, and watch how they change.
    #[command(subcommand)]
    SyncError(Box<sync_error::Command>),
    /// Do one thing with all the sync errors that match: begin that, follow it, stop it, and take it back.
    #[command(subcommand)]
    Operation(operation::Command),
    /// Make, list and revoke the tokens with which people and programs ask a host.
    #[command(subcommand)]
    Token(token::Command),
    /// List the mails that were sent.
    #[command(subcommand)]
    Mail(mail::Command),
    /// List who did what.
    #[command(subcommand)]
    Action(action::Command),
    /// Back up, move and recount what is kept, and look after what was set aside.
    #[command(subcommand)]
    Store(store::Command),
    /// Print what a shell completes commands by.
    #[command(after_help = COMPLETIONS)]
    Completions {
        /// Which shell.
        shell: Shell,
    },
}

const COMPLETIONS: &str = "\
Examples:
  switchyard completions bash > ~/.local/share/bash-completion/completions/switchyard
  switchyard completions zsh > ~/.zfunc/_switchyard              with fpath+=~/.zfunc before compinit
  switchyard completions fish > ~/.config/fish/completions/switchyard.fish";

/// Does what the command line says. Its exit codes are those of `Exit`; `store verify` has codes of its own.
#[must_use]
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    // Whoever asks for an answer gets it, and what is wrong with it, on the standard output.
    let quiet = matches!(
        cli.command,
        Command::Demo(_)
            | Command::Classify(_)
            | Command::Operation(_)
            | Command::Org(_)
            | Command::Environment(_)
            | Command::Completions { .. }
            | Command::Plugin(_)
            | Command::Policy(_)
            | Command::Conversation(_)
            | Command::Customer(_)
            | Command::SyncError(_)
            | Command::Action(_)
            | Command::Mail(_)
            | Command::Token(_)
            | Command::Store(store::Command::Verify { .. } | store::Command::Quarantine(_))
    );
    let default = if quiet { "error" } else { "info" };
    let filter = EnvFilter::try_from_env("SWITCHYARD_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        // A log that nobody reads any more stops nothing.
        .log_internal_errors(false)
        .init();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            failed(&error.into());
            return Exit::Failed.into();
        }
    };
    let code = runtime.block_on(dispatch(cli.command)).unwrap_or_else(|error| {
        failed(&error);
        Exit::of(&error).into()
    });
    // A disk that hangs keeps nobody from stopping.
    runtime.shutdown_timeout(LAST_WORK);
    match out::end() {
        Some(error) => {
            tell!("switchyard: the standard output cannot be written: {error}");
            Exit::Failed.into()
        }
        None => code,
    }
}

fn failed(error: &anyhow::Error) {
    tell!("switchyard: {error:#}");
}

fn check(config: &Path, as_json: bool) -> anyhow::Result<()> {
    let checked = Config::load(config)?;
    checked.check_for_production()?;
    let (orgs, environments) = (checked.orgs.len(), checked.alcmeon.len());
    match as_json {
        true => say!("{}", json!({ "config": config, "organizations": orgs, "environments": environments })),
        false => {
            say!("{}: {orgs} organizations, {environments} Alcmeon environments; it can be served", config.display())
        }
    }
    Ok(())
}

async fn dispatch(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Demo(options) => demo::run(options).await?,
        Command::Serve { config, accept_loss } => {
            let mut config = Config::load(&config)?;
            config.store.accept_loss = accept_loss;
            serve::run(config).await?;
        }
        Command::CheckConfig { config, json } => check(&config, json)?,
        Command::DefaultConfig => out::text(DEFAULT_FILE),
        Command::Classify(options) => classify::run(options)?,
        Command::Org(command) => org::run(command).await?,
        Command::Environment(command) => environment::run(command).await?,
        Command::Plugin(command) => plugin::run(command).await?,
        Command::Policy(command) => policy::run(command).await?,
        Command::Conversation(command) => conversation::run(command).await?,
        Command::Customer(command) => customer::run(command).await?,
        Command::SyncError(command) => return Ok(sync_error::run(*command).await?.into()),
        Command::Operation(command) => return Ok(operation::run(command).await?.into()),
        Command::Action(command) => action::run(command).await?,
        Command::Mail(command) => mail::run(command).await?,
        Command::Token(command) => token::run(command).await?,
        Command::Store(command) => return store::run(command).await,
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "switchyard", &mut script);
            out::text(&String::from_utf8(script)?);
        }
    }
    Ok(ExitCode::SUCCESS)
}

//! For those who write plugins: a project to start from, and ways to look at a plugin, to run it, to test it and to measure it.

mod bench;
mod check;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz_tests;
mod new;
mod pull;
mod run;
mod test;
pub(super) mod workbench;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::json;

pub(super) use test::{compared, print_difference};

use super::remote::Remote;
use crate::cli::out::say;
use crate::domain::{PluginName, Question};
use crate::registry::Reference;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Write a project that builds and tests as it stands, into a new folder.
    #[command(after_help = new::EXAMPLES)]
    New {
        /// The plugin's name, and the folder's.
        name: PluginName,
        /// What it is written in.
        #[arg(long, value_enum)]
        lang: new::Language,
        /// Print the files as one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Say what a component exports and imports, and where it does not fit the interface; nothing of it runs.
    #[command(after_help = check::EXAMPLES)]
    Check {
        /// The component.
        file: PathBuf,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Ask one question and print the answer, what it cost, and what the plugin wrote to its log.
    #[command(after_help = run::EXAMPLES)]
    Run {
        #[command(flatten)]
        subject: Subject,
        #[command(flatten)]
        asked: Asked,
    },
    /// Run a folder of cases and say which answers are not the expected ones.
    #[command(after_help = test::EXAMPLES)]
    Test {
        #[command(flatten)]
        subject: Subject,
        /// The folder; every *.json in it is a case.
        folder: PathBuf,
        /// Print one JSON object for each case, a line each.
        #[arg(long)]
        json: bool,
    },
    /// Have a running host pull a plugin from an OCI registry, and apply the policies again that name it.
    #[command(after_help = pull::EXAMPLES)]
    Pull {
        /// REGISTRY/REPOSITORY:TAG, with @sha256:DIGEST for exactly one.
        reference: Reference,
        /// The plugin's name in the host; the last part of the repository where not given.
        #[arg(long)]
        name: Option<PluginName>,
        /// Print what the host answers, as JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        remote: Remote,
    },
    /// Delete a plugin of a running host that no policy uses, with its file.
    Delete {
        /// The plugin's name.
        name: PluginName,
        /// Print its name as a JSON object.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        remote: Remote,
    },
    /// Measure how long decisions take.
    #[command(after_help = bench::EXAMPLES)]
    Bench {
        #[command(flatten)]
        subject: Subject,
        #[command(flatten)]
        asked: Asked,
        /// How many decisions are measured.
        #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
        times: u32,
    },
}

/// What is looked at.
#[derive(Debug, Args)]
pub(super) struct Subject {
    /// A component (.wasm), a script (.rhai) or a policy (.toml).
    file: PathBuf,
    /// Settings, as a TOML or JSON file; for a policy they go before its own, key by key.
    #[arg(long)]
    settings: Option<PathBuf>,
    /// Where the plugins lie that a policy names and that are not built in; the policy's own folder where not given.
    #[arg(long)]
    plugins: Option<PathBuf>,
}

/// What is asked of it, and how the answer is printed.
#[derive(Debug, Args)]
pub(super) struct Asked {
    /// A conversation or a whole case, as JSON.
    #[arg(long)]
    input: PathBuf,
    /// The question: route, search, choose or judge; the case's own, or route, where not given.
    #[arg(long, value_parser = question)]
    question: Option<Question>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::New { name, lang, json } => new::run(&name, lang, json),
        Command::Check { file, json } => check::run(&file, json),
        Command::Run { subject, asked } => run::run(&subject, &asked).await,
        Command::Test { subject, folder, json } => test::run(&subject, &folder, json).await,
        Command::Pull { reference, name, json, remote } => pull::run(&reference, name, json, &remote).await,
        Command::Delete { name, json: as_json, remote } => {
            remote.call(Method::DELETE, &format!("/v1/plugins/{name}"), None).await?;
            match as_json {
                true => say!("{}", json!({ "name": name })),
                false => say!("{name} is deleted"),
            }
            Ok(())
        }
        Command::Bench { subject, asked, times } => bench::run(&subject, &asked, times).await,
    }
}

fn question(text: &str) -> Result<Question, String> {
    let all = [Question::Route, Question::Search, Question::Choose, Question::Judge];
    all.into_iter().find(|question| question.to_string() == text).ok_or_else(|| {
        let known = all.map(|question| question.to_string()).join(", ");
        format!("`{text}` is none of {known}")
    })
}
